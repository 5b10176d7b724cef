//! The component in a store of an embedder's own: what an instance costs by itself, and for what is measured in one.

use std::sync::Arc;

use anyhow::Result;
use omnistorage::{
    MemoryBackend,
    runtime::{COMPONENT, Policy, StorageCtx, StorageCtxView, StorageView, add_to_linker},
};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    component::{Component, Instance, InstancePre, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The data of a store.
pub(crate) struct State {
    wasi: WasiCtx,
    storage: StorageCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl StorageView for State {
    fn storage(&mut self) -> StorageCtxView<'_> {
        StorageCtxView { ctx: &mut self.storage, table: &mut self.table }
    }
}

/// The component, ready to be instantiated from a pool.
pub(crate) struct Instances(InstancePre<State>);

impl Instances {
    /// Compiles it.
    ///
    /// # Errors
    /// If this machine cannot run it.
    pub(crate) fn new() -> Result<Self> {
        Self::with_room_for(4)
    }

    /// The same, for so many at once.
    ///
    /// # Errors
    /// As [`Instances::new`].
    pub(crate) fn with_room_for(count: u32) -> Result<Self> {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(count)
            .total_core_instances(8 * count)
            .total_memories(2 * count)
            .total_tables(8 * count)
            .total_stacks(4 * count);
        let mut config = Config::new();
        config.epoch_interruption(true).allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        add_to_linker(&mut linker)?;
        Ok(Self(linker.instantiate_pre(&Component::from_binary(&engine, COMPONENT)?)?))
    }

    /// What they are made of.
    pub(crate) fn template(&self) -> &InstancePre<State> {
        &self.0
    }

    /// Makes a store that may touch one backend, as `memory`, and an instance in it.
    ///
    /// # Errors
    /// If there is no room for it.
    pub(crate) async fn make(&self, backend: &Arc<MemoryBackend>) -> Result<(Store<State>, Instance)> {
        let state = State {
            wasi: WasiCtx::builder().build(),
            storage: StorageCtx::new(&Policy::new().mount("memory", backend.clone())),
            table: ResourceTable::new(),
        };
        let mut store = Store::new(self.0.engine(), state);
        store.set_epoch_deadline(1);
        let instance = self.0.instantiate_async(&mut store).await?;
        Ok((store, instance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_instance_is_made_and_makes_room_for_the_next() -> Result<()> {
        let (instances, backend) = (Instances::new()?, Arc::new(MemoryBackend::new()));
        for _ in 0..10 {
            instances.make(&backend).await?;
        }
        Ok(())
    }
}
