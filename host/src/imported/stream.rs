//! Streams and futures of the library, which belong to the one thread of a component, as those of this crate.

use std::future::Future;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream as streams};
use omnistorage_application::{
    Body, Checked,
    wit_bindgen::{FutureReader, StreamReader, StreamResult},
};
use send_wrapper::SendWrapper;

use crate::{Error, Result, backend::Contents};

/// Items at once.
const PAGE: usize = 1000;

/// A future that only ever runs on the one thread there is.
pub(super) fn here<F: Future>(future: F) -> SendWrapper<F> {
    SendWrapper::new(future)
}

/// Items as they come. That of a stream which was cut off ends as any other: what is to be known to be whole is `checked`.
pub(super) fn items<T: 'static>(items: StreamReader<T>) -> impl Stream<Item = T> + Send {
    let pages = streams::unfold(Some(items), |items| async {
        let mut items = items?;
        let (state, page) = items.read(Vec::with_capacity(PAGE)).await;
        Some((page, (state != StreamResult::Dropped).then_some(items)))
    });
    SendWrapper::new(pages.flat_map(streams::iter))
}

/// Items as they come, then the error that their completion tells, if it does.
pub(super) fn checked<T: 'static>(items: Checked<T>) -> impl Stream<Item = Result<Vec<T>>> + Send {
    SendWrapper::new(streams::unfold(Some(items), |items| async {
        let mut items = items?;
        match items.next().await {
            Ok(Some(page)) => Some((Ok(page), Some(items))),
            Ok(None) => None,
            Err(error) => Some((Err(Error::from(error)), None)),
        }
    }))
}

/// The contents of a body of the library.
pub(super) fn contents(body: Body) -> Contents {
    checked(Checked::from(body)).map(|chunk| chunk.map(Bytes::from)).boxed()
}

/// Contents as a body for the library.
pub(super) fn body(contents: Contents) -> Body {
    Body::from_chunks(contents.map(|chunk| chunk.map(Into::into).map_err(Into::into)))
}

/// A word of the library.
pub(super) async fn word<T: 'static>(
    word: FutureReader<std::result::Result<T, omnistorage_application::Error>>,
) -> Result<T> {
    Ok(word.await?)
}
