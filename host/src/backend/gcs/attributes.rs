//! What is known about an object, from its description by the store or from headers.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};
use omnistorage_types::Path;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{
    Error, ErrorCode, Hash, HashAlgorithm, Metadata, ObjectInfo, ObjectKind, Result, Timestamp,
    backend::{
        WriteOptions,
        cloud::{MODIFIED_KEY, metadata, time},
    },
};

/// Where Google's own tools keep the modification time, in whole seconds. rclone writes it beside its own.
const GOOGLE_MODIFIED_KEY: &str = "goog-reserved-file-mtime";

/// The fields that an answer about an object should hold.
pub(super) const FIELDS: &str = "kind,name,size,generation,contentType,crc32c,md5Hash,metadata,timeCreated,\
                                 cacheControl,contentDisposition,contentEncoding,contentLanguage,customTime";

/// What is stored beside the bytes, complete and checked.
#[derive(Clone, Debug)]
pub(super) struct Attributes {
    pub(super) content_type: String,
    pub(super) modified: Timestamp,
    pub(super) metadata: Metadata,
}

impl Attributes {
    /// The attributes that the options of a write ask for.
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

    /// Whether an object was written with them. Where the caller gave no time, ours, to the nanosecond, identifies the
    /// write as well as a name would.
    pub(super) fn are_of(&self, info: &ObjectInfo) -> bool {
        info.modified == Some(self.modified)
            && info.content_type.as_deref() == Some(self.content_type.as_str())
            && info.metadata == self.metadata
    }
}

/// The metadata that keeps a time.
fn times(modified: Timestamp) -> [(String, String); 2] {
    // rclone writes RFC 3339 here, and a number of seconds on S3. Years of five digits cannot be written that way.
    let text = time::to_rfc3339(modified).unwrap_or_else(|| time::to_decimal(modified));
    [(MODIFIED_KEY.to_owned(), text), (GOOGLE_MODIFIED_KEY.to_owned(), modified.seconds.to_string())]
}

/// The description of an object to be made, or of what is to be changed of one (the resource `Object` of the JSON API).
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    crc32c: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(flatten)]
    said: Said,
}

/// Everything else, which is not looked at but comes along when an object is copied.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Said {
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
    /// A description that only says when the bytes last changed: the rest of the metadata stays.
    pub(super) fn of_time(modified: Timestamp) -> Self {
        Self { metadata: times(modified).into_iter().collect(), ..Self::default() }
    }

    /// The description of an object to be made; the store checks its bytes against the checksum, if there is one yet.
    pub(super) fn named(mut self, key: &str, crc32c: Option<u32>) -> Self {
        key.clone_into(&mut self.name);
        self.crc32c = crc32c.map(encoded);
        self
    }

    /// As the body of a request.
    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| Error::new(ErrorCode::Other, error.to_string()))
    }
}

/// Proves that this is the description of an object, and not some other answer or that of another server.
#[derive(Clone, Copy, Debug, Deserialize)]
enum Kind {
    #[serde(rename = "storage#object")]
    Object,
}

/// An object as the store describes it (the resource `Object` of the JSON API). What every object has must be there.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stored {
    #[serde(rename = "kind")]
    _kind: Kind,
    pub(super) name: String,
    #[serde(deserialize_with = "number")]
    size: u64,
    pub(super) generation: String,
    #[serde(deserialize_with = "moment")]
    time_created: Timestamp,
    /// An object composed of several has none.
    md5_hash: Option<String>,
    /// An object encrypted with a customer's key has none in listings.
    pub(super) crc32c: Option<String>,
    content_type: Option<String>,
    /// An object without any has no such field.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    cache_control: Option<String>,
    content_disposition: Option<String>,
    content_encoding: Option<String>,
    content_language: Option<String>,
    custom_time: Option<String>,
}

/// A number in a string, since the numbers of JSON are not exact everywhere.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom(format_args!("`{text}` is no number")))
}

/// A time (RFC 3339).
pub(super) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    time::from_rfc3339(&text).ok_or_else(|| D::Error::custom(format_args!("`{text}` is no time")))
}

impl Stored {
    /// The description of a copy with other attributes; everything else in it comes along.
    pub(super) fn with(&self, attributes: &Attributes) -> Resource {
        let said = Said {
            cache_control: self.cache_control.clone(),
            content_disposition: self.content_disposition.clone(),
            content_encoding: self.content_encoding.clone(),
            content_language: self.content_language.clone(),
            custom_time: self.custom_time.clone(),
        };
        Resource { said, ..attributes.resource() }
    }

    /// The object that it describes.
    pub(super) fn info(&self, path: Path) -> ObjectInfo {
        let mut info = described(path, self.metadata.clone(), Some(self.time_created));
        info.size = Some(self.size);
        info.etag = Some(self.generation.clone());
        info.content_type = self.content_type.clone().filter(|content_type| !content_type.is_empty());
        info.hashes = hashes(self.md5_hash.as_deref(), self.crc32c.as_deref());
        info
    }

    /// Whether it is of an object of that key, and of these bytes.
    pub(super) fn is_of(&self, key: &str, size: u64, crc32c: u32) -> bool {
        self.name == key && self.size == size && self.crc32c.as_deref() == Some(encoded(crc32c).as_str())
    }

    /// Whether it keeps its own time: an object written by some other tool only has that of its creation.
    pub(super) fn keeps_time(&self) -> bool {
        self.metadata.contains_key(MODIFIED_KEY)
    }
}

/// The parts of an object that the answer to a change repeats.
#[derive(Debug, Deserialize)]
pub(super) struct Changed {
    name: String,
    metadata: BTreeMap<String, String>,
}

impl Changed {
    /// Whether it is of that key, and has that time now.
    pub(super) fn has_time(&self, key: &str, modified: Timestamp) -> bool {
        self.name == key && times(modified).iter().all(|(key, value)| self.metadata.get(key) == Some(value))
    }
}

/// A CRC-32C as the store writes it: base64, the high byte first.
pub(super) fn encoded(crc32c: u32) -> String {
    BASE64_STANDARD.encode(crc32c.to_be_bytes())
}

/// An object with this metadata, without the keys that hold its time.
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

/// The hashes in the headers of a download, which are those of the whole object.
pub(super) fn hashes_of(headers: &HeaderMap) -> Vec<Hash> {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for value in headers.get_all("x-goog-hash") {
        let pairs = value.to_str().unwrap_or_default().split(',');
        known.extend(pairs.filter_map(|pair| pair.trim().split_once('=')));
    }
    hashes(known.get("md5").copied(), known.get("crc32c").copied())
}

/// What the headers of a download say about an object of that size.
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

    fn stored(fields: &str) -> serde_json::Result<Stored> {
        let always = r#""name": "x", "size": "9", "generation": "17", "timeCreated": "1970-01-02T00:00:00Z""#;
        serde_json::from_str(&format!(r#"{{"kind": "storage#object", {always}, {fields}}}"#))
    }

    fn read(fields: &str) -> ObjectInfo {
        stored(fields).unwrap().info(Path::root())
    }

    #[test]
    fn what_every_object_has_is_demanded() {
        let whole = serde_json::json!({
            "kind": "storage#object", "name": "x", "size": "9", "generation": "17", "timeCreated": "2026-01-01T00:00:00Z",
        });
        assert!(serde_json::from_value::<Stored>(whole.clone()).is_ok());
        for field in ["kind", "name", "size", "generation", "timeCreated"] {
            let mut lacking = whole.clone();
            lacking.as_object_mut().unwrap().remove(field);
            assert!(serde_json::from_value::<Stored>(lacking).is_err(), "{field}");
            let mut odd = whole.clone();
            odd[field] = serde_json::Value::Null;
            assert!(serde_json::from_value::<Stored>(odd).is_err(), "{field}");
        }
        for (field, odd) in [("kind", "storage#bucket"), ("size", "many"), ("timeCreated", "yesterday")] {
            let mut other = whole.clone();
            other[field] = odd.into();
            assert!(serde_json::from_value::<Stored>(other).is_err(), "{field}");
        }
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
            let info = read(&format!(r#""metadata": {{{metadata}}}"#));
            assert_eq!(info.modified, Some(expected), "{metadata}");
        }
        let far = Timestamp { seconds: i64::MAX, nanoseconds: 1 };
        assert_eq!(time::from_decimal(&times(far)[0].1), Some(far));
    }

    #[test]
    fn a_description_and_headers_tell_the_same() {
        let by_json = read(
            r#""contentType": "text/css", "crc32c": "4waSgw==", "md5Hash": "JfnnlDI7RTiF9RgfG2JNCw==",
               "metadata": {"mtime": "2001-09-09T01:46:40.123456789Z", "b": "2"}"#,
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
        let info = read(r#""crc32c": "4waSgw==""#);
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
