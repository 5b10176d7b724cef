//! Writing records: one at a time from the caller, in batches across the boundary.

use std::future::poll_fn;

use futures::{SinkExt, StreamExt, channel::mpsc};
use tokio::sync::oneshot;
use wasmtime::component::ResourceAny;

use super::{Encoding, RecordBatch, RecordSink};
use crate::{
    Error, ErrorCode, Location, ObjectInfo, Result,
    runtime::{
        Storage,
        sandbox::{Guest, Inside, Task},
    },
};

/// How many bytes are gathered before they cross the boundary.
const FLUSH: usize = 256 * 1024;

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

    /// Hands on what was kept back to the backend, except for what the codec holds.
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

    /// As a sink, which commits when it is closed: a stream of records is forwarded to it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use futures::{StreamExt, TryStreamExt};
    /// use omnistorage::{Location, MemoryBackend, runtime::{Runtime, RuntimeOptions, Storage}};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> omnistorage::Result<()> {
    /// let storage = Storage::builder(&Runtime::new(&RuntimeOptions::default())?)
    ///     .mount("logs", Arc::new(MemoryBackend::new()))
    ///     .build();
    /// let (plain, packed) = (Location::new("logs", "a.ndjson")?, Location::new("logs", "a.ndjson.zst")?);
    /// storage.write_all(&plain, "{\"n\":1}\n{\"n\":2}\n".into(), &Default::default()).await?;
    ///
    /// let records = storage.read_records(&plain, &Default::default()).await?.into_stream();
    /// let large = records.try_filter(|record| std::future::ready(record.ends_with(b"2}")));
    /// let writer = storage.write_records(&packed, &Default::default()).await?;
    /// large.forward(writer.into_sink()).await?; // until here there is no such object
    ///
    /// let mut written = storage.read_records(&packed, &Default::default()).await?;
    /// assert_eq!(written.read().await?, Some(&b"{\"n\":2}"[..]));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn into_sink(self) -> RecordSink {
        RecordSink::new(self)
    }

    /// Gives the object up, and waits until nothing of it is left.
    pub async fn abort(mut self) {
        if let Some(task) = self.task.take() {
            task.stop().await;
        }
    }

    /// Why the sandbox ended too early; given once.
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
        // Wait for room first: a caller that stops waiting here must not lose records.
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

pub(super) fn closed() -> Error {
    Error::new(ErrorCode::WriterClosed, "the writer failed before")
}

impl Storage {
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
}
