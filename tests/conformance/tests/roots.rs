//! The root of a store is there if the store says so: one that is missing is not found, an empty one is fine, and one
//! that may not be asked about is told as that.
#![allow(clippy::unwrap_used, reason = "without a backend there is nothing to test")]

use std::sync::Arc;

use omnistorage::{Backend, Config, ErrorCode, Path, Registry, backend::prefix::Prefix};
use omnistorage_test_servers::{
    Canned, Fault, Proxy, azurite, fake_gcs, gcs::Gcs, moto, nginx, python_web, webdav, weed,
};

fn open(kind: &str, config: Config) -> Arc<dyn Backend> {
    Registry::with_builtin().open(kind, config).unwrap()
}

/// The root is there, with nothing in it.
async fn is_there(backend: &Arc<dyn Backend>) {
    let root = backend.stat(&Path::root()).await.unwrap();
    assert_eq!((root.path, root.kind), (Path::root(), omnistorage::ObjectKind::Directory));
    assert!(backend.exists(&Path::root()).await.unwrap());
}

/// The root is missing, and the error names it.
async fn is_missing(backend: &Arc<dyn Backend>, name: &str) {
    let error = backend.stat(&Path::root()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotFound, "{error}");
    assert!(error.message().contains(name), "{error}");
    assert!(!backend.exists(&Path::root()).await.unwrap());
    // What is below a prefix is not there either.
    let below: Arc<dyn Backend> = Arc::new(Prefix::new(backend.clone(), Path::parse("tenant").unwrap()));
    assert_eq!(below.stat(&Path::root()).await.unwrap_err().code(), ErrorCode::NotFound);
    assert!(!below.exists(&Path::root()).await.unwrap());
}

/// One question is enough; and nobody says whether it is there, if that is refused.
async fn is_asked_once(proxy: &Proxy, through: &Arc<dyn Backend>, refusal: Canned) {
    let _ = proxy.take_requests();
    is_there(through).await;
    let requests = proxy.take_requests();
    assert_eq!(requests.len(), 2, "`stat` and `exists` ask once each: {requests:?}");
    proxy.plan(move |_| Some(Fault::Answer(refusal.clone())));
    let error = through.stat(&Path::root()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::PermissionDenied, "{error}");
    assert!(through.exists(&Path::root()).await.is_err());
}

#[tokio::test]
async fn a_bucket_of_s3() {
    for server in [moto(), weed()] {
        is_there(&open("s3", server.config())).await;
        is_missing(&open("s3", server.config().with("bucket", "no-such-bucket")), "`no-such-bucket`").await;
        let proxy = Proxy::before(&server.endpoint);
        let through = open("s3", server.config().with("endpoint", &proxy.endpoint));
        is_asked_once(&proxy, &through, Canned::s3_error(403, "AccessDenied")).await;
    }
}

#[tokio::test]
async fn a_bucket_of_gcs() {
    let ours = Gcs::start();
    for (endpoint, config) in
        [(&ours.endpoint, ours.config()), (&fake_gcs().endpoint, fake_gcs().gcs_config())]
    {
        is_there(&open("gcs", config.clone())).await;
        is_missing(&open("gcs", config.clone().with("bucket", "no-such-bucket")), "`no-such-bucket`").await;
        let proxy = Proxy::before(endpoint);
        let through = open("gcs", config.with("endpoint", &proxy.endpoint));
        is_asked_once(&proxy, &through, Canned::status(403)).await;
    }
}

#[tokio::test]
async fn a_container_of_azure() {
    let server = azurite();
    is_there(&open("azblob", server.config())).await;
    is_missing(&open("azblob", server.config().with("container", "nobody-made-it")), "`nobody-made-it`")
        .await;
    let (host, account) = server.endpoint.rsplit_once('/').unwrap();
    let proxy = Proxy::before(host);
    let through = open("azblob", server.config().with("endpoint", format!("{}/{account}", proxy.endpoint)));
    let refusal = Canned::status(403).header("x-ms-error-code", "AuthorizationPermissionMismatch");
    is_asked_once(&proxy, &through, refusal).await;
}

#[tokio::test]
async fn a_directory_of_webdav() {
    let server = webdav();
    let config = server.config();
    is_missing(&open("webdav", config.clone()), &server.endpoint).await;
    open("webdav", config.clone()).mkdir(&Path::root()).await.unwrap();
    is_there(&open("webdav", config.clone())).await;
    let proxy = Proxy::before(&server.endpoint);
    let config = config.with("endpoint", &proxy.endpoint).with("retry.attempts", "1");
    is_asked_once(&proxy, &open("webdav", config), Canned::status(403)).await;
}

/// What is there, and is an object.
#[tokio::test]
async fn an_object_is_no_root() {
    let config = webdav().config();
    let object = Path::parse("object").unwrap();
    open("webdav", config.clone()).write_all(&object, "x".into(), &Default::default()).await.unwrap();
    let mut taken = config.clone();
    let root = format!("{}/object", taken.take::<String>("root").unwrap().unwrap());
    let error = open("webdav", config.with("root", root)).stat(&Path::root()).await.unwrap_err();
    assert!(matches!(error.code(), ErrorCode::NotDirectory | ErrorCode::NotFound), "{error}");
}

#[tokio::test]
async fn a_directory_of_a_web_server() {
    for web in [Some(python_web()), nginx()].into_iter().flatten() {
        let proxy = Proxy::before(&web.endpoint);
        let through = open("http", Config::from([("endpoint", &proxy.endpoint)]));
        is_asked_once(&proxy, &through, Canned::status(403)).await;
        let below = format!("{}/nowhere", web.endpoint);
        is_missing(&open("http", Config::from([("endpoint", &below)])), "").await;
    }
}

/// A root that does not open is none from the start.
#[tokio::test]
async fn a_directory_of_files() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("missing");
    let config = Config::from([("root", root.to_str().unwrap())]);
    let error = Registry::with_builtin().open("file", config).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotFound, "{error}");
    assert!(error.message().contains("missing"), "{error}");
}
