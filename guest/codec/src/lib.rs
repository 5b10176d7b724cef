//! The component `omnistorage:codec`: formats and codecs alone, for runtimes of WASI 0.2.
//!
//! Thin adapters from synchronous WIT functions to `omnistorage-core`, the same core as in the component
//! `omnistorage:storage`. It imports nothing but what Rust's standard library asks for.

#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod compression;
mod convert;
mod detecting;
mod encoding;
mod error;
mod records;
mod sink;
mod source;
mod stream;

/// What `wit-bindgen` makes of the WIT package.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::unwrap_used, clippy::panic)]
mod bindings {
    wit_bindgen::generate!({ world: "codec", path: "../../wit/codec" });

    export!(Component with_types_in self);

    /// The one type that all exported interfaces hang on.
    pub struct Component;
}

use bindings::{Component, exports::omnistorage::codec as exports};
