//! Reading a range of an object, whose bytes are counted.

use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage::{
    Error, ErrorCode, Path, Result,
    backend::{ReadOptions, Reader},
};

use super::{
    KIND,
    bindings::wasi::{
        blobstore::types::IncomingValue,
        io::streams::{InputStream, StreamError},
    },
    container::Container,
    failure::{broken, failure},
};

/// Bytes read at once.
const CHUNK: u64 = 256 * 1024;

/// Opens an object to read a range of it.
///
/// # Errors
/// As [`Container::object`]; [`ErrorCode::PreconditionFailed`] for any etag, since there are none.
pub(super) fn read(container: &Container, path: &Path, options: &ReadOptions) -> Result<Reader> {
    let (info, size) = container.object(path)?;
    if options.if_match.is_some() {
        let message = "the object has no etag, so it is not the one of the given etag";
        return Err(Error::new(ErrorCode::PreconditionFailed, message));
    }
    let left = size.saturating_sub(options.offset).min(options.length.unwrap_or(u64::MAX));
    if left == 0 {
        return Ok(Reader { info, contents: stream::empty().boxed() });
    }
    // Hosts differ in whether the end is the last byte or the one behind it: a byte too many is not taken.
    let value = container.resource().get_data(path.as_str(), options.offset, options.offset + left);
    let body = value.and_then(IncomingValue::incoming_value_consume_async).map_err(|told| failure(&told))?;
    let reading = Reading { body, path: path.clone(), left };
    let contents = stream::try_unfold(reading, async |reading| reading.next()).boxed();
    Ok(Reader { info, contents })
}

/// Bytes as they come.
struct Reading {
    body: InputStream,
    path: Path,
    left: u64,
}

impl Reading {
    fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        while self.left > 0 {
            let chunk = match self.body.blocking_read(self.left.min(CHUNK)) {
                Ok(chunk) => chunk,
                Err(StreamError::Closed) => {
                    let message =
                        "the object ended before its end: it may have been replaced meanwhile, so try again";
                    return Err(Error::new(ErrorCode::Unavailable, message).at(KIND, &self.path));
                }
                Err(error) => return Err(broken(&error).at(KIND, &self.path)),
            };
            if !chunk.is_empty() {
                let Some(left) = self.left.checked_sub(chunk.len() as u64) else {
                    return Err(failure("here is more than was asked for").at(KIND, &self.path));
                };
                self.left = left;
                return Ok(Some((chunk.into(), self)));
            }
        }
        Ok(None)
    }
}
