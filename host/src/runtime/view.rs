//! How the interface `backend` gets into a store, in the way of the `wasi` crates of wasmtime: [`StorageCtx`] is the
//! state, [`StorageView`] how to get at it, and [`add_to_linker`] puts the interface into a linker, for embedders who run
//! components of their own.

use std::{collections::BTreeMap, sync::Arc};

use wasmtime::component::{HasData, Linker, ResourceTable};

use super::{
    activity::Activity,
    bindings::omnistorage::storage::{backend, types},
    limits::Progress,
};
use crate::{backend::Backend, registry::Registry};

/// What a component may open.
#[derive(Clone, Debug, Default)]
pub(super) struct Grants {
    /// Open backends by name.
    pub(super) mounts: BTreeMap<String, Arc<dyn Backend>>,
    /// Kinds that the guest may open by itself, with a configuration of its own.
    pub(super) kinds: Registry,
    /// The host does not move bytes between its backends: guests read and write.
    pub(super) without_transfer: bool,
}

/// The state of the interface for one store: what its component was granted.
#[derive(Debug)]
pub struct StorageCtx {
    pub(super) grants: Arc<Grants>,
    pub(super) progress: Progress,
    pub(super) activity: Activity,
}

impl StorageCtx {
    /// Grants nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::granting(Arc::default(), Progress::default())
    }

    pub(super) fn granting(grants: Arc<Grants>, progress: Progress) -> Self {
        Self { grants, progress, activity: Activity::default() }
    }

    /// Grants a backend under a name.
    #[must_use]
    pub fn mount(mut self, name: impl Into<String>, backend: Arc<dyn Backend>) -> Self {
        Arc::make_mut(&mut self.grants).mounts.insert(name.into(), backend);
        self
    }
}

impl Default for StorageCtx {
    fn default() -> Self {
        Self::new()
    }
}

/// Borrowed state of the interface.
#[derive(Debug)]
pub struct StorageCtxView<'a> {
    /// What the component was granted.
    pub ctx: &'a mut StorageCtx,
    /// What it opened.
    pub table: &'a mut ResourceTable,
}

/// How the interface gets at its state in the data of a store.
pub trait StorageView: Send {
    /// Borrows the state.
    fn storage(&mut self) -> StorageCtxView<'_>;
}

/// Adds `omnistorage:storage/backend` and `omnistorage:storage/types` to a linker.
///
/// # Errors
/// If the linker has an interface of that name.
pub fn add_to_linker<T: StorageView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    backend::add_to_linker::<T, HasStorage>(linker, T::storage)?;
    types::add_to_linker::<T, HasStorage>(linker, T::storage)
}

/// Where the interface finds its state.
pub(super) struct HasStorage;

impl HasData for HasStorage {
    type Data<'a> = StorageCtxView<'a>;
}
