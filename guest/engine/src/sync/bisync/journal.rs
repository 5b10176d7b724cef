//! What a run did: told as it happens, and counted.

use omnistorage_core::sync::merge::Side;
use omnistorage_path::Path;

use crate::{
    exports::bisync::{BisyncAction, BisyncEvent, BisyncReport},
    imports::types::Error,
    sync::job::Outlet,
};

/// Nothing done yet.
const EMPTY: BisyncReport = BisyncReport {
    checked: 0,
    transferred_to_first: 0,
    transferred_to_second: 0,
    bytes: 0,
    deleted_on_first: 0,
    deleted_on_second: 0,
    conflicts: 0,
    skipped: 0,
    errors: 0,
    deletes_withheld: 0,
};

/// Tells what is done, and counts it.
pub(super) struct Journal {
    events: Outlet<BisyncEvent>,
    pub(super) report: BisyncReport,
}

impl Journal {
    pub(super) const fn new(events: Outlet<BisyncEvent>) -> Self {
        Self { events, report: EMPTY }
    }

    pub(super) async fn tell(&mut self, event: BisyncEvent) {
        let report = &mut self.report;
        let of_side = match (event.action, event.side) {
            (BisyncAction::Transferred, side) => {
                report.bytes += event.size.unwrap_or(0);
                match side {
                    crate::exports::bisync::Side::First => &mut report.transferred_to_first,
                    crate::exports::bisync::Side::Second => &mut report.transferred_to_second,
                }
            }
            (BisyncAction::Deleted, crate::exports::bisync::Side::First) => &mut report.deleted_on_first,
            (BisyncAction::Deleted, crate::exports::bisync::Side::Second) => &mut report.deleted_on_second,
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
    BisyncEvent { action, side: side.into(), path, size, reason, error: None }
}

/// What could not be done.
pub(super) fn failed(side: Side, path: &str, error: Error) -> BisyncEvent {
    let path = path.to_owned();
    let side = side.into();
    BisyncEvent { action: BisyncAction::Failed, side, path, size: None, reason: None, error: Some(error) }
}
