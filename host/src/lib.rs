//! One way to store and move data: record formats over compression over backends, and a sync engine, in one sandboxed
//! WebAssembly component; this crate is its host.
//!
//! - [`backend`]: the [`Backend`] trait and the backends, at native speed.
//! - [`Registry`] and [`Config`]: backends by name.
//! - [`runtime`]: the component in wasmtime, and the typed API to call it.
//! - [`docs`]: pages to read: concepts, architecture, decisions.

pub mod backend;
mod config;
#[cfg(feature = "configuration")]
mod configuration;
pub mod docs;
mod duration;
mod hash;
mod registry;
#[cfg(feature = "runtime")]
pub mod runtime;
mod secret;
mod wrappers;

#[cfg(feature = "cli")]
pub mod cli;

#[cfg(unix)]
pub use backend::file::FileBackend;
#[cfg(feature = "gcs")]
pub use backend::gcs::GcsBackend;
#[cfg(feature = "opendal")]
pub use backend::opendal::OpendalBackend;
#[cfg(feature = "s3")]
pub use backend::s3::S3Backend;
pub use backend::{Backend, channel::ChannelBackend, memory::MemoryBackend};
pub use config::Config;
#[cfg(feature = "configuration")]
pub use configuration::Configuration;
pub use hash::Hasher;
pub use omnistorage_types::{
    Error, ErrorCode, Hash, HashAlgorithm, Location, Metadata, ObjectInfo, ObjectKind, Path, PathError,
    Result, Timestamp,
};
pub use registry::Registry;
pub use secret::Secret;
