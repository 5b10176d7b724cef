//! A writer of records as a sink: what streams are forwarded to.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures::{
    Sink,
    future::{BoxFuture, FutureExt},
};

use super::{RecordWriter, writer::closed};
use crate::{Error, ObjectInfo, Result};

/// Takes records one by one. To close it is to commit; dropping it instead, as `forward` does after an error of its stream,
/// leaves nothing behind. See [`RecordWriter::into_sink`].
pub struct RecordSink {
    state: State,
    /// Whether records were taken since they were last handed on.
    keeps: bool,
}

enum State {
    Open(Box<RecordWriter>),
    /// At work on a record, or on all that was kept back.
    Busy(BoxFuture<'static, Result<Box<RecordWriter>>>),
    Ending(BoxFuture<'static, Result<ObjectInfo>>),
    Committed,
    /// For good: whoever asks again is told again.
    Failed(Error),
}

impl std::fmt::Debug for RecordSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordSink").finish_non_exhaustive()
    }
}

impl RecordSink {
    pub(super) fn new(writer: RecordWriter) -> Self {
        Self { state: State::Open(Box::new(writer)), keeps: false }
    }

    /// Waits until it is at work on nothing.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if let State::Busy(work) = &mut self.state {
            self.state = match ready!(work.poll_unpin(cx)) {
                Ok(writer) => State::Open(writer),
                Err(error) => State::Failed(error),
            };
        }
        Poll::Ready(match &self.state {
            State::Failed(error) => Err(error.clone()),
            State::Open(_) | State::Busy(_) => Ok(()),
            State::Ending(_) | State::Committed => Err(closed()),
        })
    }

    /// Has the writer do something.
    fn begin(&mut self, work: impl FnOnce(Box<RecordWriter>) -> State) -> Result<()> {
        match std::mem::replace(&mut self.state, State::Committed) {
            State::Open(writer) => {
                self.state = work(writer);
                Ok(())
            }
            other => {
                self.state = other;
                Err(closed())
            }
        }
    }
}

impl Sink<Bytes> for RecordSink {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll_idle(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, record: Bytes) -> Result<()> {
        self.keeps = true;
        self.begin(|mut writer| {
            let work = async move {
                writer.write(&record).await?;
                Ok(writer)
            };
            State::Busy(work.boxed())
        })
    }

    /// Hands what was kept back to the backend, as far as the codec lets go of it.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_idle(cx))?;
        if !std::mem::take(&mut self.keeps) {
            return Poll::Ready(Ok(()));
        }
        self.begin(|mut writer| {
            let work = async move {
                writer.flush().await?;
                Ok(writer)
            };
            State::Busy(work.boxed())
        })?;
        self.poll_idle(cx)
    }

    /// Commits. To close it again changes nothing.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            match &mut self.state {
                State::Open(_) => {
                    self.begin(|writer| State::Ending(async move { writer.finish().await }.boxed()))?;
                }
                State::Ending(ending) => {
                    self.state = match ready!(ending.poll_unpin(cx)) {
                        Ok(_) => State::Committed,
                        Err(error) => State::Failed(error),
                    };
                }
                State::Committed => return Poll::Ready(Ok(())),
                State::Busy(_) | State::Failed(_) => ready!(self.poll_idle(cx))?,
            }
        }
    }
}
