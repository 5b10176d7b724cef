//! Reading: what is known about an object, and its bytes.

use std::ops::Range;

use http::{HeaderMap, Method};
use omnistorage_types::Path;

use super::{
    answer::precondition_failed,
    attributes::{FIELDS, Stored, info_of},
    bucket::{Bucket, generation},
};
use crate::{
    Hash, HashAlgorithm, ObjectInfo, Result,
    backend::cloud::{self, client::Answer, read::ranged},
};

impl Bucket {
    /// The description of an object.
    pub(super) async fn find(&self, path: &Path, if_match: Option<&str>) -> Result<Stored> {
        let key = self.key(path)?;
        let mut query = vec![("fields", FIELDS)];
        if let Some(etag) = if_match {
            query.push(("ifGenerationMatch", generation(etag)?));
        }
        let stored: Stored = self.get(&self.object(Method::GET, &key, &query)?).await?;
        check_version(Some(&stored.generation), if_match)?;
        Ok(stored)
    }
}

/// Not every server knows conditions for reading.
fn check_version(found: Option<&str>, if_match: Option<&str>) -> Result<()> {
    if if_match.is_some() && found != if_match { Err(precondition_failed()) } else { Ok(()) }
}

impl cloud::read::Source for Bucket {
    async fn open(&self, key: &str, range: &Range<u64>, if_match: Option<&str>) -> Result<Answer> {
        self.check_open()?;
        // Without this header the store unpacks objects with the content encoding `gzip`.
        let mut call = ranged(self.media(key)?.header("accept-encoding", "gzip")?, range)?;
        if let Some(etag) = if_match {
            call = call.header("x-goog-if-generation-match", generation(etag)?)?;
        }
        let answer = Bucket::open(self, &call).await?;
        check_version(answer.header("x-goog-generation"), if_match)?;
        Ok(answer)
    }

    async fn find(&self, path: &Path, if_match: Option<&str>) -> Result<ObjectInfo> {
        Ok(Bucket::find(self, path, if_match).await?.info(path.clone()))
    }

    fn info(&self, path: &Path, headers: &HeaderMap, size: u64) -> ObjectInfo {
        info_of(path, headers, size)
    }

    fn checksum(&self, info: &ObjectInfo) -> Option<Hash> {
        info.hashes.iter().find(|hash| hash.algorithm == HashAlgorithm::Crc32c).cloned()
    }
}
