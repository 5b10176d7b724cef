//! Storage as a component: it exports the interface `backend`, over what its host grants by WASI. Plugged into the
//! component of the library, it makes one that any host can run.
//!
//! What stores is the crate `omnistorage`, as in a native host; here is the boundary, and which backends there are.

#![cfg(target_family = "wasm")]
#![warn(clippy::disallowed_methods)]

mod backend;
mod body;
mod copies;
mod grants;
mod kinds;

/// What `wit-bindgen` makes of the WIT package.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::unwrap_used, clippy::panic)]
mod bindings {
    wit_bindgen::generate!({ world: "provider", path: "../../wit", generate_all });

    export!(Component with_types_in self);

    /// The one type that the exported interface hangs on.
    pub struct Component;
}

use bindings::{exports::omnistorage::storage::backend as wit, omnistorage::storage::types};

omnistorage_types::mirror_types!(types);
omnistorage_types::mirror_backend!(wit);
