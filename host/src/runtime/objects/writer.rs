//! An object as a writer.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use futures::{SinkExt, StreamExt, channel::mpsc, future::BoxFuture, stream};
use tokio::io::AsyncWrite;

use super::super::{Compression, Storage, sandbox::Task};
use crate::{Error, ErrorCode, Location, ObjectInfo, Result, backend::WriteOptions};

/// Bytes gathered before they go on.
const CHUNK: usize = 64 * 1024;

/// Writes an object. Nothing of it is visible before [`ObjectWriter::finish`], or
/// [`shutdown`](tokio::io::AsyncWriteExt::shutdown), which is the same in the words of `tokio`; a writer that is
/// dropped instead leaves nothing behind.
pub struct ObjectWriter {
    /// `None` says that the end is the true one.
    chunks: mpsc::Sender<Option<Bytes>>,
    gathered: BytesMut,
    state: State,
}

enum State {
    Open(Task<ObjectInfo>),
    Ending(BoxFuture<'static, Result<ObjectInfo>>),
    Ended(Result<ObjectInfo>),
}

impl std::fmt::Debug for ObjectWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectWriter").finish_non_exhaustive()
    }
}

impl ObjectWriter {
    /// Commits what was written, and returns what is known about the new object.
    ///
    /// # Errors
    /// As [`Storage::write`]; the old object stays.
    pub async fn finish(mut self) -> Result<ObjectInfo> {
        std::future::poll_fn(|cx| self.poll_finish(cx)).await
    }

    /// Gives the object up, and waits until nothing of it is left. After a `shutdown`, even one that nobody waited for,
    /// it is too late for that, and this waits for the outcome.
    pub async fn abort(self) {
        match self.state {
            State::Open(task) => task.stop().await,
            State::Ending(ending) => drop(ending.await),
            State::Ended(_) => {}
        }
    }

    /// Hands on what was gathered.
    fn poll_hand_over(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.gathered.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if ready!(self.chunks.poll_ready_unpin(cx)).is_ok() {
            let chunk = self.gathered.split().freeze();
            // There is room: nobody else sends.
            let _ = self.chunks.start_send_unpin(Some(chunk));
            return Poll::Ready(Ok(()));
        }
        // The call ended early; its result says why.
        self.poll_outcome(cx).map(|outcome| outcome.and_then(|_| Err(closed())))
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<ObjectInfo>> {
        if matches!(self.state, State::Open(_)) {
            ready!(self.poll_hand_over(cx))?;
            if ready!(self.chunks.poll_ready_unpin(cx)).is_ok() {
                let _ = self.chunks.start_send_unpin(None);
            }
        }
        self.poll_outcome(cx)
    }

    /// The result of the call.
    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<ObjectInfo>> {
        loop {
            match &mut self.state {
                State::Ended(outcome) => return Poll::Ready(outcome.clone()),
                State::Ending(task) => {
                    let outcome = ready!(task.as_mut().poll(cx));
                    self.state = State::Ended(outcome);
                }
                State::Open(_) => {
                    if let State::Open(task) = std::mem::replace(&mut self.state, State::Ended(Err(closed())))
                    {
                        self.state = State::Ending(Box::pin(task.join()));
                    }
                }
            }
        }
    }
}

fn closed() -> Error {
    Error::new(ErrorCode::WriterClosed, "the writer was finished, or failed before")
}

impl AsyncWrite for ObjectWriter {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !matches!(this.state, State::Open(_)) {
            let failed = ready!(this.poll_outcome(cx)).and_then(|_| Err(closed()));
            return Poll::Ready(failed.map_err(io::Error::other));
        }
        if this.gathered.len() >= CHUNK {
            ready!(this.poll_hand_over(cx)).map_err(io::Error::other)?;
        }
        let length = bytes.len().min(CHUNK - this.gathered.len());
        this.gathered.extend_from_slice(&bytes[..length]);
        Poll::Ready(Ok(length))
    }

    /// Hands on what was gathered. It is not visible yet, and a codec may hold some of it back.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_hand_over(cx).map_err(io::Error::other)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_finish(cx).map_ok(drop).map_err(io::Error::other)
    }
}

impl Storage {
    /// Begins to write an object, compressed if asked: see [`Storage::reader`] for an example. What keeps the object
    /// from being written is the error of a later write, or of its end. To be called in a runtime of `tokio`, as all
    /// here.
    #[must_use]
    pub fn writer(
        &self,
        target: &Location,
        options: &WriteOptions,
        compress: Option<Compression>,
    ) -> ObjectWriter {
        let (chunks, receiver) = mpsc::channel(1);
        let contents = stream::unfold(Some(receiver), |receiver| async {
            let mut receiver: mpsc::Receiver<Option<Bytes>> = receiver?;
            match receiver.next().await {
                Some(Some(chunk)) => Some((Ok(chunk), Some(receiver))),
                // Says that the end is the true one.
                Some(None) => None,
                None => Some((Err(Error::new(ErrorCode::Cancelled, "the writer was dropped")), None)),
            }
        });
        let (storage, target, options) = (self.clone(), target.clone(), options.clone());
        let written = async move { storage.write(&target, contents.boxed(), &options, compress).await };
        ObjectWriter { chunks, gathered: BytesMut::new(), state: State::Open(Task::spawn(written)) }
    }
}
