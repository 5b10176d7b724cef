//! Two-way sync: its jobs.

use omnistorage_types::{BisyncEvent, BisyncOptions, BisyncReport};

use super::{Storage, job::Job};
use crate::{Location, Result};

/// A two-way sync under way: [`BisyncEvent`]s, then a [`BisyncReport`].
pub type BisyncJob = Job<BisyncEvent, BisyncReport>;

impl Storage {
    /// Brings the changes of each of two places to the other. The state, an object outside of both, tells what changed:
    /// the first run, with [`BisyncOptions::resync`], makes it, and each run replaces it in one step at its end. A run
    /// that is interrupted leaves the old state, and the next one finds what it did.
    ///
    /// # Errors
    /// An unknown backend; an option out of its range. Then as [`Job::outcome`], and
    /// [`ErrorCode::PreconditionFailed`](crate::ErrorCode::PreconditionFailed) if there is no state, or it is damaged,
    /// of other places or of another filter, or if a side has become empty.
    pub async fn bisync(
        &self,
        first: &Location,
        second: &Location,
        state: &Location,
        options: &BisyncOptions,
    ) -> Result<BisyncJob> {
        let (first, second, state, options) = (first.into(), second.into(), state.into(), options.into());
        self.start(Box::new(move |inside, guest| {
            Box::pin(async move {
                let job = guest.bisync(inside)?.call_bisync(inside, first, second, state, options).await?;
                Ok(job.map(|job| (job.events, job.outcome)))
            })
        }))
        .await
    }
}
