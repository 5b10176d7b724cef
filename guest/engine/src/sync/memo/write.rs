//! Writes a memo. It appears only once it is complete.

use futures::channel::oneshot;
use omnistorage_core::sync::memo::{Fact, Header, Writer};
use omnistorage_types::{Error, ErrorCode};

use crate::{
    body::CHUNK,
    pipe::{Sink, cancelled, pipe},
    place::Place,
    sync::copying::as_it_is,
};

/// A memo that is being written. If it is dropped before the end, the old one stays.
pub(super) struct NewMemo {
    writer: Writer,
    sink: Sink,
    buffer: Vec<u8>,
    stored: oneshot::Receiver<Result<(), Error>>,
}

impl NewMemo {
    /// Starts to write in the background.
    pub(super) fn begin(place: Place, header: &Header) -> Self {
        let (sink, body) = pipe();
        let (done, stored) = oneshot::channel();
        let port = place.port.clone();
        port.spawn(Box::pin(async move {
            let written = place.backend.write(place.path.clone(), body, as_it_is()).await;
            // The run may have ended.
            let _ = done.send(written.map(drop));
        }));
        Self { writer: Writer::new(header), sink, buffer: Vec::new(), stored }
    }

    /// Buffers the next record; [`NewMemo::flush`] sends it.
    pub(super) fn write(&mut self, fact: &Fact) {
        self.writer.write(fact, &mut self.buffer);
    }

    /// Whether enough is buffered to be sent.
    pub(super) fn is_full(&self) -> bool {
        self.buffer.len() >= CHUNK
    }

    /// Sends what is buffered.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        self.buffer = self.sink.push(std::mem::take(&mut self.buffer)).await?;
        Ok(())
    }

    /// Finishes it: it replaces the old one.
    pub(super) async fn finish(self) -> Result<(), Error> {
        let Self { writer, mut sink, mut buffer, stored } = self;
        writer.finish(&mut buffer);
        sink.push(buffer).await?;
        sink.end(Ok(())).await;
        stored.await.unwrap_or_else(|_| Err(cancelled()))
    }

    /// Aborts it: the old one stays.
    pub(super) async fn abandon(self) {
        self.sink.end(Err(Error::new(ErrorCode::Cancelled, "the run was not carried through"))).await;
        // The writer ends once its input is closed.
        let _ = self.stored.await;
    }
}
