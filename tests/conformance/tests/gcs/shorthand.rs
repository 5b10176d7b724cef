//! What most tests do, in few words.

use bytes::Bytes;
use omnistorage::{
    Backend, Config, ErrorCode, GcsBackend, ObjectInfo, Path, Result, Timestamp,
    backend::{ListOptions, ReadOptions, Upload, WriteOptions},
};

/// As small as a part can be.
pub(crate) const PART: usize = 256 << 10;
pub(crate) const LONG_AGO: Timestamp = Timestamp { seconds: 1_000_000_000, nanoseconds: 123_456_789 };

pub(crate) fn backend(config: Config) -> GcsBackend {
    GcsBackend::from_config(config.with("part_size", PART.to_string())).unwrap()
}

pub(crate) fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

/// Bytes with a long period.
pub(crate) fn pattern(len: usize) -> Bytes {
    (0..len).map(|at| (at % 251) as u8 ^ (at >> 16) as u8).collect()
}

/// Options of which all must be kept.
pub(crate) fn kept() -> WriteOptions {
    WriteOptions {
        content_type: Some("text/css".to_owned()),
        modified: Some(LONG_AGO),
        metadata: vec![("key".to_owned(), "value".to_owned())],
        ..WriteOptions::default()
    }
}

/// Begins a write and hands in bytes, in chunks that know nothing of parts.
pub(crate) async fn begin(
    backend: &GcsBackend,
    at: &str,
    contents: &Bytes,
    options: &WriteOptions,
) -> Result<Box<dyn Upload>> {
    let mut upload = backend.write(&path(at), options).await?;
    for chunk in contents.chunks(70_001) {
        upload.push(contents.slice_ref(chunk)).await?;
    }
    Ok(upload)
}

pub(crate) async fn put(
    backend: &GcsBackend,
    at: &str,
    contents: &Bytes,
    options: &WriteOptions,
) -> Result<ObjectInfo> {
    begin(backend, at, contents, options).await?.commit().await
}

pub(crate) async fn get(backend: &GcsBackend, at: &str) -> Result<Bytes> {
    backend.read_all(&path(at), &ReadOptions::default(), usize::MAX).await
}

pub(crate) async fn list(backend: &GcsBackend, options: &ListOptions) -> Result<Vec<ObjectInfo>> {
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

/// Holds a call to a failure of that code whose sentence holds a word.
#[track_caller]
pub(crate) fn fails<T>(result: Result<T>, code: ErrorCode, word: &str) {
    let error = result.err().unwrap();
    assert_eq!(error.code(), code, "{error:?}");
    assert!(error.message().contains(word), "no {word:?} in: {error}");
    assert!(!error.message().contains('\n'), "not one sentence: {error}");
}
