//! What S3 says, what we make of it, and how often we ask.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails where something is not as it must be")]

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage::{
    Backend, Config, ErrorCode, Path, S3Backend,
    backend::{ListOptions, ReadOptions, WriteCondition, WriteOptions},
};
use omnistorage_test_servers::{Canned, Fault, Proxy, moto, weed};

const AT: &str = "Sun, 09 Sep 2001 01:46:40 GMT";

fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

/// A backend behind a proxy before moto.
fn behind_proxy(settings: impl FnOnce(Config) -> Config) -> (Proxy, S3Backend) {
    let proxy = Proxy::before(&moto().endpoint);
    let config = moto().config().with("endpoint", &proxy.endpoint);
    let backend = S3Backend::from_config(settings(config)).unwrap();
    (proxy, backend)
}

/// The requests since it was asked last: their methods.
fn methods(proxy: &Proxy) -> Vec<String> {
    proxy.take_requests().into_iter().map(|request| request.method).collect()
}

#[tokio::test]
async fn each_refusal_is_one_sentence_that_says_what_to_do() {
    for (canned, code, words) in [
        (
            Canned::s3_error(403, "SignatureDoesNotMatch"),
            ErrorCode::PermissionDenied,
            ["secret key is wrong", "AWS_SECRET_ACCESS_KEY"],
        ),
        (
            Canned::s3_error(403, "InvalidAccessKeyId"),
            ErrorCode::PermissionDenied,
            ["access key", "AWS_ACCESS_KEY_ID"],
        ),
        (
            Canned::s3_error(404, "NoSuchBucket"),
            ErrorCode::NotFound,
            ["there is no bucket", "check its name"],
        ),
        (
            Canned::s3_error(400, "ExpiredToken"),
            ErrorCode::PermissionDenied,
            ["has expired", "AWS_SESSION_TOKEN"],
        ),
        (
            Canned::s3_error(400, "InvalidToken"),
            ErrorCode::PermissionDenied,
            ["not valid", "AWS_SESSION_TOKEN"],
        ),
        (
            Canned::s3_error(301, "PermanentRedirect").header("x-amz-bucket-region", "eu-west-1"),
            ErrorCode::InvalidArgument,
            ["`eu-west-1`", "AWS_REGION"],
        ),
        (
            Canned::s3_error(400, "AuthorizationHeaderMalformed").header("x-amz-bucket-region", "eu-west-1"),
            ErrorCode::InvalidArgument,
            ["`eu-west-1`", "AWS_REGION"],
        ),
        (Canned::s3_error(403, "RequestTimeTooSkewed"), ErrorCode::PermissionDenied, ["clock", "set it"]),
        (Canned::status(403), ErrorCode::PermissionDenied, ["refuses", "credentials"]),
    ] {
        let (proxy, backend) = behind_proxy(|config| config);
        proxy.plan(move |_| Some(Fault::Answer(canned.clone())));
        let object = path("object");
        let mut listing = backend.list(&Path::root(), &ListOptions::default()).await.unwrap();
        let told = [
            backend.stat(&object).await.map(drop),
            backend.read(&object, &ReadOptions::default()).await.map(drop),
            backend.write_all(&object, "x".into(), &WriteOptions::default()).await.map(drop),
            listing.next(1).await.map(drop),
            backend.delete(&[object]).await.remove(0),
        ];
        for told in told {
            let error = told.unwrap_err();
            assert_eq!(error.code(), code, "{error}");
            for word in words {
                assert!(error.message().contains(word), "no {word:?} in: {error}");
            }
            assert!(!error.message().contains('\n'), "{error}");
        }
    }
}

/// By the server that looks at signatures.
#[tokio::test]
async fn real_refusals_say_what_to_do_too() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (config, code, words) in [
        (
            weed().config().with("secret_access_key", "wrong"),
            ErrorCode::PermissionDenied,
            "AWS_SECRET_ACCESS_KEY",
        ),
        (weed().config().with("access_key_id", "AKother"), ErrorCode::PermissionDenied, "AWS_ACCESS_KEY_ID"),
        (weed().config().with("bucket", "no-such-bucket"), ErrorCode::NotFound, "bucket `no-such-bucket`"),
        (
            weed().config().with("endpoint", format!("http://{unused}")),
            ErrorCode::Unavailable,
            "cannot reach",
        ),
    ] {
        let backend = S3Backend::from_config(config).unwrap();
        let mut listing = backend.list(&Path::root(), &ListOptions::default()).await.unwrap();
        let error = listing.next(1).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(words), "{error}");
        let error = backend.stat(&path("a")).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_silent_is_given_up() {
    let (proxy, backend) = behind_proxy(|config| config.with("timeout", "100ms"));
    backend.write_all(&path("a"), "x".into(), &WriteOptions::default()).await.unwrap();
    proxy.plan(|_| Some(Fault::Delay(Duration::from_secs(3))));
    let begun = Instant::now();
    let error = backend.stat(&path("a")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
    assert!(error.message().contains("127.0.0.1"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(60));
    let error = backend.read(&path("a"), &ReadOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
}

#[tokio::test]
async fn a_body_that_drips_is_read_on_over_another_connection() {
    const DRIP: Fault = Fault::Drip(Duration::from_millis(10));
    let (proxy, backend) = behind_proxy(|config| config.with("timeout", "200ms"));
    let contents = Bytes::from_iter((0..100_000_u32).map(|at| (at % 251) as u8));
    backend.write_all(&path("a"), contents.clone(), &WriteOptions::default()).await.unwrap();
    drop(proxy.take_requests());
    proxy.break_one(0, DRIP);
    let read = backend.read_all(&path("a"), &ReadOptions::default(), contents.len()).await.unwrap();
    assert!(read == contents);
    let asked = proxy.take_requests();
    let range = asked[1].headers.iter().find(|(name, _)| name == "range").unwrap();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(
        range.1.starts_with("bytes=") && range.1 != "bytes=0-",
        "what came is not asked for again: {range:?}"
    );

    // Few bytes over each of many connections are no reason to go on for ever.
    proxy.plan(|_| Some(DRIP));
    let read = async { backend.read_all(&path("a"), &ReadOptions::default(), contents.len()).await };
    let error = tokio::time::timeout(Duration::from_secs(60), read).await.unwrap().unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
}

#[tokio::test]
async fn a_reader_that_takes_its_time_is_no_slow_server() {
    let (proxy, backend) = behind_proxy(|config| config.with("timeout", "500ms"));
    let contents = Bytes::from(vec![7; 8 << 20]);
    backend.write_all(&path("a"), contents.clone(), &WriteOptions::default()).await.unwrap();
    drop(proxy.take_requests());
    let mut body = backend.read(&path("a"), &ReadOptions::default()).await.unwrap().contents;
    let (mut count, mut pauses) = (0, 0);
    while let Some(chunk) = body.next().await {
        count += chunk.unwrap().len();
        if pauses < 5 {
            pauses += 1;
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
    }
    assert_eq!((count, pauses, methods(&proxy)), (contents.len(), 5, vec!["GET".to_owned()]));
}

#[tokio::test]
async fn a_store_that_asks_for_a_pause_gets_it_and_one_that_asks_for_a_long_one_is_left() {
    let (proxy, backend) = behind_proxy(|config| config);
    proxy.break_one(0, Fault::Answer(Canned::status(503).header("retry-after", "1")));
    let begun = Instant::now();
    backend.write_all(&path("a"), "x".into(), &WriteOptions::default()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "it came back too early");
    drop(proxy.take_requests());

    let asks = Canned::status(429).header("retry-after", "3600");
    proxy.plan(move |_| Some(Fault::Answer(asks.clone())));
    let error = backend.stat(&path("a")).await.unwrap_err();
    assert_eq!(
        (error.code(), error.retry_after()),
        (ErrorCode::RateLimited, Some(Duration::from_secs(3600)))
    );
    let heads = methods(&proxy).into_iter().filter(|method| method == "HEAD").count();
    assert_eq!(heads, 1, "it was asked again");
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_our_own_and_not_a_failed_condition() {
    for (large, condition) in [(false, false), (false, true), (true, false), (true, true)] {
        let (proxy, backend) = behind_proxy(|config| config.with("part_size", "5242880"));
        let contents = Bytes::from(vec![7; if large { (5 << 20) + 1 } else { 10 }]);
        let condition = if condition {
            let old = backend.write_all(&path("a"), "old".into(), &WriteOptions::default()).await.unwrap();
            WriteCondition::IfMatch(old.etag.unwrap())
        } else {
            WriteCondition::IfAbsent
        };
        // The last request is what makes the object.
        let made = AtomicUsize::new(0);
        proxy.plan(move |request| {
            let is_last = match large {
                true => request.method == "POST" && request.target.contains("uploadId="),
                false => request.method == "PUT",
            };
            (is_last && made.fetch_add(1, Ordering::Relaxed) == 0).then_some(Fault::LoseAnswer)
        });
        let options = WriteOptions { condition: condition.clone(), ..WriteOptions::default() };
        let written = backend.write_all(&path("a"), contents.clone(), &options).await;
        let written = written.unwrap_or_else(|error| panic!("{condition:?}, large: {large}: {error:?}"));
        assert_eq!(written.size, Some(contents.len() as u64));
        // Somebody else's is none of ours. moto looks at no condition where an upload of parts is completed.
        proxy.plan(|_| None);
        if large {
            continue;
        }
        let again = backend.write_all(&path("a"), contents, &options).await.unwrap_err();
        assert_eq!(again.code(), ErrorCode::PreconditionFailed, "{again}");
    }
}

/// Writes small objects, some at a time.
async fn write_all(backend: &S3Backend, paths: &[Path]) {
    let options = WriteOptions::default();
    let mut writes = Vec::new();
    for path in paths {
        writes.push(backend.write_all(path, "x".into(), &options));
    }
    let written: Vec<_> = stream::iter(writes).buffer_unordered(16).collect().await;
    assert!(written.into_iter().all(|written| written.is_ok()));
}

#[tokio::test]
async fn no_more_is_asked_than_is_needed() {
    let (proxy, backend) = behind_proxy(|config| config);
    let paths: Vec<_> = (0..2_500).map(|number| path(&format!("d{}/{number}", number % 10))).collect();
    write_all(&backend, &paths).await;
    assert_eq!(methods(&proxy), ["PUT"; 2_500], "a small object is one request");

    backend.read_all(&paths[0], &ReadOptions::default(), 10).await.unwrap();
    assert_eq!(methods(&proxy), ["GET"]);

    let all = ListOptions { recursive: true, ..ListOptions::default() };
    let mut listing = backend.list(&Path::root(), &all).await.unwrap();
    let mut count = 0;
    loop {
        let page = listing.next_entries(300).await.unwrap();
        if page.is_empty() {
            break;
        }
        count += page.len();
    }
    assert_eq!((count, methods(&proxy)), (2_500, vec!["GET".to_owned(); 3]), "a thousand keys a request");

    assert!(backend.delete(&paths).await.into_iter().all(|deleted| deleted.is_ok()));
    assert_eq!(methods(&proxy), ["POST"; 3], "a thousand keys a request");
}

#[tokio::test]
async fn a_listing_that_is_given_up_asks_for_no_more() {
    let (proxy, backend) = behind_proxy(|config| config);
    let paths: Vec<_> = (0..3_100).map(|number| path(&format!("{number:04}"))).collect();
    write_all(&backend, &paths).await;
    drop(proxy.take_requests());
    let mut listing = backend.list(&Path::root(), &ListOptions::default()).await.unwrap();
    assert_eq!(listing.next(10).await.unwrap().len(), 10);
    drop(listing);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(methods(&proxy).len() <= 2, "of four pages, one ahead of what was looked at");
}

#[tokio::test]
async fn contents_that_are_encoded_are_given_as_they_are_stored() {
    let (proxy, backend) = behind_proxy(|config| config);
    // A header that another tool would write.
    let gzip: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    backend.write_all(&path("a"), Bytes::from_static(gzip), &WriteOptions::default()).await.unwrap();
    drop(proxy.take_requests());
    let read = backend.read_all(&path("a"), &ReadOptions::default(), 100).await.unwrap();
    assert_eq!(read, gzip);
    let asked = proxy.take_requests();
    assert!(asked[0].headers.iter().all(|(name, _)| name != "accept-encoding"), "{asked:?}");
    let encoded = String::from_utf8_lossy(gzip).into_owned();
    proxy.plan(move |_| {
        let object = Canned::status(200).header("etag", "\"x\"").header("last-modified", AT);
        Some(Fault::Answer(object.header("content-encoding", "gzip").body(&encoded)))
    });
    let read = backend.read_all(&path("a"), &ReadOptions::default(), 100).await.unwrap();
    assert_eq!(read, String::from_utf8_lossy(gzip).as_bytes());
}

#[tokio::test]
async fn copies_in_parts_keep_all_that_goes_with_an_object() {
    let (proxy, backend) =
        behind_proxy(|config| config.with("copy_limit", "5242880").with("part_size", "5242880"));
    let options = WriteOptions {
        content_type: Some("text/css".to_owned()),
        metadata: vec![("key".to_owned(), "value".to_owned())],
        modified: Some(omnistorage::Timestamp { seconds: 1_000_000_000, nanoseconds: 5 }),
        ..WriteOptions::default()
    };
    let contents: Bytes = (0..(12 << 20) + 3).map(|at| (at % 253) as u8).collect();
    let written = backend.write_all(&path("a"), contents.clone(), &options).await.unwrap();
    drop(proxy.take_requests());
    let copy = backend.copy_to(&path("a"), &backend, &path("b"), &WriteOptions::default()).await.unwrap();
    let asked = proxy.take_requests();
    let parts = asked.iter().filter(|request| request.target.contains("partNumber=")).count();
    assert_eq!(parts, 3, "{asked:?}");
    let found = backend.stat(&path("b")).await.unwrap();
    assert_eq!(
        (&copy.content_type, copy.modified, &copy.metadata),
        (&written.content_type, written.modified, &written.metadata)
    );
    assert_eq!(
        (&found.content_type, found.modified, &found.metadata),
        (&copy.content_type, copy.modified, &copy.metadata)
    );
    assert!(backend.read_all(&path("b"), &ReadOptions::default(), contents.len()).await.unwrap() == contents);
    backend.set_modified(&path("b"), omnistorage::Timestamp { seconds: 5, nanoseconds: 0 }).await.unwrap();
    assert!(backend.read_all(&path("b"), &ReadOptions::default(), contents.len()).await.unwrap() == contents);
    assert_eq!(backend.sweep(&Path::root(), Duration::ZERO).await.unwrap(), 0);
}
