//! A body that is pushed: for bytes that come before somebody asks for them.

use std::{cell::RefCell, rc::Rc};

use async_trait::async_trait;
use futures::{SinkExt, StreamExt, channel::mpsc};
use omnistorage_types::{Error, ErrorCode, Result};

use crate::{
    planted::{self, Bug},
    port::{Body, Contents},
};

/// What goes through the pipe.
enum Part {
    Chunk(Vec<u8>),
    End(Result<()>),
}

/// The writing end. If it is dropped without [`Sink::end`], the reader gets an error instead of an end.
pub(crate) struct Sink {
    parts: mpsc::Sender<Part>,
    /// Buffers that the reader is done with.
    spent: Rc<RefCell<Vec<u8>>>,
    bytes: u64,
}

struct Fed {
    parts: mpsc::Receiver<Part>,
    spent: Rc<RefCell<Vec<u8>>>,
}

/// Makes a body and its writing end. One chunk may be in flight; a second one waits.
pub(crate) fn pipe() -> (Sink, Contents) {
    let (sender, parts) = mpsc::channel(0);
    let spent = Rc::default();
    (Sink { parts: sender, spent: Rc::clone(&spent), bytes: 0 }, Box::new(Fed { parts, spent }))
}

impl Sink {
    /// How many bytes were taken so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sends bytes, and returns an empty buffer for reuse. Fails with `cancelled` if the reader is gone.
    pub(crate) async fn push(&mut self, chunk: Vec<u8>) -> Result<Vec<u8>> {
        // A body has no empty chunks.
        if chunk.is_empty() {
            return Ok(chunk);
        }
        let length = chunk.len() as u64;
        self.parts.send(Part::Chunk(chunk)).await.map_err(|_| cancelled())?;
        self.bytes += length;
        Ok(self.spent.take())
    }

    /// Ends the body, and says whether the end is the true one.
    pub(crate) async fn end(mut self, verdict: Result<()>) {
        if planted::has(Bug::LosesCompletion) {
            return std::mem::forget(self);
        }
        // The reader may be gone.
        let _ = self.parts.send(Part::End(verdict)).await;
    }
}

#[async_trait(?Send)]
impl Body for Fed {
    async fn next(&mut self, mut buffer: Vec<u8>) -> Result<Option<Vec<u8>>> {
        buffer.clear();
        self.spent.replace(buffer);
        match self.parts.next().await {
            Some(Part::Chunk(chunk)) => Ok(Some(chunk)),
            Some(Part::End(verdict)) => verdict.map(|()| None),
            None => Err(cancelled()),
        }
    }
}

/// The error for an end that was dropped without saying why.
#[must_use]
pub fn cancelled() -> Error {
    Error::new(ErrorCode::Cancelled, "it was given up before its end")
}
