//! Writing records: framing, codec, a write that commits on an explicit word.

use std::cell::RefCell;

use futures::{channel::oneshot, join};
use omnistorage_core::{
    codec::{self, Codec},
    record::{self, Batch},
};
use wit_bindgen::spawn_local;

use super::{Side, Stored, reader::busy};
use crate::{
    bindings::wit_future,
    body::{CHUNK, Feed},
    error::{cancelled, error},
    exports::records::{self as exports, Encoding, GuestRecordWriter},
    imports::{
        backend::{WriteCondition, WriteOptions},
        types::{Error, ErrorCode, Location, ObjectInfo},
    },
};

/// Records on their way into an object. Dropped, the object stays as it was.
pub(super) struct Writing {
    at: Location,
    framing: Box<dyn record::RecordWriter>,
    encoder: Option<Box<dyn Codec>>,
    /// Framed, not yet compressed.
    plain: Vec<u8>,
    /// Compressed, not yet handed on.
    coded: Vec<u8>,
    feed: Feed,
    commit: oneshot::Sender<()>,
    outcome: oneshot::Receiver<Result<ObjectInfo, Error>>,
}

impl Writing {
    pub(super) fn create(side: Side) -> Result<Self, Error> {
        let Side { place, format, codec, level, options, .. } = side;
        let at = Location { backend: place.name.clone(), path: place.path() };
        let framing = record::writer(&format, options)?;
        let codec = match codec {
            Stored::Said(codec) => Some(codec),
            Stored::Named(codec) => codec,
        };
        let encoder = codec.map(|codec| codec::encoder(codec, level)).transpose()?;
        let (feed, contents) = Feed::new();
        let (commit, committed) = oneshot::channel();
        let (written, outcome) = oneshot::channel();
        // The write goes on while the caller writes records. Its completion lives here and not in the resource, since
        // a resource may be dropped where nothing asynchronous can be done.
        spawn_local(async move {
            let (verdict, completion) = wit_future::new(|| Err(cancelled()));
            let options = WriteOptions {
                condition: WriteCondition::Always,
                content_type: None,
                modified: None,
                metadata: Vec::new(),
                expected_size: None,
                expected_hash: None,
            };
            let write = async {
                let outcome = place.backend.write(place.path(), contents, completion, options).await;
                // Whoever asked may have left.
                let _ = written.send(outcome);
            };
            let decide = async {
                let decision = committed.await.map_err(|_| cancelled());
                // A write that failed does not want to know.
                let _ = verdict.write(decision).await;
            };
            join!(write, decide);
        });
        Ok(Self { at, framing, encoder, plain: Vec::new(), coded: Vec::new(), feed, commit, outcome })
    }

    pub(super) async fn write(&mut self, batch: &Batch) -> Result<(), Error> {
        let framed = self.framing.write(batch, &mut self.plain);
        framed.map_err(|why| Error { at: Some(self.at.clone()), ..why.into() })?;
        if self.plain.len() >= CHUNK { self.flush().await } else { Ok(()) }
    }

    /// Hands on what the codec lets go of.
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

    /// Ends the object, and commits; gives its size as written, too.
    pub(super) async fn finish(mut self) -> Result<(ObjectInfo, u64), Error> {
        let ended = self.framing.finish(&mut self.plain);
        ended.map_err(|why| Error { at: Some(self.at.clone()), ..why.into() })?;
        self.flush().await?;
        while let Some(mut encoder) = self.encoder.take() {
            self.coded.reserve(CHUNK);
            let done = encoder.finish(&mut self.coded)?;
            let coded = std::mem::take(&mut self.coded);
            self.coded = self.push(coded).await?;
            self.encoder = (!done).then_some(encoder);
        }
        let bytes = self.feed.bytes();
        drop(self.feed);
        // A write that failed before this says why in its outcome.
        let _ = self.commit.send(());
        Ok((self.outcome.await.map_err(|_| cancelled())??, bytes))
    }

    /// Hands bytes on; if nobody takes them any more, the write has failed and knows why.
    async fn push(&mut self, chunk: Vec<u8>) -> Result<Vec<u8>, Error> {
        if chunk.is_empty() {
            return Ok(chunk);
        }
        match self.feed.push(chunk).await {
            Ok(chunk) => Ok(chunk),
            Err(left) => Err((&mut self.outcome).await.ok().and_then(Result::err).unwrap_or(left)),
        }
    }
}

/// The resource.
#[allow(unreachable_pub, reason = "it is named by a generated trait")]
pub struct RecordWriter(RefCell<State>);

enum State {
    Idle(Box<Writing>),
    /// A call has the writer; another one in the meantime is refused.
    Busy,
    /// It failed: the write was given up.
    Closed,
}

impl RecordWriter {
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

impl GuestRecordWriter for RecordWriter {
    async fn create(target: Location, encoding: Encoding) -> Result<exports::RecordWriter, Error> {
        let writing = Box::new(Writing::create(Side::open(target, encoding).await?)?);
        Ok(exports::RecordWriter::new(Self(RefCell::new(State::Idle(writing)))))
    }

    async fn write(&self, records: exports::Batch) -> Result<(), Error> {
        let batch = Batch::from_parts(records.data, records.ends)?;
        self.with(async |writing| writing.write(&batch).await).await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.with(async |writing| writing.flush().await).await
    }

    async fn finish(writer: exports::RecordWriter) -> Result<ObjectInfo, Error> {
        match writer.into_inner::<Self>().0.into_inner() {
            State::Idle(writing) => writing.finish().await.map(|(info, _)| info),
            State::Busy => Err(busy()),
            State::Closed => Err(closed()),
        }
    }
}

fn closed() -> Error {
    error(ErrorCode::WriterClosed, "the writer failed before, and its object was given up")
}
