//! Reading: what is known of an object, and its bytes.

use std::{ops::Range, sync::Arc};

use http::{Method, StatusCode, header};
use omnistorage_path::Path;

use super::{
    attributes,
    bucket::{Bucket, checked_etag},
};
use crate::{
    backend::{
        ReadOptions, Reader,
        cloud::{
            client::{Answer, Call},
            contents::{self, Part},
        },
    },
    error::{Error, ErrorCode, Result},
    object::{ObjectInfo, ObjectKind},
};

/// Beyond it lies no byte of any object, and some servers take no larger number.
const END: u64 = i64::MAX as u64;

impl Bucket {
    /// What is known of an object, and the headers that told it.
    pub(super) async fn head(
        &self,
        path: &Path,
        if_match: Option<&str>,
    ) -> Result<(ObjectInfo, http::HeaderMap)> {
        let key = self.key(path)?;
        let call = self.object(Method::HEAD, &key).header("x-amz-checksum-mode", "ENABLED")?;
        let answer = self.send(&of_version(call, if_match)?).await?;
        let headers = answer.response.headers().clone();
        let info = attributes::info(path, &headers, content_length(&answer));
        if info.size.is_none() {
            return Err(Error::new(ErrorCode::Other, "the store does not tell the size of the object"));
        }
        Ok((info, headers))
    }

    /// What is known of a path. Directories do not exist, but for the root.
    pub(super) async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.check_open()?;
        if path.is_root() {
            return Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory));
        }
        Ok(self.head(path, None).await?.0)
    }
}

fn of_version(call: Call, if_match: Option<&str>) -> Result<Call> {
    match if_match {
        Some(etag) => call.header("if-match", checked_etag(etag)?),
        None => Ok(call),
    }
}

fn content_length(answer: &Answer) -> Option<u64> {
    answer.header(header::CONTENT_LENGTH.as_str())?.parse().ok()
}

/// Opens an object, or a range of it.
pub(super) async fn read(bucket: &Arc<Bucket>, path: &Path, options: &ReadOptions) -> Result<Reader> {
    let key = bucket.key(path)?;
    let end = options.length.map_or(END, |length| options.offset.saturating_add(length)).min(END);
    let wanted = options.offset..end;
    let if_match = options.if_match.as_deref();
    if wanted.is_empty() {
        return empty(bucket, path, if_match).await;
    }
    let opened = match open(bucket, &key, &wanted, if_match).await {
        // Nothing of the range is there; an empty object has no range at all.
        Err(error) if error.code() == ErrorCode::LimitExceeded => return empty(bucket, path, if_match).await,
        opened => opened?,
    };
    let info = attributes::info(path, opened.answer.response.headers(), Some(opened.size));
    let range = wanted.start..wanted.end.min(opened.size);
    let is_whole = range == (0..opened.size);
    let checksum = attributes::checksums(opened.answer.response.headers()).into_iter().next();
    let part = Part { response: opened.answer.response, offset: opened.offset };
    let reopen = {
        let (bucket, etag, end) = (Arc::clone(bucket), info.etag.clone(), range.end);
        move |offset| {
            let (bucket, key, etag) = (Arc::clone(&bucket), key.clone(), etag.clone());
            async move {
                let etag = etag.ok_or_else(|| {
                    Error::new(
                        ErrorCode::Unavailable,
                        "the connection broke, and the store names no version to go on with",
                    )
                })?;
                let opened = open(&bucket, &key, &(offset..end), Some(&etag)).await?;
                Ok(Part { response: opened.answer.response, offset: opened.offset })
            }
        }
    };
    let checksum = checksum.filter(|_| is_whole);
    Ok(Reader { info, contents: contents::contents(part, range, checksum, reopen) })
}

async fn empty(bucket: &Bucket, path: &Path, if_match: Option<&str>) -> Result<Reader> {
    let (info, _) = bucket.head(path, if_match).await?;
    Ok(Reader { info, contents: Box::pin(futures::stream::empty()) })
}

struct Opened {
    answer: Answer,
    /// Of the first byte that comes.
    offset: u64,
    /// Of the whole object.
    size: u64,
}

/// Asks for a range, which is not empty. [`ErrorCode::LimitExceeded`]: it lies beyond the end.
async fn open(bucket: &Bucket, key: &str, range: &Range<u64>, if_match: Option<&str>) -> Result<Opened> {
    bucket.check_open()?;
    let mut call = of_version(bucket.object(Method::GET, key), if_match)?;
    call = match (range.start, range.end) {
        (0, END) => call.header("x-amz-checksum-mode", "ENABLED")?,
        (start, END) => call.header("range", &format!("bytes={start}-"))?,
        (start, end) => call.header("range", &format!("bytes={start}-{}", end - 1))?,
    };
    let answer = bucket.open(&call).await?;
    let unclear = || Error::new(ErrorCode::Other, "the store does not tell the size of the object");
    match answer.status() {
        StatusCode::RANGE_NOT_SATISFIABLE => {
            Err(Error::new(ErrorCode::LimitExceeded, "the range lies beyond the end of the object"))
        }
        _ => match answer.header(header::CONTENT_RANGE.as_str()) {
            Some(range) => {
                let (offset, size) = content_range(range).ok_or_else(unclear)?;
                Ok(Opened { answer, offset, size })
            }
            // A server without ranges sends the whole object.
            None => {
                let size = content_length(&answer).ok_or_else(unclear)?;
                Ok(Opened { answer, offset: 0, size })
            }
        },
    }
}

/// The first byte and the whole size of `bytes 0-9/100` (RFC 9110, section 14.4).
fn content_range(value: &str) -> Option<(u64, u64)> {
    let (range, size) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.parse().ok()?, size.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read() {
        assert_eq!(content_range("bytes 5-9/100"), Some((5, 100)));
        for unusable in ["bytes */100", "bytes 5-9/*", "items 5-9/100", ""] {
            assert_eq!(content_range(unusable), None, "{unusable}");
        }
    }
}
