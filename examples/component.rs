//! Gives storage to a component of your own: the interface `backend` in a linker of yours, in the way of the `wasi`
//! crates of wasmtime. Any component that imports `omnistorage:storage/backend` can then be instantiated, and can
//! touch what its store was given; here it is our own component, used as any other.

use std::sync::Arc;

use omnistorage::{
    MemoryBackend,
    runtime::{COMPONENT, Policy, StorageCtx, StorageCtxView, StorageView, add_to_linker, limit_store},
};
use wasmtime::{
    Engine, Store,
    component::{Component, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The data of your store.
struct MyState {
    table: ResourceTable,
    wasi: WasiCtx,
    storage: StorageCtx,
}

impl WasiView for MyState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl StorageView for MyState {
    fn storage(&mut self) -> StorageCtxView<'_> {
        StorageCtxView { ctx: &mut self.storage, table: &mut self.table }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run().await
}

pub(crate) async fn run() -> anyhow::Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    add_to_linker(&mut linker)?;

    let state = MyState {
        table: ResourceTable::new(),
        // No directories, no environment, no network: what Rust's standard library asks for, and nothing in it.
        wasi: WasiCtx::builder().build(),
        storage: StorageCtx::new(&Policy::new().mount("scratch", Arc::new(MemoryBackend::new()))),
    };
    let mut store = Store::new(&engine, state);
    // Its memories, its handles, and what it hands over in one call.
    limit_store(&mut store);
    let component = Component::from_binary(&engine, COMPONENT)?;
    let instance = linker.instantiate_async(&mut store, &component).await?;
    let objects = instance.get_export_index(&mut store, None, "omnistorage:storage/objects@0.1.0");
    anyhow::ensure!(objects.is_some());
    Ok(())
}
