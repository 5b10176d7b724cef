//! All promises, on fake-gcs-server.

use std::sync::Arc;

use omnistorage::{Backend, GcsBackend};

async fn fake_gcs() -> (Arc<dyn Backend>, ()) {
    (Arc::new(GcsBackend::from_config(omnistorage_test_servers::fake_gcs().gcs_config()).unwrap()), ())
}

omnistorage_conformance::conformance_tests!(fake_gcs);
