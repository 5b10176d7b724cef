//! Writing records: framing, codec, and a write that only commits when it is told to.

use std::cell::RefCell;

use futures::channel::oneshot;
use omnistorage_core::{
    codec::{self, Coder},
    record::{self, Batch},
};
use omnistorage_types::{Error, ErrorCode, Location, ObjectInfo, WriteOptions};

use super::{Side, Stored, busy};
use crate::{
    body::CHUNK,
    pipe::{Sink, cancelled, pipe},
};

/// Records on their way into an object. Dropped, the object stays as it was.
pub(super) struct Writing {
    at: Location,
    framing: Box<dyn record::RecordWriter>,
    encoder: Option<Box<dyn Coder>>,
    /// Bytes that are framed, but not compressed yet.
    plain: Vec<u8>,
    /// Bytes that are compressed, but not handed on yet.
    coded: Vec<u8>,
    sink: Sink,
    outcome: oneshot::Receiver<Result<ObjectInfo, Error>>,
    /// What is handed on shows at once, and cannot be taken back: as on standard output.
    shows: bool,
}

impl Writing {
    pub(super) async fn create(side: Side) -> Result<Self, Error> {
        let Side { place, format, codec, level, dictionary, options, .. } = side;
        let at = place.location();
        let framing = record::writer(&format, options)?;
        let codec = match codec {
            Stored::Said(codec) => Some(codec),
            Stored::Named(codec) => codec,
        };
        let encoder =
            codec.map(|codec| codec::encoder_with(codec, level, dictionary.as_ref())).transpose()?;
        let (sink, contents) = pipe();
        let (written, outcome) = oneshot::channel();
        let port = place.port.clone();
        let shows = !place.backend.capabilities().await.features.atomic_write;
        // The write goes on while the caller writes records.
        port.spawn(Box::pin(async move {
            let outcome = place.backend.write(place.path, contents, WriteOptions::default()).await;
            // The receiver may be gone.
            let _ = written.send(outcome);
        }));
        Ok(Self { at, framing, encoder, plain: Vec::new(), coded: Vec::new(), sink, outcome, shows })
    }

    pub(super) async fn write(&mut self, batch: &Batch) -> Result<(), Error> {
        let framed = self.framing.write(batch, &mut self.plain);
        framed.map_err(|why| self.locate(why))?;
        if self.plain.len() >= CHUNK { self.flush().await } else { Ok(()) }
    }

    /// The same for records that a conversion made.
    pub(super) async fn write_made(&mut self, batch: &Batch) -> Result<(), Error> {
        let framed = self.framing.write_made(batch, &mut self.plain);
        framed.map_err(|why| self.locate(why))?;
        if self.plain.len() >= CHUNK { self.flush().await } else { Ok(()) }
    }

    /// Hands on what the codec has ready.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        let mut plain = std::mem::take(&mut self.plain);
        if self.encoder.is_none() {
            self.plain = self.push(plain).await?;
            return Ok(());
        }
        let mut taken = 0;
        while let Some(encoder) = &mut self.encoder {
            self.coded.reserve(CHUNK);
            taken += encoder.push(&plain[taken..], &mut self.coded)?;
            let full = self.coded.len() == self.coded.capacity();
            let coded = std::mem::take(&mut self.coded);
            self.coded = self.push(coded).await?;
            if !full {
                break;
            }
        }
        plain.clear();
        self.plain = plain;
        Ok(())
    }

    /// Ends the object and commits it; also returns its size as written.
    pub(super) async fn finish(mut self) -> Result<(ObjectInfo, u64), Error> {
        let ended = self.framing.finish(&mut self.plain);
        ended.map_err(|why| self.locate(why))?;
        self.flush().await?;
        while let Some(mut encoder) = self.encoder.take() {
            self.coded.reserve(CHUNK);
            let done = encoder.finish(&mut self.coded)?;
            let coded = std::mem::take(&mut self.coded);
            self.coded = self.push(coded).await?;
            self.encoder = (!done).then_some(encoder);
        }
        let bytes = self.sink.bytes();
        // If the write failed before, its outcome says why.
        self.sink.end(Ok(())).await;
        Ok((self.outcome.await.map_err(|_| cancelled())??, bytes))
    }

    /// Gives the object up, and waits until nothing of it is left. Where it shows as it is written, it ends behind the last
    /// record; if it is compressed, whoever reads it notices that the end is missing.
    pub(super) async fn abort(mut self) {
        if self.shows && self.encoder.is_none() {
            // If nobody takes it any more, it is given up all the same.
            let _ = self.flush().await;
        }
        drop(self.sink);
        // The write fails, as it was asked to.
        let _ = self.outcome.await;
    }

    fn locate(&self, error: impl Into<Error>) -> Error {
        error.into().at(&self.at.backend, &self.at.path)
    }

    /// Hands bytes on. If nobody takes them any more, the write has failed, and its outcome says why.
    async fn push(&mut self, chunk: Vec<u8>) -> Result<Vec<u8>, Error> {
        if chunk.is_empty() {
            return Ok(chunk);
        }
        match self.sink.push(chunk).await {
            Ok(chunk) => Ok(chunk),
            Err(left) => Err((&mut self.outcome).await.ok().and_then(Result::err).unwrap_or(left)),
        }
    }
}

/// Records on their way into an object, for one call at a time. Dropped, the object stays as it was.
pub struct RecordWriter(RefCell<State>);

enum State {
    Idle(Box<Writing>),
    /// A call is using the writer; another one meanwhile is refused.
    Busy,
    /// It failed: the write was given up.
    Closed,
}

#[expect(clippy::missing_errors_doc, reason = "they are those of the WIT interface")]
impl RecordWriter {
    pub(super) async fn create(side: Side) -> Result<Self, Error> {
        Ok(Self(RefCell::new(State::Idle(Box::new(Writing::create(side).await?)))))
    }

    /// Writes records; they may be kept back for a while.
    pub async fn write(&self, records: &Batch) -> Result<(), Error> {
        self.with(async |writing| writing.write(records).await).await
    }

    /// Hands on what was written, except for what the codec holds.
    pub async fn flush(&self) -> Result<(), Error> {
        self.with(async |writing| writing.flush().await).await
    }

    /// Ends the object and commits it.
    pub async fn finish(self) -> Result<ObjectInfo, Error> {
        match self.0.into_inner() {
            State::Idle(writing) => writing.finish().await.map(|(info, _)| info),
            State::Busy => Err(busy()),
            State::Closed => Err(closed()),
        }
    }

    async fn with(&self, act: impl AsyncFnOnce(&mut Writing) -> Result<(), Error>) -> Result<(), Error> {
        let mut writing = match self.0.replace(State::Busy) {
            State::Idle(writing) => writing,
            State::Busy => return Err(busy()),
            State::Closed => {
                self.0.replace(State::Closed);
                return Err(closed());
            }
        };
        let acted = act(&mut writing).await;
        self.0.replace(if acted.is_ok() { State::Idle(writing) } else { State::Closed });
        acted
    }
}

fn closed() -> Error {
    Error::new(ErrorCode::WriterClosed, "the writer failed before, and its object was given up")
}
