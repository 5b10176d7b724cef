//! A sandbox: a store with a component in it. Everything that a guest may use is limited here.

use std::sync::Arc;

use tokio::task::JoinHandle;
use wasmtime::{
    Store,
    component::{Accessor, Component, Instance, InstancePre, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::{
    activity::Activity,
    bindings::exports::omnistorage::storage::{bisync, compression, multi, objects, records, sync},
    budget::Budget,
    policy::Policy,
    room::{Place, Room},
    view::{StorageCtx, StorageCtxView, StorageView, limit_store, limit_time},
};
use crate::{Error, ErrorCode, Result};

/// A component with its imports, ready to be instantiated.
pub(super) struct Template {
    instance: InstancePre<State>,
    room: Room,
    bisync: bisync::GuestIndices,
    compression: compression::GuestIndices,
    multi: multi::GuestIndices,
    objects: objects::GuestIndices,
    records: records::GuestIndices,
    sync: sync::GuestIndices,
}

impl Template {
    pub(super) fn new(
        linker: &Linker<State>,
        component: &Component,
        sandboxes: u32,
    ) -> wasmtime::Result<Self> {
        let instance = linker.instantiate_pre(component)?;
        Ok(Self {
            bisync: bisync::GuestIndices::new(&instance)?,
            compression: compression::GuestIndices::new(&instance)?,
            multi: multi::GuestIndices::new(&instance)?,
            objects: objects::GuestIndices::new(&instance)?,
            records: records::GuestIndices::new(&instance)?,
            sync: sync::GuestIndices::new(&instance)?,
            instance,
            room: Room::new(sandboxes as usize),
        })
    }

    /// For all sandboxes that run at once.
    pub(super) fn room(&self) -> &Room {
        &self.room
    }
}

/// A component in its store. An interface is looked up when a job needs it: checking the types of all of them would
/// cost more than the instance.
pub(super) struct Guest {
    template: Arc<Template>,
    instance: Instance,
}

impl Guest {
    pub(super) fn bisync(&self, inside: &Inside) -> wasmtime::Result<bisync::Guest> {
        inside.with(|store| self.template.bisync.load(store, &self.instance))
    }

    pub(super) fn compression(&self, inside: &Inside) -> wasmtime::Result<compression::Guest> {
        inside.with(|store| self.template.compression.load(store, &self.instance))
    }

    pub(super) fn multi(&self, inside: &Inside) -> wasmtime::Result<multi::Guest> {
        inside.with(|store| self.template.multi.load(store, &self.instance))
    }

    pub(super) fn objects(&self, inside: &Inside) -> wasmtime::Result<objects::Guest> {
        inside.with(|store| self.template.objects.load(store, &self.instance))
    }

    pub(super) fn records(&self, inside: &Inside) -> wasmtime::Result<records::Guest> {
        inside.with(|store| self.template.records.load(store, &self.instance))
    }

    pub(super) fn sync(&self, inside: &Inside) -> wasmtime::Result<sync::Guest> {
        inside.with(|store| self.template.sync.load(store, &self.instance))
    }
}

/// The data of a store.
pub(super) struct State {
    table: ResourceTable,
    /// Only what Rust's standard library needs: no directories, environment, network or standard streams.
    wasi: WasiCtx,
    storage: StorageCtx,
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

/// What a job gets to see of the inside.
pub(super) type Inside = Accessor<State>;

/// A sandbox for one job. Dropping it ends everything that runs in it.
pub(super) struct Sandbox {
    store: Store<State>,
    guest: Guest,
    /// Released once the store is gone.
    _place: Place,
}

impl Sandbox {
    /// Starts one, once there is room for it.
    pub(super) async fn new(template: &Arc<Template>, policy: &Policy, room: &Room) -> Result<Self> {
        let place = room.place().await?;
        let mut table = ResourceTable::new();
        table.set_max_capacity(policy.limits.handles);
        let storage = StorageCtx::new(policy);
        let state = State { table, wasi: WasiCtx::builder().build(), storage };
        let mut store = Store::new(template.instance.engine(), state);
        limit_store(&mut store);
        limit_time(&mut store);
        match template.instance.instantiate_async(&mut store).await {
            Ok(instance) => {
                let guest = Guest { template: template.clone(), instance };
                Ok(Self { store, guest, _place: place })
            }
            Err(error) => Err(store.data().storage.explain(&error)),
        }
    }

    /// Its account of what it holds.
    pub(super) fn budget(&self) -> Budget {
        self.store.data().storage.budget.clone()
    }

    /// What it asks of its backends.
    pub(super) fn activity(&self) -> Activity {
        self.store.data().storage.activity.clone()
    }

    /// Runs a job to its end. A trap, or a limit that was reached, is an error.
    pub(super) async fn run<R>(
        mut self,
        job: impl AsyncFnOnce(&Inside, &Guest) -> wasmtime::Result<Result<R>>,
    ) -> Result<R> {
        let Self { store, guest, .. } = &mut self;
        let guest = &*guest;
        match store.run_concurrent(async |inside| job(inside, guest).await).await.flatten() {
            Ok(result) => result,
            Err(error) => Err(store.data().storage.explain(&error)),
        }
    }
}

/// A task that is cancelled when this is dropped.
#[derive(Debug)]
pub(super) struct Task<R>(JoinHandle<Result<R>>);

impl<R: Send + 'static> Task<R> {
    pub(super) fn spawn(future: impl Future<Output = Result<R>> + Send + 'static) -> Self {
        Self(tokio::spawn(future))
    }

    /// Waits for its result.
    pub(super) async fn join(mut self) -> Result<R> {
        self.outcome().await
    }

    /// Cancels it, and waits until everything that it held is dropped.
    pub(super) async fn stop(mut self) {
        self.0.abort();
        // However it ended before does not matter.
        let _ = (&mut self.0).await;
    }

    /// Waits for its result, which is given once. A caller that stopped waiting may wait again.
    pub(super) async fn outcome(&mut self) -> Result<R> {
        (&mut self.0).await.unwrap_or_else(|error| {
            let code = if error.is_cancelled() { ErrorCode::Cancelled } else { ErrorCode::Trapped };
            Err(Error::new(code, format!("the task of the sandbox ended early: {error}")))
        })
    }
}

impl<R: Send + 'static> Task<R> {
    /// Why it ended too early.
    pub(super) async fn failure(self) -> Error {
        self.join()
            .await
            .err()
            .unwrap_or_else(|| Error::new(ErrorCode::Other, "the sandbox ended without a word"))
    }
}

impl<R> Drop for Task<R> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
