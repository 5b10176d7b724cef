//! The parts of an unfinished upload that the store has.

use http::Method;

use super::{
    attributes::md5_of,
    bucket::Bucket,
    part::{Part, quoted},
    xml::{Answer, Document, required},
};
use crate::{HashAlgorithm, Hasher, Result, backend::cloud::pages::Trail};

/// A part that the store has.
pub(super) struct Arrived {
    pub(super) part_number: u64,
    pub(super) etag: String,
    pub(super) size: u64,
    pub(super) checksum: Option<String>,
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

impl Arrived {
    /// Whether it has these bytes, with this checksum. If the etag is an MD5, the MD5 decides; it is computed only for
    /// a part that can be the same. A store that encrypts has only the checksum.
    pub(super) fn holds(&self, bytes: &[u8], checksum: Option<&str>) -> bool {
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
    pub(super) fn named(&self, checksum: Option<String>) -> Part {
        let checksum = self.told().map(str::to_owned).or(checksum);
        Part { part_number: self.part_number, etag: quoted(&self.etag), checksum }
    }
}

/// The parts that have arrived.
pub(super) async fn list(bucket: &Bucket, key: &str, id: &str) -> Result<Vec<Arrived>> {
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
    use super::{super::answer, *};

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
        let page: Arrivals = answer::read(
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
}
