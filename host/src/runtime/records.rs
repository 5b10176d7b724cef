//! Records: one at a time for the caller, in batches across the boundary.

use std::future::poll_fn;

use futures::{SinkExt, StreamExt, channel::mpsc};
use tokio::sync::oneshot;
use wasmtime::component::ResourceAny;

use super::{
    Codec, Storage,
    bindings::exports::omnistorage::storage::records as wit,
    sandbox::{Guest, Inside, Task},
};
use crate::{
    error::{Error, ErrorCode, Result},
    object::{Location, ObjectInfo},
};

/// How the fields of a CSV record are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvDialect {
    /// Between two fields.
    pub delimiter: char,
    /// Around a field that holds a delimiter, a quote or a line end.
    pub quote: char,
    /// The first record names the columns.
    pub header: bool,
}

/// How records lie in a byte stream. One that the component lacks fails with [`ErrorCode::Unsupported`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON text a line, ended by LF or CRLF.
    Ndjson,
    /// A length, then as many bytes.
    LengthPrefixed,
    /// RFC 4180.
    Csv(CsvDialect),
}

/// How records are stored. What is `None` is told from the extensions of the path, and on reading the codec also from
/// the first bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoding {
    /// `.ndjson` and `.jsonl` tell it.
    pub format: Option<Format>,
    /// `.gz` tells it.
    pub codec: Option<Codec>,
    /// Of the codec, for writing.
    pub level: Option<i32>,
    /// In bytes; `None`: 16 MiB. A longer record ends the reading or the writing with [`ErrorCode::LimitExceeded`].
    pub max_record: Option<u64>,
    /// Check that each record is well formed (NDJSON: JSON syntax).
    pub validate: bool,
}

/// Records laid end to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordBatch {
    data: Vec<u8>,
    ends: Vec<u32>,
}

impl RecordBatch {
    /// Without any record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`ErrorCode::LimitExceeded`] where the batch would have more than 4 GiB.
    pub fn push(&mut self, record: &[u8]) -> Result<()> {
        let end = u32::try_from(self.data.len() + record.len())
            .map_err(|_| Error::new(ErrorCode::LimitExceeded, "a batch of records holds at most 4 GiB"))?;
        self.data.extend_from_slice(record);
        self.ends.push(end);
        Ok(())
    }

    /// How many records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many bytes, all records together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    /// The records in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The record of that number, from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.data.get(start..end)
    }
}

impl From<wit::Batch> for RecordBatch {
    fn from(batch: wit::Batch) -> Self {
        Self { data: batch.data, ends: batch.ends }
    }
}

impl From<RecordBatch> for wit::Batch {
    fn from(batch: RecordBatch) -> Self {
        Self { data: batch.data, ends: batch.ends }
    }
}

/// Records asked for at once.
const BATCH: u32 = 4096;

/// Bytes collected before they cross the boundary.
const FLUSH: usize = 256 * 1024;

/// Reads the records of an object from its start. After an error nothing more is handed out. Dropping it ends its
/// sandbox.
#[derive(Debug)]
pub struct RecordReader {
    batches: mpsc::Receiver<RecordBatch>,
    batch: RecordBatch,
    next: usize,
    task: Option<Task<()>>,
    failure: Option<Error>,
}

impl RecordReader {
    /// The next record; `None` after the last, which is checked to be the true last.
    ///
    /// # Errors
    /// What is wrong with which record: [`Error::offset`] is its number, from 1. Later calls fail with the same.
    pub async fn read(&mut self) -> Result<Option<&[u8]>> {
        if self.next == self.batch.len() {
            match self.receive().await? {
                Some(batch) => (self.batch, self.next) = (batch, 0),
                None => return Ok(None),
            }
        }
        self.next += 1;
        Ok(self.batch.get(self.next - 1))
    }

    /// As many further records as are at hand, at least one; `None` after the last.
    ///
    /// # Errors
    /// As [`RecordReader::read`].
    pub async fn read_batch(&mut self) -> Result<Option<RecordBatch>> {
        if self.next == self.batch.len() {
            return self.receive().await;
        }
        let mut rest = RecordBatch::new();
        for record in self.batch.iter().skip(self.next) {
            rest.push(record)?;
        }
        self.next = self.batch.len();
        Ok(Some(rest))
    }

    async fn receive(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(batch) = self.batches.next().await {
            return Ok(Some(batch));
        }
        if let Some(task) = &mut self.task {
            self.failure = task.outcome().await.err();
            self.task = None;
        }
        // Said again to whoever asks again: an end would look like the true one.
        self.failure.clone().map_or(Ok(None), Err)
    }
}

/// Writes the records of an object. Nothing of it is visible before [`RecordWriter::finish`]; dropping it instead
/// leaves nothing behind.
#[derive(Debug)]
pub struct RecordWriter {
    commands: mpsc::Sender<Command>,
    batch: RecordBatch,
    task: Option<Task<ObjectInfo>>,
}

#[derive(Debug)]
enum Command {
    Write(RecordBatch),
    Flush(oneshot::Sender<()>),
    Finish,
}

impl RecordWriter {
    /// Writes one record. It may be kept back to go with others. It counts as written also where the future is dropped
    /// half way.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] for a record that the format cannot hold, now or with a later call; what is
    /// wrong with the target.
    pub async fn write(&mut self, record: &[u8]) -> Result<()> {
        self.batch.push(record)?;
        if self.batch.bytes() >= FLUSH { self.hand_over().await } else { Ok(()) }
    }

    /// Writes many records.
    ///
    /// # Errors
    /// As [`RecordWriter::write`].
    pub async fn write_batch(&mut self, batch: RecordBatch) -> Result<()> {
        self.hand_over().await?;
        self.send(Command::Write(batch)).await
    }

    /// Hands what was kept back to the backend, as far as the codec lets go of it.
    ///
    /// # Errors
    /// As [`RecordWriter::write`].
    pub async fn flush(&mut self) -> Result<()> {
        self.hand_over().await?;
        let (done, flushed) = oneshot::channel();
        self.send(Command::Flush(done)).await?;
        match flushed.await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.failure().await),
        }
    }

    /// Commits.
    ///
    /// # Errors
    /// As [`RecordWriter::write`]; nothing is left behind.
    pub async fn finish(mut self) -> Result<ObjectInfo> {
        self.hand_over().await?;
        self.send(Command::Finish).await?;
        match self.task.take() {
            Some(task) => task.join().await,
            None => Err(closed()),
        }
    }

    /// Why the sandbox ended before its time; said once.
    async fn failure(&mut self) -> Error {
        match self.task.take() {
            Some(task) => task.failure().await,
            None => closed(),
        }
    }

    async fn hand_over(&mut self) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        // Room first: a caller that stops waiting here must not lose records.
        if poll_fn(|cx| self.commands.poll_ready(cx)).await.is_err() {
            return Err(self.failure().await);
        }
        let batch = std::mem::take(&mut self.batch);
        self.send(Command::Write(batch)).await
    }

    async fn send(&mut self, command: Command) -> Result<()> {
        match self.commands.send(command).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.failure().await),
        }
    }
}

fn closed() -> Error {
    Error::new(ErrorCode::WriterClosed, "the writer failed before")
}

/// What a conversion did. Bytes are those of the objects, compressed as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvertReport {
    /// Records read, and written.
    pub records: u64,
    /// Of the source.
    pub bytes_read: u64,
    /// Of the target.
    pub bytes_written: u64,
}

impl Storage {
    /// Opens the records of an object.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] if the format is neither given nor told by the path; as
    /// [`Backend::read`](crate::Backend::read).
    pub async fn read_records(&self, source: &Location, encoding: &Encoding) -> Result<RecordReader> {
        let (source, encoding) = (source.into(), encoding.into());
        let sandbox = self.sandbox().await?;
        let (started, start) = oneshot::channel();
        let task = Task::spawn(sandbox.run(async move |inside: &Inside, guest: &Guest| {
            let records = guest.records(inside)?;
            let readers = records.record_reader();
            let reader: ResourceAny = match readers.call_open(inside, source, encoding).await? {
                Ok(reader) => reader,
                Err(error) => return Ok(Err(error.into())),
            };
            let (mut sender, batches) = mpsc::channel(1);
            // The caller may have left already.
            let _ = started.send(batches);
            loop {
                match readers.call_read(inside, reader, BATCH).await? {
                    Ok(Some(batch)) => {
                        if sender.send(batch.into()).await.is_err() {
                            return Ok(Ok(()));
                        }
                    }
                    Ok(None) => return Ok(Ok(())),
                    Err(error) => return Ok(Err(error.into())),
                }
            }
        }));
        match start.await {
            Ok(batches) => {
                let batch = RecordBatch::new();
                Ok(RecordReader { batches, batch, next: 0, task: Some(task), failure: None })
            }
            Err(_) => Err(task.failure().await),
        }
    }

    /// Begins to write the records of an object.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] if the format is neither given nor told by the path; as
    /// [`Backend::write`](crate::Backend::write).
    pub async fn write_records(&self, target: &Location, encoding: &Encoding) -> Result<RecordWriter> {
        let (target, encoding) = (target.into(), encoding.into());
        let sandbox = self.sandbox().await?;
        let (started, start) = oneshot::channel();
        let task = Task::spawn(sandbox.run(async move |inside: &Inside, guest: &Guest| {
            let records = guest.records(inside)?;
            let writers = records.record_writer();
            let writer: ResourceAny = match writers.call_create(inside, target, encoding).await? {
                Ok(writer) => writer,
                Err(error) => return Ok(Err(error.into())),
            };
            let (commands, mut receiver) = mpsc::channel(1);
            // The caller may have left already.
            let _ = started.send(commands);
            while let Some(command) = receiver.next().await {
                let done = match command {
                    Command::Write(batch) => writers.call_write(inside, writer, batch.into()).await?,
                    Command::Flush(flushed) => {
                        let done = writers.call_flush(inside, writer).await?;
                        if done.is_ok() {
                            let _ = flushed.send(());
                        }
                        done
                    }
                    Command::Finish => {
                        let finished = writers.call_finish(inside, writer).await?;
                        return Ok(finished.map_err(Error::from).and_then(TryInto::try_into));
                    }
                };
                if let Err(error) = done {
                    return Ok(Err(error.into()));
                }
            }
            Ok(Err(Error::new(ErrorCode::Cancelled, "the writer was dropped")))
        }));
        match start.await {
            Ok(commands) => Ok(RecordWriter { commands, batch: RecordBatch::new(), task: Some(task) }),
            Err(_) => Err(task.failure().await),
        }
    }

    /// Reads every record of one object and writes it to another, which is then whole, or as it was.
    ///
    /// # Errors
    /// As [`Storage::read_records`] and [`Storage::write_records`], and what is wrong with which record.
    pub async fn convert(
        &self,
        source: &Location,
        source_encoding: &Encoding,
        target: &Location,
        target_encoding: &Encoding,
    ) -> Result<ConvertReport> {
        let (source, source_encoding) = (source.into(), source_encoding.into());
        let (target, target_encoding) = (target.into(), target_encoding.into());
        let converted = self.sandbox().await?.run(async move |inside: &Inside, guest: &Guest| {
            let records = guest.records(inside)?;
            let converted =
                records.call_convert(inside, source, source_encoding, target, target_encoding).await?;
            Ok(converted.map_err(Error::from))
        });
        let wit::ConvertReport { records, bytes_read, bytes_written } = converted.await?;
        Ok(ConvertReport { records, bytes_read, bytes_written })
    }
}

impl From<&Encoding> for wit::Encoding {
    fn from(encoding: &Encoding) -> Self {
        Self {
            format: encoding.format.map(|format| match format {
                Format::Ndjson => wit::Format::Ndjson,
                Format::LengthPrefixed => wit::Format::LengthPrefixed,
                Format::Csv(CsvDialect { delimiter, quote, header }) => {
                    wit::Format::Csv(wit::CsvDialect { delimiter, quote, header })
                }
            }),
            codec: encoding.codec.map(Into::into),
            level: encoding.level,
            max_record: encoding.max_record,
            validate: encoding.validate,
        }
    }
}
