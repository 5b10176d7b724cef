//! The S3 backend keeps its promises on moto, and its secrets: the whole suite runs with some that are looked for in all
//! that is logged, at the most verbose level, and in all errors.

use std::sync::Arc;

use omnistorage::{
    Backend, ErrorCode, Path, S3Backend,
    backend::{ObjectVersion, WriteOptions},
};
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

/// Deletes of one object, whose condition this server honours.
#[tokio::test]
#[allow(clippy::unwrap_used, reason = "a test fails loudly")]
async fn only_the_version_that_was_seen_is_deleted_alone() {
    let backend = S3Backend::from_config(moto().config().with("conditional_delete", "true")).unwrap();
    let path = Path::parse("a b/\u{e9}").unwrap();
    let put = async |text: &'static str| {
        backend.write_all(&path, text.into(), &WriteOptions::default()).await.unwrap().etag.unwrap()
    };
    let (first, second) = (put("first").await, put("second").await);
    for (etag, refused, is_left) in [
        (&first, Some(ErrorCode::PreconditionFailed), true),
        (&"*".to_owned(), Some(ErrorCode::PreconditionFailed), true),
        (&second, None, false),
        (&second, None, false),
    ] {
        let version = ObjectVersion { path: path.clone(), etag: etag.clone() };
        let deleted = backend.delete_if_match(&[version]).await.remove(0);
        assert_eq!(deleted.err().map(|error| error.code()), refused, "{etag}");
        assert_eq!(backend.exists(&path).await.unwrap(), is_left);
    }
}
