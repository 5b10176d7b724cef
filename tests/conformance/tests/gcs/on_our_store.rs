//! All promises, on the store of our own.

use std::sync::Arc;

use omnistorage::{Backend, GcsBackend};

async fn ours() -> (Arc<dyn Backend>, ()) {
    (Arc::new(GcsBackend::from_config(omnistorage_test_servers::gcs::gcs().config()).unwrap()), ())
}

omnistorage_conformance::conformance_tests!(ours);
