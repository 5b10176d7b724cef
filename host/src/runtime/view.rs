//! How the interface `backend` gets into a store, in the way of the `wasi` crates of wasmtime: [`StorageCtx`] is the
//! state, [`StorageView`] how to get at it, and [`add_to_linker`] puts the interface into a linker, for embedders who
//! run components of their own.

use wasmtime::{
    ResourceLimiter, Store,
    component::{HasData, Linker, ResourceTable},
};

use super::{
    activity::Activity,
    bindings::omnistorage::storage::{backend, types},
    budget::Budget,
    epoch::deadline,
    failure::failure,
    growth::Growth,
    policy::Policy,
};
use crate::Error;

/// The state of the interface for one store: what its component was granted, and what it may use.
///
/// The [limits](super::Limits) of what the host holds for the component, and of what it has open, always apply; those
/// that only wasmtime can enforce, such as its memories, need [`limit_store`].
#[derive(Debug)]
pub struct StorageCtx {
    pub(super) policy: Policy,
    pub(super) budget: Budget,
    pub(super) growth: Growth,
    pub(super) activity: Activity,
}

impl StorageCtx {
    /// The state of a new instance.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        let budget = Budget::new(policy.limits.clone());
        let activity = policy.common.as_ref().map(|common| common.activity.clone()).unwrap_or_default();
        Self { policy: policy.clone(), growth: Growth::of(&budget), budget, activity }
    }

    /// What the component asks of its backends; also valid after its store is gone.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.activity.clone()
    }

    /// Why the component ended, given an error from wasmtime: a limit that it reached, a trap of its own, or a failure
    /// of the host. One sentence, for the log of whoever runs plugins.
    #[must_use]
    pub fn explain(&self, error: &wasmtime::Error) -> Error {
        failure(error, &self.growth, self.budget.limits())
    }

    /// What keeps the memories and tables of the component within the limits, for
    /// [`Store::limiter`](wasmtime::Store::limiter).
    pub fn limiter(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.growth
    }
}

/// Borrowed state of the interface.
#[derive(Debug)]
pub struct StorageCtxView<'a> {
    /// What the component was granted.
    pub ctx: &'a mut StorageCtx,
    /// The table of what it opened.
    pub table: &'a mut ResourceTable,
}

/// Gives the interface its state in the data of a store.
pub trait StorageView: Send {
    /// Borrows the state.
    fn storage(&mut self) -> StorageCtxView<'_>;
}

/// Adds `omnistorage:storage/backend` and `omnistorage:storage/types` to a linker.
///
/// # Errors
/// If the linker already has an interface of that name.
pub fn add_to_linker<T: StorageView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    backend::add_to_linker::<T, HasStorage>(linker, T::storage)?;
    types::add_to_linker::<T, HasStorage>(linker, T::storage)
}

/// Holds what runs in a store to the limits of its [`StorageCtx`], but for
/// [`Limits::guest_time`](super::Limits::guest_time), which [`limit_time`] adds.
pub fn limit_store<T: StorageView + 'static>(store: &mut Store<T>) {
    let limits = store.data_mut().storage().ctx.budget.limits().clone();
    store.limiter(|state| state.storage().ctx.limiter());
    store.set_hostcall_fuel(limits.hostcall_bytes);
    store.set_max_component_handles(limits.handles);
}

/// Ends a component that computes for longer than [`Limits::guest_time`](super::Limits::guest_time) without getting
/// anything done, and lets other tasks run in between. Its engine must have
/// [epochs](wasmtime::Config::epoch_interruption) and be [watched](super::watch).
pub fn limit_time<T: StorageView + 'static>(store: &mut Store<T>) {
    let budget = store.data_mut().storage().ctx.budget.clone();
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(deadline(budget));
}

/// Tells the bindings where the state of the interface is.
pub(super) struct HasStorage;

impl HasData for HasStorage {
    type Data<'a> = StorageCtxView<'a>;
}
