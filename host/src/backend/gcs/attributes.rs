//! What is known of an object: as the store describes it, and as headers tell of it.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};
use omnistorage_path::Path;
use serde::{Deserialize, Serialize};

use crate::{
    backend::{
        WriteOptions,
        cloud::{MODIFIED_KEY, metadata, time},
    },
    error::{Error, ErrorCode, Result},
    hash::{Hash, HashAlgorithm},
    object::{Metadata, ObjectInfo, ObjectKind, Timestamp},
};

/// Where Google's own tools keep the modification time, in whole seconds. rclone writes it beside its own.
const GOOGLE_MODIFIED_KEY: &str = "goog-reserved-file-mtime";

/// What an answer about an object is to hold.
pub(super) const FIELDS: &str = "name,size,generation,contentType,crc32c,md5Hash,metadata,timeCreated,\
                                 cacheControl,contentDisposition,contentEncoding,contentLanguage,customTime";

/// What is stored beside the bytes, complete and checked.
#[derive(Clone, Debug)]
pub(super) struct Attributes {
    pub(super) content_type: String,
    pub(super) modified: Timestamp,
    pub(super) metadata: Metadata,
}

impl Attributes {
    /// Those that the options of a write ask for.
    pub(super) fn new(options: &WriteOptions) -> Result<Self> {
        Ok(Self {
            content_type: metadata::content_type(options)?,
            modified: options.modified.unwrap_or_else(Timestamp::now),
            metadata: metadata::checked(
                &options.metadata,
                "Google Cloud Storage",
                &[MODIFIED_KEY, GOOGLE_MODIFIED_KEY],
            )?,
        })
    }

    /// As the store describes an object that has them.
    pub(super) fn resource(&self) -> Resource {
        let mut metadata: BTreeMap<_, _> = self.metadata.iter().cloned().collect();
        metadata.extend(times(self.modified));
        Resource { content_type: Some(self.content_type.clone()), metadata, ..Resource::default() }
    }

    /// Whether an object is one that was written with them. The time, to the nanosecond, is as good as a name where
    /// the caller gave none.
    pub(super) fn are_of(&self, info: &ObjectInfo) -> bool {
        info.modified == Some(self.modified)
            && info.content_type.as_deref() == Some(self.content_type.as_str())
            && info.metadata == self.metadata
    }
}

/// The metadata that keeps a time.
fn times(modified: Timestamp) -> [(String, String); 2] {
    // rclone writes RFC 3339 here, and a number of seconds on S3; it has no words for years of five digits.
    let text = time::to_rfc3339(modified).unwrap_or_else(|| time::to_decimal(modified));
    [(MODIFIED_KEY.to_owned(), text), (GOOGLE_MODIFIED_KEY.to_owned(), modified.seconds.to_string())]
}

/// The description of an object (the resource `Object` of the JSON API).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Resource {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    #[serde(skip_serializing)]
    size: Option<String>,
    #[serde(skip_serializing)]
    pub(super) generation: Option<String>,
    #[serde(skip_serializing)]
    time_created: Option<String>,
    #[serde(skip_serializing)]
    md5_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crc32c: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) metadata: BTreeMap<String, String>,
    /// The rest is not looked at, but comes along where an object is copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_time: Option<String>,
}

impl Resource {
    /// One that only says when the bytes last changed: the rest of the metadata stays.
    pub(super) fn of_time(modified: Timestamp) -> Self {
        Self { metadata: times(modified).into_iter().collect(), ..Self::default() }
    }

    /// That of an object to be made, whose bytes the store is to hold to a checksum, if there is one yet.
    pub(super) fn named(mut self, key: &str, crc32c: Option<u32>) -> Self {
        key.clone_into(&mut self.name);
        self.crc32c = crc32c.map(encoded);
        self
    }

    /// That of a copy with other attributes: what else it holds comes along.
    pub(super) fn with(mut self, attributes: &Attributes) -> Self {
        let given = attributes.resource();
        (self.content_type, self.metadata) = (given.content_type, given.metadata);
        // Another object, of bytes that the store has.
        self.named("", None)
    }

    /// As the body of a request.
    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| Error::new(ErrorCode::Other, error.to_string()))
    }

    /// The object that it describes.
    pub(super) fn info(&self, path: Path) -> ObjectInfo {
        let written = self.time_created.as_deref().and_then(time::from_rfc3339);
        let mut info = described(path, self.metadata.clone(), written);
        info.size = self.size.as_deref().and_then(|size| size.parse().ok());
        info.etag.clone_from(&self.generation);
        info.content_type = self.content_type.clone().filter(|content_type| !content_type.is_empty());
        info.hashes = hashes(self.md5_hash.as_deref(), self.crc32c.as_deref());
        info
    }

    /// Its CRC-32C, as the store writes it.
    pub(super) fn has_crc32c(&self, crc32c: u32) -> bool {
        self.crc32c.as_deref().is_none_or(|known| known == encoded(crc32c))
    }

    /// Whether it keeps its time by itself: one that some other tool wrote has only that of its creation.
    pub(super) fn keeps_time(&self) -> bool {
        self.metadata.contains_key(MODIFIED_KEY)
    }
}

/// A CRC-32C as the store writes it: base64, the high byte first.
pub(super) fn encoded(crc32c: u32) -> String {
    BASE64_STANDARD.encode(crc32c.to_be_bytes())
}

/// An object with that metadata, less what it is kept in.
fn described(path: Path, mut metadata: BTreeMap<String, String>, written: Option<Timestamp>) -> ObjectInfo {
    let exact = metadata.remove(MODIFIED_KEY);
    let exact = exact.and_then(|text| time::from_rfc3339(&text).or_else(|| time::from_decimal(&text)));
    let seconds = metadata.remove(GOOGLE_MODIFIED_KEY);
    let seconds = seconds.and_then(|text| Some(Timestamp { seconds: text.parse().ok()?, nanoseconds: 0 }));
    let mut info = ObjectInfo::new(path, ObjectKind::Object);
    info.modified = exact.or(seconds).or(written);
    info.metadata = metadata.into_iter().collect();
    info
}

fn hashes(md5: Option<&str>, crc32c: Option<&str>) -> Vec<Hash> {
    let hash = |algorithm: HashAlgorithm, text: Option<&str>| {
        let digest = BASE64_STANDARD.decode(text?).ok()?;
        (digest.len() == algorithm.digest_len()).then_some(Hash { algorithm, digest })
    };
    [hash(HashAlgorithm::Md5, md5), hash(HashAlgorithm::Crc32c, crc32c)].into_iter().flatten().collect()
}

/// The hashes that the headers of a download tell, which are those of the whole object.
pub(super) fn hashes_of(headers: &HeaderMap) -> Vec<Hash> {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for value in headers.get_all("x-goog-hash") {
        let pairs = value.to_str().unwrap_or_default().split(',');
        known.extend(pairs.filter_map(|pair| pair.trim().split_once('=')));
    }
    hashes(known.get("md5").copied(), known.get("crc32c").copied())
}

/// What the headers of a download tell of an object of that size.
pub(super) fn info_of(path: &Path, headers: &HeaderMap, size: u64) -> ObjectInfo {
    let text =
        |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let pairs = headers.iter().filter_map(|(name, value)| {
        let key = name.as_str().strip_prefix("x-goog-meta-")?;
        Some((key.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
    });
    let written = text(header::LAST_MODIFIED.as_str()).and_then(|date| time::from_http_date(&date));
    let mut info = described(path.clone(), pairs.collect(), written);
    info.size = Some(size);
    info.etag = text("x-goog-generation");
    info.content_type = text(header::CONTENT_TYPE.as_str());
    info.hashes = hashes_of(headers);
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG_AGO: Timestamp = Timestamp { seconds: 1_000_000_000, nanoseconds: 123_456_789 };

    fn read(json: &str) -> ObjectInfo {
        serde_json::from_str::<Resource>(json).unwrap().info(Path::root())
    }

    #[test]
    fn times_are_those_of_rclone_and_of_gsutil() {
        let [exact, seconds] = times(LONG_AGO);
        assert_eq!(exact.1, "2001-09-09T01:46:40.123456789Z");
        assert_eq!(seconds.1, "1000000000");
        for (metadata, expected) in [
            (r#""mtime": "2001-09-09T03:46:40.123456789+02:00""#, LONG_AGO),
            (r#""mtime": "1000000000.123456789""#, LONG_AGO),
            (r#""mtime": "?", "goog-reserved-file-mtime": "7""#, Timestamp { seconds: 7, nanoseconds: 0 }),
            (r#""a": "b""#, Timestamp { seconds: 86_400, nanoseconds: 0 }),
        ] {
            let info =
                read(&format!(r#"{{"timeCreated": "1970-01-02T00:00:00Z", "metadata": {{{metadata}}}}}"#));
            assert_eq!(info.modified, Some(expected), "{metadata}");
        }
        let far = Timestamp { seconds: i64::MAX, nanoseconds: 1 };
        assert_eq!(time::from_decimal(&times(far)[0].1), Some(far));
    }

    #[test]
    fn a_description_and_headers_tell_the_same() {
        let by_json = read(
            r#"{"name": "x", "size": "9", "generation": "17", "contentType": "text/css", "crc32c": "4waSgw==",
                "md5Hash": "JfnnlDI7RTiF9RgfG2JNCw==", "metadata": {"mtime": "2001-09-09T01:46:40.123456789Z", "b": "2"}}"#,
        );
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-goog-generation", "17"),
            ("x-goog-hash", "crc32c=4waSgw=="),
            ("x-goog-hash", "md5=JfnnlDI7RTiF9RgfG2JNCw=="),
            ("x-goog-meta-mtime", "2001-09-09T01:46:40.123456789Z"),
            ("x-goog-meta-b", "2"),
            ("content-type", "text/css"),
        ] {
            headers.append(name, value.parse().unwrap());
        }
        assert_eq!(info_of(&Path::root(), &headers, 9), by_json);
        assert_eq!(by_json.hashes[0].to_string(), "25f9e794323b453885f5181f1b624d0b");
        assert_eq!(by_json.hashes[1].to_string(), "e3069283");
    }

    #[test]
    fn a_composite_object_has_no_md5() {
        let info = read(r#"{"crc32c": "4waSgw=="}"#);
        assert_eq!(info.hashes.len(), 1);
    }

    #[test]
    fn what_is_written_says_nothing_that_only_the_store_knows() {
        let attributes = Attributes {
            content_type: "a/b".to_owned(),
            modified: LONG_AGO,
            metadata: vec![("k".to_owned(), "v".to_owned())],
        };
        assert_eq!(
            serde_json::to_string(&attributes.resource()).unwrap(),
            r#"{"contentType":"a/b","metadata":{"goog-reserved-file-mtime":"1000000000","k":"v","mtime":"2001-09-09T01:46:40.123456789Z"}}"#
        );
    }
}
