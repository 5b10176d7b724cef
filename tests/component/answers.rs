//! What the sync engine makes of the answers of a store: of a page of a listing that fails, and of etags that only look
//! like an MD5.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use omnistorage::{
    Backend, ErrorCode, Path, S3Backend, Timestamp,
    backend::WriteOptions,
    runtime::{Action, Report, Storage, SyncOptions},
};
use omnistorage_test_servers::{Canned, Fault, Proxy, Request, moto};

use crate::setup::{at, memory, put, storage, tree};

const NAMES: [&str; 4] = ["a", "b", "d/c", "d/d"];
const SAME: Timestamp = Timestamp { seconds: 1_000_000_000, nanoseconds: 0 };

/// A bucket whose requests go through a proxy. Each object holds its own path, and has the same time.
struct Bucket {
    proxy: Proxy,
    backend: Arc<dyn Backend>,
    /// What all its keys begin with.
    prefix: String,
}

impl Bucket {
    async fn new(sorted: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let prefix = format!("answers-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let proxy = Proxy::before(&moto().endpoint);
        let config =
            moto().config_below(&prefix).with("endpoint", &proxy.endpoint).with("sorted_list", sorted);
        let backend = Arc::new(S3Backend::from_config(config).unwrap());
        fill(&*backend).await;
        drop(proxy.take_requests());
        Self { proxy, backend, prefix: format!("{prefix}/") }
    }
}

async fn fill(backend: &dyn Backend) {
    let options = WriteOptions { modified: Some(SAME), ..WriteOptions::default() };
    for name in NAMES {
        backend.write_all(&Path::parse(name).unwrap(), name.into(), &options).await.unwrap();
    }
}

fn is_listing(request: &Request) -> bool {
    request.method == "GET"
        && request.target.contains("list-type=2")
        && !request.target.contains("max-keys=0")
}

/// A page of such objects, with etags that look like an MD5.
fn page(prefix: &str, names: &[&str], next: Option<&str>) -> Fault {
    let object = |name: &&str| {
        let (etag, size) = (FALSE_MD5, name.len());
        format!(
            "<Contents><Key>{prefix}{name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
             <ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size></Contents>"
        )
    };
    let objects: String = names.iter().map(object).collect();
    let token = next.map(|next| format!("<NextContinuationToken>{next}</NextContinuationToken>"));
    Fault::Answer(Canned::status(200).body(&format!(
        "<ListBucketResult><IsTruncated>{}</IsTruncated>{}{objects}</ListBucketResult>",
        token.is_some(),
        token.as_deref().unwrap_or_default()
    )))
}

const FALSE_MD5: &str = "0123456789abcdef0123456789abcdef";

/// Two pages of two objects each; what stands behind the first fails as it is told.
fn two_pages(
    prefix: String,
    mut fails: impl FnMut() -> Option<Canned> + Send + 'static,
) -> impl FnMut(&Request) -> Option<Fault> + Send {
    move |request| {
        let is_second =
            request.target.contains("continuation-token") || request.target.contains("start-after");
        match is_second {
            _ if !is_listing(request) => None,
            false => Some(page(&prefix, &NAMES[..2], Some("second"))),
            true => Some(fails().map_or_else(|| page(&prefix, &NAMES[2..], None), Fault::Answer)),
        }
    }
}

/// Syncs; gives the paths that were transferred, in the order of their names, and the report.
async fn sync(storage: &Storage, from: &str, to: &str) -> omnistorage::Result<(Vec<String>, Report)> {
    let mut job = storage.sync(&at(from, ""), &at(to, ""), &SyncOptions::default()).await?;
    let mut transferred = Vec::new();
    while let Some(event) = job.next().await {
        if event.action == Action::Transferred {
            transferred.push(event.path);
        }
    }
    transferred.sort();
    job.outcome().await.map(|report| (transferred, report))
}

#[tokio::test]
async fn a_page_that_fails_a_few_times_is_gone_on_with() {
    for sorted in ["true", "false"] {
        let bucket = Bucket::new(sorted).await;
        let target = memory();
        let storage = storage([("store", bucket.backend.clone()), ("here", target.clone())]);
        put(&storage, "here", &[("extra", "x")]).await;
        // As often as a request may fail before it is given up.
        let mut failures = 0;
        bucket.proxy.plan(two_pages(bucket.prefix.clone(), move || {
            failures += 1;
            (failures <= 4).then(|| Canned::s3_error(503, "SlowDown"))
        }));
        let (transferred, report) = sync(&storage, "store", "here").await.unwrap();
        assert_eq!(
            (transferred, report.errors, report.deleted),
            (NAMES.map(str::to_owned).to_vec(), 0, 1),
            "{sorted}"
        );
        let expected = NAMES.map(|name| (name.to_owned(), name.to_owned()));
        assert_eq!(tree(&*target).await, expected);
        let asked: Vec<_> = bucket.proxy.take_requests().into_iter().filter(is_listing).collect();
        assert!(asked.len() > 5, "{asked:?}");
    }
}

#[tokio::test]
async fn a_page_that_fails_for_good_lets_nothing_be_deleted() {
    for sorted in ["true", "false"] {
        let bucket = Bucket::new(sorted).await;
        let target = memory();
        let storage = storage([("store", bucket.backend.clone()), ("here", target.clone())]);
        put(&storage, "here", &[("d/c", "d/c"), ("d/d", "d/d"), ("extra", "x")]).await;
        bucket.proxy.plan(two_pages(bucket.prefix.clone(), || Some(Canned::s3_error(403, "AccessDenied"))));
        let error = sync(&storage, "store", "here").await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::PermissionDenied, "{sorted}: {error}");
        let left: BTreeSet<_> = tree(&*target).await.into_iter().map(|(path, _)| path).collect();
        assert!(["d/c", "d/d", "extra"].iter().all(|path| left.contains(*path)), "{sorted}: {left:?}");
    }
}

/// As where a bucket encrypts with a key of its own: only the answer about an object says that its etag is no MD5.
#[tokio::test]
async fn what_only_looks_like_an_md5_makes_no_difference() {
    for (from, to) in [("here", "store"), ("store", "here")] {
        let bucket = Bucket::new("true").await;
        let here = memory();
        fill(&*here).await;
        let storage = storage([("store", bucket.backend.clone()), ("here", here)]);
        let prefix = bucket.prefix.clone();
        bucket.proxy.plan(move |request| {
            let name = request.target.rsplit_once(&prefix).map_or("", |(_, name)| name);
            let encrypted = Canned::status(200)
                .header("etag", &format!("\"{FALSE_MD5}\""))
                .header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
                .header("x-amz-server-side-encryption", "aws:kms")
                .header("x-amz-meta-mtime", "1000000000")
                .body(name);
            match request.method.as_str() {
                _ if is_listing(request) => Some(page(&prefix, &NAMES, None)),
                "HEAD" | "GET" if NAMES.contains(&name) => Some(Fault::Answer(encrypted)),
                _ => None,
            }
        });
        // Each run starts anew: nothing that one learned of the bucket is kept for the next by this.
        for _ in 0..2 {
            let (transferred, report) = sync(&storage, from, to).await.unwrap();
            assert_eq!((transferred, report.errors, report.deleted), (vec![], 0, 0), "{from}");
        }
        let asked = bucket.proxy.take_requests();
        assert!(
            asked.iter().all(|request| request.method == "HEAD" || is_listing(request)),
            "{from}: {asked:?}"
        );
        assert!(asked.iter().any(|request| request.method == "HEAD"), "{from}: {asked:?}");

        let job = storage.check(&at(from, ""), &at(to, ""), &SyncOptions::default()).await.unwrap();
        let report = job.outcome().await.unwrap();
        assert_eq!((report.same, report.differ, report.errors), (4, 0, 0), "{from}");
    }
}
