//! Bodies of bytes while they are read, wherever they come from, as they are or through a codec.

use async_trait::async_trait;
use omnistorage_core::codec::Coder;
use omnistorage_types::{Error, Location, Result};

use crate::{
    place::Place,
    port::{Body, Contents},
};

/// The size of a chunk, in bytes. Measured: 64 KiB is 7 to 10 % slower, 1 MiB falls out of the processor's cache.
pub const CHUNK: usize = 256 * 1024;

/// A body being read.
pub(crate) struct Source {
    contents: Contents,
    /// What was read ahead to look at the first bytes.
    head: Vec<u8>,
    bytes: u64,
    /// Where the body comes from, if that is known.
    at: Option<Location>,
}

impl Source {
    pub(crate) fn new(contents: Contents) -> Self {
        Self { contents, head: Vec::new(), bytes: 0, at: None }
    }

    /// The body of an object, whose errors then name it.
    pub(crate) fn of(place: &Place, contents: Contents) -> Self {
        Self { at: Some(place.location()), ..Self::new(contents) }
    }

    /// Adds to an error in what was read where it was read.
    pub(crate) fn locate(&self, error: impl Into<Error>) -> Error {
        match &self.at {
            Some(Location { backend, path }) => error.into().at(backend, path),
            None => error.into(),
        }
    }

    /// How many bytes were handed out so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Peeks at the first `count` bytes, or fewer if the body is shorter.
    pub(crate) async fn head(&mut self, count: usize) -> Result<&[u8]> {
        while self.head.len() < count {
            match self.contents.next(Vec::with_capacity(CHUNK)).await? {
                Some(chunk) if self.head.is_empty() => self.head = chunk,
                Some(chunk) => self.head.extend(chunk),
                None => break,
            }
        }
        Ok(&self.head[..count.min(self.head.len())])
    }
}

#[async_trait(?Send)]
impl Body for Source {
    async fn next(&mut self, buffer: Vec<u8>) -> Result<Option<Vec<u8>>> {
        let chunk = if self.head.is_empty() {
            self.contents.next(buffer).await?
        } else {
            Some(std::mem::take(&mut self.head))
        };
        self.bytes += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Ok(chunk)
    }
}

/// A body, read through a codec or as it is.
pub(crate) struct Coded {
    source: Source,
    coder: Option<Box<dyn Coder>>,
    input: Vec<u8>,
    taken: usize,
    /// The codec may hold more output for the input that it has.
    full: bool,
    finished: bool,
}

impl Coded {
    pub(crate) fn new(source: Source, coder: Option<Box<dyn Coder>>) -> Self {
        Self { source, coder, input: Vec::new(), taken: 0, full: false, finished: false }
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Whether it is read through a codec.
    pub(crate) fn is_coded(&self) -> bool {
        self.coder.is_some()
    }
}

#[async_trait(?Send)]
impl Body for Coded {
    async fn next(&mut self, mut output: Vec<u8>) -> Result<Option<Vec<u8>>> {
        let Some(coder) = &mut self.coder else { return self.source.next(output).await };
        output.clear();
        output.reserve(CHUNK);
        while !self.finished {
            if self.full || self.taken < self.input.len() {
                let pushed = coder.push(&self.input[self.taken..], &mut output);
                self.taken += pushed.map_err(|why| self.source.locate(why))?;
                self.full = output.len() == output.capacity();
            } else {
                self.taken = 0;
                match self.source.next(std::mem::take(&mut self.input)).await? {
                    Some(chunk) => self.input = chunk,
                    None => {
                        let finished = coder.finish(&mut output);
                        self.finished = finished.map_err(|why| self.source.locate(why))?;
                    }
                }
            }
            if !output.is_empty() && (self.full || self.taken == self.input.len()) {
                return Ok(Some(output));
            }
        }
        Ok(None)
    }
}
