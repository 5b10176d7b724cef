//! Reports what a run does as it happens, and counts it.

use omnistorage_core::sync::merge::Side;
use omnistorage_types::{BisyncAction, BisyncEvent, BisyncReport, BisyncSide, Error, Path};

use crate::job::Outlet;

/// Reports what is done, and counts it.
pub(super) struct Journal {
    events: Outlet<BisyncEvent>,
    pub(super) report: BisyncReport,
}

impl Journal {
    pub(super) fn new(events: Outlet<BisyncEvent>) -> Self {
        Self { events, report: BisyncReport::default() }
    }

    pub(super) async fn tell(&mut self, event: BisyncEvent) {
        let report = &mut self.report;
        let of_side = match (event.action, event.side) {
            (BisyncAction::Transferred, side) => {
                report.bytes += event.size.unwrap_or(0);
                match side {
                    BisyncSide::First => &mut report.transferred_to_first,
                    BisyncSide::Second => &mut report.transferred_to_second,
                }
            }
            (BisyncAction::Deleted, BisyncSide::First) => &mut report.deleted_on_first,
            (BisyncAction::Deleted, BisyncSide::Second) => &mut report.deleted_on_second,
            (BisyncAction::Renamed | BisyncAction::Replaced, _) => &mut report.conflicts,
            (BisyncAction::Skipped, _) => &mut report.skipped,
            (BisyncAction::Failed, _) => &mut report.errors,
        };
        *of_side += 1;
        self.events.push(event);
        if self.events.is_full() {
            self.flush().await;
        }
    }

    pub(super) async fn flush(&mut self) {
        self.events.flush().await;
    }
}

/// What was done with an object.
pub(super) fn done(
    action: BisyncAction,
    side: Side,
    path: &Path,
    size: Option<u64>,
    reason: &str,
) -> BisyncEvent {
    let (path, reason) = (path.as_str().to_owned(), Some(reason.to_owned()));
    BisyncEvent { action, side: bisync_side(side), path, size, reason, error: None }
}

/// What could not be done.
pub(super) fn failed(side: Side, path: &str, error: Error) -> BisyncEvent {
    let path = path.to_owned();
    let side = bisync_side(side);
    BisyncEvent { action: BisyncAction::Failed, side, path, size: None, reason: None, error: Some(error) }
}

/// In the types of the report.
const fn bisync_side(side: Side) -> BisyncSide {
    match side {
        Side::Source => BisyncSide::First,
        Side::Target => BisyncSide::Second,
    }
}
