//! What the component does: scheduling, retries, the sync engine, records over bodies. What is decided comes from
//! `omnistorage-core`; storage, tasks and the clock come from a [`port`].
//!
//! Nothing here knows of WebAssembly. In the component the port is the WIT interface `backend`, and the exports call an
//! [`Engine`]; tests, fuzzers and the simulation give it a port of their own, and step through the same code.
//!
//! Everything is asynchronous: calls of the backends overlap, in bounded number, and bytes stream through buffers of
//! [`body::CHUNK`] bytes.

#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
#![forbid(unsafe_code)]

pub mod body;
pub mod compression;
mod dictionary;
pub mod find;
pub mod job;
mod multi;
pub mod objects;
mod pipe;
mod place;
pub mod planted;
pub mod port;
pub mod records;
mod sync;

use std::rc::Rc;

pub use self::{job::Job, pipe::cancelled, sync::Operation};

/// Everything that the component exports, over one port.
#[derive(Clone)]
pub struct Engine {
    port: Rc<dyn port::Storage>,
}

impl Engine {
    /// An engine over a port.
    #[must_use]
    pub fn new(port: Rc<dyn port::Storage>) -> Self {
        Self { port }
    }
}
