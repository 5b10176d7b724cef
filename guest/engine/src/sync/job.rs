//! Work that tells what it does while it does it, and then its outcome.

use std::future::{pending, poll_fn};

use futures::{SinkExt, StreamExt, channel::mpsc, join};
use wit_bindgen::{FutureReader, StreamReader, spawn_local};

use crate::{
    bindings::{
        wit_future::{self, FuturePayload},
        wit_stream::{self, StreamPayload},
    },
    error::cancelled,
    imports::types::Error,
};

/// Items handed out at once, at most.
const PAGE: usize = 256;

/// Pages in flight before the work has to wait for its reader.
const IN_FLIGHT: usize = 4;

/// Where work tells what it does.
pub(super) struct Outlet<T> {
    page: Vec<T>,
    pages: mpsc::Sender<Vec<T>>,
}

impl<T> Outlet<T> {
    /// Tells something, soon: [`Outlet::flush`] sends it.
    pub(super) fn push(&mut self, item: T) {
        self.page.push(item);
    }

    /// Whether so much is told that it should be sent.
    pub(super) fn is_full(&self) -> bool {
        self.page.len() >= PAGE
    }

    /// Sends what was told as soon as the reader has room for it. May be dropped half way; never ends if there is
    /// nothing to send.
    pub(super) async fn flush_soon(&mut self) {
        if self.page.is_empty() {
            return pending().await;
        }
        // The receiver ends after this sender.
        let _ = poll_fn(|context| self.pages.poll_ready(context)).await;
        let _ = self.pages.start_send(std::mem::take(&mut self.page));
    }

    /// Sends what was told, and waits while the reader is behind.
    pub(super) async fn flush(&mut self) {
        if !self.page.is_empty() {
            // The receiver ends after this sender.
            let _ = self.pages.send(std::mem::take(&mut self.page)).await;
        }
    }
}

/// Starts work in the background: its items, and its outcome once all items are out.
pub(super) fn start<T, R, F>(
    work: impl FnOnce(Outlet<T>) -> F + 'static,
) -> (StreamReader<T>, FutureReader<Result<R, Error>>)
where
    T: StreamPayload + 'static,
    Result<R, Error>: FuturePayload,
    R: 'static,
    F: Future<Output = Result<R, Error>>,
{
    let (mut stream, items) = wit_stream::new::<T>();
    let (verdict, outcome) = wit_future::new(|| Err(cancelled()));
    let (sender, mut pages) = mpsc::channel(IN_FLIGHT);
    spawn_local(async move {
        let hand_on = async {
            let mut read = true;
            while let Some(page) = pages.next().await {
                // Whoever does not want the items drops the stream; the work goes on.
                read = read && stream.write_all(page).await.is_empty();
            }
            drop(stream);
        };
        let (done, ()) = join!(work(Outlet { page: Vec::new(), pages: sender }), hand_on);
        // A caller that left does not want to know.
        let _ = verdict.write(done).await;
    });
    (items, outcome)
}
