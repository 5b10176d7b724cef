//! What nearly every row does, in few words.

use std::{collections::BTreeMap, future::Future};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use omnistorage::{
    Backend, ErrorCode, ObjectInfo, ObjectKind, Path, Result, Timestamp,
    backend::{ListOptions, ReadOptions, Upload, WriteOptions},
};

/// More than any object of the suite has.
const ALL: usize = 64 << 20;

/// How many entries a listing is asked for at once where it does not matter.
const BATCH: usize = 100;

pub(crate) const RECURSIVE: ListOptions =
    ListOptions { recursive: true, start_after: None, until: None, limit: None, full_info: false };
pub(crate) const ONE_LEVEL: ListOptions =
    ListOptions { recursive: false, start_after: None, until: None, limit: None, full_info: false };

/// A path that keeps the grammar.
pub(crate) fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

/// Bytes without a short period, the same ones every time.
pub(crate) fn pattern(len: usize) -> Bytes {
    let mut state = 1_u32;
    let mut next = || {
        // Numerical Recipes' linear congruential generator; its high bits are the random ones.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// A time with a fraction: 2001-09-09T01:46:40.123456789Z.
pub(crate) const LONG_AGO: Timestamp = Timestamp { seconds: 1_000_000_000, nanoseconds: 123_456_789 };

/// Holds a call to a failure of that code.
#[track_caller]
pub(crate) fn fails<T>(result: Result<T>, code: ErrorCode) {
    match result {
        Ok(_) => assert_eq!("success", code.as_str()),
        Err(error) => assert_eq!(error.code(), code, "{error:?}"),
    }
}

/// Holds a call to a failure of one of these codes.
#[track_caller]
pub(crate) fn fails_with_any<T>(result: Result<T>, codes: &[ErrorCode]) {
    let code = result.err().map(|error| error.code());
    assert!(code.is_some_and(|code| codes.contains(&code)), "{code:?} is none of {codes:?}");
}

/// Holds two times to be the same, as far as the backend keeps them.
#[track_caller]
pub(crate) fn assert_same_time(backend: &dyn Backend, given: Timestamp, kept: Option<Timestamp>) {
    let nanoseconds =
        |time: Timestamp| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds);
    let precision = backend.capabilities().modified_precision.unwrap().as_nanos();
    let difference = nanoseconds(given).abs_diff(nanoseconds(kept.unwrap()));
    assert!(difference < precision, "{given:?} became {kept:?}");
}

/// Holds the call of a feature that is not claimed to its promise: it fails with `unsupported` and changes nothing.
pub(crate) async fn is_unsupported<T>(backend: &dyn Backend, call: impl Future<Output = Result<T>>) {
    let before = backend.snapshot().await;
    fails(call.await, ErrorCode::Unsupported);
    assert_eq!(backend.snapshot().await, before, "an unsupported call changed something");
}

/// All objects of a backend, with what is known of them and their bytes; directories too where they are listed.
pub(crate) type Snapshot = BTreeMap<Path, (ObjectInfo, Option<Bytes>)>;

pub(crate) trait Shorthand {
    async fn put(&self, path: &str, contents: impl Into<Bytes>) -> Result<ObjectInfo>;
    async fn put_with(
        &self,
        path: &str,
        contents: impl Into<Bytes>,
        options: &WriteOptions,
    ) -> Result<ObjectInfo>;
    async fn upload(&self, path: &str) -> Result<Box<dyn Upload>>;
    /// By way of an upload. A backend may refuse at any of its steps.
    async fn put_by_upload(
        &self,
        path: &str,
        contents: impl Into<Bytes>,
        options: &WriteOptions,
    ) -> Result<ObjectInfo>;
    async fn get(&self, path: &str) -> Result<Bytes>;
    /// By way of the stream.
    async fn stream(&self, path: &str, options: &ReadOptions) -> Result<Bytes>;
    async fn info(&self, path: &str) -> Result<ObjectInfo>;
    async fn remove(&self, path: &str) -> Result<()>;
    async fn copy(&self, source: &str, target: &str, options: &WriteOptions) -> Result<ObjectInfo>;
    async fn rename(&self, source: &str, target: &str, options: &WriteOptions) -> Result<ObjectInfo>;
    /// The whole listing; in byte order even where the backend has none.
    async fn entries(&self, prefix: &str, options: &ListOptions, batch: usize) -> Result<Vec<ObjectInfo>>;
    /// The paths of the whole listing.
    async fn paths(&self, prefix: &str, options: &ListOptions) -> Vec<String>;
    /// The paths of all objects below a prefix.
    async fn objects(&self, prefix: &str) -> Vec<String>;
    async fn snapshot(&self) -> Snapshot;
    /// The same while something goes, which a listing may tell.
    async fn try_snapshot(&self) -> Result<Snapshot>;
}

impl Shorthand for dyn Backend {
    async fn put(&self, at: &str, contents: impl Into<Bytes>) -> Result<ObjectInfo> {
        self.put_with(at, contents, &WriteOptions::default()).await
    }

    async fn put_with(
        &self,
        at: &str,
        contents: impl Into<Bytes>,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        self.write_all(&path(at), contents.into(), options).await
    }

    async fn upload(&self, at: &str) -> Result<Box<dyn Upload>> {
        self.write(&path(at), &WriteOptions::default()).await
    }

    async fn put_by_upload(
        &self,
        at: &str,
        contents: impl Into<Bytes>,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let mut upload = self.write(&path(at), options).await?;
        match upload.push(contents.into()).await {
            Ok(()) => upload.commit().await,
            Err(error) => {
                upload.abort().await;
                Err(error)
            }
        }
    }

    async fn get(&self, at: &str) -> Result<Bytes> {
        self.read_all(&path(at), &ReadOptions::default(), ALL).await
    }

    async fn stream(&self, at: &str, options: &ReadOptions) -> Result<Bytes> {
        let mut contents = self.read(&path(at), options).await?.contents;
        let mut all = BytesMut::new();
        while let Some(chunk) = contents.next().await {
            all.extend_from_slice(&chunk?);
        }
        Ok(all.freeze())
    }

    async fn info(&self, at: &str) -> Result<ObjectInfo> {
        self.stat(&path(at)).await
    }

    async fn remove(&self, at: &str) -> Result<()> {
        let mut results = self.delete(&[path(at)]).await;
        assert_eq!(results.len(), 1, "one result a path");
        results.remove(0)
    }

    async fn copy(&self, source: &str, target: &str, options: &WriteOptions) -> Result<ObjectInfo> {
        self.copy_to(&path(source), self, &path(target), options).await
    }

    async fn rename(&self, source: &str, target: &str, options: &WriteOptions) -> Result<ObjectInfo> {
        self.move_to(&path(source), self, &path(target), options).await
    }

    async fn entries(&self, prefix: &str, options: &ListOptions, batch: usize) -> Result<Vec<ObjectInfo>> {
        let mut listing = self.list(&path(prefix), options).await?;
        let mut all = Vec::new();
        loop {
            let entries = listing.next_entries(batch).await?;
            assert!(entries.len() <= batch, "{} entries where {batch} were asked for", entries.len());
            if entries.is_empty() {
                break;
            }
            all.extend(entries);
        }
        if !self.capabilities().features.sorted_list {
            all.sort_by(|a, b| a.path.cmp(&b.path));
        }
        let mut pairs = all.array_windows();
        assert!(pairs.all(|[a, b]| a.path < b.path), "not in byte order, or not unique: {all:?}");
        Ok(all)
    }

    async fn paths(&self, prefix: &str, options: &ListOptions) -> Vec<String> {
        let entries = self.entries(prefix, options, BATCH).await.unwrap();
        entries.into_iter().map(|entry| entry.path.into()).collect()
    }

    async fn objects(&self, prefix: &str) -> Vec<String> {
        let mut entries = self.entries(prefix, &RECURSIVE, BATCH).await.unwrap();
        entries.retain(|entry| entry.kind == ObjectKind::Object);
        entries.into_iter().map(|entry| entry.path.into()).collect()
    }

    async fn snapshot(&self) -> Snapshot {
        self.try_snapshot().await.unwrap()
    }

    async fn try_snapshot(&self) -> Result<Snapshot> {
        let mut snapshot = Snapshot::new();
        for entry in self.entries("", &RECURSIVE, BATCH).await? {
            // A directory's time is that of its entries: it is not among what is promised.
            let (info, contents) = match entry.kind {
                ObjectKind::Object => (
                    self.stat(&entry.path).await.unwrap(),
                    Some(self.get(entry.path.as_str()).await.unwrap()),
                ),
                kind => (ObjectInfo::new(entry.path.clone(), kind), None),
            };
            snapshot.insert(entry.path, (info, contents));
        }
        Ok(snapshot)
    }
}
