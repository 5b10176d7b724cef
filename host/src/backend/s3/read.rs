//! Reading: what is known about an object, and its bytes.

use std::ops::Range;

use http::{HeaderMap, Method};
use omnistorage_types::Path;

use super::{
    attributes,
    bucket::{Bucket, checked_etag},
};
use crate::{
    Error, ErrorCode, Hash, ObjectInfo, Result,
    backend::{
        checksum::cheapest,
        cloud::{
            self,
            client::{Answer, Call},
            read::{is_all, ranged},
        },
    },
};

impl Bucket {
    /// What is known about an object, and the headers that said so.
    pub(super) async fn head(&self, path: &Path, if_match: Option<&str>) -> Result<(ObjectInfo, HeaderMap)> {
        let key = self.key(path)?;
        let call = self.object(Method::HEAD, &key).header("x-amz-checksum-mode", "ENABLED")?;
        let answer = self.send(&of_version(call, if_match)?).await?;
        let headers = answer.headers().clone();
        self.look_at_encryption(&headers);
        let info = attributes::info(path, &headers, answer.content_length());
        // Every object has these; an answer without them is about something else.
        for (is_told, field) in [
            (info.size.is_some(), "the size"),
            (info.etag.is_some(), "the etag"),
            (info.modified.is_some(), "the time"),
        ] {
            if !is_told {
                let message = format!("the store does not tell {field} of the object: is it an S3 endpoint?");
                return Err(Error::new(ErrorCode::Other, message));
            }
        }
        Ok((info, headers))
    }
}

fn of_version(call: Call, if_match: Option<&str>) -> Result<Call> {
    match if_match {
        Some(etag) => call.header("if-match", checked_etag(etag)?),
        None => Ok(call),
    }
}

impl cloud::read::Source for Bucket {
    async fn open(&self, key: &str, range: &Range<u64>, if_match: Option<&str>) -> Result<Answer> {
        self.check_open()?;
        let mut call = ranged(of_version(self.object(Method::GET, key), if_match)?, range)?;
        if is_all(range) {
            // Checksums are of whole objects.
            call = call.header("x-amz-checksum-mode", "ENABLED")?;
        }
        Bucket::open(self, &call).await
    }

    async fn find(&self, path: &Path, if_match: Option<&str>) -> Result<ObjectInfo> {
        Ok(self.head(path, if_match).await?.0)
    }

    fn info(&self, path: &Path, headers: &HeaderMap, size: u64) -> ObjectInfo {
        attributes::info(path, headers, Some(size))
    }

    fn checksum(&self, info: &ObjectInfo) -> Option<Hash> {
        cheapest(&info.hashes).cloned()
    }
}
