//! Reading records: source, codec, framing.

use std::cell::RefCell;

use omnistorage_core::{
    codec::{self, DecoderLimits},
    record::{self, Batch},
};

use super::Resolved;
use crate::{
    backends::Place,
    body::{Coded, Source},
    compression::detect,
    error::error,
    exports::records::{self as exports, Encoding, GuestRecordReader},
    imports::{
        backend::ReadOptions,
        types::{Error, ErrorCode, Location},
    },
};

/// The records of an object, from its start.
pub(super) struct Records {
    plain: Coded,
    framing: Box<dyn record::RecordReader>,
    chunk: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl Records {
    pub(super) async fn open(source: Location, encoding: Encoding) -> Result<Self, Error> {
        let place = Place::open(source).await?;
        let resolved = Resolved::new(&encoding, &place.path)?;
        let framing = record::reader(resolved.format, resolved.options)?;
        let options = ReadOptions { offset: 0, length: None, if_match: None };
        let reader = place.backend.read(place.path(), options).await?;
        let mut source = Source::of(&place, reader);
        // The first bytes know better than the name, unless the caller does.
        let codec = match encoding.codec {
            Some(codec) => Some(codec.into()),
            None => detect(&mut source).await?.or(resolved.codec),
        };
        let decoder = codec.map(|codec| codec::decoder(codec, DecoderLimits::default())).transpose()?;
        Ok(Self { plain: Coded::new(source, decoder), framing, chunk: Vec::new(), taken: 0, ended: false })
    }

    /// Compressed bytes read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.plain.source().bytes()
    }

    /// At least one and at most `max` further records, or about 1 MiB of them; `None` after the true end.
    pub(super) async fn read(&mut self, max: u32) -> Result<Option<Batch>, Error> {
        let (mut batch, max) = (Batch::new(), max.max(1) as usize);
        while !self.ended {
            if self.taken == self.chunk.len() {
                self.taken = 0;
                match self.plain.next(std::mem::take(&mut self.chunk)).await? {
                    Some(chunk) => self.chunk = chunk,
                    None => {
                        self.ended = true;
                        let finished = self.framing.finish(&mut batch);
                        finished.map_err(|why| self.plain.source().locate(why))?;
                        break;
                    }
                }
            }
            let pushed = self.framing.push(&self.chunk[self.taken..], &mut batch, max);
            if !batch.is_empty() {
                // The records before an error come first: the next call gives it again.
                self.taken += pushed.unwrap_or(0);
                break;
            }
            self.taken += pushed.map_err(|why| self.plain.source().locate(why))?;
        }
        Ok(Some(batch).filter(|batch| !batch.is_empty()))
    }
}

/// The resource.
#[allow(unreachable_pub, reason = "it is named by a generated trait")]
pub struct RecordReader(RefCell<State>);

enum State {
    Idle(Box<Records>),
    /// A call has the records; another one in the meantime is refused.
    Busy,
    Failed(Error),
}

impl GuestRecordReader for RecordReader {
    async fn open(source: Location, encoding: Encoding) -> Result<exports::RecordReader, Error> {
        let records = Box::new(Records::open(source, encoding).await?);
        Ok(exports::RecordReader::new(Self(RefCell::new(State::Idle(records)))))
    }

    async fn read(&self, max_records: u32) -> Result<Option<exports::Batch>, Error> {
        let mut records = match self.0.replace(State::Busy) {
            State::Idle(records) => records,
            State::Busy => return Err(busy()),
            State::Failed(error) => {
                self.0.replace(State::Failed(error.clone()));
                return Err(error);
            }
        };
        match records.read(max_records).await {
            Ok(batch) => {
                self.0.replace(State::Idle(records));
                Ok(batch.map(|batch| {
                    let (data, ends) = batch.into_parts();
                    exports::Batch { data, ends }
                }))
            }
            Err(error) => {
                self.0.replace(State::Failed(error.clone()));
                Err(error)
            }
        }
    }
}

/// Calls of one reader or writer must not overlap: their order would be nobody's.
pub(super) fn busy() -> Error {
    error(ErrorCode::InvalidArgument, "another call of the same reader or writer has not ended yet")
}
