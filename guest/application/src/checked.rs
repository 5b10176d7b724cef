//! Streams that are believed once they have ended well.

use wit_bindgen::{FutureReader, StreamReader, StreamResult};

use crate::{
    Body, Error,
    backend::ObjectReader,
    objects::Entries,
    types::{ErrorCode, Listed},
};

/// How many at once, where the caller brings no buffer of its own: of bytes 256 KiB, of anything else a page.
const BYTES: usize = 256 * 1024;
const ITEMS: usize = 1000;

/// A stream that is read to its true end: of bytes, or of the entries of a listing.
///
/// ```no_run
/// # use omnistorage_application::{Checked, Error, ListOptions, objects};
/// # async fn count() -> Result<usize, Error> {
/// let mut entries = Checked::from(objects::list("data/photos".into(), ListOptions::default()).await?);
/// let mut count = 0;
/// while let Some(page) = entries.next().await? {
///     count += page.len();
/// }
/// # Ok(count)
/// # }
/// ```
pub struct Checked<T: 'static> {
    at_once: usize,
    state: State<T>,
}

enum State<T: 'static> {
    Streaming(StreamReader<T>, FutureReader<Result<(), Error>>),
    Ended(Result<(), Error>),
}

impl<T: 'static> Checked<T> {
    fn new(items: StreamReader<T>, completion: FutureReader<Result<(), Error>>, at_once: usize) -> Self {
        Self { at_once, state: State::Streaming(items, completion) }
    }

    /// What comes next, at least one; `None` is the end, known to be the true one.
    ///
    /// # Errors
    /// What the completion says: all that came before is then a part, and nobody knows of how much.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, Error> {
        self.next_into(Vec::new()).await
    }

    /// The same in a buffer of the caller, which is emptied before.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn next_into(&mut self, mut buffer: Vec<T>) -> Result<Option<Vec<T>>, Error> {
        buffer.clear();
        if buffer.capacity() == 0 {
            buffer.reserve(self.at_once);
        }
        while let State::Streaming(items, _) = &mut self.state {
            let (status, read) = items.read(buffer).await;
            if status == StreamResult::Dropped {
                self.end().await;
            }
            if !read.is_empty() {
                return Ok(Some(read));
            }
            buffer = read;
        }
        match &self.state {
            State::Ended(Ok(())) => Ok(None),
            State::Ended(Err(error)) => Err(error.clone()),
            State::Streaming(..) => Err(unfinished()),
        }
    }

    /// Hears the completion. Whoever drops this future meanwhile never hears it, so until then the end is not the true
    /// one.
    async fn end(&mut self) {
        let before = std::mem::replace(&mut self.state, State::Ended(Err(unfinished())));
        if let State::Streaming(_, completion) = before {
            self.state = State::Ended(completion.await);
        }
    }
}

fn unfinished() -> Error {
    Error::new(
        ErrorCode::Cancelled,
        "the reading was given up before the end of the stream was known to be the true one",
    )
}

impl From<Body> for Checked<u8> {
    fn from(body: Body) -> Self {
        Self::new(body.contents, body.completion, BYTES)
    }
}

impl From<ObjectReader> for Checked<u8> {
    fn from(reader: ObjectReader) -> Self {
        Self::new(reader.contents, reader.completion, BYTES)
    }
}

impl From<Entries> for Checked<Listed> {
    fn from(entries: Entries) -> Self {
        Self::new(entries.entries, entries.completion, ITEMS)
    }
}
