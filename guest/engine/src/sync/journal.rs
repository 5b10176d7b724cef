//! Reports what a run does as it happens, and counts it.

use omnistorage_core::sync::compare::Reason;
use omnistorage_types::{Action, Error, Event, Path, Report};

use crate::{
    job::Outlet,
    planted::{self, Bug},
};

/// Reports what is done, and counts it.
pub(super) struct Journal {
    pub(super) events: Outlet<Event>,
    pub(super) report: Report,
}

impl Journal {
    pub(super) fn new(events: Outlet<Event>) -> Self {
        Self { events, report: Report::default() }
    }

    pub(super) fn tell(&mut self, action: Action, path: &Path, size: Option<u64>, reason: Reason) {
        self.record(action, path, size, reason.as_str().to_owned());
    }

    pub(super) fn renamed(&mut self, from: &Path, to: &Path, size: Option<u64>) {
        self.record(Action::Renamed, to, size, from.as_str().to_owned());
    }

    pub(super) fn deleted(&mut self, path: &Path, result: Result<(), Error>) {
        match result {
            Ok(()) => self.tell(Action::Deleted, path, None, Reason::MissingOnSource),
            Err(error) => self.fail(path, error),
        }
    }

    fn record(&mut self, action: Action, path: &Path, size: Option<u64>, reason: String) {
        let report = &mut self.report;
        match action {
            Action::Transferred => {
                report.transferred += 1;
                report.bytes += size.unwrap_or(0);
            }
            Action::UpdatedTime => report.updated_times += 1,
            Action::Deleted => report.deleted += 1,
            Action::Renamed => report.renamed += 1,
            Action::SourceRemoved => report.sources_removed += 1,
            Action::Skipped => report.skipped += 1,
            Action::Failed => report.errors += 1,
        }
        let path = path.as_str().to_owned();
        self.events.push(Event { action, path, size, reason: Some(reason), error: None });
    }

    pub(super) fn fail(&mut self, path: &Path, error: Error) {
        self.fail_name(path.as_str(), error);
    }

    /// Reports a failure for a name that may not be a valid path.
    pub(super) fn fail_name(&mut self, name: &str, error: Error) {
        self.report.errors += if planted::has(Bug::CountsTwice) { 2 } else { 1 };
        let (path, reason) = (name.to_owned(), None);
        self.events.push(Event { action: Action::Failed, path, size: None, reason, error: Some(error) });
    }
}
