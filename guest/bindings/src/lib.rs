//! The boundary of the component `omnistorage:storage`: the WIT interface `backend` as the port of the engine, and what is
//! exported. Nothing is decided here.

#![cfg(target_family = "wasm")]
#![warn(clippy::disallowed_methods)]

mod body;
mod compression;
mod job;
mod multi;
mod objects;
mod port;
mod records;
mod sync;

/// What `wit-bindgen` makes of the WIT package.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::unwrap_used, clippy::panic)]
mod bindings {
    wit_bindgen::generate!({ world: "omnistorage", path: "../../wit", generate_all });

    export!(Component with_types_in self);

    /// The one type that all exported interfaces hang on.
    pub struct Component;
}

use std::rc::Rc;

use bindings::{
    Component,
    exports::omnistorage::storage as exports,
    omnistorage::storage::{backend, filters, types},
};
use exports::{
    bisync as bisync_exports, compression as compression_exports, multi as multi_exports,
    objects as objects_exports, records as record_exports, sync as sync_exports,
};
use omnistorage_engine::Engine;
use omnistorage_types::wit::IntoWit;

omnistorage_types::mirror_types!(types);
omnistorage_types::mirror_backend!(backend);
omnistorage_types::mirror_filters!(filters);
omnistorage_types::mirror_objects!(compression_exports, objects_exports);
omnistorage_types::mirror_multi!(multi_exports);
omnistorage_types::mirror_sync!(sync_exports);
omnistorage_types::mirror_bisync!(bisync_exports);
omnistorage_types::mirror_records!(record_exports);
omnistorage_types::mirror_encoding!(record_exports);

/// The engine over what is imported.
fn engine() -> Engine {
    Engine::new(Rc::new(port::Imported))
}

/// An answer in the words of the interface.
fn answer<T: IntoWit<W>, W>(result: omnistorage_types::Result<T>) -> Result<W, types::Error> {
    result.map(T::into_wit).map_err(IntoWit::into_wit)
}
