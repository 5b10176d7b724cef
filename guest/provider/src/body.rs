//! Bodies that cross the boundary: what a backend reads goes out chunk by chunk, and what comes in is committed on an
//! explicit word alone.

use bytes::Bytes;
use futures::StreamExt;
use omnistorage::{
    Error, ErrorCode, ObjectInfo, Result,
    backend::{Contents, Handle, Upload},
};
use wit_bindgen::{FutureReader, StreamReader, StreamResult, spawn_local};

use crate::{
    bindings::{wit_future, wit_stream},
    types,
};

/// Bytes taken at once.
const CHUNK: usize = 256 * 1024;

/// Whether the end of a body is the true end.
pub(crate) type Completion = FutureReader<Result<(), types::Error>>;

/// What was opened, on its way out.
pub(crate) fn outgoing(
    mut contents: Contents,
    handle: Handle,
    path: String,
) -> (StreamReader<u8>, Completion) {
    let (mut sink, reader) = wit_stream::new();
    let (verdict, completion) = wit_future::new(|| Err(cancelled().into()));
    spawn_local(async move {
        let word = loop {
            match contents.next().await {
                Some(Ok(chunk)) => {
                    if !sink.write_all(chunk.into()).await.is_empty() {
                        break Err(cancelled());
                    }
                }
                Some(Err(error)) => break Err(handle.explain(error, &path)),
                None => break Ok(()),
            }
        };
        drop(sink);
        // A reader that left does not want to know.
        let _ = verdict.write(word.map_err(Into::into)).await;
    });
    (reader, completion)
}

/// Writes what comes, and commits it once its end is the true one.
///
/// # Errors
/// That of the body, or of the upload: then nothing is left of it.
pub(crate) async fn receive(
    mut upload: Box<dyn Upload>,
    contents: StreamReader<u8>,
    completion: Completion,
) -> Result<ObjectInfo> {
    match push_all(&mut *upload, contents, completion).await {
        Ok(()) => upload.commit().await,
        Err(error) => {
            upload.abort().await;
            Err(error)
        }
    }
}

async fn push_all(
    upload: &mut dyn Upload,
    mut contents: StreamReader<u8>,
    completion: Completion,
) -> Result<()> {
    loop {
        let (state, chunk) = contents.read(Vec::with_capacity(CHUNK)).await;
        if !chunk.is_empty() {
            upload.push(Bytes::from(chunk)).await?;
        }
        if state == StreamResult::Dropped {
            break;
        }
    }
    Ok(completion.await?)
}

/// The input ended, or the reader left, without a word.
fn cancelled() -> Error {
    Error::new(ErrorCode::Cancelled, "the body ended without saying whether it was complete")
}
