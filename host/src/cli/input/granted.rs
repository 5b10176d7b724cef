//! Standard input as a host of WASI gives it.

use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage_application::wit_bindgen::StreamResult;
use send_wrapper::SendWrapper;
use wasip3::cli::{stdin, types::ErrorCode as Unreadable};

use crate::{Error, ErrorCode, backend::Contents, cli::exit::Failure};

/// Bytes taken at once.
const CHUNK: usize = 256 * 1024;

/// A host has a standard input for each component, which may be empty: nothing tells one that is closed.
pub(crate) fn require_input() -> Result<(), Failure> {
    Ok(())
}

/// Standard input as it comes. It is believed to have ended once the host says that it has.
pub(crate) fn standard_input() -> Result<Contents, Failure> {
    let (input, ended) = stdin::read_via_stream();
    let chunks = stream::unfold((Some(input), Some(ended)), |(mut input, mut ended)| async {
        if let Some(open) = &mut input {
            let (state, chunk) = open.read(Vec::with_capacity(CHUNK)).await;
            if state == StreamResult::Dropped {
                input = None;
            }
            if input.is_some() || !chunk.is_empty() {
                return Some((Ok(Bytes::from(chunk)), (input, ended)));
            }
        }
        let error = ended.take()?.await.err()?;
        Some((Err(unreadable(error)), (None, None)))
    });
    Ok(SendWrapper::new(chunks).boxed())
}

fn unreadable(error: Unreadable) -> Error {
    let what = match error {
        Unreadable::Io => "an error of input and output",
        Unreadable::IllegalByteSequence => "bytes that its host cannot hand on",
        Unreadable::Pipe => "its other end is broken",
    };
    Error::new(ErrorCode::Other, format!("cannot read standard input: {what}"))
}
