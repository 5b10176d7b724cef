//! A backend as one caller holds it: under a name of its own, and closed or slowed down for this caller alone.

use std::{num::NonZeroU64, sync::Arc};

use super::{
    Backend, Listed, ListingFailure,
    closed::Closed,
    layer::Layered,
    limit::{Limit, LimitOptions},
};
use crate::Error;

/// What a caller holds of a backend that others may hold too. Cheap to clone: a clone is the handle as it is now.
///
/// ```
/// use std::sync::Arc;
/// use omnistorage::{ErrorCode, MemoryBackend, Path, backend::Handle};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let backend = Arc::new(MemoryBackend::new());
/// let mut handle = Handle::new("logs", backend.clone());
/// handle.close();
/// let root = Path::root();
/// let error = handle.backend().stat(&root).await.unwrap_err();
/// assert_eq!(error.code(), ErrorCode::BackendClosed);
/// assert!(Handle::new("logs", backend).backend().stat(&root).await.is_ok());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Handle {
    name: Arc<str>,
    state: State,
}

/// What a handle leads to.
#[derive(Clone, Debug)]
enum State {
    Open(Arc<dyn Backend>),
    /// The bytes must pass through what stands before the backend.
    Limited {
        limited: Arc<dyn Backend>,
        backend: Arc<dyn Backend>,
    },
    /// To nothing any more, and there is no way back.
    Closed(Arc<Closed>),
}

impl Handle {
    /// Leads to a backend, which errors call by this name.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, backend: Arc<dyn Backend>) -> Self {
        Self { name: name.into(), state: State::Open(backend) }
    }

    /// The name by which it was opened.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The backend as calls find it.
    #[must_use]
    pub fn backend(&self) -> &dyn Backend {
        match &self.state {
            State::Open(backend) => &**backend,
            State::Limited { limited, .. } => &**limited,
            State::Closed(closed) => &**closed,
        }
    }

    /// Bounds the bytes that move from now on, in bytes a second. What is closed stays so.
    pub fn limit_bandwidth(&mut self, bytes_per_second: Option<NonZeroU64>) {
        let limit = || Limit::new(LimitOptions { bytes_per_second, ..LimitOptions::default() });
        self.limit_by(bytes_per_second.map(|_| Arc::new(limit())));
    }

    /// Holds what is done from now on to a limit, which others may share. What is closed stays so.
    pub fn limit_by(&mut self, limit: Option<Arc<Limit>>) {
        let Some(backend) = self.below().cloned() else { return };
        self.state = match limit {
            Some(limit) => {
                State::Limited { limited: Arc::new(Layered::sharing(backend.clone(), limit)), backend }
            }
            None => State::Open(backend),
        };
    }

    /// Ends the use of this handle; others that lead to the backend stay as they are.
    pub fn close(&mut self) {
        self.state = State::Closed(Arc::new(Closed::of(self.backend())));
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed(_))
    }

    /// Whether both lead to one backend.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self.below(), other.below()) {
            (Some(backend), Some(other)) => Arc::ptr_eq(backend, other),
            _ => false,
        }
    }

    /// Whether a copy to the target must not take a short way, on which nobody counts the bytes. What a store copies
    /// within itself does not count.
    #[must_use]
    pub fn must_count_bytes_to(&self, target: &Self) -> bool {
        matches!(self.state, State::Limited { .. }) && !self.is_same_as(target)
    }

    /// The error as the caller sees it: at the name by which it opened the backend.
    #[must_use]
    pub fn explain(&self, error: Error, path: &str) -> Error {
        let path = error.location().map_or_else(|| path.to_owned(), |(_, path)| path.to_owned());
        error.at_location(self.name.to_string(), path)
    }

    /// The same of what a listing tells.
    #[must_use]
    pub fn explain_listed(&self, listed: Listed) -> Listed {
        match listed {
            Listed::Failure(failure) => {
                let ListingFailure { what, error } = *failure;
                let error = self.explain(error, what.path().as_str());
                ListingFailure { what, error }.into()
            }
            Listed::Entry(_) => listed,
        }
    }

    /// The same of a call that is about a path of this backend and one of another: where it failed.
    #[must_use]
    pub fn explain_between(&self, error: Error, path: &str, target: &Self, to: &str) -> Error {
        if error.is_on_target() { target.explain(error, to) } else { self.explain(error, path) }
    }

    /// The backend itself, without what limits it; `None` once the handle is closed.
    fn below(&self) -> Option<&Arc<dyn Backend>> {
        match &self.state {
            State::Open(backend) | State::Limited { backend, .. } => Some(backend),
            State::Closed(_) => None,
        }
    }
}
