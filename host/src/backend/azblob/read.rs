//! Reading: what is known about an object, and its bytes.

use std::ops::Range;

use http::{HeaderMap, Method};
use omnistorage_types::Path;

use super::{
    answer::{precondition_failed, unclear},
    attributes::info_of,
    container::{Container, checked_etag, etag, of_version},
};
use crate::{
    Hash, ObjectInfo, Result,
    backend::cloud::{self, client::Answer, read::ranged},
};

impl Container {
    /// What is known about an object, and the headers that said so.
    pub(super) async fn head(&self, path: &Path, if_match: Option<&str>) -> Result<(ObjectInfo, HeaderMap)> {
        let key = self.key(path)?;
        let answer = self.send(&of_version(self.object(Method::HEAD, &key, &[])?, if_match)?).await?;
        check_version(answer.headers(), if_match)?;
        let info = info_of(path, answer.headers(), answer.content_length());
        // Every object has these; an answer without them is about something else.
        for (is_told, field) in [
            (info.size.is_some(), "the size"),
            (info.etag.is_some(), "the etag"),
            (info.modified.is_some(), "the time"),
        ] {
            if !is_told {
                return Err(unclear(&format!("does not tell {field} of the object")));
            }
        }
        Ok((info, answer.headers().clone()))
    }
}

/// What came must be what was asked for.
fn check_version(headers: &HeaderMap, if_match: Option<&str>) -> Result<()> {
    let Some(wanted) = if_match else { return Ok(()) };
    if etag(headers).as_deref() == Some(checked_etag(wanted)?) { Ok(()) } else { Err(precondition_failed()) }
}

impl cloud::read::Source for Container {
    async fn open(&self, key: &str, range: &Range<u64>, if_match: Option<&str>) -> Result<Answer> {
        self.check_open()?;
        let call = of_version(self.object(Method::GET, key, &[])?, if_match)?;
        let answer = Container::open(self, &ranged(call, range)?).await?;
        if answer.status().is_success() {
            check_version(answer.headers(), if_match)?;
        }
        Ok(answer)
    }

    async fn find(&self, path: &Path, if_match: Option<&str>) -> Result<ObjectInfo> {
        Ok(self.head(path, if_match).await?.0)
    }

    fn info(&self, path: &Path, headers: &HeaderMap, size: u64) -> ObjectInfo {
        info_of(path, headers, Some(size))
    }

    fn checksum(&self, info: &ObjectInfo) -> Option<Hash> {
        info.hashes.first().cloned()
    }
}
