//! Jobs of the component, which report what they do as they go.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::{
    Stream, StreamExt,
    future::BoxFuture,
    stream::{self as streams, BoxStream},
};
use tokio::sync::oneshot;
use wasmtime::component::{FutureReader, Lift, StreamReader};

use super::{
    Storage,
    activity::Activity,
    bindings::omnistorage::storage::types,
    sandbox::{Guest, Inside, Task},
    stream,
};
use crate::{Error, Result};

/// A job under way: a stream of items as they come, then the outcome. Unread items hold the job back. Dropping the job
/// cancels it.
#[must_use = "dropping a job cancels it"]
pub struct Job<I, R> {
    items: BoxStream<'static, I>,
    task: Task<R>,
    activity: Activity,
}

impl<I, R: Send + 'static> Job<I, R> {
    /// One that is led by a future of this process, and not by a sandbox of its own.
    pub(crate) fn led(
        items: impl Stream<Item = I> + Send + 'static,
        outcome: impl Future<Output = Result<R>> + Send + 'static,
        activity: Activity,
    ) -> Self {
        Self { items: items.boxed(), task: Task::spawn(outcome), activity }
    }

    /// The next item; `None` after the last.
    pub async fn next(&mut self) -> Option<I> {
        self.items.next().await
    }

    /// What it asks of its backends; also valid after its end.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.activity.clone()
    }

    /// Waits for the outcome; items that were not read are discarded.
    ///
    /// # Errors
    /// What kept the job from being carried through: a missing source
    /// ([`ErrorCode::NotFound`](crate::ErrorCode::NotFound)), places that overlap
    /// ([`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument)), an empty source
    /// ([`ErrorCode::PreconditionFailed`](crate::ErrorCode::PreconditionFailed)), too many deletes
    /// ([`ErrorCode::LimitExceeded`](crate::ErrorCode::LimitExceeded)). Objects that failed are counted instead.
    pub async fn outcome(self) -> Result<R> {
        drop(self.items);
        self.task.join().await
    }
}

impl<I, R> Stream for Job<I, R> {
    type Item = I;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<I>> {
        self.items.as_mut().poll_next(cx)
    }
}

impl<I, R> std::fmt::Debug for Job<I, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl Storage {
    /// Starts a job in a sandbox of its own.
    pub(super) async fn start<W, O, I, R>(&self, call: Call<W, O>) -> Result<Job<I, R>>
    where
        W: Lift + Unpin + Send + 'static,
        O: Send + 'static,
        Outcome<O>: Lift + Unpin,
        I: TryFrom<W> + Send + 'static,
        R: TryFrom<O, Error = Error> + Send + 'static,
    {
        let sandbox = self.sandbox().await?;
        let (budget, activity) = (sandbox.budget(), sandbox.activity());
        let (started, start) = oneshot::channel();
        let task = Task::spawn(sandbox.run(async move |inside: &Inside, guest: &Guest| {
            let (items, outcome) = match call(inside, guest).await? {
                Ok(job) => job,
                Err(error) => return Ok(Err(error.into())),
            };
            let (items, outcome) = inside.with(|mut access| {
                let items = stream::items(&mut access, items, budget)?;
                wasmtime::error::Ok((items, stream::once(&mut access, outcome)?))
            })?;
            // The caller may have left already.
            let _ = started.send(items);
            let outcome = outcome.await.map_err(|_| stream::undecided())?;
            Ok(outcome.map_err(Error::from).and_then(R::try_from))
        }));
        match start.await {
            Ok(pages) => {
                // An item holds neither a path nor a time, so nothing in it can be invalid.
                let items =
                    pages.flat_map(|page| streams::iter(page.into_iter().flat_map(I::try_from))).boxed();
                Ok(Job { items, task, activity })
            }
            Err(_) => Err(task.failure().await),
        }
    }
}

/// A call of the component that starts a job: the items it will give, and its outcome.
type Call<W, O> = Box<
    dyn for<'a> FnOnce(
            &'a Inside,
            &'a Guest,
        ) -> BoxFuture<
            'a,
            wasmtime::Result<Started<(StreamReader<W>, FutureReader<Outcome<O>>)>>,
        > + Send,
>;

type Started<T> = std::result::Result<T, types::Error>;

type Outcome<O> = std::result::Result<O, types::Error>;
