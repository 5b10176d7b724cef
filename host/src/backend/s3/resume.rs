//! Uploads that continue where an earlier run broke off.
//!
//! Only bytes are evidence: the source is read again, and a part is skipped only if the store is known to have the same
//! bytes.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use http::Method;

use super::{
    attributes::md5_of,
    bucket::Bucket,
    parts::{Part, quoted},
    uploads,
    xml::{Answer, Document, required},
};
use crate::{Error, ErrorCode, HashAlgorithm, Hasher, Result, backend::cloud::pages::Trail};

/// What an upload has from an earlier run, and whether it is of use to the next one.
#[derive(Default)]
pub(super) struct Remains {
    /// The parts by number; `None` for an upload that this run began.
    earlier: Option<BTreeMap<u64, Arrived>>,
    /// A part has arrived, in this run or in an earlier one.
    has_parts: AtomicBool,
    /// The store refused something, and would refuse it again.
    is_hopeless: AtomicBool,
}

/// A part that the store has.
pub(super) struct Arrived {
    part_number: u64,
    etag: String,
    size: u64,
    checksum: Option<String>,
}

/// A page of parts that the store has.
pub(super) struct Arrivals {
    pub(super) parts: Vec<Arrived>,
    /// The number after which the next page begins.
    next: Option<String>,
}

impl Answer for Arrivals {
    const ROOT: &'static str = "ListPartsResult";
    /// That of moto.
    const OTHER_ROOT: Option<&'static str> = Some("ListPartsResponse");

    fn read(document: &mut Document<'_>) -> Result<Self> {
        let (mut parts, mut is_truncated, mut next) = (Vec::new(), None, None);
        while let Some(element) = document.element()? {
            match element.name() {
                "Part" => parts.push(arrived(document)?),
                "IsTruncated" => is_truncated = Some(document.value("IsTruncated")?),
                "NextPartNumberMarker" => next = Some(document.text()?.into_owned()),
                _ => document.skip(&element)?,
            }
        }
        let next = match required(is_truncated, "IsTruncated")? {
            true => Some(required(next, "NextPartNumberMarker")?),
            false => None,
        };
        Ok(Self { parts, next })
    }
}

fn arrived(document: &mut Document<'_>) -> Result<Arrived> {
    let (mut part_number, mut etag, mut size, mut checksum) = (None, None, None, None);
    while let Some(element) = document.element()? {
        match element.name() {
            "PartNumber" => part_number = Some(document.value("PartNumber")?),
            "ETag" => etag = Some(document.word("ETag")?.into_owned()),
            "Size" => size = Some(document.value("Size")?),
            "ChecksumCRC32C" => checksum = Some(document.text()?.into_owned()),
            _ => document.skip(&element)?,
        }
    }
    Ok(Arrived {
        part_number: required(part_number, "PartNumber")?,
        etag: required(etag, "ETag")?,
        size: required(size, "Size")?,
        checksum,
    })
}

impl Remains {
    fn of(parts: impl IntoIterator<Item = Arrived>) -> Self {
        let parts: BTreeMap<_, _> = parts.into_iter().map(|part| (part.part_number, part)).collect();
        let has_parts = AtomicBool::new(!parts.is_empty());
        Self { earlier: Some(parts), has_parts, is_hopeless: AtomicBool::new(false) }
    }

    /// Whether an earlier run began the upload.
    pub(super) fn is_resumed(&self) -> bool {
        self.earlier.is_some()
    }

    /// The part of that number, if the store has it with these bytes.
    pub(super) fn part(&self, bucket: &Bucket, number: u64, bytes: &[u8]) -> Option<Part> {
        let arrived = self.earlier.as_ref()?.get(&number)?;
        let checksum = bucket.checksum_of(bytes);
        arrived.holds(bytes, checksum.as_deref()).then(|| arrived.named(checksum))
    }

    /// Records what became of a part.
    pub(super) fn sent(&self, part: &Result<Part>) {
        match part {
            Ok(_) => self.has_parts.store(true, Ordering::Release),
            // Damaged on the way: the next attempt need not be.
            Err(error) if error.code() == ErrorCode::Corrupted => {}
            Err(error) => self.failed(error),
        }
    }

    /// Takes note of a failure.
    pub(super) fn failed(&self, error: &Error) {
        self.is_hopeless.fetch_or(!may_get_further(error), Ordering::AcqRel);
    }

    /// Whether the next run can continue the upload.
    pub(super) fn are_of_use(&self) -> bool {
        self.has_parts.load(Ordering::Acquire) && !self.is_hopeless.load(Ordering::Acquire)
    }
}

impl Arrived {
    /// Whether it has these bytes, with this checksum. If the etag is an MD5, the MD5 decides; it is computed only for
    /// a part that can be the same. A store that encrypts has only the checksum.
    fn holds(&self, bytes: &[u8], checksum: Option<&str>) -> bool {
        if self.size != bytes.len() as u64 {
            return false;
        }
        match md5_of(&quoted(&self.etag)) {
            Some(md5) => {
                let mut hasher = Hasher::new(HashAlgorithm::Md5);
                hasher.update(bytes);
                hasher.finish() == md5
            }
            None => self.told().is_some_and(|told| checksum == Some(told)),
        }
    }

    /// Some stores send an empty checksum if they have none.
    fn told(&self) -> Option<&str> {
        self.checksum.as_deref().filter(|checksum| !checksum.is_empty())
    }

    /// The part as a completion names it. Some stores keep the checksums of parts and do not list them, but ask for
    /// them here: then it is the checksum of the bytes.
    fn named(&self, checksum: Option<String>) -> Part {
        let checksum = self.told().map(str::to_owned).or(checksum);
        Part { part_number: self.part_number, etag: quoted(&self.etag), checksum }
    }
}

/// Whether the same upload may get further another time: later, with other credentials, or with more room.
fn may_get_further(error: &Error) -> bool {
    let code = error.code();
    code.may_pass()
        || matches!(
            code,
            ErrorCode::PermissionDenied
                | ErrorCode::BackendClosed
                | ErrorCode::Cancelled
                | ErrorCode::NoSpace
        )
}

/// The id of the upload that an earlier run left for a key, and what there is of it. If we cannot look for one, we
/// begin a new one.
pub(super) async fn find(bucket: &Bucket, key: &str) -> Option<(String, Remains)> {
    look_for(bucket, key).await.unwrap_or_else(|error| {
        tracing::warn!(key, %error, "unfinished uploads cannot be looked for: a new one is begun");
        None
    })
}

async fn look_for(bucket: &Bucket, key: &str) -> Result<Option<(String, Remains)>> {
    let Some(id) = uploads::last(bucket, key).await? else { return Ok(None) };
    let remains = Remains::of(list(bucket, key, &id).await?);
    Ok(Some((id, remains)))
}

/// The parts that have arrived.
async fn list(bucket: &Bucket, key: &str, id: &str) -> Result<Vec<Arrived>> {
    let (mut after, mut all, mut trail) = (None::<String>, Vec::new(), Trail::new(key));
    loop {
        let mut query = vec![("uploadId", id)];
        query.extend(after.as_deref().map(|after| ("part-number-marker", after)));
        let page: Arrivals = bucket.ask(&bucket.object_query(Method::GET, key, &query)).await?;
        trail.step(page.next.as_deref(), None, page.parts.is_empty())?;
        all.extend(page.parts);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::xml, *};

    /// Of `123456789`.
    const MD5: &str = "25f9e794323b453885f5181f1b624d0b";
    const CRC32C: &str = "4waSgw==";

    fn arrived(etag: &str, size: u64, checksum: Option<&str>) -> Arrived {
        Arrived { part_number: 1, etag: etag.to_owned(), size, checksum: checksum.map(str::to_owned) }
    }

    #[test]
    fn only_the_same_bytes_are_spared() {
        let quoted = format!("\"{MD5}\"");
        let other = "00f9e794323b453885f5181f1b624d0b";
        for (part, holds) in [
            (arrived(MD5, 9, None), true),
            (arrived(&quoted, 9, None), true),
            (arrived(MD5, 8, None), false),
            (arrived(other, 9, None), false),
            (arrived(other, 9, Some(CRC32C)), false),
            (arrived("x", 9, Some(CRC32C)), true),
            (arrived("x", 8, Some(CRC32C)), false),
            (arrived("x", 9, Some("AAAAAA==")), false),
            (arrived("x", 9, Some("")), false),
            (arrived("x", 9, None), false),
        ] {
            assert_eq!(part.holds(b"123456789", Some(CRC32C)), holds, "{} {:?}", part.etag, part.checksum);
        }
        assert!(!arrived("x", 9, Some(CRC32C)).holds(b"123456789", None), "without checksums");
    }

    #[test]
    fn a_page_tells_of_parts_and_of_more() {
        let page: Arrivals = xml::read(
            "b",
            b"<ListPartsResult><NextPartNumberMarker>2</NextPartNumberMarker><IsTruncated>true</IsTruncated>\
             <Part><PartNumber>1</PartNumber><ETag>&quot;x&quot;</ETag><Size>5</Size>\
             <ChecksumCRC32C>4waSgw==</ChecksumCRC32C></Part>\
             <Part><PartNumber>2</PartNumber><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>y</ETag>\
             <Size>6</Size></Part></ListPartsResult>",
        )
        .unwrap();
        assert_eq!(page.next.as_deref(), Some("2"));
        let parts: Vec<_> =
            page.parts.iter().map(|part| (part.part_number, part.size, part.named(None))).collect();
        assert_eq!((parts[0].0, parts[0].1, parts[0].2.etag.as_str()), (1, 5, "\"x\""));
        assert_eq!((parts[1].0, parts[1].1, parts[1].2.etag.as_str()), (2, 6, "\"y\""));
        assert_eq!(parts[0].2.checksum.as_deref(), Some(CRC32C));
        assert_eq!(parts[1].2.checksum, None);
    }

    #[test]
    fn what_would_be_refused_again_is_of_no_use() {
        let part = || Ok(arrived(MD5, 9, None).named(None));
        let failure = |code| Err(Error::new(code, "no"));
        for (outcomes, are_of_use) in [
            (vec![], false),
            (vec![part()], true),
            (vec![failure(ErrorCode::Unavailable)], false),
            (vec![part(), failure(ErrorCode::Unavailable)], true),
            (vec![part(), failure(ErrorCode::PermissionDenied)], true),
            (vec![part(), failure(ErrorCode::Corrupted)], true),
            (vec![failure(ErrorCode::Other), part()], false),
            (vec![part(), failure(ErrorCode::NotFound)], false),
        ] {
            let remains = Remains::default();
            outcomes.iter().for_each(|outcome| remains.sent(outcome));
            assert_eq!(remains.are_of_use(), are_of_use, "{outcomes:?}");
        }
        for code in [ErrorCode::PreconditionFailed, ErrorCode::Corrupted, ErrorCode::Other] {
            let remains = Remains::of([arrived(MD5, 9, None)]);
            assert!(remains.are_of_use());
            remains.failed(&Error::new(code, "no"));
            assert!(!remains.are_of_use(), "{code:?}");
        }
    }
}
