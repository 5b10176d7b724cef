//! Work in the background: what it tells, and then its outcome.

use omnistorage_engine::Job;
use omnistorage_types::wit::IntoWit;
use wit_bindgen::{FutureReader, StreamReader, spawn_local};

use crate::{
    answer,
    bindings::{
        wit_future::{self, FuturePayload},
        wit_stream::{self, StreamPayload},
    },
    body::cancelled,
    types,
};

/// Starts a job.
pub(crate) fn start<T, R, W, V>(job: Job<T, R>) -> (StreamReader<W>, FutureReader<Result<V, types::Error>>)
where
    T: IntoWit<W> + 'static,
    R: IntoWit<V> + 'static,
    W: StreamPayload + 'static,
    V: 'static,
    Result<V, types::Error>: FuturePayload,
{
    let (mut stream, items) = wit_stream::new();
    let (verdict, outcome) = wit_future::new(|| Err(cancelled()));
    spawn_local(async move {
        // Whoever does not want the items drops the stream; the work goes on.
        let tell = async |page: Vec<T>| stream.write_all(page.into_wit()).await.is_empty();
        let done = job.run(tell).await;
        drop(stream);
        // A caller that left does not want to know.
        let _ = verdict.write(answer(done)).await;
    });
    (items, outcome)
}
