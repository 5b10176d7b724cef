//! Reading records: source, codec, framing.

use std::cell::RefCell;

use omnistorage_core::{
    codec,
    record::{self, Batch},
};
use omnistorage_types::{Error, ObjectInfo, ReadOptions, Timestamp};

use super::{Side, Stored, busy};
use crate::{
    body::{Coded, Source},
    compression::detect_source,
    port::{Body, Reader},
};

/// The records of an object, from its start.
pub(super) struct Records {
    plain: Coded,
    framing: Box<dyn record::RecordReader>,
    chunk: Vec<u8>,
    taken: usize,
    ended: bool,
    /// Records that were read to find the header.
    ahead: Option<Batch>,
    info: ObjectInfo,
}

/// What identifies a version of an object.
#[derive(Clone, PartialEq)]
pub(super) struct Version {
    size: Option<u64>,
    modified: Option<Timestamp>,
    etag: Option<String>,
}

impl Version {
    pub(super) fn of(info: &ObjectInfo) -> Self {
        Self { size: info.size, modified: info.modified, etag: info.etag.clone() }
    }
}

impl Records {
    pub(super) async fn open(side: &Side) -> Result<Self, Error> {
        Self::open_range(side, ReadOptions::default()).await
    }

    /// The same of a range of its bytes.
    pub(super) async fn open_range(side: &Side, range: ReadOptions) -> Result<Self, Error> {
        let Side { place, format, codec, dictionary, options, limits, .. } = side;
        let framing = record::reader(format, *options)?;
        let Reader { info, contents } = place.read(range).await?;
        let mut source = Source::of(place, contents);
        // The first bytes override the name, but not the caller.
        let codec = match codec {
            Stored::Said(codec) => Some(*codec),
            Stored::Named(codec) => detect_source(&mut source).await?.or(*codec),
        };
        let decoder =
            codec.map(|codec| codec::decoder_with(codec, *limits, dictionary.as_ref())).transpose()?;
        let plain = Coded::new(source, decoder);
        Ok(Self { plain, framing, chunk: Vec::new(), taken: 0, ended: false, ahead: None, info })
    }

    /// The version of the object that is read.
    pub(super) fn version(&self) -> Version {
        Version::of(&self.info)
    }

    /// The object that is read.
    pub(super) fn into_info(self) -> ObjectInfo {
        self.info
    }

    /// Whether what is read is decompressed on its way.
    pub(super) fn is_coded(&self) -> bool {
        self.plain.is_coded()
    }

    /// The row that names the columns, if the format has one.
    pub(super) async fn header(&mut self) -> Result<Option<&[u8]>, Error> {
        if self.framing.header().is_none() && self.ahead.is_none() {
            // The header comes before the first record.
            self.ahead = self.next(1).await?;
        }
        Ok(self.framing.header())
    }

    /// Adds the place to an error in the records.
    pub(super) fn locate(&self, error: impl Into<Error>) -> Error {
        self.plain.source().locate(error)
    }

    /// How many compressed bytes were read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.plain.source().bytes()
    }

    /// The next records: at least one, at most `max`, and about 1 MiB of them; `None` after the true end.
    pub(super) async fn read(&mut self, max: u32) -> Result<Option<Batch>, Error> {
        match self.ahead.take() {
            Some(batch) => Ok(Some(batch)),
            None => self.next(max).await,
        }
    }

    async fn next(&mut self, max: u32) -> Result<Option<Batch>, Error> {
        let (mut batch, max) = (Batch::new(), max.max(1) as usize);
        while !self.ended {
            if self.taken == self.chunk.len() {
                self.taken = 0;
                match self.plain.next(std::mem::take(&mut self.chunk)).await? {
                    Some(chunk) => self.chunk = chunk,
                    None => {
                        self.ended = true;
                        let finished = self.framing.finish(&mut batch);
                        finished.map_err(|why| self.locate(why))?;
                        break;
                    }
                }
            }
            let pushed = self.framing.push(&self.chunk[self.taken..], &mut batch, max);
            if !batch.is_empty() {
                // Records before an error come first: the next call returns it.
                self.taken += pushed.unwrap_or(0);
                break;
            }
            self.taken += pushed.map_err(|why| self.locate(why))?;
        }
        Ok(Some(batch).filter(|batch| !batch.is_empty()))
    }
}

/// The records of an object, for one call at a time.
pub struct RecordReader(RefCell<State>);

enum State {
    Idle(Box<Records>),
    /// A call is using the reader; another one meanwhile is refused.
    Busy,
    Failed(Error),
}

#[expect(clippy::missing_errors_doc, reason = "they are those of the WIT interface")]
impl RecordReader {
    pub(super) async fn open(side: &Side) -> Result<Self, Error> {
        Ok(Self(RefCell::new(State::Idle(Box::new(Records::open(side).await?)))))
    }

    /// The next records: at least one, at most `max_records`; `None` after the true end.
    pub async fn read(&self, max_records: u32) -> Result<Option<Batch>, Error> {
        self.with(async |records| records.read(max_records).await).await
    }

    /// The row that names the columns, if the format has one.
    pub async fn header(&self) -> Result<Option<Vec<u8>>, Error> {
        self.with(async |records| Ok(records.header().await?.map(<[u8]>::to_vec))).await
    }

    /// Runs a call on the reader, unless another call is using it or it failed.
    async fn with<R>(&self, act: impl AsyncFnOnce(&mut Records) -> Result<R, Error>) -> Result<R, Error> {
        let mut records = match self.0.replace(State::Busy) {
            State::Idle(records) => records,
            State::Busy => return Err(busy()),
            State::Failed(error) => {
                self.0.replace(State::Failed(error.clone()));
                return Err(error);
            }
        };
        let acted = act(&mut records).await;
        self.0.replace(match &acted {
            Ok(_) => State::Idle(records),
            Err(error) => State::Failed(error.clone()),
        });
        acted
    }
}
