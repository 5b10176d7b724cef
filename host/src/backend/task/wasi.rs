//! Tasks beside the call of the component that begins them. That call has not ended for its host before they have, so
//! they go on after it has returned, and while other calls run.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{StreamExt, stream::FuturesUnordered};
use wit_bindgen::{JoinHandle, spawn_local};

use super::Stopped;

/// Tasks of one owner, which stop when it is dropped.
pub(in crate::backend) struct Tasks<T>(FuturesUnordered<Running<T>>);

impl<T: Send + 'static> Tasks<T> {
    pub(in crate::backend) fn new() -> Self {
        Self(FuturesUnordered::new())
    }

    /// Begins one.
    pub(in crate::backend) fn spawn(&mut self, future: impl Future<Output = T> + Send + 'static) {
        self.0.push(Running(spawn_local(future)));
    }

    /// How many there are whose end nobody has seen.
    pub(in crate::backend) fn len(&self) -> usize {
        self.0.len()
    }

    pub(in crate::backend) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits for the next one that ends; `None` if there is none.
    pub(in crate::backend) async fn next(&mut self) -> Option<Result<T, Stopped>> {
        self.0.next().await
    }

    /// Stops all, and waits until they have.
    pub(in crate::backend) async fn shutdown(&mut self) {
        for running in self.0.iter_mut() {
            running.0.cancel();
        }
        while self.0.next().await.is_some() {}
    }
}

/// A task whose handle was not dropped: left alone, it would go on.
struct Running<T>(JoinHandle<T>);

impl<T> Future for Running<T> {
    type Output = Result<T, Stopped>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|ended| ended.ok_or(Stopped))
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Runs to its end even if nobody waits for it any more.
pub(in crate::backend) async fn to_its_end<T: 'static>(
    future: impl Future<Output = T> + 'static,
) -> Result<T, Stopped> {
    spawn_local(future).await.ok_or(Stopped)
}

/// Runs by itself. Only within a call of the component, as all that polls and drops futures is.
pub(in crate::backend) fn detach(future: impl Future<Output = ()> + 'static) -> bool {
    spawn_local(future);
    true
}
