//! What is wrong is said in one sentence, with what to do.

use omnistorage::{
    Backend, ErrorCode, GcsBackend, Path,
    backend::{ListOptions, ReadOptions, WriteOptions},
};
use omnistorage_test_servers::{
    fake_gcs,
    gcs::{ACCESS_TOKEN, Fault, Gcs},
};

use crate::shorthand::{backend, fails, get, list, path, pattern, put};

/// The first calls of a user, one after the other.
async fn all_fail(backend: &GcsBackend, code: ErrorCode, word: &str) {
    fails(list(backend, &ListOptions::default()).await, code, word);
    fails(put(backend, "object", &pattern(3), &WriteOptions::default()).await, code, word);
    fails(put(backend, "object", &pattern(600_000), &WriteOptions::default()).await, code, word);
    fails(backend.purge(&Path::root()).await, code, word);
    fails(backend.delete(&[path("object")]).await.remove(0), code, word);
}

#[tokio::test]
async fn a_missing_bucket() {
    let ours = Gcs::start();
    for config in [ours.config(), fake_gcs().gcs_config()] {
        let backend = backend(config.with("bucket", "no-such-bucket"));
        all_fail(&backend, ErrorCode::NotFound, "bucket `no-such-bucket`").await;
    }
    let backend = backend(ours.config().with("bucket", "no-such-bucket"));
    fails(backend.stat(&path("object")).await, ErrorCode::NotFound, "bucket `no-such-bucket`");
    let read = backend.read(&path("object"), &ReadOptions::default()).await;
    fails(read.map(drop), ErrorCode::NotFound, "bucket `no-such-bucket`");
}

#[tokio::test]
async fn an_endpoint_where_nobody_is() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = Gcs::start().config().with("endpoint", format!("http://{unused}"));
    let backend = backend(config);
    fails(list(&backend, &ListOptions::default()).await, ErrorCode::Unavailable, "cannot reach `127.0.0.1`");
}

#[tokio::test]
async fn an_expired_token() {
    let store = Gcs::with_tokens();
    let with = |token: &str| {
        let config = store.config().with("anonymous", "false").with("access_token", token);
        backend(config)
    };
    all_fail(&with("canary-of-the-tests"), ErrorCode::PermissionDenied, "expired").await;
    let good = with(ACCESS_TOKEN);
    put(&good, "object", &pattern(3), &WriteOptions::default()).await.unwrap();
    assert_eq!(get(&good, "object").await.unwrap(), pattern(3));
}

#[tokio::test]
async fn a_bucket_that_is_not_public() {
    let store = Gcs::with_tokens();
    all_fail(&backend(store.config()), ErrorCode::PermissionDenied, "not public").await;
}

#[tokio::test]
async fn a_right_that_is_missing() {
    let store = Gcs::start();
    let backend = backend(store.config());
    store.order("/", 100, Fault::Status(403));
    let code = ErrorCode::PermissionDenied;
    fails(list(&backend, &ListOptions::default()).await, code, "not public");
}

#[tokio::test]
async fn what_is_asked_too_often() {
    let store = Gcs::start();
    let backend = backend(store.config());
    store.order("GET /storage", 100, Fault::Busy { retry_after: 0 });
    fails(backend.stat(&path("object")).await, ErrorCode::RateLimited, "fewer requests");
}

#[tokio::test]
async fn names_that_cannot_be() {
    let backend = backend(Gcs::start().config());
    for name in ["a\nb", "a\rb", &"x".repeat(1025)] {
        let written = put(&backend, name, &pattern(1), &WriteOptions::default()).await;
        assert_eq!(written.unwrap_err().code(), ErrorCode::InvalidPath, "{name:?}");
    }
}

#[tokio::test]
async fn settings() {
    for (key, value, word) in
        [("part_size", "1", "`part_size`"), ("bukket", "x", "`bukket`"), ("endpoint", "here", "endpoint")]
    {
        let made = GcsBackend::from_config(Gcs::start().config().with(key, value));
        fails(made, ErrorCode::InvalidArgument, word);
    }
}
