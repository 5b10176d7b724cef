//! No secret is seen, whatever is logged, and whatever goes wrong.

use std::sync::Arc;

use bytes::Bytes;
use omnistorage::{
    AzblobBackend, Backend, ErrorCode, Path,
    backend::{ListOptions, ReadOptions, WriteOptions},
};
use omnistorage_test_servers::{
    azurite,
    canary::{CANARIES, watched},
};

#[tokio::test]
async fn a_signature_that_is_refused_is_not_told() {
    let config = azurite().config();
    let mut without = config.clone();
    without.take::<String>("key").unwrap();
    let token = format!("sv=2021-12-02&ss=b&srt=sco&sp=rwdl&se=2099-01-01T00:00:00Z&sig={}", CANARIES[0]);
    let (backend, _watch) =
        watched(Arc::new(AzblobBackend::from_config(without.with("sas_token", token)).unwrap()));
    let path = Path::parse("a").unwrap();
    let refused = |error: omnistorage::Error| {
        assert_eq!(error.code(), ErrorCode::PermissionDenied, "{error}");
    };
    refused(backend.stat(&path).await.unwrap_err());
    refused(backend.read(&path, &ReadOptions::default()).await.err().unwrap());
    refused(backend.write_all(&path, Bytes::new(), &WriteOptions::default()).await.unwrap_err());
    let mut listing = backend.list(&Path::root(), &ListOptions::default()).await.unwrap();
    refused(listing.next(10).await.unwrap_err());
    refused(backend.delete(std::slice::from_ref(&path)).await.remove(0).unwrap_err());
}

#[tokio::test]
async fn a_container_that_is_missing_is_named() {
    let config = azurite().config().with("container", "nobody-made-it");
    let backend = AzblobBackend::from_config(config).unwrap();
    let path = Path::parse("a").unwrap();
    let missing = |error: omnistorage::Error| {
        assert_eq!(error.code(), ErrorCode::NotFound, "{error}");
        assert!(error.message().contains("no container `nobody-made-it`"), "{error}");
    };
    missing(backend.stat(&path).await.unwrap_err());
    missing(backend.write_all(&path, Bytes::new(), &WriteOptions::default()).await.unwrap_err());
    missing(backend.delete(std::slice::from_ref(&path)).await.remove(0).unwrap_err());
    let mut listing = backend.list(&Path::root(), &ListOptions::default()).await.unwrap();
    missing(listing.next(10).await.unwrap_err());
}
