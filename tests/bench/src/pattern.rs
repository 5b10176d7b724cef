//! Two backends that cost as little as a backend can, so that what is measured lies between them: a source without end
//! and a sink without bottom.

use std::{any::Any, hint::black_box};

use anyhow::Result as Outcome;
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage::{
    Backend, Error, ErrorCode, ObjectInfo, ObjectKind, Path, Result,
    backend::{Capabilities, ListOptions, Listing, ReadOptions, Reader, Upload, WriteOptions},
};

/// Bytes handed on at once: what a backend of files reads.
const CHUNK: usize = 256 << 10;

/// Bytes of the pattern: more than the caches of a processor hold.
const PATTERN: usize = 64 << 20;

/// Bytes of a line, its end included. A divisor of [`CHUNK`].
const LINE: usize = 128;

/// One object: 64 MiB of NDJSON in memory, over and over. Its bytes are shared with whoever reads, not copied.
#[derive(Debug)]
pub(crate) struct Pattern {
    path: Path,
    chunks: Vec<Bytes>,
    size: u64,
}

impl Pattern {
    /// An object of `size` bytes, rounded up to whole chunks.
    ///
    /// # Errors
    /// If the path is refused.
    pub(crate) fn new(path: &str, size: u64) -> Outcome<Self> {
        let mut lines = String::with_capacity(PATTERN);
        for number in 0..PATTERN / LINE {
            let text = "x".repeat(92);
            lines.push_str(&format!("{{\"id\":\"{number:016x}\",\"text\":\"{text}\"}}\n"));
        }
        let lines = Bytes::from(lines);
        let chunks = (0..lines.len()).step_by(CHUNK).map(|at| lines.slice(at..at + CHUNK)).collect();
        Ok(Self { path: Path::parse(path)?, chunks, size: size.next_multiple_of(CHUNK as u64) })
    }

    /// Bytes of the object.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }
}

#[async_trait]
impl Backend for Pattern {
    fn kind(&self) -> &str {
        "pattern"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        if *options != ReadOptions::default() {
            return Err(Error::unsupported(self.kind(), "range").at(self.kind(), path));
        }
        let info = self.stat(path).await?;
        let count = usize::try_from(self.size).unwrap_or(usize::MAX) / CHUNK;
        let chunks = self.chunks.clone().into_iter().cycle().take(count).map(Ok);
        Ok(Reader { info, contents: stream::iter(chunks).boxed() })
    }

    async fn write(&self, path: &Path, _: &WriteOptions) -> Result<Box<dyn Upload>> {
        Err(Error::unsupported(self.kind(), "write").at(self.kind(), path))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        if path.is_root() {
            return Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory));
        }
        if *path != self.path {
            return Err(absent(self, path));
        }
        Ok(ObjectInfo { size: Some(self.size), ..ObjectInfo::new(path.clone(), ObjectKind::Object) })
    }

    async fn list(&self, prefix: &Path, _: &ListOptions) -> Result<Box<dyn Listing>> {
        Err(Error::unsupported(self.kind(), "listing").at(self.kind(), prefix))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        paths
            .iter()
            .map(|path| Err(Error::unsupported(self.kind(), "delete").at(self.kind(), path)))
            .collect()
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

/// Takes everything, and keeps nothing.
#[derive(Debug)]
pub(crate) enum Sink {
    /// Copies each chunk once, as what reads from memory and must own the bytes does.
    Copying,
    /// Leaves the bytes where they are: those that come out of a component are copied already.
    Taking,
}

#[async_trait]
impl Backend for Sink {
    fn kind(&self) -> &str {
        "sink"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, _: &ReadOptions) -> Result<Reader> {
        Err(absent(self, path))
    }

    async fn write(&self, path: &Path, _: &WriteOptions) -> Result<Box<dyn Upload>> {
        let buffer = match self {
            Self::Copying => Some(Vec::with_capacity(CHUNK)),
            Self::Taking => None,
        };
        Ok(Box::new(Drain { path: path.clone(), buffer, size: 0 }))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        if path.is_root() {
            return Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory));
        }
        Err(absent(self, path))
    }

    async fn list(&self, prefix: &Path, _: &ListOptions) -> Result<Box<dyn Listing>> {
        Err(Error::unsupported(self.kind(), "listing").at(self.kind(), prefix))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        paths.iter().map(|_| Ok(())).collect()
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

struct Drain {
    path: Path,
    buffer: Option<Vec<u8>>,
    size: u64,
}

#[async_trait]
impl Upload for Drain {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        if let Some(buffer) = &mut self.buffer {
            buffer.clear();
            buffer.extend_from_slice(&chunk);
            black_box(buffer);
        }
        self.size += chunk.len() as u64;
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        Ok(ObjectInfo { size: Some(self.size), ..ObjectInfo::new(self.path, ObjectKind::Object) })
    }

    async fn abort(self: Box<Self>) {}
}

fn absent(backend: &dyn Backend, path: &Path) -> Error {
    Error::new(ErrorCode::NotFound, "there is no such object").at(backend.kind(), path)
}

#[cfg(test)]
mod tests {
    use omnistorage::backend::transfer;

    use super::*;

    #[tokio::test]
    async fn what_is_read_is_whole_lines_of_the_size_that_is_told() {
        let (path, pattern) = (Path::parse("a").unwrap(), Pattern::new("a", 300_000).unwrap());
        assert_eq!(pattern.size(), 2 * CHUNK as u64);
        let bytes = pattern.read_all(&path, &ReadOptions::default(), usize::MAX).await.unwrap();
        assert_eq!(bytes.len() as u64, pattern.size());
        assert!(bytes.chunks(LINE).all(|line| line.starts_with(b"{\"id\"") && line.ends_with(b"\"}\n")));

        let written =
            transfer(&pattern, &path, &Sink::Copying, &path, &WriteOptions::default()).await.unwrap();
        assert_eq!(written.size, Some(pattern.size()));
    }
}
