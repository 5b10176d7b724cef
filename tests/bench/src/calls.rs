//! The interface `objects` of a live instance, as an embedder calls it.

pub(crate) use self::bindings::{
    exports::omnistorage::storage::objects::{Guest as Objects, GuestIndices},
    omnistorage::storage::types::{Location, ReadOptions},
};

/// What `bindgen!` makes of the interface.
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({
        inline: "
            package omnistorage:bench;
            world calls {
                export omnistorage:storage/objects@0.1.0;
            }
        ",
        path: "../../wit",
        exports: { default: async | store },
    });
}
