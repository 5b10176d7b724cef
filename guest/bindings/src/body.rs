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

/// Who wrote the completion of a body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A caller: one that it got elsewhere it relays itself, as the interface asks.
    Caller,
    /// The component that stores, which may be the one that is to read it: see [`relay`].
    Backend,
}

/// The two halves of a body, as they came.
struct Halves {
    contents: Option<StreamReader<u8>>,
    completion: Option<Completion>,
    origin: Origin,
}

/// A body that a caller brings.
pub(crate) fn brought(contents: StreamReader<u8>, completion: Completion) -> Contents {
    Box::new(Halves { contents: Some(contents), completion: Some(completion), origin: Origin::Caller })
}

/// A body that a backend gives.
pub(crate) fn opened(contents: StreamReader<u8>, completion: Completion) -> Contents {
    Box::new(Halves { contents: Some(contents), completion: Some(completion), origin: Origin::Backend })
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

/// A body on its way into a backend, and what feeds it: nothing, if it came over the boundary and was not touched.
pub(crate) fn stored(mut body: Contents) -> (StreamReader<u8>, Completion, Option<Pump>) {
    match untouched(&mut body) {
        Some((contents, completion, Origin::Backend)) => (contents, relay(completion), None),
        Some((contents, completion, Origin::Caller)) => (contents, completion, None),
        None => pumped(body),
    }
}

/// A completion of our own that says what another says. One that comes home is a trap: a component may not read what it
/// wrote itself, unless that is a number (component model, `canon_future_read`), and a provider of storage that is a
/// component reads here what it wrote there.
fn relay(completion: Completion) -> Completion {
    let (writer, reader) = wit_future::new(|| Err(cancelled()));
    spawn_local(async move {
        let word = completion.await;
        // A reader that left does not want to know.
        let _ = writer.write(word).await;
    });
    reader
}

fn pumped(body: Contents) -> (StreamReader<u8>, Completion, Option<Pump>) {
    let (writer, contents) = wit_stream::new();
    let (verdict, completion) = wit_future::new(|| Err(cancelled()));
    (contents, completion, Some(Pump { body, contents: writer, completion: verdict }))
}

fn untouched(body: &mut Contents) -> Option<(StreamReader<u8>, Completion, Origin)> {
    let Halves { contents, completion, origin } = (&mut **body as &mut dyn Any).downcast_mut::<Halves>()?;
    if contents.is_none() {
        return None;
    }
    let (contents, completion) = contents.take().zip(completion.take())?;
    Some((contents, completion, *origin))
}

/// A body that goes out to a caller, fed in the background.
pub(crate) fn outgoing(mut body: Contents) -> compression_exports::Body {
    if let Some((contents, completion, _)) = untouched(&mut body) {
        return compression_exports::Body { contents, completion };
    }
    let (contents, completion, pump) = pumped(body);
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
