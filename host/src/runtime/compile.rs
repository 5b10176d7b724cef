//! Compiles a component, on as many threads as the system allows.

use std::{error::Error, sync::LazyLock};

use rayon::ThreadPoolBuilder;
use wasmtime::{Engine, component::Component};

/// Whether the threads that wasmtime compiles on can be started: it would panic if they cannot.
static HAS_THREADS: LazyLock<bool> = LazyLock::new(|| {
    // An error without a source means that they run already.
    ThreadPoolBuilder::new().build_global().map_or_else(|error| error.source().is_none(), |()| true)
});

/// Compiles a component, on this thread alone if no other can be started.
pub(super) fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
    if *HAS_THREADS {
        return Component::from_binary(engine, bytes);
    }
    let alone = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build()?;
    alone.install(|| Component::from_binary(engine, bytes))
}
