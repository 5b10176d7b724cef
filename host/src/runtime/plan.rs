//! What ranges need beside their runs: borders that cut a place, and a verdict on the sum.

use omnistorage_types::{Report, SyncOptions};

use super::{
    Storage,
    sandbox::{Guest, Inside},
};
use crate::{KeyRange, Location, Path, Result};

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

    /// Paths that cut a range of what is below a place into so many ranges, from 1 to 10,000, for whoever shares a run among
    /// machines: sorted, each one that stands there, relative to the place, and one less than ranges; fewer where there is
    /// not enough to cut at. Each range begins after a border and ends at the next:
    /// [`SyncOptions::start_after`](super::SyncOptions::start_after) and
    /// [`SyncOptions::stop_at`](super::SyncOptions::stop_at). It takes some 60 requests a range at most.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`](crate::ErrorCode::NotFound); [`ErrorCode::NotDirectory`](crate::ErrorCode::NotDirectory);
    /// [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) if no path can lie in the range;
    /// [`ErrorCode::Unsupported`](crate::ErrorCode::Unsupported) where listings do not come in byte order; and those of
    /// the backend.
    pub async fn plan(&self, at: &Location, range: &KeyRange, ranges: u32) -> Result<Vec<Path>> {
        let (at, [after, until]) = (at.into(), ends(range));
        let call = async |inside: &Inside, guest: &Guest| {
            guest.sync(inside)?.call_plan(inside, at, after, until, ranges).await
        };
        paths(self.call(call).await?)
    }

    /// Some paths at which a range of what is below a place may be cut, at most so many, from 1 to 10,000: sorted, and each one
    /// that stands there. One search finds them, in some 25 requests, where the paths differ first, so the shares may be
    /// uneven; [`plan`](Self::plan) goes on until they are not.
    ///
    /// # Errors
    /// As [`plan`](Self::plan); of a place that is not there, there are none.
    pub async fn cut(&self, at: &Location, range: &KeyRange, most: u32) -> Result<Vec<Path>> {
        let (at, [after, until]) = (at.into(), ends(range));
        let call = async |inside: &Inside, guest: &Guest| {
            guest.sync(inside)?.call_cut(inside, at, after, until, most).await
        };
        paths(self.call(call).await?)
    }
}

fn ends(range: &KeyRange) -> [Option<String>; 2] {
    [&range.after, &range.until].map(|end| end.as_ref().map(Path::to_string))
}

fn paths(found: Vec<String>) -> Result<Vec<Path>> {
    found.into_iter().map(|path| Ok(Path::parse(path)?)).collect()
}
