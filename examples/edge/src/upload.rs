//! The body of a request as a body of the library: what was cut off ends with an error, so nothing is stored of it.

use std::env;

use futures::stream;
use omnistorage_application::{Body, Error, ErrorCode};
use wasip3::{
    http::types::{ErrorCode as HttpError, Request, Trailers},
    wit_bindgen::{FutureReader, StreamReader, StreamResult},
    wit_future,
};

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

struct Upload {
    contents: StreamReader<u8>,
    trailers: FutureReader<Result<Option<Trailers>, HttpError>>,
    announced: Option<u64>,
    largest: u64,
    bytes: u64,
}

/// # Errors
/// [`ErrorCode::LimitExceeded`] for what is announced to be too large; [`ErrorCode::Other`] if the limit is no number.
pub(crate) fn body(request: Request) -> Result<Body, Error> {
    let announced = request.get_headers().get("content-length").into_iter().next();
    let announced = announced.and_then(|length| String::from_utf8(length).ok()?.parse().ok());
    let largest = limit()?;
    if announced.is_some_and(|announced| announced > largest) {
        return Err(too_large(largest));
    }
    let (_, unread) = wit_future::new(|| Ok(()));
    let (contents, trailers) = Request::consume_body(request, unread);
    let upload = Upload { contents, trailers, announced, largest, bytes: 0 };
    Ok(Body::from_chunks(stream::try_unfold(upload, Upload::next)))
}

/// Bytes that an upload may have, as the host says.
fn limit() -> Result<u64, Error> {
    let Some(limit) = env::var_os("UPLOAD_LIMIT") else { return Ok(u64::MAX) };
    let number = limit.to_str().and_then(|limit| limit.parse().ok());
    number.ok_or_else(|| Error::new(ErrorCode::Other, "the variable UPLOAD_LIMIT is not a number of bytes"))
}

impl Upload {
    async fn next(mut self) -> Result<Option<(Vec<u8>, Self)>, Error> {
        loop {
            let (status, chunk) = self.contents.read(Vec::with_capacity(CHUNK)).await;
            if !chunk.is_empty() {
                self.bytes += chunk.len() as u64;
                if self.bytes > self.largest {
                    return Err(too_large(self.largest));
                }
                return Ok(Some((chunk, self)));
            }
            if status == StreamResult::Dropped {
                return self.end().await.map(|()| None);
            }
        }
    }

    /// Whether the end was the true end: the host says so, and the length is the one that was announced.
    async fn end(self) -> Result<(), Error> {
        let ended_well = self.trailers.await.is_ok();
        if ended_well && self.announced.is_none_or(|announced| announced == self.bytes) {
            return Ok(());
        }
        Err(Error::new(ErrorCode::Cancelled, format!("the upload was cut off after {} bytes", self.bytes)))
    }
}

fn too_large(largest: u64) -> Error {
    Error::new(ErrorCode::LimitExceeded, format!("an upload has at most {largest} bytes"))
}
