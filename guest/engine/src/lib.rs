//! The component `omnistorage:storage`: what `omnistorage-core` decides is asked for, scheduled and carried out here.
//!
//! Everything is asynchronous: calls of the imported backends overlap, in bounded number, and bytes stream through
//! buffers of [`body::CHUNK`] bytes.

mod backends;
mod body;
mod compression;
mod convert;
mod error;
mod multi;
mod objects;
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

use bindings::{Component, exports::omnistorage::storage as exports, omnistorage::storage as imports};
