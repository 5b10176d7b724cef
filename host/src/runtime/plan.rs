//! Borders that cut a place into ranges.

use super::{
    Storage,
    sandbox::{Guest, Inside},
};
use crate::{Location, Path, Result};

impl Storage {
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
