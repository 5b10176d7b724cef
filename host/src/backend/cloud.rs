//! What the stores of the clouds share: signed requests, reading on after a broken connection, listings by pages,
//! and times kept in metadata.

pub(super) mod backend;
#[cfg(any(feature = "gcs", feature = "s3"))]
pub(super) mod buckets;
pub(super) mod client;
pub(super) mod contents;
pub(super) mod expectation;
mod listing;
pub(super) mod metadata;
pub(super) mod ordered;
pub(super) mod pages;
pub(super) mod part;
pub(super) mod read;
pub(super) mod remove;
pub(super) mod settings;
pub(super) mod store;
pub(super) mod time;
mod transport;
pub(super) mod upload;
#[cfg(any(feature = "azblob", feature = "s3"))]
pub(super) mod xml;

use std::collections::HashSet;

use futures::{StreamExt, stream};
use omnistorage_types::Path;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use super::{Backend, CopyRequest, ListOptions};
use crate::{Error, ErrorCode, ObjectInfo, Result};

/// How many copies are in flight at once.
const COPIES_IN_FLIGHT: usize = 16;

/// The most that S3 and Google Cloud Storage take, in bytes of UTF-8; Azure Blob Storage takes as many characters.
const MAX_KEY_LEN: usize = 1024;

/// The metadata key under which the modification time is kept; it is rclone's.
pub(super) const MODIFIED_KEY: &str = "mtime";

/// What a signature wants encoded: all but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Encodes a value of a query, or a segment.
pub(super) fn encode(value: &str) -> PercentEncode<'_> {
    utf8_percent_encode(value, RESERVED)
}

/// Encodes a key, and leaves its slashes.
pub(super) fn encode_path(key: &str) -> PercentEncode<'_> {
    utf8_percent_encode(key, RESERVED_IN_PATH)
}

/// The beginning of what a server said, as much as is worth quoting.
pub(super) fn excerpt(said: &str) -> &str {
    const CHARS: usize = 300;
    said.char_indices().nth(CHARS).map_or(said, |(end, _)| &said[..end])
}

/// A query of keys and values.
pub(super) fn query_string(query: &[(&str, &str)]) -> String {
    let pairs: Vec<_> =
        query.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    pairs.join("&")
}

/// The key of an object: its path below the backend's own prefix.
///
/// # Errors
/// [`ErrorCode::IsDirectory`] for the root, which is no object; [`ErrorCode::InvalidPath`] if it is too long.
pub(super) fn key(prefix: &Path, path: &Path) -> Result<String> {
    if path.is_root() {
        return Err(Error::new(ErrorCode::IsDirectory, "the root is a directory"));
    }
    let key = String::from(prefix.join(path)?);
    if key.len() > MAX_KEY_LEN {
        let message = format!("its key has {} bytes, and the store takes {MAX_KEY_LEN}", key.len());
        return Err(Error::new(ErrorCode::InvalidPath, message));
    }
    Ok(key)
}

/// The key from which on a listing in the order of keys needs none, if there is an end. A directory is listed by what
/// is in it, which may sort behind the end that the directory itself is before.
pub(super) fn end(root: &str, prefix: &Path, options: &ListOptions) -> Option<String> {
    let until = options.until.as_ref()?;
    let Some(name) = until.strip_prefix(prefix).filter(|_| !options.recursive) else {
        // No key that is a path begins with one and goes on with a character below this one.
        return Some(format!("{root}{until}\u{1}"));
    };
    let before = &until.as_str()[..until.as_str().len() - name.as_str().len()];
    // The shortest directory that sorts before the end and may have something behind it. After `/` comes `0`.
    let shortest = name.as_str().bytes().skip(1).position(|byte| byte <= b'/').map(|at| at + 1);
    let directory = &name.as_str()[..shortest.unwrap_or(name.as_str().len())];
    Some(format!("{root}{before}{directory}0"))
}

/// What all keys below a path begin with.
pub(super) fn key_prefix(prefix: &Path, path: &Path) -> Result<String> {
    let joined = prefix.join(path)?;
    Ok(if joined.is_root() { String::new() } else { format!("{joined}/") })
}

/// Copies one by one, several in flight: it is the answers that take long.
async fn copy_many(
    backend: &dyn Backend,
    requests: &[CopyRequest],
    target_backend: &dyn Backend,
) -> Vec<Result<ObjectInfo>> {
    let mut results = Vec::with_capacity(requests.len());
    let mut rest = requests;
    while !rest.is_empty() {
        // Of two copies to one target the second must win.
        let mut targets = HashSet::new();
        let distinct = rest.iter().take_while(|request| targets.insert(&request.target)).count();
        let (now, later) = rest.split_at(distinct);
        let mut copies = Vec::with_capacity(now.len());
        for CopyRequest { source, target, options } in now {
            copies.push(backend.copy_to(source, target_backend, target, options));
        }
        results.extend(stream::iter(copies).buffered(COPIES_IN_FLIGHT).collect::<Vec<_>>().await);
        rest = later;
    }
    results
}
