//! All promises, on the store of our own.

use std::sync::Arc;

use omnistorage::{Backend, GcsBackend};

async fn ours() -> (Arc<dyn Backend>, ()) {
    let config = omnistorage_test_servers::gcs::gcs().config();
    let config = config.with("conditional_copy", "true").with("conditional_delete", "true");
    (Arc::new(GcsBackend::from_config(config).unwrap()), ())
}

omnistorage_conformance::conformance_tests!(ours);

/// Keys that are no paths.
mod odd {
    use omnistorage_test_servers::gcs::Gcs;

    use super::*;

    #[allow(clippy::unwrap_used, reason = "without a backend there is nothing to test")]
    async fn odd() -> (Arc<dyn Backend>, Gcs) {
        let store = Gcs::start();
        for key in ["a", "odd/a", "odd/z", "z", "odd//x", "odd/../x", "odd/dir/", "odd/\0"] {
            store.put(&format!("below/{key}"), b"x", &serde_json::json!({}));
        }
        (Arc::new(GcsBackend::from_config(store.config_below("below")).unwrap()), store)
    }

    omnistorage_conformance::conformance_tests_unlisted!(odd);
}
