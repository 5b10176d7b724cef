//! A body that is fed: for whoever has bytes before somebody asks for them.

use std::{cell::RefCell, rc::Rc};

use async_trait::async_trait;
use futures::{SinkExt, StreamExt, channel::mpsc};
use omnistorage_types::{Error, ErrorCode, Result};

use crate::{
    planted::{self, Bug},
    port::{Body, Contents},
};

/// What passes through.
enum Part {
    Chunk(Vec<u8>),
    End(Result<()>),
}

/// The end of a body that is fed. Dropped without [`Sink::end`], its reader learns that the end is not the true one.
pub(crate) struct Sink {
    parts: mpsc::Sender<Part>,
    /// What the reader is done with.
    spent: Rc<RefCell<Vec<u8>>>,
    bytes: u64,
}

struct Fed {
    parts: mpsc::Receiver<Part>,
    spent: Rc<RefCell<Vec<u8>>>,
}

/// A body, and the end that feeds it. One chunk is on its way; whoever feeds more waits.
pub(crate) fn pipe() -> (Sink, Contents) {
    let (sender, parts) = mpsc::channel(0);
    let spent = Rc::default();
    (Sink { parts: sender, spent: Rc::clone(&spent), bytes: 0 }, Box::new(Fed { parts, spent }))
}

impl Sink {
    /// The bytes taken so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Hands bytes on, and gives a buffer back, empty. `cancelled` if the reader left.
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

    /// Ends the bytes, and says why they ended.
    pub(crate) async fn end(mut self, verdict: Result<()>) {
        if planted::has(Bug::LosesCompletion) {
            return std::mem::forget(self);
        }
        // A reader that left does not want to know.
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

/// The input ended, or the reader left, without a word.
#[must_use]
pub fn cancelled() -> Error {
    Error::new(ErrorCode::Cancelled, "it was given up before its end")
}
