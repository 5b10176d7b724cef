//! Jobs of the library that tell what they do while they do it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::{
    Stream, StreamExt,
    future::{BoxFuture, FutureExt},
    stream::{self as streams, BoxStream},
};
use omnistorage_application::{
    Error as LibraryError,
    wit_bindgen::{FutureReader, StreamReader},
};
use omnistorage_types::{BisyncEvent, BisyncReport, CheckEntry, CheckReport, Event, Report};

use super::{
    Activity,
    stream::{here, items, word},
};
use crate::{Error, Result};

/// A sync, a copy or a move under way: [`Event`]s, then a [`Report`].
pub type SyncJob = Job<Event, Report>;

/// A check under way: [`CheckEntry`]s, then a [`CheckReport`].
pub type CheckJob = Job<CheckEntry, CheckReport>;

/// A two-way sync under way: [`BisyncEvent`]s, then a [`BisyncReport`].
pub type BisyncJob = Job<BisyncEvent, BisyncReport>;

/// A job under way: a stream of items as they come, then the outcome. Items hold the job back while they are not
/// read. Dropping the job cancels it.
#[must_use = "dropping a job cancels it"]
pub struct Job<I, R> {
    items: BoxStream<'static, I>,
    outcome: BoxFuture<'static, Result<R>>,
}

impl<I: Send + 'static, R: Send + 'static> Job<I, R> {
    /// One that the library has started.
    pub(super) fn new<W, O>(
        events: StreamReader<W>,
        outcome: FutureReader<std::result::Result<O, LibraryError>>,
    ) -> Self
    where
        W: 'static,
        O: 'static,
        I: TryFrom<W>,
        R: TryFrom<O, Error = Error>,
    {
        // An item holds neither a path nor a time, so nothing in it can be refused.
        let items = items(events).flat_map(|item| streams::iter(I::try_from(item).ok()));
        let outcome = async move { R::try_from(word(outcome).await?) };
        Self { items: items.boxed(), outcome: here(outcome).boxed() }
    }
}

impl<I, R: Send + 'static> Job<I, R> {
    /// The next item; `None` after the last.
    pub async fn next(&mut self) -> Option<I> {
        self.items.next().await
    }

    /// What it has its backends do.
    #[must_use]
    pub fn activity(&self) -> Activity {
        Activity
    }

    /// The outcome; items that were not read are gone.
    ///
    /// # Errors
    /// What kept the job from being carried through: a missing source
    /// ([`ErrorCode::NotFound`](crate::ErrorCode::NotFound)), places that overlap
    /// ([`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument)), an empty source
    /// ([`ErrorCode::PreconditionFailed`](crate::ErrorCode::PreconditionFailed)), too many deletes
    /// ([`ErrorCode::LimitExceeded`](crate::ErrorCode::LimitExceeded)). Objects that failed are counted instead.
    pub async fn outcome(self) -> Result<R> {
        drop(self.items);
        self.outcome.await
    }
}

impl<I, R> Stream for Job<I, R> {
    type Item = I;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<I>> {
        self.items.as_mut().poll_next(cx)
    }
}
