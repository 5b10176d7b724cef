//! What a guest may open, and how much it may use.

use std::{collections::BTreeMap, sync::Arc};

use super::{Limits, common::Common};
use crate::{
    backend::{Backend, limit::Limit},
    registry::Registry,
};

/// What a component may open.
#[derive(Clone, Debug, Default)]
pub(super) struct Grants {
    /// Open backends by name.
    pub(super) mounts: BTreeMap<String, Arc<dyn Backend>>,
    /// Kinds that the guest may open by itself, with a configuration of its own.
    pub(super) kinds: Registry,
    /// Whether the host leaves copies to the guest, which then reads and writes.
    pub(super) without_transfer: bool,
}

/// What a guest may open, by which names, and how much it may use: all that a host decides about a plugin. A new one
/// grants nothing, under the default [`Limits`]. Cheap to clone: make one per plugin and use it for each of its
/// instances. The limits are those of one instance.
///
/// A backend is granted as it is. To grant less of it, put a decorator around it first.
///
/// ```
/// use std::sync::Arc;
/// use omnistorage::{
///     Backend, MemoryBackend, Path,
///     backend::{layer::Layered, prefix::Prefix, read_only::ReadOnly},
///     runtime::{Limits, Policy},
/// };
///
/// let store: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
/// let own = Prefix::new(store.clone(), Path::parse("plugins/thumbnails")?);
/// let policy = Policy::new()
///     .mount("own", Arc::new(own)) // what the plugin stores lies below that prefix, and it sees nothing else
///     .mount("photos", Arc::new(Layered::new(store, ReadOnly)))
///     .limits(Limits { memory: 64 << 20, ..Limits::default() });
/// assert_eq!(policy.names().collect::<Vec<_>>(), ["own", "photos"]);
/// # Ok::<(), omnistorage::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub(super) grants: Arc<Grants>,
    pub(super) limits: Limits,
    /// What its instances have in common, if they do one job.
    pub(super) common: Option<Common>,
    /// What holds all jobs to a rate that have a limit of bandwidth, instead of one of their own.
    pub(super) bandwidth: Option<Arc<Limit>>,
}

impl Policy {
    /// A policy that grants nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Grants a backend under a name, and replaces one already granted by that name. What is stored there does not
    /// count against the limits.
    #[must_use]
    pub fn mount(mut self, name: impl Into<String>, backend: Arc<dyn Backend>) -> Self {
        Arc::make_mut(&mut self.grants).mounts.insert(name.into(), backend);
        self
    }

    /// Lets the guest open backends of these kinds by itself, with any configuration: with kinds that reach files or
    /// the network, whatever this process can reach. Default: none.
    #[must_use]
    pub fn grant_kinds(mut self, kinds: Registry) -> Self {
        Arc::make_mut(&mut self.grants).kinds = kinds;
        self
    }

    /// Bounds what an instance may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether the host moves bytes between two of its backends by itself; otherwise the guest reads and writes.
    /// Default: yes.
    #[must_use]
    pub fn transfer(mut self, transfer: bool) -> Self {
        Arc::make_mut(&mut self.grants).without_transfer = !transfer;
        self
    }

    /// The names that a guest may open, sorted: of backends, and of kinds.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<&str> =
            self.grants.mounts.keys().map(String::as_str).chain(self.grants.kinds.names()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter()
    }
}
