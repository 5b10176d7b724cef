//! Work that goes on by itself: in tasks of tokio, or of the component that this is compiled into.

#[cfg(all(feature = "cloud", not(target_family = "wasm")))]
mod native;
#[cfg(all(feature = "cloud", target_family = "wasm"))]
mod wasi;

use std::future::Future;

#[cfg(all(feature = "cloud", not(target_family = "wasm")))]
pub(super) use native::{Tasks, detach, to_its_end};
#[cfg(all(feature = "cloud", target_family = "wasm"))]
pub(super) use wasi::{Tasks, detach, to_its_end};

/// A task came to no end: it panicked, or what ran it was shut down.
#[cfg(feature = "cloud")]
#[derive(Debug)]
pub(super) struct Stopped;

/// What of WASI must not leave its thread: a component has but one.
#[cfg(target_family = "wasm")]
pub(super) fn here<F: Future>(future: F) -> send_wrapper::SendWrapper<F> {
    send_wrapper::SendWrapper::new(future)
}

/// Elsewhere there is nothing of the kind.
#[cfg(not(target_family = "wasm"))]
pub(super) fn here<F: Future + Send>(future: F) -> F {
    future
}
