//! An object as a reader.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use super::super::{DecompressOptions, Storage};
use crate::{
    Location, ObjectInfo, Result,
    backend::{Contents, ReadOptions},
};

/// Reads the contents of an object as they come. Its end is the true end: an object that is cut off, damaged or changed
/// meanwhile gives an error instead, whose source is an [`Error`](crate::Error). Dropping it ends the sandbox behind
/// it.
pub struct ObjectReader {
    info: ObjectInfo,
    contents: Contents,
    chunk: Bytes,
}

impl std::fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectReader").field("info", &self.info).finish_non_exhaustive()
    }
}

impl ObjectReader {
    /// What is known about the object, as it is stored.
    #[must_use]
    pub fn info(&self) -> &ObjectInfo {
        &self.info
    }
}

impl AsyncBufRead for ObjectReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.chunk.is_empty() {
            match ready!(this.contents.as_mut().poll_next(cx)) {
                Some(chunk) => this.chunk = chunk.map_err(io::Error::other)?,
                None => break,
            }
        }
        Poll::Ready(Ok(&this.chunk))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let chunk = &mut self.get_mut().chunk;
        chunk.advance(amount.min(chunk.len()));
    }
}

impl AsyncRead for ObjectReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let chunk = ready!(self.as_mut().poll_fill_buf(cx))?;
        let length = chunk.len().min(buffer.remaining());
        buffer.put_slice(&chunk[..length]);
        self.consume(length);
        Poll::Ready(Ok(()))
    }
}

impl Storage {
    /// Opens an object as a reader, decompressed if asked.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use omnistorage::{Location, MemoryBackend, runtime::{Codec, Compression, Runtime, RuntimeOptions, Storage}};
    /// use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let storage = Storage::builder(&Runtime::new(&RuntimeOptions::default())?)
    ///     .mount("logs", Arc::new(MemoryBackend::new()))
    ///     .build();
    /// let log = Location::new("logs", "today.zst")?;
    /// let zstd = Compression { codec: Codec::Zstd, level: None, dictionary: None };
    ///
    /// let mut writer = storage.writer(&log, &Default::default(), Some(zstd));
    /// writer.write_all(b"one\ntwo\n").await?;
    /// let written = writer.finish().await?; // until here there is no such object
    /// assert_eq!(written.path.as_str(), "today.zst");
    ///
    /// let reader = storage.reader(&log, &Default::default(), Some(Default::default())).await?;
    /// let mut lines = reader.lines();
    /// assert_eq!(lines.next_line().await?.as_deref(), Some("one"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Storage::read`].
    pub async fn reader(
        &self,
        source: &Location,
        options: &ReadOptions,
        decompress: Option<DecompressOptions>,
    ) -> Result<ObjectReader> {
        let reader = self.read(source, options, decompress).await?;
        Ok(ObjectReader { info: reader.info, contents: reader.contents, chunk: Bytes::new() })
    }
}
