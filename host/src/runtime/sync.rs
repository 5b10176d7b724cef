//! The sync engine: its jobs.

use std::sync::Arc;

use omnistorage_types::{CheckEntry, CheckReport, Event, Report, SyncOptions};

use super::{Storage, job::Job};
#[cfg(unix)]
use crate::FileBackend;
use crate::{Error, ErrorCode, Location, Result};

/// A sync, a copy or a move under way: [`Event`]s, then a [`Report`].
pub type SyncJob = Job<Event, Report>;

/// A check under way: [`CheckEntry`]s, then a [`CheckReport`].
pub type CheckJob = Job<CheckEntry, CheckReport>;

impl Storage {
    /// Makes the target equal to the source: transfers what differs, then deletes what is extra.
    ///
    /// # Errors
    /// An unknown backend; an option out of its range. For the rest see [`Job::outcome`].
    pub async fn sync(&self, source: &Location, target: &Location, options: &SyncOptions) -> Result<SyncJob> {
        let (source, target, options) = (source.into(), target.into(), options.into());
        self.start(Box::new(move |inside, guest| {
            Box::pin(async move {
                let job = guest.sync(inside)?.call_sync(inside, source, target, options).await?;
                Ok(job.map(|job| (job.events, job.outcome)))
            })
        }))
        .await
    }

    /// Transfers what differs, and deletes nothing. If the source is one object, the target is the directory it goes
    /// to.
    ///
    /// # Errors
    /// As [`Storage::sync`].
    pub async fn copy(&self, source: &Location, target: &Location, options: &SyncOptions) -> Result<SyncJob> {
        let (source, target, options) = (source.into(), target.into(), options.into());
        self.start(Box::new(move |inside, guest| {
            Box::pin(async move {
                let job = guest.sync(inside)?.call_copy(inside, source, target, options).await?;
                Ok(job.map(|job| (job.events, job.outcome)))
            })
        }))
        .await
    }

    /// Transfers what differs, and removes from the source what this run transferred and verified, or found to be the
    /// same on the target, unless it changed meanwhile. What was skipped or failed stays. A place is never moved onto
    /// itself.
    ///
    /// The same place under two names looks like two places, and each of its objects like a verified copy that is safe
    /// to remove. This is recognised if both names were granted the same backend, or are
    /// [`FileBackend`](crate::FileBackend)s; do not grant another store twice, or one inside a wrapper.
    ///
    /// # Errors
    /// As [`Storage::sync`]; [`ErrorCode::InvalidArgument`] also if both names stand for one place.
    pub async fn move_to(
        &self,
        source: &Location,
        target: &Location,
        options: &SyncOptions,
    ) -> Result<SyncJob> {
        if self.is_one_place(source, target).await? {
            let message = format!("`{}` and `{}` are one place by two names", source.backend, target.backend);
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
        let (source, target, options) = (source.into(), target.into(), options.into());
        self.start(Box::new(move |inside, guest| {
            Box::pin(async move {
                let job = guest.sync(inside)?.call_move_to(inside, source, target, options).await?;
                Ok(job.map(|job| (job.events, job.outcome)))
            })
        }))
        .await
    }

    /// Whether two names are known to stand for the same place.
    async fn is_one_place(&self, source: &Location, target: &Location) -> Result<bool> {
        let mount = |at: &Location| self.mount(&at.backend).filter(|_| source.backend != target.backend);
        let (Some(from), Some(to)) = (mount(source), mount(target)) else { return Ok(false) };
        if Arc::ptr_eq(&from, &to) {
            return Ok(source.path == target.path || source.path.parent().as_ref() == Some(&target.path));
        }
        #[cfg(unix)]
        if let (Some(from), Some(to)) =
            (from.as_any().downcast_ref::<FileBackend>(), to.as_any().downcast_ref::<FileBackend>())
        {
            return from.is_same_directory(&source.path, to, &target.path).await;
        }
        Ok(false)
    }

    /// Compares, and changes nothing.
    ///
    /// # Errors
    /// As [`Storage::sync`].
    pub async fn check(
        &self,
        source: &Location,
        target: &Location,
        options: &SyncOptions,
    ) -> Result<CheckJob> {
        let (source, target, options) = (source.into(), target.into(), options.into());
        self.start(Box::new(move |inside, guest| {
            Box::pin(async move {
                let job = guest.sync(inside)?.call_check(inside, source, target, options).await?;
                Ok(job.map(|job| (job.entries, job.outcome)))
            })
        }))
        .await
    }
}
