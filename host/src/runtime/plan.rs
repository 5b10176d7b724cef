//! What ranges need beside their runs: borders that cut a place, and a verdict on the sum.

use omnistorage_types::{Report, SyncOptions};

use super::{
    Storage,
    sandbox::{Guest, Inside},
};
use crate::{Location, Path, Result};

impl Storage {
    /// Whether what is extra may be deleted after runs over ranges that held their deletes
    /// ([`SyncOptions::hold_deletes`](SyncOptions::hold_deletes)), by the sum of their reports: the guards of one run over
    /// all of them. Then each range is run once more without holding, and with the extras of its own report as
    /// [`SyncOptions::max_delete`].
    ///
    /// # Errors
    /// [`ErrorCode::PreconditionFailed`](crate::ErrorCode::PreconditionFailed) if there were errors, if a limit ended one of
    /// the runs, or if the source has no object; [`ErrorCode::LimitExceeded`](crate::ErrorCode::LimitExceeded) beyond
    /// [`SyncOptions::max_delete`].
    pub async fn judge(&self, sum: &Report, options: &SyncOptions) -> Result<()> {
        let (sum, options) = (sum.into(), options.into());
        let call =
            async |inside: &Inside, guest: &Guest| guest.sync(inside)?.call_judge(inside, sum, options).await;
        self.call(call).await
    }

    /// Paths that cut what is below a place into so many ranges, from 1 to 10,000, for whoever shares a run among machines:
    /// sorted, each one that stands there, relative to the place, and one less than ranges; fewer where there is not
    /// enough to cut at. Each range begins after a border and ends at the next:
    /// [`SyncOptions::start_after`](super::SyncOptions::start_after) and
    /// [`SyncOptions::stop_at`](super::SyncOptions::stop_at). It takes some 60 requests a range at most.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`](crate::ErrorCode::NotFound); [`ErrorCode::NotDirectory`](crate::ErrorCode::NotDirectory);
    /// [`ErrorCode::Unsupported`](crate::ErrorCode::Unsupported) where listings do not come in byte order; and those of
    /// the backend.
    pub async fn plan(&self, at: &Location, ranges: u32) -> Result<Vec<Path>> {
        let at = at.into();
        let call =
            async |inside: &Inside, guest: &Guest| guest.sync(inside)?.call_plan(inside, at, ranges).await;
        let borders: Vec<String> = self.call(call).await?;
        borders.into_iter().map(|border| Ok(Path::parse(border)?)).collect()
    }
}
