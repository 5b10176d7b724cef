//! The conformance suite as a component: it imports `backend`, and holds whatever provides that to the interface.
//!
//! The rows are those of the crate `omnistorage-conformance`, for which `imported` makes a backend of the import.

#![cfg(target_family = "wasm")]

mod imported;
mod upload;

/// What `wit-bindgen` makes of the WIT package.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::unwrap_used, clippy::panic)]
mod bindings {
    wit_bindgen::generate!({ world: "conformance-suite", path: "../../../wit", generate_all });

    export!(Component with_types_in self);

    /// The one type that all exported interfaces hang on.
    pub struct Component;
}

use std::sync::Arc;

use bindings::{
    Component,
    exports::omnistorage::storage::conformance::Guest,
    omnistorage::storage::{backend as wit, types},
};
use omnistorage::{Error, ErrorCode};
use omnistorage_conformance::{ROWS, Row};

use self::imported::Imported;

omnistorage_types::mirror_types!(types);
omnistorage_types::mirror_backend!(wit);

/// What an import cannot be held to: to close its handle does not end what was begun through it, and there is no other
/// backend to copy to.
const OMITTED: [&str; 3] = [
    "close::no_upload_outlives_the_close",
    "close::no_listing_outlives_the_close",
    "copy::another_backend_gets_all_or_nothing",
];

fn held() -> impl Iterator<Item = &'static (&'static str, Row)> {
    ROWS.iter().filter(|(name, _)| !OMITTED.contains(name))
}

impl Guest for Component {
    fn rows() -> Vec<String> {
        held().map(|(name, _)| written(name)).collect()
    }

    async fn check(row: String, backend: String) -> Result<(), types::Error> {
        let found = held().find(|(name, _)| written(name) == row);
        let (_, promise) = found.ok_or_else(|| {
            types::Error::from(Error::new(ErrorCode::InvalidArgument, format!("there is no row `{row}`")))
        })?;
        let opened = wit::open(backend.clone(), Vec::new()).await?;
        promise(Arc::new(Imported::new(backend, opened).await)).await;
        Ok(())
    }
}

/// The name of a row as WIT writes names.
fn written(name: &str) -> String {
    name.replace("::", ".").replace('_', "-")
}
