//! A component of the world `omnistorage` that misbehaves on demand. Its host must come to no harm, and no backend
//! may ever show half a write.
//!
//! The first segment of a path chooses what it does there:
//!
//! - `objects.write`: see [`write`].
//! - `objects.read`: see [`read`]; `pump/` and `frame/` are honest, and what a benchmark measures.
//! - `objects.stat`: see [`attempt`].
//!
//! All else traps.

#![allow(clippy::panic, clippy::unimplemented, reason = "to trap is one of its duties")]

mod attempt;
mod frame;
mod hoard;
mod read;
mod unneeded;
mod write;

/// What `wit-bindgen` makes of the WIT package.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::unwrap_used, clippy::panic)]
mod bindings {
    wit_bindgen::generate!({ world: "omnistorage", path: "../../wit", generate_all });

    export!(Component with_types_in self);

    /// The one type that all exported interfaces hang on.
    pub struct Component;
}

use bindings::{
    Component,
    exports::omnistorage::storage::{
        self as exports,
        compression::{Body, DecompressOptions},
        objects::{CompressionOptions, Entries, Filter, Guest, Reader},
    },
    omnistorage::storage::{
        self as imports,
        backend::{Capabilities, ListOptions, ReadOptions, WriteOptions},
        types::{Error, ErrorCode, Hash, HashAlgorithm, Location, ObjectInfo},
    },
};

impl Guest for Component {
    async fn features(backend: String) -> Result<Capabilities, Error> {
        Ok(imports::backend::open(backend, Vec::new()).await?.capabilities().await)
    }

    async fn stat(at: Location) -> Result<ObjectInfo, Error> {
        attempt::attempt(at).await
    }

    async fn list(_: Location, _: ListOptions) -> Result<Entries, Error> {
        unimplemented!()
    }

    async fn find(_: Location, _: Filter, _: ListOptions) -> Result<Entries, Error> {
        unimplemented!()
    }

    async fn read(
        source: Location,
        options: ReadOptions,
        _: Option<DecompressOptions>,
    ) -> Result<Reader, Error> {
        read::read(source, options).await
    }

    async fn write(
        target: Location,
        contents: Body,
        options: WriteOptions,
        _: Option<CompressionOptions>,
    ) -> Result<ObjectInfo, Error> {
        write::write(target, contents, options).await
    }

    async fn remove(_: Location) -> Result<(), Error> {
        unimplemented!()
    }

    async fn purge(_: Location) -> Result<u64, Error> {
        unimplemented!()
    }

    async fn sweep(_: Location, _: u64) -> Result<u64, Error> {
        unimplemented!()
    }

    async fn mkdir(_: Location) -> Result<(), Error> {
        unimplemented!()
    }

    async fn rmdir(_: Location) -> Result<(), Error> {
        unimplemented!()
    }

    async fn compute_hash(_: Location, _: HashAlgorithm) -> Result<Hash, Error> {
        unimplemented!()
    }
}

/// Bytes handed on at once.
const BUFFER: usize = 256 * 1024;

/// What the path chooses.
fn behaviour(at: &Location) -> String {
    at.path.split('/').next().unwrap_or_default().to_owned()
}

fn error(code: ErrorCode, message: impl Into<String>) -> Error {
    Error { code, at: None, offset: None, message: message.into(), retry_after_ms: None, given_up: false }
}
