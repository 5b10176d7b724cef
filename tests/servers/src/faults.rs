//! Operations on a store whose requests and answers are broken, one after the other, in every way that a [`Proxy`] knows.
//!
//! Whatever breaks: what an operation gives is right or an error, each object is the old one or the new one as a whole,
//! and nothing is left behind.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use omnistorage::{
    Backend, Error, ErrorCode, Path, Result, Timestamp,
    backend::{CopyRequest, ListOptions, ReadOptions, WriteCondition, WriteOptions},
};

use crate::{Canned, Fault, Proxy, Request};

/// A store, straight and through the proxy.
pub struct Store {
    /// What breaks.
    pub proxy: Proxy,
    /// Its requests pass through the proxy.
    pub through: Arc<dyn Backend>,
    /// The same place, past the proxy.
    pub straight: Arc<dyn Backend>,
    /// The number of unfinished uploads, which are removed.
    pub debris: Box<dyn Fn() -> BoxFuture<'static, u64> + Send + Sync>,
    /// The size from which on an object has several parts.
    pub part: usize,
    /// The store looks at the checksums of what it is sent.
    pub verifies: bool,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("proxy", &self.proxy).finish_non_exhaustive()
    }
}

/// Something that is done to a store, and what it tells.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// What is there before.
    before: fn(usize) -> Vec<(&'static str, usize)>,
    act: for<'a> fn(&'a dyn Backend, usize) -> BoxFuture<'a, Result<String>>,
    /// What it tells was checked against a checksum.
    is_checked: bool,
}

/// Everything of a store.
type Snapshot = BTreeMap<String, String>;

const LONG_AGO: Timestamp = Timestamp { seconds: 1_000_000_000, nanoseconds: 123_456_789 };
const LATER: Timestamp = Timestamp { seconds: 1_100_000_000, nanoseconds: 5 };

fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

/// Contents of that length, which differ for each seed.
fn contents(seed: u8, len: usize) -> Bytes {
    (0..len).map(|at| (at % 251) as u8 ^ seed).collect()
}

fn kept(modified: Timestamp) -> WriteOptions {
    WriteOptions {
        content_type: Some("text/css".to_owned()),
        modified: Some(modified),
        metadata: vec![("key".to_owned(), "value".to_owned())],
        ..WriteOptions::default()
    }
}

async fn put(backend: &dyn Backend, name: &str, contents: &Bytes, options: &WriteOptions) -> Result<()> {
    let mut upload = backend.write(&path(name), options).await?;
    for chunk in contents.chunks(1_000_003) {
        if let Err(error) = upload.push(contents.slice_ref(chunk)).await {
            upload.abort().await;
            return Err(error);
        }
    }
    upload.commit().await.map(drop)
}

async fn digest(backend: &dyn Backend, name: &str, options: &ReadOptions) -> Result<String> {
    let bytes = backend.read_all(&path(name), options, usize::MAX).await?;
    Ok(format!("{} bytes, CRC-32C {:08x}", bytes.len(), crc32c::crc32c(&bytes)))
}

async fn snapshot(backend: &dyn Backend) -> Snapshot {
    let options = ListOptions { recursive: true, full_info: true, ..ListOptions::default() };
    let mut listing = backend.list(&Path::root(), &options).await.unwrap();
    let mut all = Snapshot::new();
    loop {
        let page = listing.next_entries(1000).await.unwrap();
        if page.is_empty() {
            return all;
        }
        for entry in page {
            let contents = digest(backend, entry.path.as_str(), &ReadOptions::default()).await.unwrap();
            let told = (&entry.content_type, &entry.modified, &entry.metadata);
            all.insert(entry.path.to_string(), format!("{contents}, {told:?}"));
        }
    }
}

impl Store {
    async fn prepare(&self, operation: &Operation) {
        self.straight.purge(&Path::root()).await.unwrap();
        for (name, len) in (operation.before)(self.part) {
            put(&*self.straight, name, &contents(0, len), &kept(LONG_AGO)).await.unwrap();
        }
    }

    /// Breaks each request of an operation in each way.
    pub async fn survives(&self, operation: Operation) {
        self.prepare(&operation).await;
        let before = snapshot(&*self.straight).await;
        drop(self.proxy.take_requests());
        let told = (operation.act)(&*self.through, self.part).await.unwrap();
        let after = snapshot(&*self.straight).await;
        let requests = self.proxy.take_requests();
        assert!(!requests.is_empty(), "nothing passed through the proxy");
        let changes = before != after;
        for (number, request) in requests.iter().enumerate() {
            for fault in self.faults(&operation, request) {
                if changes {
                    self.prepare(&operation).await;
                }
                let what = format!("{fault:?} at request {number}: {} {}", request.method, request.target);
                self.break_one(&requests, number, fault);
                let outcome = (operation.act)(&*self.through, self.part).await;
                self.proxy.plan(|_| None);
                let now = snapshot(&*self.straight).await;
                match &outcome {
                    Ok(_) => assert_eq!(now, after, "{what}"),
                    Err(_) => is_between(&now, &before, &after, &what),
                }
                match outcome {
                    Ok(now) => assert_eq!(now, told, "{what}"),
                    Err(error) => is_typed(&error, &what),
                }
                self.has_no_debris(&what).await;
            }
        }
    }

    /// Breaks the request of that number. Those that are sent at once arrive in any order: it is counted among its like.
    fn break_one(&self, requests: &[Request], number: usize, fault: Fault) {
        let kind = |request: &Request| (request.method.clone(), request.is_copy(), request.body_len > 0);
        let broken = kind(&requests[number]);
        let mut before = requests[..number].iter().filter(|request| kind(request) == broken).count();
        let mut fault = Some(fault);
        self.proxy.plan(move |request| match (kind(request) == broken, before) {
            (false, _) => None,
            (true, 0) => fault.take(),
            (true, _) => {
                before -= 1;
                None
            }
        });
    }

    /// What is given up in the background may need a moment.
    async fn has_no_debris(&self, what: &str) {
        for patience in [0, 50, 200, 1000] {
            tokio::time::sleep(Duration::from_millis(patience)).await;
            // It removes what it finds: what is there after a while is too late to go by itself.
            if patience < 1000 && (self.debris)().await == 0 {
                return;
            }
        }
        panic!("an upload was left open after {what}");
    }

    fn faults(&self, operation: &Operation, request: &Request) -> Vec<Fault> {
        let mut faults: Vec<_> =
            [408, 429, 500, 503].map(|status| Fault::Answer(Canned::status(status))).into();
        faults.push(Fault::Answer(Canned::status(503).header("retry-after", "0")));
        faults.extend([Fault::CutRequest, Fault::LoseAnswer, Fault::Delay(Duration::from_millis(20))]);
        if request.method != "HEAD" {
            faults.push(Fault::CutAnswer);
        }
        if request.method == "POST" || request.is_copy() {
            faults.push(Fault::Answer(Canned::s3_error(200, "InternalError")));
        }
        if request.method == "GET" && operation.is_checked {
            faults.extend([Fault::FlipAnswer, Fault::TruncateAnswer]);
        }
        if self.verifies && request.method == "PUT" && request.body_len > 0 {
            faults.push(Fault::FlipRequest);
        }
        faults
    }
}

/// After a failure each object is the old one or the new one.
fn is_between(now: &Snapshot, before: &Snapshot, after: &Snapshot, what: &str) {
    for name in now.keys().chain(before.keys()).chain(after.keys()) {
        let is_one = now.get(name) == before.get(name) || now.get(name) == after.get(name);
        assert!(is_one, "`{name}` is neither old nor new after {what}: {:?}", now.get(name));
    }
}

fn is_typed(error: &Error, what: &str) {
    let typed = [ErrorCode::Unavailable, ErrorCode::Timeout, ErrorCode::RateLimited, ErrorCode::Corrupted];
    assert!(typed.contains(&error.code()), "{error:?} after {what}");
}

macro_rules! operations {
    ($($(#[doc = $doc:literal])* $name:ident($checked:literal, $before:expr, |$backend:ident, $part:ident| $act:expr);)*) => {
        $($(#[doc = $doc])*
        #[must_use]
        pub fn $name() -> Operation {
            Operation {
                before: $before,
                is_checked: $checked,
                act: |$backend, $part| async move { $act }.boxed(),
            }
        })*
    };
}

operations! {
    /// A small object over another.
    small_over_small(true, |_| vec![("a", 100), ("b", 10)], |backend, _part| {
        put(backend, "a", &contents(1, 2000), &kept(LATER)).await?;
        Ok(String::new())
    });
    /// A small object where there is none.
    small_if_absent(true, |_| vec![], |backend, _part| {
        let options = WriteOptions { condition: WriteCondition::IfAbsent, ..kept(LATER) };
        put(backend, "a", &contents(1, 2000), &options).await?;
        Ok(String::new())
    });
    /// A small object over the one that was seen.
    small_if_match(true, |_| vec![("a", 100)], |backend, _part| {
        let etag = backend.stat(&path("a")).await?.etag.unwrap();
        let options = WriteOptions { condition: WriteCondition::IfMatch(etag), ..kept(LATER) };
        put(backend, "a", &contents(1, 2000), &options).await?;
        Ok(String::new())
    });
    /// An object of several parts over a small one.
    large_over_small(true, |_| vec![("a", 100)], |backend, part| {
        put(backend, "a", &contents(1, part + 1), &kept(LATER)).await?;
        Ok(String::new())
    });
    /// An object of several parts where there is none.
    large_if_absent(true, |_| vec![], |backend, part| {
        let options = WriteOptions { condition: WriteCondition::IfAbsent, ..kept(LATER) };
        put(backend, "a", &contents(1, part + 1), &options).await?;
        Ok(String::new())
    });
    /// An upload that is given up.
    large_given_up(true, |_| vec![("a", 100)], |backend, part| {
        let mut upload = backend.write(&path("a"), &kept(LATER)).await?;
        let pushed = upload.push(contents(1, 2 * part + 1)).await;
        upload.abort().await;
        pushed.map(|()| String::new())
    });
    /// All of a small object.
    read_small(true, |_| vec![("a", 2000)], |backend, _part| {
        digest(backend, "a", &ReadOptions::default()).await
    });
    /// Some of a small object.
    read_range(false, |_| vec![("a", 200_000)], |backend, _part| {
        digest(backend, "a", &ReadOptions { offset: 17, length: Some(150_000), if_match: None }).await
    });
    /// All of an object of several parts.
    read_large(false, |part| vec![("a", part + 1)], |backend, _part| {
        digest(backend, "a", &ReadOptions::default()).await
    });
    /// What is known of an object.
    stat(false, |_| vec![("a", 100)], |backend, _part| {
        let info = backend.stat(&path("a")).await?;
        Ok(format!("{:?}", (info.size, info.modified, info.content_type, info.metadata)))
    });
    /// Everything, and one level of it.
    list(false, |_| vec![("a", 1), ("b/c", 2), ("b/d", 3), ("e", 4)], |backend, _part| {
        let mut all = Vec::new();
        for recursive in [true, false] {
            let options = ListOptions { recursive, ..ListOptions::default() };
            let mut listing = backend.list(&Path::root(), &options).await?;
            loop {
                let page = listing.next_entries(2).await?;
                if page.is_empty() {
                    break;
                }
                all.extend(page.into_iter().map(|entry| (entry.path.to_string(), entry.size)));
            }
        }
        Ok(format!("{all:?}"))
    });
    /// Many objects, some of which are not there.
    delete_many(false, |_| vec![("a", 1), ("b/c", 2), ("b/d", 3), ("e", 4)], |backend, _part| {
        let results = backend.delete(&["a", "b/c", "none"].map(path)).await;
        results.into_iter().collect::<Result<Vec<_>>>().map(|_| String::new())
    });
    /// A single object.
    delete_one(false, |_| vec![("a", 1), ("b", 2)], |backend, _part| {
        let results = backend.delete(&[path("a")]).await;
        results.into_iter().collect::<Result<Vec<_>>>().map(|_| String::new())
    });
    /// All below a prefix.
    purge(false, |_| vec![("a", 1), ("b/c", 2), ("b/d", 3)], |backend, _part| {
        // How many were there is not known after a fault.
        backend.purge(&path("b")).await.map(|_| String::new())
    });
    /// Copies on the server.
    copy_many(false, |_| vec![("a", 100), ("b", 200), ("c", 300)], |backend, _part| {
        let request = |(source, target)| CopyRequest {
            source: path(source),
            target: path(target),
            options: WriteOptions::default(),
        };
        let requests = [("a", "c"), ("b", "d")].map(request);
        let results = backend.copy_many(&requests, backend).await;
        results.into_iter().collect::<Result<Vec<_>>>().map(|_| String::new())
    });
    /// A copy in parts.
    copy_large(false, |part| vec![("a", part + 1), ("b", 10)], |backend, _part| {
        backend.copy_to(&path("a"), backend, &path("b"), &WriteOptions::default()).await?;
        Ok(String::new())
    });
    /// A time.
    set_modified(false, |_| vec![("a", 100)], |backend, _part| {
        backend.set_modified(&path("a"), LATER).await?;
        Ok(String::new())
    });
}

/// A test of each operation, on the stores that a function makes.
#[macro_export]
macro_rules! fault_tests {
    ($make:expr) => {
        $crate::fault_tests!(@ $make,
            small_over_small small_if_absent small_if_match large_over_small large_if_absent large_given_up
            read_small read_range read_large stat list delete_many delete_one purge copy_many copy_large set_modified
        );
    };
    (@ $make:expr, $($operation:ident)*) => {
        $(
            #[tokio::test]
            async fn $operation() {
                $make().survives($crate::faults::$operation()).await;
            }
        )*
    };
}
