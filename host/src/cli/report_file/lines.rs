//! A report for machines: the events as JSON, one a line, written while they come.

use bytes::Bytes;
use futures::{FutureExt, SinkExt, StreamExt, channel::mpsc, future::Fuse, select_biased, stream};

// In a component futures stay on its one thread.
#[cfg(not(target_family = "wasm"))]
use futures::future::BoxFuture;
#[cfg(target_family = "wasm")]
use futures::future::LocalBoxFuture as BoxFuture;

use crate::{
    Error, ErrorCode, Location,
    backend::WriteOptions,
    runtime::{Compression, Storage},
};

/// Bytes gathered before they go on.
const CHUNK: usize = 64 * 1024;

/// Chunks that may wait to be written. More make the run wait.
const WAITING: usize = 4;

type Written = BoxFuture<'static, Result<(), Error>>;

/// The lines of a report on their way to its place.
pub(crate) struct Lines {
    gathered: Vec<u8>,
    /// `None` says that the end is the true one.
    chunks: mpsc::Sender<Option<Bytes>>,
    written: Fuse<Written>,
    /// How the writing ended, if it ended before the lines did.
    failed: Option<Error>,
}

impl Lines {
    pub(crate) fn start(storage: &Storage, target: Location, compress: Option<Compression>) -> Self {
        let (chunks, receiver) = mpsc::channel(WAITING);
        let contents = stream::unfold(Some(receiver), |receiver| async {
            let mut receiver: mpsc::Receiver<Option<Bytes>> = receiver?;
            match receiver.next().await {
                Some(Some(chunk)) => Some((Ok(chunk), Some(receiver))),
                Some(None) => None,
                // Given up: an end without an error would commit it.
                None => Some((Err(Error::new(ErrorCode::Cancelled, "the report was given up")), None)),
            }
        });
        let storage = Storage::clone(storage);
        let written = async move {
            let options = WriteOptions::default();
            storage.write(&target, contents.boxed(), &options, compress).await.map(drop)
        };
        let written: Written = Box::pin(written);
        Self { gathered: Vec::new(), chunks, written: written.fuse(), failed: None }
    }

    pub(crate) async fn add(&mut self, line: &str) {
        self.gathered.extend_from_slice(line.as_bytes());
        self.gathered.push(b'\n');
        if self.gathered.len() >= CHUNK {
            let chunk = std::mem::take(&mut self.gathered);
            self.send(Some(chunk.into())).await;
        }
    }

    /// Writes the rest, and commits the whole.
    ///
    /// # Errors
    /// Why it could not be written.
    pub(crate) async fn finish(mut self) -> Result<(), Error> {
        let rest = std::mem::take(&mut self.gathered);
        self.send(Some(rest.into())).await;
        self.send(None).await;
        match self.failed {
            Some(error) => Err(error),
            None => self.written.await,
        }
    }

    /// Hands something on as soon as there is room for it. After a failure, what comes is dropped.
    async fn send(&mut self, chunk: Option<Bytes>) {
        if self.failed.is_some() {
            return;
        }
        let mut written = &mut self.written;
        let mut sent = self.chunks.send(chunk).fuse();
        self.failed = select_biased! {
            outcome = written => Some(outcome.err().unwrap_or_else(ended)),
            sent = sent => match sent {
                Ok(()) => None,
                Err(_) => Some(written.await.err().unwrap_or_else(ended)),
            },
        };
    }
}

fn ended() -> Error {
    Error::new(ErrorCode::WriterClosed, "the report ended before the run")
}
