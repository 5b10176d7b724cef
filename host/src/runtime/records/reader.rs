//! Reading records: one at a time for the caller, in batches across the boundary.

use bytes::Bytes;
use futures::{SinkExt, Stream, StreamExt, TryStreamExt, channel::mpsc, stream};
use tokio::sync::oneshot;
use wasmtime::component::ResourceAny;

use super::{Encoding, RecordBatch};
use crate::{
    Error, Location, Result,
    runtime::{
        Storage,
        sandbox::{Guest, Inside, Task},
    },
};

/// How many records are asked for at once.
const BATCH: u32 = 4096;

/// Reads the records of an object from its start. After an error nothing more is handed out. Dropping it ends its
/// sandbox.
///
/// ```
/// # use std::sync::Arc;
/// # use omnistorage::{MemoryBackend, Location, runtime::{Encoding, Runtime, RuntimeOptions, Storage}};
/// # #[tokio::main]
/// # async fn main() -> omnistorage::Result<()> {
/// # let runtime = Runtime::new(&RuntimeOptions::default())?;
/// # let storage = Storage::builder(&runtime).mount("here", Arc::new(MemoryBackend::new())).build();
/// let at = Location::new("here", "people.csv")?;
/// storage.write_all(&at, "name,age\nann,31\nbob,27\n".into(), &Default::default()).await?;
///
/// let mut reader = storage.read_records(&at, &Encoding::default()).await?;
/// assert_eq!(reader.header().await?, Some(&b"name,age"[..]));
/// assert_eq!(reader.read().await?, Some(&b"ann,31"[..]));
/// assert_eq!(reader.read().await?, Some(&b"bob,27"[..]));
/// assert_eq!(reader.read().await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RecordReader {
    header: Header,
    batches: mpsc::Receiver<RecordBatch>,
    batch: RecordBatch,
    next: usize,
    task: Option<Task<()>>,
    failure: Option<Error>,
}

/// The row that names the columns.
#[derive(Debug)]
enum Header {
    /// Not known yet: the sandbox will say.
    Coming(oneshot::Receiver<Option<Vec<u8>>>),
    Known(Option<Vec<u8>>),
    /// The sandbox ended before it could say.
    Failed,
}

impl RecordReader {
    /// The row that names the columns, as it is written; `None` where there is none. It is no record.
    ///
    /// # Errors
    /// As [`RecordReader::read`].
    pub async fn header(&mut self) -> Result<Option<&[u8]>> {
        if let Header::Coming(coming) = &mut self.header {
            self.header = coming.await.map_or(Header::Failed, Header::Known);
        }
        if matches!(self.header, Header::Failed) {
            // Nothing comes before the header, so this is why there is none.
            return self.receive().await.map(|_| None);
        }
        match &self.header {
            Header::Known(header) => Ok(header.as_deref()),
            Header::Coming(_) | Header::Failed => Ok(None),
        }
    }

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

    /// The next records, as many as are ready but at least one; `None` after the last.
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

    /// The remaining records, one by one; those of a batch share memory. An error ends the stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes>> + Send {
        let batches = stream::try_unfold(self, async |mut reader| {
            Ok::<_, Error>(reader.read_batch().await?.map(|batch| (batch, reader)))
        });
        batches.map_ok(|batch| stream::iter(batch.into_records().map(Ok))).try_flatten()
    }

    /// Ends the sandbox, and waits until it has closed the object.
    pub async fn close(mut self) {
        if let Some(task) = self.task.take() {
            task.stop().await;
        }
    }

    async fn receive(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(batch) = self.batches.next().await {
            return Ok(Some(batch));
        }
        if let Some(task) = &mut self.task {
            self.failure = task.outcome().await.err();
            self.task = None;
        }
        // Repeated for each later call: an end would look like the true one.
        self.failure.clone().map_or(Ok(None), Err)
    }
}

impl Storage {
    /// Opens the records of an object.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) if the format is neither given nor told by the
    /// path; as [`Backend::read`](crate::Backend::read).
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
            let (header, coming) = oneshot::channel();
            // The caller may have left already.
            let _ = started.send((batches, coming));
            match readers.call_header(inside, reader).await? {
                // The caller may have dropped the receiver.
                Ok(found) => drop(header.send(found)),
                Err(error) => return Ok(Err(error.into())),
            }
            loop {
                match readers.call_read(inside, reader, BATCH).await? {
                    Ok(Some(batch)) => match batch.try_into() {
                        Ok(batch) => {
                            if sender.send(batch).await.is_err() {
                                return Ok(Ok(()));
                            }
                        }
                        Err(error) => return Ok(Err(error)),
                    },
                    Ok(None) => return Ok(Ok(())),
                    Err(error) => return Ok(Err(error.into())),
                }
            }
        }));
        match start.await {
            Ok((batches, header)) => Ok(RecordReader {
                header: Header::Coming(header),
                batches,
                batch: RecordBatch::new(),
                next: 0,
                task: Some(task),
                failure: None,
            }),
            Err(_) => Err(task.failure().await),
        }
    }
}
