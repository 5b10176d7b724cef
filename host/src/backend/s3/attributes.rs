//! What is known about an object, from headers.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};
use omnistorage_types::Path;

use crate::{
    Hash, HashAlgorithm, Metadata, ObjectInfo, ObjectKind, Result, Timestamp,
    backend::{
        WriteOptions,
        cloud::{MODIFIED_KEY, client::Call, metadata, time},
    },
};

pub(super) const METADATA: &str = "x-amz-meta-";
/// Where rclone keeps the MD5 of an object of several parts, in base64.
pub(super) const RCLONE_MD5: &str = "md5chksum";

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
            metadata: metadata::checked(&options.metadata, "S3", &[MODIFIED_KEY, RCLONE_MD5])?,
        })
    }

    /// As headers of a request that makes an object.
    pub(super) fn on(&self, call: Call) -> Result<Call> {
        let mut call = call
            .header("content-type", &self.content_type)?
            .header(&format!("{METADATA}{MODIFIED_KEY}"), &time::to_decimal(self.modified))?;
        for (key, value) in &self.metadata {
            call = call.header(&format!("{METADATA}{key}"), value)?;
        }
        Ok(call)
    }

    /// Whether an object has them.
    pub(super) fn are_those_of(&self, info: &ObjectInfo) -> bool {
        info.modified == Some(self.modified)
            && info.content_type.as_deref() == Some(self.content_type.as_str())
            && info.metadata == self.metadata
    }

    /// The object that a write with these attributes made, with the hashes that are known.
    pub(super) fn info(self, path: &Path, size: u64, etag: String, hashes: Vec<Hash>) -> ObjectInfo {
        let mut info = ObjectInfo::new(path.clone(), ObjectKind::Object);
        info.hashes = hashes;
        info.size = Some(size);
        info.modified = Some(self.modified);
        info.etag = Some(etag);
        info.content_type = Some(self.content_type);
        info.metadata = self.metadata;
        info
    }
}

/// What the headers of an answer say about an object of that size.
pub(super) fn info(path: &Path, headers: &HeaderMap, size: Option<u64>) -> ObjectInfo {
    let text =
        |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let mut metadata: Metadata = headers
        .iter()
        .filter_map(|(name, value)| {
            let key = name.as_str().strip_prefix(METADATA)?;
            Some((key.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        })
        .collect();
    metadata.sort();
    let mut own = |key: &str| {
        let at = metadata.iter().position(|(known, _)| known == key)?;
        Some(metadata.remove(at).1)
    };
    let kept = own(MODIFIED_KEY).and_then(|time| time::from_decimal(&time));
    let rclone_md5 = own(RCLONE_MD5).and_then(|md5| hash(HashAlgorithm::Md5, &md5));

    let mut info = ObjectInfo::new(path.clone(), ObjectKind::Object);
    info.size = size;
    info.modified = kept.or_else(|| time::from_http_date(&text(header::LAST_MODIFIED.as_str())?));
    info.etag = text(header::ETAG.as_str());
    info.content_type = text(header::CONTENT_TYPE.as_str());
    info.hashes = hashes(headers, info.etag.as_deref(), rclone_md5);
    info.metadata = metadata;
    info
}

/// Whether an etag may be a digest of the bytes: if the object is encrypted with a customer's key it looks like one and
/// is none.
pub(super) fn tells_md5(headers: &HeaderMap) -> bool {
    headers.get("x-amz-server-side-encryption").is_none_or(|way| way == "AES256")
        && !headers.contains_key("x-amz-server-side-encryption-customer-algorithm")
}

/// The hashes of the whole object in an answer; `md5` is one that is known from elsewhere.
pub(super) fn hashes(headers: &HeaderMap, etag: Option<&str>, md5: Option<Hash>) -> Vec<Hash> {
    let told = etag.filter(|_| tells_md5(headers)).and_then(md5_of);
    told.or(md5).into_iter().chain(checksums(headers)).collect()
}

/// Of the checksums in an answer, those of the whole object. A checksum over the checksums of parts is of no use here,
/// and a store that does not say which kind it sends may send that kind, even for a copy of an object made of parts.
pub(super) fn checksums(headers: &HeaderMap) -> Vec<Hash> {
    let is_whole = headers.get("x-amz-checksum-type").is_some_and(|kind| kind == "FULL_OBJECT");
    let of = |algorithm: HashAlgorithm| {
        let value = headers.get(format!("x-amz-checksum-{algorithm}"))?.to_str().ok()?;
        hash(algorithm, value).filter(|_| is_whole)
    };
    [HashAlgorithm::Crc32c, HashAlgorithm::Sha256, HashAlgorithm::Sha1].into_iter().filter_map(of).collect()
}

/// A digest in base64; `None` if it does not have that length. One over parts has their number behind it.
fn hash(algorithm: HashAlgorithm, base64: &str) -> Option<Hash> {
    let digest = BASE64_STANDARD.decode(base64).ok()?;
    (digest.len() == algorithm.digest_len()).then_some(Hash { algorithm, digest })
}

/// The etag of an object that was uploaded at once is its MD5.
pub(super) fn md5_of(etag: &str) -> Option<Hash> {
    let hex = etag.strip_prefix('"')?.strip_suffix('"')?;
    if hex.len() != 32 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    let digest = (0..32).step_by(2).map(byte).collect::<Option<_>>()?;
    Some(Hash { algorithm: HashAlgorithm::Md5, digest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_etag_is_an_md5() {
        assert!(md5_of("\"25f9e794323b453885f5181f1b624d0b\"").is_some());
        for etag in
            ["\"25f9e794323b453885f5181f1b624d0b-2\"", "\"\"", "25f9e794323b453885f5181f1b624d0b", "\"é\""]
        {
            assert!(md5_of(etag).is_none(), "{etag}");
        }
    }

    #[test]
    fn the_etag_of_what_is_encrypted_with_another_key_is_no_md5() {
        let etag = "\"25f9e794323b453885f5181f1b624d0b\"";
        for (name, value, is_md5) in [
            ("x-amz-server-side-encryption", "AES256", true),
            ("x-amz-server-side-encryption", "aws:kms", false),
            ("x-amz-server-side-encryption", "aws:kms:dsse", false),
            ("x-amz-server-side-encryption-customer-algorithm", "AES256", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(hashes(&headers, Some(etag), None).len(), usize::from(is_md5), "{value}");
        }
    }

    #[test]
    fn headers_tell_of_an_object() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-amz-meta-mtime", "1000000000.5"),
            ("x-amz-meta-b", "2"),
            ("x-amz-meta-a", "1"),
            ("last-modified", "Sun, 09 Sep 2001 01:46:40 GMT"),
            ("etag", "\"x-2\""),
            ("x-amz-meta-md5chksum", "JfnnlDI7RTiF9RgfG2JNCw=="),
            ("x-amz-checksum-crc32c", "4waSgw=="),
            ("x-amz-checksum-type", "FULL_OBJECT"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let info = info(&Path::root(), &headers, Some(9));
        assert_eq!(info.modified, Some(Timestamp { seconds: 1_000_000_000, nanoseconds: 500_000_000 }));
        assert_eq!(info.metadata, [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        let hashes: Vec<_> = info.hashes.iter().map(ToString::to_string).collect();
        assert_eq!(hashes, ["25f9e794323b453885f5181f1b624d0b", "e3069283"]);
    }

    #[test]
    fn a_checksum_of_parts_is_none_of_the_object() {
        for (etag, kind, is_whole) in [
            ("\"x\"", None, false),
            ("\"x\"", Some("FULL_OBJECT"), true),
            ("\"x-2\"", Some("COMPOSITE"), false),
            ("\"x-2\"", Some("FULL_OBJECT"), true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("etag", etag.parse().unwrap());
            headers.insert("x-amz-checksum-crc32c", "4waSgw==".parse().unwrap());
            if let Some(kind) = kind {
                headers.insert("x-amz-checksum-type", kind.parse().unwrap());
            }
            assert_eq!(checksums(&headers).len(), usize::from(is_whole), "{etag} {kind:?}");
        }
    }
}
