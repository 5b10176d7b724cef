//! Answers that are to come, as what they are asked for.

use std::{fmt, sync::Weak};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{
    attributes::Attributes,
    cursor::Cursor,
    failure::{refused, unexpected},
    wire::{Answer, Named, Status},
};
use crate::{Error, ErrorCode, Result};

/// Who closes what was opened for nobody.
pub(super) trait Closes: fmt::Debug + Send + Sync {
    fn close(&self, handle: &[u8]);
}

/// An answer that is to come. It may be dropped, and the request takes place all the same; what was opened is closed
/// then.
#[derive(Debug)]
pub(super) struct Reply {
    answer: oneshot::Receiver<Result<Answer>>,
    exchange: Weak<dyn Closes>,
}

impl Reply {
    pub(super) fn new(answer: oneshot::Receiver<Result<Answer>>, exchange: Weak<dyn Closes>) -> Self {
        Self { answer, exchange }
    }

    pub(super) async fn answer(mut self) -> Result<Answer> {
        let gone = || Error::new(ErrorCode::Unavailable, "the connection was given up: try again");
        (&mut self.answer).await.map_err(|_| gone())?
    }

    /// That it was done.
    pub(super) async fn done(self) -> Result<()> {
        match self.answer().await? {
            Answer::Status(status) if status.code == Status::OK => Ok(()),
            Answer::Status(status) => Err(refused(&status)),
            _ => Err(unexpected()),
        }
    }

    pub(super) async fn handle(self) -> Result<Bytes> {
        match self.answer().await? {
            Answer::Handle(handle) => Ok(handle),
            other => Err(not_that(other)),
        }
    }

    pub(super) async fn attributes(self) -> Result<Attributes> {
        match self.answer().await? {
            Answer::Attributes(attributes) => Ok(attributes),
            other => Err(not_that(other)),
        }
    }

    /// The same; `None` if there is nothing.
    pub(super) async fn found(self) -> Result<Option<Attributes>> {
        match self.attributes().await {
            Ok(attributes) => Ok(Some(attributes)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Bytes of a file; none at its end.
    pub(super) async fn data(self) -> Result<Bytes> {
        match self.answer().await? {
            Answer::Data(data) if !data.is_empty() => Ok(data),
            Answer::Status(status) if status.code == Status::EOF => Ok(Bytes::new()),
            other => Err(not_that(other)),
        }
    }

    /// Entries of a directory; `None` at its end.
    pub(super) async fn names(self) -> Result<Option<Vec<Named>>> {
        match self.answer().await? {
            Answer::Names(names) if !names.is_empty() => Ok(Some(names)),
            Answer::Status(status) if status.code == Status::EOF => Ok(None),
            other => Err(not_that(other)),
        }
    }

    pub(super) async fn extended(self) -> Result<Cursor> {
        match self.answer().await? {
            Answer::Extended(answer) => Ok(Cursor::new(answer)),
            other => Err(not_that(other)),
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        // It came, and nobody took it.
        if let Ok(Ok(Answer::Handle(handle))) = self.answer.try_recv()
            && let Some(exchange) = self.exchange.upgrade()
        {
            exchange.close(&handle);
        }
    }
}

fn not_that(answer: Answer) -> Error {
    match answer {
        Answer::Status(status) if !matches!(status.code, Status::OK | Status::EOF) => refused(&status),
        _ => unexpected(),
    }
}
