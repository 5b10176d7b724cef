//! Compiling a component, on as many threads as there may be.

use std::{error::Error, sync::LazyLock};

use rayon::ThreadPoolBuilder;
use wasmtime::{Engine, component::Component};

/// Whether the threads that wasmtime compiles on can be had: asking for them by using them would be a panic.
static HAS_THREADS: LazyLock<bool> = LazyLock::new(|| {
    // Without a cause, the error says that they are there already.
    ThreadPoolBuilder::new().build_global().map_or_else(|error| error.source().is_none(), |()| true)
});

/// Compiles a component: on this thread alone, if there may be no other.
pub(super) fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
    if *HAS_THREADS {
        return Component::from_binary(engine, bytes);
    }
    let alone = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build()?;
    alone.install(|| Component::from_binary(engine, bytes))
}
