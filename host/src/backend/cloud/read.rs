//! Opens an object, or a range of it, so that all bytes are those of one version.

use std::{future::Future, ops::Range, sync::Arc};

use http::{HeaderMap, StatusCode, header};
use omnistorage_types::Path;

use super::{
    client::{Answer, Call},
    contents::{self, Part},
};
use crate::{
    Error, ErrorCode, Hash, ObjectInfo, Result,
    backend::{ReadOptions, Reader},
};

/// No object has bytes beyond this offset, and some servers take no larger number.
const END: u64 = i64::MAX as u64;

/// A store whose objects can be opened.
pub(in crate::backend) trait Source: Send + Sync + 'static {
    /// Requests a range that is not empty, as [`ranged`] writes it, of the version with this etag. The answer may be
    /// that there is no such range.
    fn open(
        &self,
        key: &str,
        range: &Range<u64>,
        if_match: Option<&str>,
    ) -> impl Future<Output = Result<Answer>> + Send;

    /// What is known about an object, without its bytes.
    fn find(&self, path: &Path, if_match: Option<&str>) -> impl Future<Output = Result<ObjectInfo>> + Send;

    /// What the headers of an answer say about an object of that size.
    fn info(&self, path: &Path, headers: &HeaderMap, size: u64) -> ObjectInfo;

    /// Of the known hashes of an object, the one to check all of its bytes against.
    fn checksum(&self, info: &ObjectInfo) -> Option<Hash>;
}

/// Whether a range is one of all bytes, however many there are.
pub(in crate::backend) fn is_all(range: &Range<u64>) -> bool {
    *range == (0..END)
}

/// With the header that asks for a range; without it for the whole object.
///
/// # Errors
/// None in practice: a range is always a valid value of a header.
pub(in crate::backend) fn ranged(call: Call, range: &Range<u64>) -> Result<Call> {
    match (range.start, range.end) {
        (0, END) => Ok(call),
        (start, END) => call.header("range", &format!("bytes={start}-")),
        (start, end) => call.header("range", &format!("bytes={start}-{}", end - 1)),
    }
}

/// Opens the object of that key, or a range of it.
///
/// # Errors
/// As [`Backend::read`](crate::Backend::read).
pub(in crate::backend) async fn read<S: Source>(
    source: &Arc<S>,
    key: String,
    path: &Path,
    options: &ReadOptions,
) -> Result<Reader> {
    let end = options.length.map_or(END, |length| options.offset.saturating_add(length)).min(END);
    let wanted = options.offset..end;
    let if_match = options.if_match.as_deref();
    if wanted.is_empty() {
        return empty(&**source, path, if_match).await;
    }
    let opened = match Opened::of(source.open(&key, &wanted, if_match).await?, &wanted)? {
        Some(opened) => opened,
        // Nothing of the range is there; an empty object has no range at all.
        None => {
            let reader = empty(&**source, path, if_match).await?;
            if reader.info.size.is_none_or(|size| wanted.start < size) {
                return Err(Error::new(
                    ErrorCode::Unavailable,
                    "the store has the range, and does not give it",
                ));
            }
            return Ok(reader);
        }
    };
    let headers = opened.answer.headers();
    let info = source.info(path, headers, opened.size);
    // Every object has a version; an answer without one is about something else.
    if info.etag.is_none() || info.modified.is_none() {
        return Err(unclear("does not tell the version and the time of the object"));
    }
    let range = wanted.start..wanted.end.min(opened.size);
    let checksum = source.checksum(&info).filter(|_| range == (0..opened.size));
    let reopen = {
        let (source, etag, end, size) = (Arc::clone(source), info.etag.clone(), range.end, opened.size);
        move |offset| {
            let (source, key, etag) = (Arc::clone(&source), key.clone(), etag.clone());
            async move {
                let message = "the connection broke, and the store names no version to go on with";
                let etag = etag.ok_or_else(|| Error::new(ErrorCode::Unavailable, message))?;
                let rest = offset..end;
                let opened = Opened::of(source.open(&key, &rest, Some(&etag)).await?, &rest)?;
                let other = || Error::new(ErrorCode::PreconditionFailed, "the object has another size now");
                Ok(opened.filter(|opened| opened.size == size).ok_or_else(other)?.part())
            }
        }
    };
    Ok(Reader { info, contents: contents::contents(opened.part(), range, checksum, reopen) })
}

async fn empty<S: Source>(source: &S, path: &Path, if_match: Option<&str>) -> Result<Reader> {
    let info = source.find(path, if_match).await?;
    Ok(Reader { info, contents: Box::pin(futures::stream::empty()) })
}

struct Opened {
    answer: Answer,
    /// Of the first byte that comes.
    offset: u64,
    /// Of the whole object.
    size: u64,
}

impl Opened {
    /// Checks that an answer is the range that was asked for. `None`: the range lies beyond the end.
    fn of(answer: Answer, wanted: &Range<u64>) -> Result<Option<Self>> {
        if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(None);
        }
        let told = answer.header(header::CONTENT_RANGE.as_str());
        if answer.status() != StatusCode::PARTIAL_CONTENT && told.is_none() {
            // A server without ranges sends the whole object.
            let no_size = || unclear("does not tell the size of the object");
            let size = answer.content_length().ok_or_else(no_size)?;
            return Ok(Some(Self { answer, offset: 0, size }));
        }
        let range = told.and_then(ContentRange::parse);
        let range = range.ok_or_else(|| unclear("does not tell which bytes it sends"))?;
        if range.first != wanted.start || range.last != wanted.end.min(range.size).saturating_sub(1) {
            return Err(unclear("sends other bytes than those that were asked for"));
        }
        Ok(Some(Self { answer, offset: range.first, size: range.size }))
    }

    fn part(self) -> Part {
        Part { answer: self.answer, offset: self.offset }
    }
}

fn unclear(what: &str) -> Error {
    Error::new(ErrorCode::Other, format!("the store {what}: is it the right endpoint?"))
}

/// Which bytes of how many: `bytes 0-9/100` (RFC 9110, section 14.4).
#[derive(Debug, PartialEq, Eq)]
struct ContentRange {
    first: u64,
    last: u64,
    size: u64,
}

impl ContentRange {
    fn parse(value: &str) -> Option<Self> {
        let (range, size) = value.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        Some(Self { first: first.parse().ok()?, last: last.parse().ok()?, size: size.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read() {
        let parsed = ContentRange { first: 5, last: 9, size: 100 };
        assert_eq!(ContentRange::parse("bytes 5-9/100"), Some(parsed));
        for unusable in ["bytes */100", "bytes 5-9/*", "items 5-9/100", ""] {
            assert_eq!(ContentRange::parse(unusable), None, "{unusable}");
        }
    }
}
