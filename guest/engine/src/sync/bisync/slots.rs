//! Works on many objects at once, with results in the order of the paths, as the state needs them.

use std::{cell::Cell, future::poll_fn, rc::Rc, task::Poll};

use futures::{StreamExt, future::LocalBoxFuture, stream::FuturesOrdered};

/// How many results may wait for a slow one.
const WAITING: usize = 10_000;

/// Work under way.
pub(super) struct Slots<'a, T> {
    work: FuturesOrdered<LocalBoxFuture<'a, T>>,
    active: Rc<Cell<u32>>,
    limit: u32,
}

impl<'a, T: 'a> Slots<'a, T> {
    pub(super) fn new(limit: u32) -> Self {
        Self { work: FuturesOrdered::new(), active: Rc::default(), limit }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.work.is_empty()
    }

    /// Starts work.
    pub(super) fn start(&mut self, work: impl Future<Output = T> + 'a) {
        let active = self.active.clone();
        active.set(active.get() + 1);
        self.work.push_back(Box::pin(async move {
            let done = work.await;
            active.set(active.get() - 1);
            done
        }));
    }

    /// Queues a result that is ready, behind those that are awaited.
    pub(super) fn put(&mut self, done: T) {
        self.work.push_back(Box::pin(std::future::ready(done)));
    }

    /// The next result; `None` once there is room for more work, or nothing to wait for.
    pub(super) async fn next(&mut self) -> Option<T> {
        poll_fn(|cx| match self.work.poll_next_unpin(cx) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending if self.has_room() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// The next result, however long it takes; `None` if nothing is under way.
    pub(super) async fn finish(&mut self) -> Option<T> {
        self.work.next().await
    }

    fn has_room(&self) -> bool {
        self.active.get() < self.limit && self.work.len() < WAITING
    }
}
