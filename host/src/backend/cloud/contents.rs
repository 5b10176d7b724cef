//! The bytes of one version of an object, over as many connections as it takes.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, future::BoxFuture, stream};

use super::client::Answer;
use crate::{
    Error, ErrorCode, Hash, Result,
    backend::{Contents, checksum::Checksum, clock::sleep, gone_on},
};

/// An answer with bytes of the object.
pub(in crate::backend) struct Part {
    pub(in crate::backend) answer: Answer,
    /// The offset of its first byte in the object. It may be lower than what was asked for: not every server knows
    /// ranges.
    pub(in crate::backend) offset: u64,
}

/// Requests the bytes from an offset on, in the version that was opened first.
type Reopen = Box<dyn Fn(u64) -> BoxFuture<'static, Result<Part>> + Send + Sync>;

struct Reading {
    part: Part,
    /// Of the next byte.
    position: u64,
    end: u64,
    /// Where this connection began, and how many before it were fruitless.
    began: (u64, u32),
    fruitless: u32,
    reopen: Reopen,
    /// The hash that the whole object must have, if all of it is read and the store knows one.
    checksum: Option<Checksum>,
}

/// The bytes from `range.start` to `range.end`, which the first part begins.
///
/// An error of the connection is no error of the stream as long as `reopen` gives the rest of the same version; it
/// must fail with [`ErrorCode::PreconditionFailed`] if there is another one.
pub(in crate::backend) fn contents<F>(
    part: Part,
    range: std::ops::Range<u64>,
    checksum: Option<Hash>,
    reopen: impl Fn(u64) -> F + Send + Sync + 'static,
) -> Contents
where
    F: Future<Output = Result<Part>> + Send + 'static,
{
    let reading = Reading {
        part,
        position: range.start,
        end: range.end,
        began: (range.start, 0),
        fruitless: 0,
        reopen: Box::new(move |offset| Box::pin(reopen(offset))),
        checksum: checksum.map(Checksum::new),
    };
    stream::try_unfold(reading, |mut reading| async move {
        Ok(reading.next().await?.map(|chunk| (chunk, reading)))
    })
    .boxed()
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while self.position < self.end {
            match self.part.answer.chunk().await {
                Ok(Some(chunk)) => {
                    let Some(chunk) = self.accept(chunk) else { continue };
                    return Ok(Some(chunk));
                }
                // An end before the end is a broken connection too.
                Ok(None) => self.go_on(None).await?,
                Err(error) => self.go_on(Some(error)).await?,
            }
        }
        self.checksum.take().map_or(Ok(()), Checksum::verify)?;
        Ok(None)
    }

    /// The new part of a chunk; `None` if nothing in it is new.
    fn accept(&mut self, mut chunk: Bytes) -> Option<Bytes> {
        let begin = self.part.offset;
        self.part.offset += chunk.len() as u64;
        // Both are at most the length of the chunk, which is a `usize`.
        let known = self.position.saturating_sub(begin).min(chunk.len() as u64) as usize;
        chunk = chunk.split_off(known);
        chunk.truncate(usize::try_from(self.end - self.position).unwrap_or(usize::MAX));
        if chunk.is_empty() {
            return None;
        }
        self.position += chunk.len() as u64;
        self.fruitless = 0;
        if let Some(checksum) = &mut self.checksum {
            checksum.update(&chunk);
        }
        Some(chunk)
    }

    /// Opens the rest, after a pause if the last connection gave nothing.
    async fn go_on(&mut self, error: Option<Error>) -> Result<()> {
        let (start, fruitless_before) = self.began;
        // One that drips until it is given up bears no fruit either.
        if error.as_ref().is_some_and(|error| error.code() == ErrorCode::Timeout)
            && self.position - start < self.part.answer.enough()
        {
            self.fruitless = fruitless_before;
        }
        self.fruitless += 1;
        let retry = self.part.answer.retry;
        // As many connections in a row may give nothing, or next to nothing, as there are attempts at a request.
        if self.fruitless >= retry.attempts.get() {
            let cut =
                || Error::new(ErrorCode::Unavailable, "the store ended the object too early, several times");
            return Err(retry.used_up(error.unwrap_or_else(cut)).with_offset(self.position));
        }
        tracing::debug!(offset = self.position, "reading goes on over a new connection");
        let pause = if self.fruitless > 1 { retry.pause(self.fruitless) } else { Duration::ZERO };
        sleep(pause).await;
        let reopened = (self.reopen)(self.position).await;
        self.part = reopened.map_err(|error| gone_on(error).with_offset(self.position))?;
        self.began = (self.position, self.fruitless);
        Ok(())
    }
}
