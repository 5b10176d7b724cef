//! Tasks of tokio.

use std::future::Future;

use tokio::{runtime::Handle, task::JoinSet};

use super::Stopped;

/// Tasks of one owner, which stop when it is dropped.
pub(in crate::backend) struct Tasks<T>(JoinSet<T>);

impl<T: Send + 'static> Tasks<T> {
    pub(in crate::backend) fn new() -> Self {
        Self(JoinSet::new())
    }

    /// Begins one.
    pub(in crate::backend) fn spawn(&mut self, future: impl Future<Output = T> + Send + 'static) {
        self.0.spawn(future);
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
        self.0.join_next().await.map(|ended| ended.map_err(|_| Stopped))
    }

    /// Stops all, and waits until they have.
    pub(in crate::backend) async fn shutdown(&mut self) {
        self.0.shutdown().await;
    }
}

/// Runs to its end even if nobody waits for it any more.
pub(in crate::backend) async fn to_its_end<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> Result<T, Stopped> {
    tokio::spawn(future).await.map_err(|_| Stopped)
}

/// Runs by itself; `false` if there is nothing to run it.
pub(in crate::backend) fn detach(future: impl Future<Output = ()> + Send + 'static) -> bool {
    Handle::try_current().map(|runtime| runtime.spawn(future)).is_ok()
}
