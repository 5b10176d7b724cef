//! What the stores of the clouds share: signed requests, reading on after a broken connection, listings by pages,
//! and times kept in metadata.

pub(super) mod client;
pub(super) mod contents;
pub(super) mod expectation;
pub(super) mod listing;
pub(super) mod read;
pub(super) mod settings;
pub(super) mod time;

use omnistorage_path::Path;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::error::{Error, ErrorCode, Result};

/// The most that S3 and Google Cloud Storage take, in bytes of UTF-8.
const MAX_KEY_LEN: usize = 1024;

/// The metadata key under which the modification time is kept; it is rclone's.
pub(super) const MODIFIED_KEY: &str = "mtime";

/// All but the unreserved characters of RFC 3986, section 2.3: what a signature wants encoded.
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

/// What all keys below a path begin with.
pub(super) fn key_prefix(prefix: &Path, path: &Path) -> Result<String> {
    let joined = prefix.join(path)?;
    Ok(if joined.is_root() { String::new() } else { format!("{joined}/") })
}
