//! One way to store and move data: record formats over compression over backends, and a sync engine, in one sandboxed
//! WebAssembly component; this crate is its host.
//!
//! ```
//! # #[cfg(feature = "runtime")]
//! # #[tokio::main]
//! # async fn main() -> omnistorage::Result<()> {
//! use std::sync::Arc;
//! use omnistorage::{Location, MemoryBackend};
//! use omnistorage::runtime::{Encoding, Runtime, RuntimeOptions, Storage, SyncOptions};
//!
//! let runtime = Runtime::new(&RuntimeOptions::default())?; // compiles the component, or finds it compiled
//! let storage = Storage::builder(&runtime)
//!     .mount("logs", Arc::new(MemoryBackend::new()))
//!     .mount("backup", Arc::new(MemoryBackend::new()))
//!     .build(); // all that its sandboxes can touch
//!
//! // Records in compression, since the name says so. Nothing is visible before `finish`.
//! let today = Location::new("logs", "today.ndjson.zst")?;
//! let mut writer = storage.write_records(&today, &Encoding::default()).await?;
//! writer.write(br#"{"level":"info"}"#).await?;
//! writer.finish().await?;
//!
//! // A mirror of them.
//! let (logs, backup) = (Location::new("logs", "")?, Location::new("backup", "")?);
//! let report = storage.sync(&logs, &backup, &SyncOptions::default()).await?.outcome().await?;
//! assert_eq!(report.transferred, 1);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "runtime"))]
//! # fn main() {}
//! ```
//!
//! - [`runtime`]: the component in wasmtime, and the typed API to call it.
//! - [`ranges`]: one run over ranges of its paths, at once.
//! - [`backend`]: the [`Backend`] trait and the backends, at native speed.
//! - [`Registry`] and [`Config`]: backends by name.
//! - [`docs`]: pages to read. Begin with the [`tutorial`](docs::tutorial) or the [`cookbook`](docs::cookbook).

#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod backend;
#[cfg(all(feature = "cluster", not(target_family = "wasm")))]
pub mod cluster;
mod config;
#[cfg(feature = "configuration")]
mod configuration;
pub mod docs;
mod duration;
mod hash;
#[cfg(all(feature = "runtime", not(target_family = "wasm")))]
pub mod ranges;
mod registry;
mod retry_options;
#[cfg(all(feature = "runtime", not(target_family = "wasm")))]
pub mod runtime;
#[cfg(all(feature = "command-line", target_family = "wasm"))]
#[path = "imported/mod.rs"]
pub mod runtime;
mod secret;
mod wrappers;

#[cfg(any(feature = "cli", all(feature = "command-line", target_family = "wasm")))]
pub mod cli;

#[cfg(feature = "azblob")]
pub use backend::azblob::AzblobBackend;
#[cfg(unix)]
pub use backend::file::FileBackend;
#[cfg(feature = "gcs")]
pub use backend::gcs::GcsBackend;
#[cfg(feature = "http")]
pub use backend::http::HttpBackend;
#[cfg(feature = "opendal")]
pub use backend::opendal::OpendalBackend;
#[cfg(feature = "s3")]
pub use backend::s3::S3Backend;
#[cfg(feature = "sftp")]
pub use backend::sftp::SftpBackend;
pub use backend::{Backend, channel::ChannelBackend, memory::MemoryBackend};
pub use config::Config;
#[cfg(feature = "configuration")]
pub use configuration::Configuration;
pub use hash::Hasher;
pub use omnistorage_types::{
    Error, ErrorCode, Hash, HashAlgorithm, KeyRange, Location, Metadata, ObjectInfo, ObjectKind, Path,
    PathError, Result, Timestamp,
};
pub use registry::Registry;
pub use secret::Secret;
