//! Jobs: work that reports what it does as it goes, and then its outcome.

use std::future::{pending, poll_fn};

use futures::{SinkExt, StreamExt, channel::mpsc, future::LocalBoxFuture, join};
use omnistorage_types::Result;

/// The most items handed out at once.
const PAGE: usize = 256;

/// How many pages may be in flight before the work waits for its reader.
const IN_FLIGHT: usize = 4;

/// Work that is ready to start: it goes on while it is [driven](Job::run).
pub struct Job<T, R> {
    pages: mpsc::Receiver<Vec<T>>,
    work: LocalBoxFuture<'static, Result<R>>,
}

impl<T: 'static, R: 'static> Job<T, R> {
    pub(crate) fn new<F: Future<Output = Result<R>> + 'static>(work: impl FnOnce(Outlet<T>) -> F) -> Self {
        let (pages, receiver) = mpsc::channel(IN_FLIGHT);
        Self { pages: receiver, work: Box::pin(work(Outlet { page: Vec::new(), pages })) }
    }

    /// Drives the work to its end, and hands on its items, a page at a time. Once `tell` returns `false`, nobody
    /// listens any more, and the work goes on without. A page that was not taken yet holds the work back.
    ///
    /// # Errors
    /// What kept the work from being carried through.
    pub async fn run(self, mut tell: impl AsyncFnMut(Vec<T>) -> bool) -> Result<R> {
        let Self { mut pages, work } = self;
        let hand_on = async {
            let mut listens = true;
            while let Some(page) = pages.next().await {
                listens = listens && tell(page).await;
            }
        };
        join!(work, hand_on).0
    }
}

/// Where the work reports what it does.
pub(crate) struct Outlet<T> {
    page: Vec<T>,
    pages: mpsc::Sender<Vec<T>>,
}

impl<T> Outlet<T> {
    /// Queues an item; [`Outlet::flush`] sends it.
    pub(crate) fn push(&mut self, item: T) {
        self.page.push(item);
    }

    /// Whether enough is queued that it should be sent.
    pub(crate) fn is_full(&self) -> bool {
        self.page.len() >= PAGE
    }

    /// Sends what is queued as soon as the reader has room for it. May be dropped half way. Stays pending if nothing is
    /// queued.
    pub(crate) async fn flush_soon(&mut self) {
        if self.page.is_empty() {
            return pending().await;
        }
        // The receiver ends after this sender.
        let _ = poll_fn(|context| self.pages.poll_ready(context)).await;
        let _ = self.pages.start_send(std::mem::take(&mut self.page));
    }

    /// Sends what is queued, and waits while the reader is behind.
    pub(crate) async fn flush(&mut self) {
        if !self.page.is_empty() {
            // The receiver ends after this sender.
            let _ = self.pages.send(std::mem::take(&mut self.page)).await;
        }
    }
}
