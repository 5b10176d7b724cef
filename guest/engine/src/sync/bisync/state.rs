//! The state: read through a backend, checked before it is used, and replaced in one step.

use futures::future::LocalBoxFuture;
use omnistorage_core::sync::bisync::{
    Record,
    state::{Header, Reader, StateError, Writer},
};
use omnistorage_types::{Error, ErrorCode, ObjectInfo, ReadOptions};

use crate::{
    body::{CHUNK, Source},
    pipe::{Sink, pipe},
    place::Place,
    port::{Body, Reader as Opened},
    sync::{
        copying::as_it_is,
        retry::{Attempts, retrying},
    },
};

/// Where it is.
pub(super) struct StateFile {
    place: Place,
    attempts: Attempts,
}

/// A state that was read to its end and checked.
pub(super) struct Known {
    pub(super) records: u64,
    /// The version of the object that was read or written.
    pub(super) etag: Option<String>,
}

impl StateFile {
    pub(super) const fn new(place: Place, attempts: Attempts) -> Self {
        Self { place, attempts }
    }

    /// Reads all of it, and refuses a state that is damaged or about something else. The error says what to do.
    pub(super) async fn check(&self, wanted: &Header) -> Result<Known, Error> {
        retrying(&self.attempts, async || self.check_once(wanted).await).await
    }

    async fn check_once(&self, wanted: &Header) -> Result<Known, Error> {
        let refused = |message: String| self.place.error(ErrorCode::PreconditionFailed, &message);
        let mut records = match self.records(None).await {
            Ok(records) => records,
            Err(error) if error.code() == ErrorCode::NotFound => {
                let message =
                    "there is no state of these two places: begin with `resync`, which deletes nothing";
                return Err(refused(message.to_owned()));
            }
            Err(error) => return Err(error),
        };
        while records.next().await?.is_some() {}
        let Some(found) = records.reader.header() else {
            return Err(self.damaged(&StateError::Foreign));
        };
        if (&found.first, &found.second) != (&wanted.first, &wanted.second) {
            return Err(refused(format!(
                "the state is that of `{}` and `{}`, not of these places: begin anew with `resync`",
                found.first, found.second
            )));
        }
        if found.filter != wanted.filter {
            let message = "the filter is not that of the last run, so that objects would look new or deleted: go back \
                           to it, or begin anew with `resync`";
            return Err(refused(message.to_owned()));
        }
        Ok(Known { records: records.reader.records(), etag: records.etag })
    }

    /// The records of a state that was checked.
    pub(super) async fn known_records(&self, known: &Known) -> Result<Records<'_>, Error> {
        retrying(&self.attempts, async || self.records(known.etag.clone()).await).await
    }

    async fn records(&self, if_match: Option<String>) -> Result<Records<'_>, Error> {
        let options = ReadOptions { offset: 0, length: None, if_match };
        let Opened { info, contents } = self.place.read(options).await?;
        let etag = info.etag;
        Ok(Records { file: self, source: Source::of(&self.place, contents), reader: Reader::new(), etag })
    }

    /// A new state, and the call that stores it once it is finished.
    pub(super) fn replace<'a>(
        &'a self,
        header: &Header,
    ) -> (NewState, LocalBoxFuture<'a, Result<ObjectInfo, Error>>) {
        let (sink, body) = pipe();
        let path = self.place.path.clone();
        let write = Box::pin(async move { self.place.backend.write(path, body, as_it_is()).await });
        (NewState { writer: Writer::new(header), sink, buffer: Vec::new() }, write)
    }

    fn damaged(&self, why: &StateError) -> Error {
        let message = format!("the state is damaged, and not believed: {why}; begin anew with `resync`");
        self.place.error(ErrorCode::PreconditionFailed, &message)
    }
}

/// The records of a state while they are read.
pub(super) struct Records<'a> {
    file: &'a StateFile,
    source: Source,
    reader: Reader,
    etag: Option<String>,
}

impl Records<'_> {
    /// The next records; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Record>>, Error> {
        let mut records = Vec::new();
        match self.source.next(Vec::new()).await? {
            Some(bytes) => {
                self.reader.push(&bytes, &mut records).map_err(|why| self.file.damaged(&why))?;
                Ok(Some(records))
            }
            None => {
                self.reader.finish().map_err(|why| self.file.damaged(&why))?;
                Ok(None)
            }
        }
    }
}

/// A state while it is written. If it is dropped before its end, the old one stays.
pub(super) struct NewState {
    writer: Writer,
    sink: Sink,
    buffer: Vec<u8>,
}

impl NewState {
    /// Writes the next record.
    pub(super) async fn write(&mut self, record: &Record) -> Result<(), Error> {
        self.writer.write(record, &mut self.buffer);
        if self.buffer.len() >= CHUNK {
            self.buffer = self.sink.push(std::mem::take(&mut self.buffer)).await?;
        }
        Ok(())
    }

    /// Ends it: it takes the place of the old one.
    pub(super) async fn finish(mut self) -> Result<(), Error> {
        self.writer.finish(&mut self.buffer);
        self.sink.push(self.buffer).await?;
        self.sink.end(Ok(())).await;
        Ok(())
    }

    /// Gives it up: the old one stays.
    pub(super) async fn abandon(self) {
        self.sink.end(Err(Error::new(ErrorCode::Cancelled, "the run was not carried through"))).await;
    }
}
