//! Bodies that cross the boundary: as they came, where nothing is between, else pumped chunk by chunk.

use std::any::Any;

use async_trait::async_trait;
use omnistorage_engine::{
    body::CHUNK,
    port::{Body, Contents},
};
use omnistorage_types::{
    Error, Result,
    wit::{FromWit, IntoWit},
};
use wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter, spawn_local};

use crate::{
    bindings::{wit_future, wit_stream},
    compression_exports, types,
};

/// Whether the end of a body is the true end.
type Completion = FutureReader<Result<(), types::Error>>;

/// The two halves of a body, as they came.
struct Halves {
    contents: Option<StreamReader<u8>>,
    completion: Option<Completion>,
}

/// A body that came.
pub(crate) fn incoming(contents: StreamReader<u8>, completion: Completion) -> Contents {
    Box::new(Halves { contents: Some(contents), completion: Some(completion) })
}

#[async_trait(?Send)]
impl Body for Halves {
    async fn next(&mut self, mut buffer: Vec<u8>) -> Result<Option<Vec<u8>>> {
        buffer.clear();
        buffer.reserve(CHUNK);
        while let Some(contents) = &mut self.contents {
            let (state, chunk) = contents.read(buffer).await;
            if state == StreamResult::Dropped {
                self.contents = None;
            }
            if !chunk.is_empty() {
                return Ok(Some(chunk));
            }
            buffer = chunk;
        }
        match self.completion.take() {
            Some(completion) => match completion.await {
                Ok(()) => Ok(None),
                Err(error) => Err(Error::from_wit(error)?),
            },
            None => Ok(None),
        }
    }
}

/// A body as it crosses, and what feeds it: nothing, if it came over the boundary and was not touched.
pub(crate) fn cross(mut body: Contents) -> (StreamReader<u8>, Completion, Option<Pump>) {
    if let Some((contents, completion)) = untouched(&mut body) {
        return (contents, completion, None);
    }
    let (writer, contents) = wit_stream::new();
    let (verdict, completion) = wit_future::new(|| Err(cancelled()));
    (contents, completion, Some(Pump { body, contents: writer, completion: verdict }))
}

fn untouched(body: &mut Contents) -> Option<(StreamReader<u8>, Completion)> {
    let Halves { contents, completion } = (&mut **body as &mut dyn Any).downcast_mut::<Halves>()?;
    if contents.is_none() {
        return None;
    }
    contents.take().zip(completion.take())
}

/// A body that goes out, fed in the background.
pub(crate) fn outgoing(body: Contents) -> compression_exports::Body {
    let (contents, completion, pump) = cross(body);
    if let Some(pump) = pump {
        spawn_local(async move {
            // Its reader is told.
            let _ = pump.run().await;
        });
    }
    compression_exports::Body { contents, completion }
}

/// What feeds a body.
pub(crate) struct Pump {
    body: Contents,
    contents: StreamWriter<u8>,
    completion: FutureWriter<Result<(), types::Error>>,
}

impl Pump {
    /// Feeds it to its end, and says why it ended. A reader that leaves before knows why.
    ///
    /// # Errors
    /// That of the body.
    pub(crate) async fn run(self) -> Result<()> {
        let Self { mut body, mut contents, completion } = self;
        let mut buffer = Vec::new();
        let (word, failed) = loop {
            match body.next(buffer).await {
                Ok(Some(chunk)) => {
                    buffer = contents.write_all(chunk).await;
                    if !buffer.is_empty() {
                        break (Err(cancelled()), Ok(()));
                    }
                }
                Ok(None) => break (Ok(()), Ok(())),
                Err(error) => break (Err(error.clone().into_wit()), Err(error)),
            }
        };
        drop(contents);
        // A reader that left does not want to know.
        let _ = completion.write(word).await;
        failed
    }
}

/// The input ended, or the reader left, without a word.
pub(crate) fn cancelled() -> types::Error {
    omnistorage_engine::cancelled().into_wit()
}
