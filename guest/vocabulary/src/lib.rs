//! The interfaces `types` and `filters` as a component. They hold types alone, so there is nothing to run; but whoever
//! composes components must have the types from somewhere, or asks the host for them, which knows none.

#![cfg(target_family = "wasm")]

#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all)]
mod bindings {
    wit_bindgen::generate!({ world: "vocabulary", path: "../../wit", generate_all });
}
