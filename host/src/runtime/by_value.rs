//! Objects by value: never more of them in memory than the component's budget allows.

use bytes::Bytes;
use omnistorage_types::Path;

use super::{budget::Reserved, open::OpenBackend};
use crate::{Error, ErrorCode, Result, backend::ReadOptions};

/// Up to this many bytes are reserved without asking for the object's size first.
const SMALL: usize = 1 << 20;

/// Reads a range of an object.
pub(super) async fn by_value(
    open: &OpenBackend,
    path: &Path,
    options: &ReadOptions,
    max: usize,
) -> Result<Bytes> {
    let read = async |room: Reserved| {
        let read = open.backend().read_all(path, options, room.bytes()).await;
        let is_short_of_room = |error: &Error| error.code() == ErrorCode::LimitExceeded && room.bytes() < max;
        match read {
            Err(error) if is_short_of_room(&error) => Ok(None),
            read => read.map(Some),
        }
    };
    if let Some(bytes) = read(room(open, path, options, max).await?).await? {
        return Ok(bytes);
    }
    // A larger object took its place, or the size is unknown: take what the budget has left.
    let most = max.min(open.budget.limits().hostcall_bytes);
    read(open.budget.reserve_up_to(most)).await?.ok_or_else(|| {
        let message = "the object is larger than the component may still have: read it as a stream";
        Error::new(ErrorCode::LimitExceeded, message)
    })
}

/// Room for the range to read, up to `max` bytes.
async fn room(open: &OpenBackend, path: &Path, options: &ReadOptions, max: usize) -> Result<Reserved> {
    let limit = open.budget.limits().hostcall_bytes;
    let most = max.min(limit);
    if max <= SMALL.min(limit) {
        return open.budget.reserve(max);
    }
    // The caller may ask for much where there is little, so look first. If the look fails, the read says why, or makes
    // do with what the budget has left.
    let size = open.backend().stat(path).await.ok().and_then(|info| info.size);
    let Some(size) = size else { return Ok(open.budget.reserve_up_to(most)) };
    let length = options.length.unwrap_or(u64::MAX).min(size.saturating_sub(options.offset));
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > limit && limit < max {
        let message = format!(
            "the component may get no more than {limit} bytes by one call, and these are {length}: read them as a \
             stream, or raise `Limits::hostcall_bytes`"
        );
        return Err(Error::new(ErrorCode::LimitExceeded, message));
    }
    open.budget.reserve(length.min(most))
}
