//! The S3 backend keeps its promises on moto, and its secrets: the whole suite runs with some that are looked for in all
//! that is logged, at the most verbose level, and in all errors.

use std::sync::Arc;

use omnistorage::{Backend, S3Backend};
use omnistorage_test_servers::{
    canary::{CANARIES, Watch, watched},
    moto,
};

#[allow(clippy::unwrap_used, reason = "without a backend there is nothing to test")]
async fn moto_with_a_canary() -> (Arc<dyn Backend>, Watch) {
    let config = moto().config().with("secret_access_key", CANARIES[0]).with("session_token", CANARIES[1]);
    watched(Arc::new(S3Backend::from_config(config).unwrap()))
}

omnistorage_conformance::conformance_tests!(moto_with_a_canary);

/// Keys that are no paths.
mod odd {
    use super::*;

    #[allow(clippy::unwrap_used, reason = "without a backend there is nothing to test")]
    async fn odd() -> (Arc<dyn Backend>, ()) {
        let (config, below) = moto().config_and_prefix();
        for key in ["a", "odd/a", "odd/z", "z", "odd//x", "odd/./x", "odd/dir/"] {
            moto().put(&format!("{below}/{key}"), "x");
        }
        (Arc::new(S3Backend::from_config(config).unwrap()), ())
    }

    omnistorage_conformance::conformance_tests_unlisted!(odd);
}
