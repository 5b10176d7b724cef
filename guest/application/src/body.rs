//! Bodies: made of bytes, of chunks or of a stream, read to their end, and handed on.

use std::future::Future;

use futures::{Stream, StreamExt, pin_mut};
use wit_bindgen::{StreamReader, StreamWriter, spawn_local};

use crate::{
    Body, Checked, Error,
    bindings::{wit_future, wit_stream},
    types::ErrorCode,
};

impl Body {
    /// A stream, and what tells whether its end is the true end. The future runs in the background from now on, while the
    /// stream is read.
    pub fn new(
        contents: StreamReader<u8>,
        completion: impl Future<Output = Result<(), Error>> + 'static,
    ) -> Self {
        let (verdict, reader) = wit_future::new(|| Err(left()));
        spawn_local(async move {
            let word = completion.await;
            // A reader that left does not want to know.
            let _ = verdict.write(word).await;
        });
        Self { contents, completion: reader }
    }

    /// A body of chunks as they come. An error ends it, and its reader gets the error.
    ///
    /// ```no_run
    /// # use futures::stream;
    /// # use omnistorage_application::{Body, Error, WriteOptions, objects};
    /// # async fn count() -> Result<(), Error> {
    /// let lines = stream::iter(0..1_000_000).map(|n| Ok(format!("{{\"n\":{n}}}\n").into_bytes()));
    /// objects::write("data/numbers.ndjson".into(), Body::from_chunks(lines), WriteOptions::default(), None).await?;
    /// # Ok(())
    /// # }
    /// # use futures::StreamExt;
    /// ```
    pub fn from_chunks(chunks: impl Stream<Item = Result<Vec<u8>, Error>> + 'static) -> Self {
        let (writer, contents) = wit_stream::new();
        Self::new(contents, feed(writer, chunks))
    }

    /// The same contents with a completion of our own in place of the one that came: for a body that goes from the library
    /// back into it.
    ///
    /// ```no_run
    /// # use omnistorage_application::{Error, ReadOptions, WriteOptions, objects};
    /// # async fn copy() -> Result<(), Error> {
    /// let opened = objects::read("data/a".into(), ReadOptions::default(), None).await?;
    /// objects::write("data/b".into(), opened.contents.relay(), WriteOptions::default(), None).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn relay(self) -> Self {
        let completion = self.completion;
        Self::new(self.contents, async move { completion.await })
    }

    /// All of it, once it is known to be all.
    ///
    /// # Errors
    /// What the completion says; [`ErrorCode::LimitExceeded`] above `max` bytes.
    pub async fn read_to_end(self, max: usize) -> Result<Vec<u8>, Error> {
        let mut chunks = Checked::from(self);
        let (mut all, mut buffer) = (Vec::new(), Vec::new());
        while let Some(chunk) = chunks.next_into(buffer).await? {
            if chunk.len() > max.saturating_sub(all.len()) {
                return Err(Error::new(
                    ErrorCode::LimitExceeded,
                    format!("the body has more than {max} bytes"),
                ));
            }
            all.extend_from_slice(&chunk);
            buffer = chunk;
        }
        Ok(all)
    }
}

/// Feeds chunks to a body, and tells how they ended.
async fn feed(
    mut writer: StreamWriter<u8>,
    chunks: impl Stream<Item = Result<Vec<u8>, Error>>,
) -> Result<(), Error> {
    pin_mut!(chunks);
    while let Some(chunk) = chunks.next().await {
        if !writer.write_all(chunk?).await.is_empty() {
            return Err(left());
        }
    }
    Ok(())
}

fn left() -> Error {
    Error::new(ErrorCode::Cancelled, "the body was given up before its end")
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from_chunks(futures::stream::iter([Ok(bytes)]))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}
