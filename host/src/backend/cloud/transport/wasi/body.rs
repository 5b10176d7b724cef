//! The body of an answer.

use bytes::Bytes;
use send_wrapper::SendWrapper;
use wasip3::{
    http::types::{ErrorCode as HostCode, Response, Trailers},
    wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult},
    wit_future,
};

use super::{
    super::length::Length,
    failure::{broken_off, explain},
    request::{Transmission, going_on},
};
use crate::{Result, backend::task::here};

/// Bytes read at once.
const PIECE: usize = 64 * 1024;

/// A body that comes piece by piece.
pub(in crate::backend::cloud) struct Body(SendWrapper<State>);

struct State {
    /// Not there while it is read: a read that was broken off may have lost bytes.
    contents: Option<StreamReader<u8>>,
    trailers: Option<FutureReader<std::result::Result<Option<Trailers>, HostCode>>>,
    transmission: Transmission,
    length: Length,
    arrived: u64,
    has_ended: bool,
    host: String,
    /// Tells the host, once it is dropped, that this is done with the body.
    _handled: FutureWriter<std::result::Result<(), HostCode>>,
}

impl Body {
    pub(super) fn begin(coming: Response, length: Length, transmission: Transmission, host: String) -> Self {
        let (handled, outcome) = wit_future::new(|| Ok(()));
        let (contents, trailers) = Response::consume_body(coming, outcome);
        Self(SendWrapper::new(State {
            contents: Some(contents),
            trailers: Some(trailers),
            transmission,
            length,
            arrived: 0,
            has_ended: false,
            host,
            _handled: handled,
        }))
    }

    /// The next piece; `None` at the end.
    pub(in crate::backend::cloud) async fn chunk(&mut self) -> Result<Option<Bytes>> {
        here(self.0.next()).await
    }
}

impl State {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while !self.has_ended {
            let mut contents = self.contents.take().ok_or_else(|| self.cut("it was not read to its end"))?;
            let reading = contents.read(Vec::with_capacity(PIECE));
            let (state, piece) = going_on(&mut self.transmission, reading).await;
            self.contents = Some(contents);
            if !piece.is_empty() {
                self.arrived += piece.len() as u64;
                return Ok(Some(piece.into()));
            }
            if state == StreamResult::Dropped {
                self.end().await?;
            }
        }
        Ok(None)
    }

    /// Makes sure that the end is the true end.
    async fn end(&mut self) -> Result<()> {
        let trailers = self.trailers.take().ok_or_else(|| self.cut("it has ended before"))?;
        let ended = going_on(&mut self.transmission, trailers).await;
        ended.map_err(|code| explain(&self.host, &code))?;
        match self.length {
            Length::Known(length) if length != self.arrived => {
                return Err(self.cut(&format!("{} of {length} bytes of the answer came", self.arrived)));
            }
            _ => self.has_ended = true,
        }
        Ok(())
    }

    fn cut(&self, cause: &str) -> crate::Error {
        broken_off(&self.host, cause)
    }
}
