//! The S3 backend keeps its promises on moto.

use std::sync::Arc;

use omnistorage::{Backend, S3Backend};

#[allow(clippy::unwrap_used, reason = "without a backend there is nothing to test")]
async fn moto() -> (Arc<dyn Backend>, ()) {
    (Arc::new(S3Backend::from_config(omnistorage_test_servers::moto().config()).unwrap()), ())
}

omnistorage_conformance::conformance_tests!(moto);
