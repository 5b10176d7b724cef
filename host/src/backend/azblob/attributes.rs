//! What is known about an object, from headers or a listing.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};
use omnistorage_types::Path;

use super::container::etag;
use crate::{
    Error, ErrorCode, Hash, HashAlgorithm, Metadata, ObjectInfo, ObjectKind, Result, Timestamp,
    backend::{
        WriteOptions,
        cloud::{
            MODIFIED_KEY,
            client::Call,
            metadata::{self, DEFAULT_CONTENT_TYPE},
            time,
        },
    },
};

/// What a header of metadata begins with.
const METADATA: &str = "x-ms-meta-";
/// Marks a directory of an account with a hierarchical namespace.
pub(super) const DIRECTORY_KEY: &str = "hdi_isfolder";

/// What is stored beside the bytes, complete and checked.
#[derive(Clone, Debug)]
pub(super) struct Attributes {
    pub(super) content_type: String,
    pub(super) modified: Timestamp,
    pub(super) metadata: Metadata,
}

impl Attributes {
    /// The attributes that the options of a write ask for.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] for what would not be kept.
    pub(super) fn new(options: &WriteOptions) -> Result<Self> {
        let (store, taken) = ("Azure Blob Storage", [MODIFIED_KEY, DIRECTORY_KEY]);
        let metadata = metadata::checked(&options.metadata, store, &taken)?;
        if let Some((key, _)) = metadata.iter().find(|(key, _)| !is_identifier(key)) {
            let message = format!(
                "{store} cannot keep the metadata key `{}`: use small letters, digits and `_`, and no digit in front",
                key.escape_debug()
            );
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
        Ok(Self {
            content_type: metadata::content_type(options)?,
            modified: options.modified.unwrap_or_else(Timestamp::now),
            metadata,
        })
    }

    /// Those of an object, except for what the options replace.
    ///
    /// # Errors
    /// As [`Attributes::new`].
    pub(super) fn of_copy(source: &ObjectInfo, options: &WriteOptions) -> Result<Self> {
        let given = Self::new(options)?;
        let own = || source.content_type.clone().unwrap_or_else(|| DEFAULT_CONTENT_TYPE.to_owned());
        Ok(Self {
            content_type: if options.content_type.is_some() { given.content_type } else { own() },
            modified: options.modified.or(source.modified).unwrap_or(given.modified),
            metadata: if given.metadata.is_empty() { source.metadata.clone() } else { given.metadata },
        })
    }

    /// With all of them.
    ///
    /// # Errors
    /// As [`Call::header`].
    pub(super) fn on(&self, call: Call) -> Result<Call> {
        self.on_metadata(call.header("x-ms-blob-content-type", &self.content_type)?)
    }

    /// With the metadata, which replaces all that there is.
    ///
    /// # Errors
    /// As [`Call::header`].
    pub(super) fn on_metadata(&self, call: Call) -> Result<Call> {
        // Years of five digits cannot be written as rclone writes the others.
        let modified = time::to_rfc3339(self.modified).unwrap_or_else(|| time::to_decimal(self.modified));
        let call = call.header(&format!("{METADATA}{MODIFIED_KEY}"), &modified)?;
        let mut pairs = self.metadata.iter();
        pairs.try_fold(call, |call, (key, value)| call.header(&format!("{METADATA}{key}"), value))
    }

    /// Whether an object was written with them. Where the caller gave no time, ours, to the nanosecond, identifies the
    /// write as well as a name would.
    pub(super) fn are_of(&self, info: &ObjectInfo) -> bool {
        info.modified == Some(self.modified)
            && info.content_type.as_deref() == Some(self.content_type.as_str())
            && info.metadata == self.metadata
    }

    /// The object that was written with them.
    pub(super) fn info(&self, path: &Path, size: u64, etag: String, md5: Hash) -> ObjectInfo {
        ObjectInfo {
            size: Some(size),
            modified: Some(self.modified),
            etag: Some(etag),
            content_type: Some(self.content_type.clone()),
            metadata: self.metadata.clone(),
            hashes: vec![md5],
            ..ObjectInfo::new(path.clone(), ObjectKind::Object)
        }
    }
}

/// Whether a key of metadata is an identifier of C#, as the service demands.
fn is_identifier(key: &str) -> bool {
    !key.starts_with(|char: char| char.is_ascii_digit())
        && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// An MD5 as headers and listings have it.
pub(super) fn encoded(md5: &Hash) -> String {
    BASE64_STANDARD.encode(&md5.digest)
}

/// The MD5 in such a text.
pub(super) fn md5_of(text: &str) -> Option<Hash> {
    let digest = BASE64_STANDARD.decode(text).ok()?;
    let algorithm = HashAlgorithm::Md5;
    (digest.len() == algorithm.digest_len()).then_some(Hash { algorithm, digest })
}

/// An object with this metadata, without what holds its time.
pub(super) fn described(path: Path, mut metadata: Metadata, written: Option<Timestamp>) -> ObjectInfo {
    metadata.sort();
    let own = metadata.iter().position(|(key, _)| key == MODIFIED_KEY).map(|at| metadata.remove(at).1);
    let own = own.and_then(|text| time::from_rfc3339(&text).or_else(|| time::from_decimal(&text)));
    ObjectInfo { modified: own.or(written), metadata, ..ObjectInfo::new(path, ObjectKind::Object) }
}

/// What the headers of an answer say about an object.
pub(super) fn info_of(path: &Path, headers: &HeaderMap, size: Option<u64>) -> ObjectInfo {
    let text =
        |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let pairs = headers.iter().filter_map(|(name, value)| {
        let key = name.as_str().strip_prefix(METADATA)?;
        Some((key.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
    });
    let written = text(header::LAST_MODIFIED.as_str()).and_then(|date| time::from_http_date(&date));
    let mut info = described(path.clone(), pairs.collect(), written);
    // With a range, the usual header would be about the range.
    let whole =
        if headers.contains_key(header::CONTENT_RANGE) { "x-ms-blob-content-md5" } else { "content-md5" };
    info.size = size;
    info.etag = etag(headers);
    info.content_type = text(header::CONTENT_TYPE.as_str()).filter(|content_type| !content_type.is_empty());
    info.hashes = text(whole).and_then(|md5| md5_of(&md5)).into_iter().collect();
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(key: &str) -> Result<Attributes> {
        let metadata = vec![(key.to_owned(), "x".to_owned())];
        Attributes::new(&WriteOptions { metadata, ..WriteOptions::default() })
    }

    #[test]
    fn keys_of_metadata_are_identifiers() {
        assert!(["a", "_1", "a_b2"].iter().all(|key| with(key).is_ok()));
        for key in ["a-b", "a.b", "1a", "A", "", "mtime", "hdi_isfolder"] {
            assert_eq!(with(key).unwrap_err().code(), ErrorCode::InvalidArgument, "{key}");
        }
    }

    #[test]
    fn the_hash_of_a_range_is_none_of_the_object() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("etag", "\"0x1\""),
            ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
            ("x-ms-meta-mtime", "2001-09-09T01:46:40.123456789Z"),
            ("x-ms-meta-b", "2"),
            ("last-modified", "Sun, 09 Sep 2001 01:46:41 GMT"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let info = info_of(&Path::root(), &headers, Some(9));
        assert_eq!(info.modified, Some(Timestamp { seconds: 1_000_000_000, nanoseconds: 123_456_789 }));
        assert_eq!((info.etag.as_deref(), info.hashes.len(), info.metadata.len()), (Some("0x1"), 1, 1));
        headers.insert("content-range", "bytes 0-1/9".parse().unwrap());
        assert!(info_of(&Path::root(), &headers, Some(9)).hashes.is_empty());
        headers.remove("x-ms-meta-mtime");
        let modified = info_of(&Path::root(), &headers, Some(9)).modified;
        assert_eq!(modified, Some(Timestamp { seconds: 1_000_000_001, nanoseconds: 0 }));
    }
}
