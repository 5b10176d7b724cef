//! Objects of several parts, on both servers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails where something is not as it must be")]

use std::time::Duration;

use bytes::Bytes;
use omnistorage::{
    Backend, Config, ErrorCode, Hash, HashAlgorithm, Path, S3Backend, Timestamp,
    backend::{ListOptions, ReadOptions, Upload, WriteCondition, WriteOptions},
};
use omnistorage_test_servers::{Fault, Proxy, Request, weed};

const PART: usize = 5 << 20;
const LONG_AGO: Timestamp = Timestamp { seconds: 1_000_000_000, nanoseconds: 123_456_789 };

fn backend(config: Config) -> S3Backend {
    S3Backend::from_config(config.with("part_size", PART.to_string())).unwrap()
}

fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

fn kept() -> WriteOptions {
    WriteOptions {
        content_type: Some("text/css".to_owned()),
        modified: Some(LONG_AGO),
        metadata: vec![("key".to_owned(), "value".to_owned())],
        ..WriteOptions::default()
    }
}

fn contents(seed: u8, len: usize) -> Bytes {
    (0..len).map(|at| (at % 251) as u8 ^ seed).collect()
}

async fn push(upload: &mut Box<dyn Upload>, contents: &Bytes) {
    for chunk in contents.chunks(700_001) {
        upload.push(contents.slice_ref(chunk)).await.unwrap();
    }
}

async fn has_no_debris(backend: &S3Backend) {
    assert_eq!(backend.sweep(&Path::root(), Duration::ZERO).await.unwrap(), 0, "an upload was left open");
}

async fn parts_join_at_their_boundaries(backend: S3Backend) {
    for len in [PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 3] {
        let contents = contents(0, len);
        let mut upload = backend.write(&path("large"), &kept()).await.unwrap();
        push(&mut upload, &contents).await;
        let info = upload.commit().await.unwrap();
        assert_eq!(backend.stat(&path("large")).await.unwrap(), info, "{len}");
        assert_eq!((info.size, info.modified), (Some(len as u64), Some(LONG_AGO)));
        let all = backend.read_all(&path("large"), &ReadOptions::default(), len).await.unwrap();
        assert!(all == contents, "{len}");
        // Around the boundary.
        let options = ReadOptions { offset: PART as u64 - 3, length: Some(6), if_match: None };
        let around = backend.read_all(&path("large"), &options, 6).await.unwrap();
        assert_eq!(around, contents[PART - 3..len.min(PART + 3)]);
        let copy = backend.copy_to(&path("large"), &backend, &path("copy"), &WriteOptions::default()).await;
        let copy = copy.unwrap();
        assert_eq!((copy.metadata, copy.content_type), (info.metadata, info.content_type), "{len}");
        let all = backend.read_all(&path("copy"), &ReadOptions::default(), len).await.unwrap();
        assert!(all == contents, "{len}: the copy");
        // Onto itself: what the store keeps of the parts must not be taken for what it knows of the whole.
        backend.set_modified(&path("copy"), LONG_AGO).await.unwrap();
        let all = backend.read_all(&path("copy"), &ReadOptions::default(), len).await.unwrap();
        assert!(all == contents, "{len}: with another time");
    }
    has_no_debris(&backend).await;
}

async fn an_upload_that_is_given_up_leaves_no_parts(backend: S3Backend) {
    let begin = async || {
        let mut upload = backend.write(&path("large"), &kept()).await.unwrap();
        push(&mut upload, &contents(0, 2 * PART + 1)).await;
        upload
    };
    begin().await.abort().await;
    has_no_debris(&backend).await;
    drop(begin().await);
    // Aborted in the background.
    tokio::time::sleep(Duration::from_secs(1)).await;
    has_no_debris(&backend).await;
    // As a program that is killed.
    std::mem::forget(begin().await);
    assert_eq!(backend.sweep(&path("elsewhere"), Duration::ZERO).await.unwrap(), 0, "it is not below");
    assert_eq!(backend.sweep(&Path::root(), Duration::ZERO).await.unwrap(), 1);
    has_no_debris(&backend).await;
    assert!(!backend.exists(&path("large")).await.unwrap());
}

/// moto says of every upload that it began in 2010.
async fn a_young_upload_is_left_alone(backend: S3Backend) {
    let mut upload = backend.write(&path("large"), &kept()).await.unwrap();
    push(&mut upload, &contents(0, 2 * PART + 1)).await;
    assert_eq!(backend.sweep(&Path::root(), Duration::from_secs(3600)).await.unwrap(), 0);
    upload.commit().await.unwrap();
}

async fn nothing_is_visible_before_the_commit(backend: S3Backend) {
    let before = contents(1, 10);
    backend.write_all(&path("large"), before.clone(), &WriteOptions::default()).await.unwrap();
    let after = contents(2, 2 * PART + 1);
    let mut upload = backend.write(&path("large"), &kept()).await.unwrap();
    let mut other = backend.write(&path("other"), &kept()).await.unwrap();
    push(&mut upload, &after).await;
    push(&mut other, &after).await;
    let listed = async || {
        let mut listing = backend.list(&Path::root(), &ListOptions::default()).await.unwrap();
        let page = listing.next_entries(10).await.unwrap();
        page.into_iter().map(|entry| (entry.path.to_string(), entry.size)).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [("large".to_owned(), Some(10))]);
    assert_eq!(backend.read_all(&path("large"), &ReadOptions::default(), 10).await.unwrap(), before);
    assert_eq!(backend.stat(&path("other")).await.unwrap_err().code(), ErrorCode::NotFound);
    upload.commit().await.unwrap();
    other.abort().await;
    assert_eq!(listed().await, [("large".to_owned(), Some(after.len() as u64))]);
    has_no_debris(&backend).await;
}

async fn racing_uploads_never_mix(backend: S3Backend) {
    let len = 2 * PART + 1;
    let write = async |seed| {
        let mut upload = backend.write(&path("raced"), &kept()).await.unwrap();
        push(&mut upload, &contents(seed, len)).await;
        upload.commit().await
    };
    for result in futures::future::join_all((1..4).map(write)).await {
        result.unwrap();
    }
    let all = backend.read_all(&path("raced"), &ReadOptions::default(), len).await.unwrap();
    assert!((1..4).any(|seed| all == contents(seed, len)), "parts of several writers");
    has_no_debris(&backend).await;
}

/// moto looks at no condition there.
async fn conditions_hold_at_the_completion(backend: S3Backend) {
    let new = contents(3, PART + 1);
    let old = backend.write_all(&path("large"), "old".into(), &WriteOptions::default()).await.unwrap();
    let if_match = WriteCondition::IfMatch(old.etag.unwrap());
    for condition in [WriteCondition::IfAbsent, if_match] {
        let options = WriteOptions { condition, ..kept() };
        let mut upload = backend.write(&path("large"), &options).await.unwrap();
        push(&mut upload, &new).await;
        // Another version by now.
        backend.write_all(&path("large"), "newer".into(), &WriteOptions::default()).await.unwrap();
        assert_eq!(upload.commit().await.unwrap_err().code(), ErrorCode::PreconditionFailed);
        assert_eq!(backend.read_all(&path("large"), &ReadOptions::default(), 10).await.unwrap(), "newer");
    }
    has_no_debris(&backend).await;
}

async fn bodies_that_are_not_as_announced_are_refused(backend: S3Backend) {
    let body = contents(4, PART + 1);
    let wrong = Hash { algorithm: HashAlgorithm::Md5, digest: vec![0; 16] };
    for options in [
        WriteOptions { expected_size: Some(body.len() as u64 + 1), ..kept() },
        WriteOptions { expected_size: Some(body.len() as u64 - 1), ..kept() },
        WriteOptions { expected_hash: Some(wrong.clone()), ..kept() },
    ] {
        let mut upload = backend.write(&path("large"), &options).await.unwrap();
        push(&mut upload, &body).await;
        assert_eq!(upload.commit().await.unwrap_err().code(), ErrorCode::Corrupted);
        assert!(!backend.exists(&path("large")).await.unwrap());
    }
    has_no_debris(&backend).await;
}

macro_rules! rows {
    ($server:ident: $($row:ident)*) => {
        mod $server {
            $(#[tokio::test]
            async fn $row() {
                // One of them lists directory by directory.
                let config = omnistorage_test_servers::$server().config().with("sorted_list", "false");
                super::$row(super::backend(config)).await;
            })*
        }
    };
}

rows! { moto:
    parts_join_at_their_boundaries
    an_upload_that_is_given_up_leaves_no_parts
    nothing_is_visible_before_the_commit
    racing_uploads_never_mix
    bodies_that_are_not_as_announced_are_refused
}

rows! { weed:
    parts_join_at_their_boundaries
    an_upload_that_is_given_up_leaves_no_parts
    a_young_upload_is_left_alone
    nothing_is_visible_before_the_commit
    racing_uploads_never_mix
    conditions_hold_at_the_completion
    bodies_that_are_not_as_announced_are_refused
}

#[tokio::test]
async fn so_many_parts_are_on_their_way_as_is_set() {
    let proxy = Proxy::before(&weed().endpoint);
    let is_part = |request: &Request| request.method == "PUT" && request.target.contains("partNumber=");
    proxy.plan(move |request| is_part(request).then_some(Fault::Delay(Duration::from_millis(300))));
    for (most, uploads) in [(1, 2), (3, 1), (6, 2)] {
        let config = weed().config().with("endpoint", &proxy.endpoint).with("sorted_list", "false");
        let backend = backend(config.with("parts_in_flight", most.to_string()));
        let _before = proxy.take_most_at_once();
        let write = async |name: &str| {
            let mut upload = backend.write(&path(name), &WriteOptions::default()).await.unwrap();
            push(&mut upload, &contents(0, 3 * PART)).await;
            upload.commit().await.unwrap();
        };
        let names: Vec<_> = (0..uploads).map(|number| format!("upload-{number}")).collect();
        futures::future::join_all(names.iter().map(|name| write(name))).await;
        // Another upload may ask for its beginning meanwhile.
        let at_once = proxy.take_most_at_once();
        assert!((most..most + uploads).contains(&at_once), "{at_once} of {most}");
    }
}
