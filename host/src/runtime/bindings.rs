//! What `bindgen!` makes of the WIT package.

#![allow(missing_docs, unreachable_pub, clippy::all)]

wasmtime::component::bindgen!({
    world: "omnistorage",
    path: "wit",
    imports: { default: trappable },
    exports: { default: async | store },
    with: {
        "omnistorage:storage/backend.backend": super::open::OpenBackend,
        "omnistorage:storage/backend.listing": super::open::OpenListing,
    },
});
