//! What a component asks for and its host does not have, before anything of it runs.

use std::fmt;

use wasmtime::{
    Engine,
    component::{Component, Linker, LinkerInstance, ResourceType, types::ComponentItem},
};

/// The imports of a component that nothing in a linker provides. [`fmt::Display`] is one sentence that names all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// As the component names them, in its order: `wasi:http/client@0.3.0`.
    pub imports: Vec<String>,
    /// Why the first of them does not do, in the words of wasmtime.
    pub reason: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the component asks for what this host does not have: {}", self.imports.join(", "))
    }
}

impl std::error::Error for Missing {}

/// Says of a component all that keeps it from being instantiated with a linker, at once. Wasmtime itself tells of the
/// first import alone. An import of a type other than what the linker has counts as missing.
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
        // What is missing is named between backticks, and never twice: it has a stand-in from then on.
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

/// Puts something of that name and type into a linker, which is never called.
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
        // Of the others either there is nothing to provide, or no host can.
        _ => Ok(()),
    }
}

fn called() -> wasmtime::Error {
    wasmtime::Error::msg("the component was run although something that it asks for is missing")
}
