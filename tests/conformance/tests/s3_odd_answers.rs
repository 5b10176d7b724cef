//! Whatever answers in the place of S3, nothing is concluded from it: no listing ends, nothing counts as deleted or
//! written.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails where something is not as it must be")]

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use omnistorage::{
    Backend, Config, ErrorCode, ObjectInfo, Path, Result, S3Backend, Timestamp,
    backend::{ListOptions, ReadOptions, WriteOptions},
};
use omnistorage_test_servers::{Canned, Fault, Proxy, Request, moto, odd::ODD, weed};

const TREE: [&str; 4] = ["dir/a", "dir/b", "dir/c", "other"];

fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

/// A bucket with objects, one way to it, and another one that can be broken.
struct Store {
    prefix: String,
    straight: S3Backend,
    proxy: Proxy,
    through: S3Backend,
}

impl Store {
    async fn new(settings: impl FnOnce(Config) -> Config) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let prefix = format!("odd-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let config = settings(moto().config_below(&prefix));
        let proxy = Proxy::before(&moto().endpoint);
        let through = S3Backend::from_config(config.clone().with("endpoint", &proxy.endpoint)).unwrap();
        let straight = S3Backend::from_config(config).unwrap();
        for name in TREE {
            straight.write_all(&path(name), name.into(), &WriteOptions::default()).await.unwrap();
        }
        Self { prefix, straight, proxy, through }
    }

    /// Answers all requests that are meant by each of the odd bodies, and holds what asks to an error, after which all is
    /// as it was.
    async fn refuses(
        &self,
        is_meant: fn(&Request) -> bool,
        header: bool,
        ask: impl AsyncFn(&S3Backend) -> Result<()>,
    ) {
        let before = list(&self.straight).await.unwrap();
        for body in ODD {
            let canned = Canned::status(200).body(body);
            let canned =
                if header { canned.header("etag", "\"25f9e794323b453885f5181f1b624d0b\"") } else { canned };
            self.proxy.plan(move |request| is_meant(request).then(|| Fault::Answer(canned.clone())));
            let asked = ask(&self.through).await;
            self.proxy.plan(|_| None);
            let error = asked.err().unwrap_or_else(|| panic!("{body} is taken for an answer"));
            assert_ne!(error.code(), ErrorCode::NotFound, "{body}: {error}");
            assert!(!error.message().contains(char::is_control), "{error}");
        }
        assert_eq!(list(&self.straight).await.unwrap(), before);
    }
}

fn recursive() -> ListOptions {
    ListOptions { recursive: true, ..ListOptions::default() }
}

async fn list(backend: &S3Backend) -> Result<Vec<ObjectInfo>> {
    list_with(backend, &recursive()).await
}

async fn list_with(backend: &S3Backend, options: &ListOptions) -> Result<Vec<ObjectInfo>> {
    let mut listing = backend.list(&Path::root(), options).await?;
    let mut all = Vec::new();
    loop {
        let entries = listing.next_entries(500).await?;
        if entries.is_empty() {
            return Ok(all);
        }
        all.extend(entries);
    }
}

async fn names(backend: &S3Backend) -> Result<Vec<String>> {
    names_with(backend, &recursive()).await
}

async fn names_with(backend: &S3Backend, options: &ListOptions) -> Result<Vec<String>> {
    Ok(list_with(backend, options).await?.into_iter().map(|entry| entry.path.into()).collect())
}

/// A page of a listing of keys below a prefix.
fn page(prefix: &str, keys: &[&str], next: Option<&str>) -> Canned {
    let contents: String = keys
        .iter()
        .map(|key| {
            format!(
                "<Contents><Key>{prefix}{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                 <ETag>&quot;x&quot;</ETag><Size>1</Size></Contents>"
            )
        })
        .collect();
    let token =
        next.map_or(String::new(), |next| format!("<NextContinuationToken>{next}</NextContinuationToken>"));
    let is_truncated = next.is_some();
    Canned::status(200).body(&format!(
        "<ListBucketResult><IsTruncated>{is_truncated}</IsTruncated>{token}{contents}</ListBucketResult>"
    ))
}

fn is_listing(request: &Request) -> bool {
    request.method == "GET" && request.target.contains("list-type=2")
}

fn is_batch(request: &Request) -> bool {
    request.method == "POST" && request.target.contains("delete=")
}

#[tokio::test]
async fn a_listing_does_not_end_by_another_document() {
    let store = Store::new(|config| config).await;
    store.refuses(is_listing, false, async |backend| list(backend).await.map(drop)).await;
    store.refuses(is_listing, false, async |backend| backend.purge(&path("dir")).await.map(drop)).await;
    let is_second = |request: &Request| is_listing(request) && request.target.contains("continuation-token");
    for body in ODD {
        let first = page(&format!("{}/", store.prefix), &["a", "b"], Some("next"));
        store.proxy.plan(move |request| {
            let answer = if is_second(request) { Canned::status(200).body(body) } else { first.clone() };
            is_listing(request).then_some(Fault::Answer(answer))
        });
        assert!(list(&store.through).await.is_err(), "{body} ends a listing");
        assert!(store.through.purge(&path("dir")).await.is_err(), "{body} ends a listing");
    }
    store
        .refuses(
            |request| request.method == "GET" && request.target.contains("uploads="),
            false,
            async |backend| backend.sweep(&Path::root(), Duration::ZERO).await.map(drop),
        )
        .await;
}

#[tokio::test]
async fn nothing_is_deleted_by_another_answer() {
    let store = Store::new(|config| config).await;
    let is_deletion = |request: &Request| is_batch(request) || request.method == "DELETE";
    store.refuses(is_deletion, false, async |backend| backend.purge(&path("dir")).await.map(drop)).await;
    store.refuses(is_deletion, false, async |backend| backend.delete(&[path("other")]).await.remove(0)).await;
    store
        .refuses(is_deletion, false, async |backend| {
            let results = backend.delete(&TREE.map(path)).await;
            assert!(results.iter().all(Result::is_err), "{results:?}");
            results.into_iter().collect()
        })
        .await;
}

#[tokio::test]
async fn nothing_is_written_by_another_answer() {
    let store = Store::new(|config| config.with("part_size", "5242880").with("copy_limit", "5242880")).await;
    let options = WriteOptions::default();
    let large = Bytes::from(vec![1; (5 << 20) + 1]);
    let put =
        async |backend: &S3Backend| backend.write_all(&path("new"), "x".into(), &options).await.map(drop);
    let put_large =
        async |backend: &S3Backend| backend.write_all(&path("new"), large.clone(), &options).await.map(drop);
    let is_put = |request: &Request| request.method == "PUT";
    store.refuses(is_put, false, put).await;
    store.refuses(is_put, false, put_large).await;
    // A web server may give its pages an etag. What is empty and has one is the answer of S3.
    for body in ODD.into_iter().filter(|body| !body.trim().is_empty()) {
        let canned = Canned::status(200).body(body).header("etag", "\"25f9e794323b453885f5181f1b624d0b\"");
        store.proxy.plan(move |request| is_put(request).then(|| Fault::Answer(canned.clone())));
        assert!(put(&store.through).await.is_err() && put_large(&store.through).await.is_err(), "{body}");
    }
    let begins = |request: &Request| request.method == "POST" && request.target.contains("uploads=");
    store.refuses(begins, true, put_large).await;
    let completes = |request: &Request| request.method == "POST" && request.target.contains("uploadId=");
    store.refuses(completes, true, put_large).await;
    let copy = async |backend: &S3Backend| {
        backend.copy_to(&path("other"), backend, &path("new"), &WriteOptions::default()).await.map(drop)
    };
    store.refuses(Request::is_copy, true, copy).await;
    let set = async |backend: &S3Backend| {
        backend.set_modified(&path("other"), Timestamp { seconds: 1, nanoseconds: 0 }).await
    };
    store.refuses(Request::is_copy, true, set).await;
    store.straight.write_all(&path("large"), large.clone(), &options).await.unwrap();
    let copy_large = async |backend: &S3Backend| {
        backend.copy_to(&path("large"), backend, &path("new"), &WriteOptions::default()).await.map(drop)
    };
    store.refuses(Request::is_copy, true, copy_large).await;
    assert_eq!(store.straight.sweep(&Path::root(), Duration::ZERO).await.unwrap(), 0, "an upload is left");
}

#[tokio::test]
async fn another_answer_is_no_object() {
    let store = Store::new(|config| config).await;
    let about_object =
        |request: &Request| matches!(request.method.as_str(), "GET" | "HEAD") && !is_listing(request);
    store.refuses(about_object, false, async |backend| backend.stat(&path("other")).await.map(drop)).await;
    let read = async |backend: &S3Backend| {
        backend.read_all(&path("other"), &ReadOptions::default(), 1 << 20).await.map(drop)
    };
    store.refuses(about_object, false, read).await;
}

#[tokio::test]
async fn of_many_keys_each_has_its_own_end() {
    let store = Store::new(|config| config).await;
    let prefix = store.prefix.clone();
    // One is gone, of one nothing is said, and one is refused.
    store.straight.delete(&[path("dir/a")]).await.remove(0).unwrap();
    store.proxy.plan(move |request| {
        let body = format!(
            "<DeleteResult><Deleted><Key>{prefix}/dir/a</Key></Deleted><Error><Key>{prefix}/dir/c</Key>\
             <Code>AccessDenied</Code><Message>no \u{1b}[31m</Message></Error></DeleteResult>"
        );
        is_batch(request).then(|| Fault::Answer(Canned::status(200).body(&body)))
    });
    let results = store.through.delete(&["dir/a", "dir/b", "dir/c"].map(path)).await;
    assert!(results[0].is_ok() && results[1].is_ok(), "{results:?}");
    let error = results[2].as_ref().unwrap_err();
    assert_eq!((error.code(), error.location().unwrap().1), (ErrorCode::PermissionDenied, "dir/c"));
    let asked: Vec<_> = store.proxy.take_requests().into_iter().map(|request| request.method).collect();
    assert_eq!(asked, ["POST", "DELETE"], "what is refused is not asked again");
    assert_eq!(names(&store.straight).await.unwrap(), ["dir/c", "other"]);

    // A purge goes on beside it, and says what is left.
    let error = store.through.purge(&Path::root()).await.unwrap_err();
    assert_eq!(
        (error.code(), error.location().unwrap().1),
        (ErrorCode::PermissionDenied, "dir/c"),
        "{error}"
    );
    assert_eq!(names(&store.straight).await.unwrap(), ["dir/c"]);
}

#[tokio::test]
async fn a_purge_stays_below_its_prefix() {
    let store = Store::new(|config| config).await;
    let prefix = format!("{}/", store.prefix);
    for keys in [["zzz", "dir/a"], ["dir/a", "zzz"], ["dir", "dir/a"], ["dir-a", "dir/a"]] {
        let listed = page(&prefix, &keys, None);
        store.proxy.plan(move |request| is_listing(request).then(|| Fault::Answer(listed.clone())));
        let error = store.through.purge(&path("dir")).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Corrupted, "{error}");
        let requests = store.proxy.take_requests();
        assert!(requests.iter().all(is_listing), "{requests:?}");
    }
    assert_eq!(names(&store.straight).await.unwrap(), TREE);
}

#[tokio::test]
async fn a_listing_that_leads_in_a_circle_is_an_error() {
    for is_sorted in ["true", "false"] {
        let store = Store::new(|config| config.with("sorted_list", is_sorted)).await;
        let prefix = format!("{}/", store.prefix);
        for (keys, tokens) in [
            (&[][..], &["1"][..]),
            (&[], &["1", "2"]),
            (&[], &["1", "2", "3", "4", "5", "6", "7"]),
            (&["a", "b"], &["1"]),
            (&["a", "b"], &["1", "2", "3"]),
        ] {
            let (prefix, mut tokens) = (prefix.clone(), tokens.iter().cycle());
            store.proxy.plan(move |request| {
                let answer = page(&prefix, keys, Some(tokens.next()?));
                is_listing(request).then_some(Fault::Answer(answer))
            });
            assert_eq!(list(&store.through).await.unwrap_err().code(), ErrorCode::Corrupted);
            let error = store.through.purge(&Path::root()).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::Corrupted, "{error}");
            assert!(store.proxy.take_requests().iter().filter(|request| is_listing(request)).count() < 100);
        }
        // The same keys for ever, each time by a new token.
        let mut count = 0;
        store.proxy.plan(move |request| {
            count += 1;
            is_listing(request).then(|| Fault::Answer(page(&prefix, &["a", "b"], Some(&count.to_string()))))
        });
        assert!(list(&store.through).await.is_err());
        assert!(store.through.purge(&Path::root()).await.is_err());
    }
    let store = Store::new(|config| config).await;
    store.proxy.plan(|request| {
        let body = "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>\
                    <NextUploadIdMarker>u</NextUploadIdMarker></ListMultipartUploadsResult>";
        request.target.contains("uploads=").then(|| Fault::Answer(Canned::status(200).body(body)))
    });
    assert!(store.through.sweep(&Path::root(), Duration::ZERO).await.is_err());
}

#[tokio::test]
async fn an_order_that_is_another_shows_by_itself() {
    let store = Store::new(|config| config).await;
    let prefix = format!("{}/", store.prefix);
    store.proxy.plan(move |request| {
        let is_first = !request.target.contains("continuation-token");
        let answer = match is_first {
            true => page(&prefix, &["c", "b"], Some("next")),
            false => page(&prefix, &["e", "a", "d"], None),
        };
        is_listing(request).then_some(Fault::Answer(answer))
    });
    assert_eq!(names(&store.through).await.unwrap(), ["a", "b", "c", "d", "e"]);
    let after = ListOptions { start_after: Some(path("b")), ..recursive() };
    assert_eq!(names_with(&store.through, &after).await.unwrap(), ["c", "d", "e"]);
    let asked = store.proxy.take_requests();
    assert_eq!(asked.len(), 1 + 2 + 2, "it is known from then on: {asked:?}");
    assert!(asked.iter().all(|request| !request.target.contains("start-after")));
}

/// A store is asked for no more than is wanted, and not beyond the end.
#[tokio::test]
async fn bounds_save_requests() {
    let store = Store::new(|config| config).await;
    let prefix = format!("{}/", store.prefix);
    store.proxy.plan(move |request| {
        let is_first = !request.target.contains("continuation-token");
        let answer = match is_first {
            true => page(&prefix, &["a", "b"], Some("next")),
            false => page(&prefix, &["c", "d"], None),
        };
        is_listing(request).then_some(Fault::Answer(answer))
    });
    let until = |end| ListOptions { until: Some(path(end)), ..recursive() };
    for (options, listed, requests) in [
        (ListOptions { limit: Some(2), ..recursive() }, &["a", "b"][..], 1),
        (ListOptions { limit: Some(3), ..recursive() }, &["a", "b", "c"], 2),
        (until("a"), &["a"], 1),
        (until("b"), &["a", "b"], 1),
        (until("bb"), &["a", "b"], 2),
        (ListOptions { start_after: Some(path("b")), ..until("b") }, &[], 0),
    ] {
        assert_eq!(names_with(&store.through, &options).await.unwrap(), listed, "{options:?}");
        let asked = store.proxy.take_requests();
        assert_eq!(asked.len(), requests, "{options:?}: {asked:?}");
        let limited = options.limit.map(|limit| format!("max-keys={limit}"));
        assert!(limited.is_none_or(|limited| asked[0].target.contains(&limited)), "{asked:?}");
    }
}

/// This server lists directory by directory.
#[tokio::test]
async fn a_real_order_that_is_another_shows_by_itself() {
    let backend = S3Backend::from_config(weed().config()).unwrap();
    let expected = ["a-b", "a.txt", "a/x", "a/y", "a0", "b"];
    for name in expected {
        backend.write_all(&path(name), "x".into(), &WriteOptions::default()).await.unwrap();
    }
    assert_eq!(names(&backend).await.unwrap(), expected);
}

#[tokio::test]
async fn an_answer_without_an_end_is_given_up() {
    let store = Store::new(|config| config).await;
    store.proxy.plan(|request| is_listing(request).then_some(Fault::Endless(200)));
    assert_eq!(list(&store.through).await.unwrap_err().code(), ErrorCode::LimitExceeded);
    assert_eq!(store.through.purge(&path("dir")).await.unwrap_err().code(), ErrorCode::LimitExceeded);
    store.proxy.plan(|_| Some(Fault::Endless(403)));
    assert_eq!(list(&store.through).await.unwrap_err().code(), ErrorCode::PermissionDenied);
    let read = store.through.read(&path("other"), &ReadOptions::default()).await.map(drop);
    assert_eq!(read.unwrap_err().code(), ErrorCode::PermissionDenied);
}

#[tokio::test]
async fn an_answer_that_stops_is_given_up() {
    let store = Store::new(|config| config.with("timeout", "200ms")).await;
    store.proxy.plan(|request| (request.method == "GET").then_some(Fault::Stall(403)));
    let read = store.through.read(&path("other"), &ReadOptions::default()).await.map(drop);
    assert_eq!(read.unwrap_err().code(), ErrorCode::PermissionDenied);
    store.proxy.plan(|request| (request.method == "GET").then_some(Fault::Stall(200)));
    assert_eq!(list(&store.through).await.unwrap_err().code(), ErrorCode::Timeout);
}

#[tokio::test]
async fn a_range_is_the_one_that_was_asked_for() {
    let store = Store::new(|config| config).await;
    let contents: Bytes = (0..10_000).map(|at| (at % 251) as u8).collect();
    let written =
        store.straight.write_all(&path("x"), contents.clone(), &WriteOptions::default()).await.unwrap();
    let (etag, body) = (written.etag.unwrap(), "x".repeat(5_000));
    for (range, is_asked_for) in [
        ("bytes 5000-9999/10000", true),
        ("bytes 5003-9999/10000", false),
        ("bytes 4997-9999/10000", false),
        ("bytes 5000-9998/10000", false),
        ("bytes 5000-10000/10001", false),
        ("bytes 5000-9999/*", false),
        ("bytes */10000", false),
        ("", false),
    ] {
        let canned = Canned::status(206)
            .header("etag", &etag)
            .header("last-modified", "Sun, 09 Sep 2001 01:46:40 GMT");
        let canned = if range.is_empty() { canned } else { canned.header("content-range", range) };
        let canned = canned.body(&body);
        store.proxy.plan(move |request| {
            let is_ranged = request.headers.iter().any(|(name, _)| name == "range");
            Some(if is_ranged { Fault::Answer(canned.clone()) } else { Fault::CutAnswer })
        });
        // Bytes that are not those of the object are found by their checksum, which no part of it has.
        let resumed = store.through.read_all(&path("x"), &ReadOptions::default(), 10_000).await;
        let complaint = resumed.unwrap_err();
        assert_eq!(complaint.code() == ErrorCode::Corrupted, is_asked_for, "{range}: {complaint}");
        let part = ReadOptions { offset: 5_000, ..ReadOptions::default() };
        let read = store.through.read_all(&path("x"), &part, 10_000).await;
        assert_eq!(read.is_ok(), is_asked_for, "{range}");
    }
}

#[tokio::test]
async fn nothing_that_a_server_says_is_obeyed_by_a_terminal() {
    let store = Store::new(|config| config).await;
    for body in [
        "<Error><Code>PermanentRedirect</Code><Region>evil\u{1b}[31m</Region></Error>",
        "<Error><Code>Odd\u{1b}[31m</Code><Message>\u{9b}31m \u{202e}</Message></Error>",
        "<evil\u{1b}[31m/>",
        "<ListBucketResult><a\u{1b}></b\u{1b}></ListBucketResult>",
        "<ListBucketResult><IsTruncated>\u{1b}[2J</IsTruncated></ListBucketResult>",
        &format!("<{}/>", "x".repeat(100_000)),
    ] {
        for status in [200, 400] {
            let canned = Canned::status(status).body(body);
            store.proxy.plan(move |_| Some(Fault::Answer(canned.clone())));
            let said = list(&store.through).await.unwrap_err().to_string();
            assert!(!said.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{said:?}");
            assert!(said.len() < 1_000, "{said}");
        }
    }
}
