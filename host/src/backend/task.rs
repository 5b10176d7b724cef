//! Work that goes on by itself: in tasks of tokio, or of the component that this is compiled into.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod wasi;

#[cfg(not(target_family = "wasm"))]
pub(super) use native::{Tasks, detach, here, to_its_end};
#[cfg(target_family = "wasm")]
pub(super) use wasi::here;
#[cfg(all(feature = "cloud", target_family = "wasm"))]
pub(super) use wasi::{Tasks, detach, to_its_end};

/// A task came to no end: it panicked, or what ran it was shut down.
#[cfg(feature = "cloud")]
#[derive(Debug)]
pub(super) struct Stopped;
