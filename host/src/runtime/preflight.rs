//! Finds what a component imports and its host lacks, before anything runs.

use std::fmt;

use wasmtime::{
    Engine,
    component::{Component, Linker, LinkerInstance, ResourceType, types::ComponentItem},
};

/// The imports of a component that nothing in a linker provides. [`fmt::Display`] is one sentence that names all of
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Their names in the component, in its order, such as `wasi:http/client@0.3.0`.
    pub imports: Vec<String>,
    /// Why wasmtime refuses the first of them.
    pub reason: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the component asks for what this host does not have: {}", self.imports.join(", "))
    }
}

impl std::error::Error for Missing {}

/// Lists everything that keeps a component from being instantiated with a linker; wasmtime itself reports only the
/// first import. An import whose type differs from what the linker has counts as missing.
///
/// ```
/// use omnistorage::runtime::{COMPONENT, missing_imports};
/// use wasmtime::{Engine, component::{Component, Linker}};
///
/// # #[derive(Default)]
/// # struct State(wasmtime::component::ResourceTable, wasmtime_wasi::WasiCtx);
/// # impl wasmtime_wasi::WasiView for State {
/// #     fn ctx(&mut self) -> wasmtime_wasi::WasiCtxView<'_> {
/// #         wasmtime_wasi::WasiCtxView { ctx: &mut self.1, table: &mut self.0 }
/// #     }
/// # }
/// # fn main() -> wasmtime::Result<()> {
/// let engine = Engine::default();
/// let component = Component::from_binary(&engine, COMPONENT)?;
/// let mut linker = Linker::<State>::new(&engine);
/// wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
///
/// let missing = missing_imports(&linker, &component)?.unwrap_or_default();
/// assert_eq!(missing.imports, ["omnistorage:storage/backend@0.1.0"]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the component cannot be instantiated for another reason.
pub fn missing_imports<T: Send + 'static>(
    linker: &Linker<T>,
    component: &Component,
) -> wasmtime::Result<Option<Missing>> {
    let engine = component.engine();
    let component_type = component.component_type();
    let mut linker = linker.clone();
    linker.allow_shadowing(true);
    let mut missing = Missing::default();
    loop {
        let Err(error) = linker.instantiate_pre(component) else { break };
        let reason = format!("{error:#}");
        // Wasmtime names the missing import between backticks. A stand-in takes its place, so it is never named twice.
        let name = component_type.imports(engine).map(|(name, _)| name).find(|name| {
            reason.contains(&format!("`{name}`")) && !missing.imports.iter().any(|known| known == name)
        });
        let Some(name) = name.map(str::to_owned) else { return Err(error) };
        if let Some(item) = component_type.get_import(engine, &name) {
            stand_in(&mut linker.root(), engine, &name, &item.ty)?;
        }
        if missing.imports.is_empty() {
            missing.reason = reason;
        }
        missing.imports.push(name);
    }
    Ok((!missing.imports.is_empty()).then_some(missing))
}

/// Adds a stand-in of that name and type to a linker. It is never called.
fn stand_in<T: Send + 'static>(
    linker: &mut LinkerInstance<'_, T>,
    engine: &Engine,
    name: &str,
    item: &ComponentItem,
) -> wasmtime::Result<()> {
    match item {
        ComponentItem::ComponentFunc(function) if function.async_() => {
            linker.func_new_concurrent(name, |_, _, _, _| Box::pin(async { Err(called()) }))
        }
        ComponentItem::ComponentFunc(_) => linker.func_new(name, |_, _, _, _| Err(called())),
        ComponentItem::ComponentInstance(instance) => {
            let mut inner = linker.instance(name)?;
            for (name, item) in instance.exports(engine) {
                stand_in(&mut inner, engine, name, &item.ty)?;
            }
            Ok(())
        }
        ComponentItem::Resource(_) => linker.resource(name, ResourceType::host::<()>(), |_, _| Ok(())),
        // The other kinds need no stand-in, or no host can provide them.
        _ => Ok(()),
    }
}

fn called() -> wasmtime::Error {
    wasmtime::Error::msg("the component was run although something that it asks for is missing")
}
