//! How often a request reaches a store that fails for a reason that may pass: as often as one place says, however many
//! stand around it that try again, too.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use omnistorage::{
    Backend, Config, ErrorCode, Path, Registry,
    backend::{
        ListOptions, ReadOptions, WriteOptions,
        retry::{Retry, RetryOptions},
    },
    runtime::{Storage, SyncOptions},
};
use omnistorage_test_servers::{Canned, Fault, Proxy, Request, moto};

use crate::setup::{at, memory, storage};

/// What a store says that has a fault.
const BUSY: fn() -> Fault = || Fault::Answer(Canned::s3_error(503, "SlowDown"));
/// An answer that is cut off, and says nothing of it.
const CUT: fn() -> Fault = || Fault::Answer(Canned::status(200).body("<ListBucketResult><Contents><Key>a"));

/// A bucket with an object `d/a`, whose requests go through a proxy.
async fn bucket(settings: &[(&str, &str)]) -> (Proxy, Arc<dyn Backend>) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let proxy = Proxy::before(&moto().endpoint);
    let prefix = format!("attempts-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let config = moto().config_below(&prefix).with("endpoint", &proxy.endpoint);
    let config = settings.iter().fold(config, |config: Config, (key, value)| config.with(*key, *value));
    let backend = Registry::with_builtin().open("s3", config).unwrap();
    put(&*backend, "d/a").await;
    drop(proxy.take_requests());
    (proxy, backend)
}

async fn put(backend: &dyn Backend, path: &str) {
    let path = Path::parse(path).unwrap();
    backend.write_all(&path, "x".into(), &WriteOptions::default()).await.unwrap();
}

fn is_put(request: &Request) -> bool {
    request.method == "PUT"
}

fn is_get(request: &Request) -> bool {
    request.method == "GET" && !is_list(request)
}

fn is_list(request: &Request) -> bool {
    request.method == "GET" && request.target.contains("list-type=2")
}

/// Lets all requests of a kind fail, by turns in each of the ways.
fn fail(proxy: &Proxy, kind: fn(&Request) -> bool, ways: &'static [fn() -> Fault]) {
    let mut number = 0;
    proxy.plan(move |request| {
        kind(request).then(|| {
            number += 1;
            ways[(number - 1) % ways.len()]()
        })
    });
}

/// How many requests of a kind there were since it was asked last.
fn count(proxy: &Proxy, kind: fn(&Request) -> bool) -> usize {
    proxy.take_requests().iter().filter(|request| kind(request)).count()
}

async fn list(backend: &dyn Backend) -> omnistorage::Result<()> {
    let mut listing = backend.list(&Path::root(), &ListOptions::default()).await?;
    listing.next(10).await.map(drop)
}

async fn fails_each(proxy: &Proxy, backend: &dyn Backend, attempts: usize) {
    let path = Path::parse("d/a").unwrap();
    fail(proxy, is_put, &[BUSY]);
    let written = backend.write_all(&path, "b".into(), &WriteOptions::default()).await.unwrap_err();
    assert_eq!(count(proxy, is_put), attempts, "{written}");
    fail(proxy, is_get, &[BUSY]);
    let read = backend.read(&path, &ReadOptions::default()).await.map(drop).unwrap_err();
    assert_eq!(count(proxy, is_get), attempts, "{read}");
    fail(proxy, is_list, &[BUSY]);
    let listed = list(backend).await.unwrap_err();
    assert_eq!(count(proxy, is_list), attempts, "{listed}");
    // An answer that cannot be read is an attempt like one that refuses.
    fail(proxy, is_list, &[BUSY, CUT]);
    let read = list(backend).await.unwrap_err();
    assert_eq!(count(proxy, is_list), attempts, "{read}");
    for error in [written, listed] {
        assert_eq!(error.code(), ErrorCode::RateLimited, "{error}");
        assert_eq!(error.is_given_up(), attempts > 1, "{error}");
        assert!(error.message().contains(&format!("gave up after {attempts} attempt")), "{error}");
    }
}

#[tokio::test]
async fn a_request_is_sent_five_times_or_as_often_as_is_configured() {
    let quick = ("retry.delay", "1ms");
    for (settings, attempts) in [
        (&[][..], 5),
        (&[quick][..], 5),
        (&[quick, ("retry.attempts", "2")][..], 2),
        (&[quick, ("retry.attempts", "7")][..], 7),
        (&[("retry.attempts", "1")][..], 1),
    ] {
        let (proxy, backend) = bucket(settings).await;
        fails_each(&proxy, &*backend, attempts).await;
    }
}

#[tokio::test]
async fn a_decorator_around_it_adds_nothing() {
    let (proxy, backend) = bucket(&[("retry.delay", "1ms"), ("retry.attempts", "3")]).await;
    let more = RetryOptions { delay: Duration::from_millis(1), ..RetryOptions::default() };
    fails_each(&proxy, &Retry::new(backend, more), 3).await;
}

/// Both ways between a bucket and memory.
async fn sync(storage: &Storage, from: &str, to: &str) -> ErrorCode {
    let job = storage.copy(&at(from, "d"), &at(to, "d"), &SyncOptions::default()).await;
    match job {
        Err(error) => error.code(),
        Ok(job) => match job.outcome().await {
            Err(error) => error.code(),
            Ok(outcome) => {
                assert!(outcome.errors > 0, "{outcome:?}");
                ErrorCode::RateLimited
            }
        },
    }
}

#[tokio::test]
async fn the_engine_adds_nothing() {
    for (settings, attempts) in [(&[][..], 5), (&[("retry.delay", "1ms"), ("retry.attempts", "4")][..], 4)] {
        let (proxy, backend) = bucket(settings).await;
        let other = memory();
        put(&*other, "d/new").await;
        let storage = storage([("source", other.clone()), ("target", backend)]);
        for (kind, from, to) in [
            (is_put as fn(&Request) -> bool, "source", "target"),
            (is_get, "target", "source"),
            (is_list, "target", "source"),
        ] {
            fail(&proxy, kind, &[BUSY]);
            assert_eq!(sync(&storage, from, to).await, ErrorCode::RateLimited);
            assert_eq!(count(&proxy, kind), attempts, "{from} to {to}");
        }
        assert!(!other.exists(&Path::parse("d/a").unwrap()).await.unwrap());
    }
}
