//! Bodies of bytes: reading one, feeding one, and a codec between.

use futures::{FutureExt, future::LocalBoxFuture};
use omnistorage_core::codec::Codec;
use wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};

use crate::{
    backends::Place,
    bindings::{wit_future, wit_stream},
    error::cancelled,
    exports::compression::Body,
    imports::{
        backend::ObjectReader,
        types::{Error, Location},
    },
};

/// Bytes handed on at once. Measured: 64 KiB is 7 to 10 % slower, 1 MiB falls out of the processor's cache.
pub(crate) const CHUNK: usize = 256 * 1024;

/// Where the bytes of a [`Source`] come from.
pub(crate) trait Origin {
    /// The next bytes, never none of them; `None` after the true end. `buffer` is taken for its capacity.
    fn receive(&mut self, buffer: Vec<u8>) -> LocalBoxFuture<'_, Result<Option<Vec<u8>>, Error>>;
}

/// The two halves of a body that somebody else feeds.
struct Fed {
    contents: Option<StreamReader<u8>>,
    completion: Option<FutureReader<Result<(), Error>>>,
}

impl Origin for Fed {
    fn receive(&mut self, mut buffer: Vec<u8>) -> LocalBoxFuture<'_, Result<Option<Vec<u8>>, Error>> {
        async move {
            buffer.clear();
            buffer.reserve(CHUNK);
            while let Some(contents) = &mut self.contents {
                let (state, chunk) = contents.read(buffer).await;
                if state == StreamResult::Dropped {
                    self.contents = None;
                }
                if !chunk.is_empty() {
                    return Ok(Some(chunk));
                }
                buffer = chunk;
            }
            match self.completion.take() {
                Some(completion) => completion.await.map(|()| None),
                None => Ok(None),
            }
        }
        .boxed_local()
    }
}

/// A body being read.
pub(crate) struct Source {
    origin: Box<dyn Origin>,
    /// Read ahead, to look at the first bytes.
    head: Vec<u8>,
    bytes: u64,
    /// Where it comes from, if that is known.
    at: Option<Location>,
}

impl Source {
    pub(crate) fn new(contents: StreamReader<u8>, completion: FutureReader<Result<(), Error>>) -> Self {
        Self::from(Fed { contents: Some(contents), completion: Some(completion) })
    }

    /// Of an object in a backend: errors then say so.
    pub(crate) fn of(place: &Place, reader: ObjectReader) -> Self {
        let at = Some(Location { backend: place.name.clone(), path: place.path() });
        Self { at, ..Self::new(reader.contents, reader.completion) }
    }

    /// An error in what was read, with where it was read.
    pub(crate) fn locate(&self, error: impl Into<Error>) -> Error {
        let error = error.into();
        Error { at: error.at.or_else(|| self.at.clone()), ..error }
    }

    /// The bytes handed out so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The first bytes, `count` of them unless the body is shorter; they stay to be read.
    pub(crate) async fn head(&mut self, count: usize) -> Result<&[u8], Error> {
        while self.head.len() < count {
            match self.origin.receive(Vec::with_capacity(CHUNK)).await? {
                Some(chunk) if self.head.is_empty() => self.head = chunk,
                Some(chunk) => self.head.extend(chunk),
                None => break,
            }
        }
        Ok(&self.head[..count.min(self.head.len())])
    }

    /// The next bytes, never none of them; `None` after the true end. `buffer` is taken for its capacity.
    pub(crate) async fn next(&mut self, buffer: Vec<u8>) -> Result<Option<Vec<u8>>, Error> {
        let chunk = if self.head.is_empty() {
            self.origin.receive(buffer).await?
        } else {
            Some(std::mem::take(&mut self.head))
        };
        self.bytes += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Ok(chunk)
    }
}

impl<O: Origin + 'static> From<O> for Source {
    fn from(origin: O) -> Self {
        Self { origin: Box::new(origin), head: Vec::new(), bytes: 0, at: None }
    }
}

impl From<Body> for Source {
    fn from(body: Body) -> Self {
        Self::new(body.contents, body.completion)
    }
}

/// The end of a stream that is fed.
pub(crate) struct Feed {
    contents: StreamWriter<u8>,
    bytes: u64,
}

impl Feed {
    /// A stream, and the end that feeds it.
    pub(crate) fn new() -> (Self, StreamReader<u8>) {
        let (contents, reader) = wit_stream::new();
        (Self { contents, bytes: 0 }, reader)
    }

    /// The bytes taken so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Hands bytes on, and gives the buffer back, empty. `cancelled` if the reader left.
    pub(crate) async fn push(&mut self, chunk: Vec<u8>) -> Result<Vec<u8>, Error> {
        let length = chunk.len() as u64;
        let rest = self.contents.write_all(chunk).await;
        if !rest.is_empty() {
            return Err(cancelled());
        }
        self.bytes += length;
        Ok(rest)
    }
}

/// A body being fed. Dropped without [`Sink::end`], its reader learns that the end is not the true one.
pub(crate) struct Sink {
    feed: Feed,
    completion: FutureWriter<Result<(), Error>>,
}

impl Sink {
    /// A body, and the end that feeds it.
    pub(crate) fn new() -> (Self, Body) {
        let (feed, contents) = Feed::new();
        let (writer, completion) = wit_future::new(|| Err(cancelled()));
        (Self { feed, completion: writer }, Body { contents, completion })
    }

    /// As [`Feed::push`].
    pub(crate) async fn push(&mut self, chunk: Vec<u8>) -> Result<Vec<u8>, Error> {
        self.feed.push(chunk).await
    }

    /// Ends the bytes, then says why they ended.
    pub(crate) async fn end(self, verdict: Result<(), Error>) {
        drop(self.feed);
        // A reader that left does not want to know.
        let _ = self.completion.write(verdict).await;
    }
}

/// A body being read through a codec, or as it is.
pub(crate) struct Coded {
    source: Source,
    codec: Option<Box<dyn Codec>>,
    input: Vec<u8>,
    taken: usize,
    /// The codec may hold more output for the input that it has.
    full: bool,
    finished: bool,
}

impl Coded {
    pub(crate) fn new(source: Source, codec: Option<Box<dyn Codec>>) -> Self {
        Self { source, codec, input: Vec::new(), taken: 0, full: false, finished: false }
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// The next bytes, never none of them; `None` after the true end. `output` is taken for its capacity.
    pub(crate) async fn next(&mut self, mut output: Vec<u8>) -> Result<Option<Vec<u8>>, Error> {
        let Some(codec) = &mut self.codec else { return self.source.next(output).await };
        output.clear();
        output.reserve(CHUNK);
        while !self.finished {
            if self.full || self.taken < self.input.len() {
                let pushed = codec.push(&self.input[self.taken..], &mut output);
                self.taken += pushed.map_err(|why| self.source.locate(why))?;
                self.full = output.len() == output.capacity();
            } else {
                self.taken = 0;
                match self.source.next(std::mem::take(&mut self.input)).await? {
                    Some(chunk) => self.input = chunk,
                    None => {
                        let finished = codec.finish(&mut output);
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

    /// Feeds all of it to a sink, and ends that.
    pub(crate) async fn pump(mut self, mut sink: Sink) {
        let verdict = async {
            let mut buffer = Vec::new();
            while let Some(chunk) = self.next(buffer).await? {
                buffer = sink.push(chunk).await?;
            }
            Ok(())
        }
        .await;
        sink.end(verdict).await;
    }
}
