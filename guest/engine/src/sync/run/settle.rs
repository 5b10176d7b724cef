//! Handles the results of a run's calls.

use omnistorage_core::{
    entry::{Entry, ObjectKind},
    sync::compare::Reason,
};
use omnistorage_types::{Action, Error, ErrorCode, Path, Stop};

use super::{Run, room::ADVICE};
use crate::sync::{
    fence::Seen,
    flight::Done,
    operation::Operation,
    pair::Pair,
    rename::Renamed,
    transfer::{Arrival, Carried},
    waiting::Item,
};

/// So often may others be faster with an object before it is left to the next run.
const MOST_TIMES: u32 = 5;

impl Run {
    /// Handles the result of a call.
    pub(super) fn settle(&mut self, done: Done) {
        match done {
            Done::Carried(items) => items.into_iter().for_each(|carried| self.settle_carried(carried)),
            Done::Compared(entries) => {
                for (pair, verdict) in entries {
                    self.settle_comparison(pair, verdict);
                }
            }
            Done::Timed(listed, seen) => self.settle_times(*listed, seen),
            Done::TimeSet(source, Ok(())) => {
                self.journal.tell(Action::UpdatedTime, &source.path, source.size, Reason::TimeDiffers);
                if self.operation == Operation::Move {
                    self.leave(*source);
                }
            }
            Done::TimeSet(source, Err(error)) => self.fail(&source.path, error),
            Done::Removed(entries) => {
                for (source, removed) in entries {
                    match removed {
                        Ok(()) => {
                            let reason = Reason::SameOnTarget;
                            self.journal.tell(Action::SourceRemoved, &source.path, source.size, reason);
                        }
                        Err(error) => self.fail(&source.path, error),
                    }
                }
            }
            Done::Deleted(paths) => {
                for (path, deleted) in paths {
                    self.directories.touch(&path);
                    self.journal.deleted(&path, deleted);
                }
            }
            Done::Renamed(source, from, renamed @ (Renamed::Moved | Renamed::Copied(_))) => {
                self.journal.renamed(&from.path, &source.path, source.size);
                self.directories.touch(&source.path);
                self.directories.touch(&from.path);
                if let Renamed::Copied(error) = renamed {
                    self.fail(&from.path, error);
                }
            }
            // Transferred instead. The object that it might have been renamed from stays extra.
            Done::Renamed(source, from, renamed @ (Renamed::Failed | Renamed::Unknown(_))) => {
                if let Renamed::Unknown(error) = renamed {
                    self.fail(&from.path, error);
                }
                self.extras.add(*from);
                self.queue(*source, Reason::MissingOnTarget, Seen::Nothing);
            }
        }
    }

    fn settle_carried(&mut self, carried: Carried) {
        let Carried { item: Item { source, reason, .. }, arrived, removed } = carried;
        match arrived {
            Ok(Arrival::Overtaken(there)) => return self.decide_again(source, there),
            Ok(Arrival::There(target)) => {
                if let Some(memo) = &mut self.memo {
                    memo.written(&source.path, target);
                }
                self.journal.tell(Action::Transferred, &source.path, source.size, reason);
                self.directories.touch(&source.path);
            }
            // A backend without real directories reports them only now.
            Err(error) if error.code() == ErrorCode::IsDirectory && self.may_make_room() => {
                self.want(&source)
            }
            Err(error) => self.fail(&source.path, advised(error)),
        }
        match removed {
            Some(Ok(())) => {
                self.journal.tell(Action::SourceRemoved, &source.path, source.size, Reason::Transferred);
            }
            Some(Err(error)) => self.fail(&source.path, error),
            None => {}
        }
    }

    /// Decides anew on an object whose place on the target somebody else was faster to change, by the same rules, and
    /// on what is there now.
    fn decide_again(&mut self, source: Entry, there: Option<Box<Entry>>) {
        let times = self.overtaken.entry(source.path.clone()).or_default();
        *times += 1;
        if *times > MOST_TIMES {
            let message =
                "the target changed each time that it was to be written: run it again when others are done";
            let at = self.sides.target_path(&source.path);
            let error = self.sides.target.error(ErrorCode::Unavailable, &at, message);
            return self.fail(&source.path, error);
        }
        if self.journal.report.stopped.is_some() {
            return self.skip(&source, Reason::LimitReached);
        }
        match there {
            None => self.queue(source, Reason::MissingOnTarget, Seen::Nothing),
            Some(there) if there.kind == ObjectKind::Directory => self.want(&source),
            // The etag of the source, too, may be that of an older version.
            Some(target) => self.ask_times(Pair { as_listed: false, ..Pair::listed(source, *target) }),
        }
    }

    pub(super) fn fail(&mut self, path: &Path, error: Error) {
        self.journal.fail(path, error);
        self.stop_after_errors();
    }

    pub(super) fn stop_after_errors(&mut self) {
        if self.options.max_errors.is_some_and(|most| self.journal.report.errors >= most) {
            self.stop(Stop::MaxErrors);
        }
    }
}

/// Adds advice to the error if something else is in the place of an object, or of a directory above it.
fn advised(error: Error) -> Error {
    match error.code() {
        ErrorCode::IsDirectory | ErrorCode::NotDirectory => {
            let message = format!("{}: {ADVICE}", error.message());
            error.with_message(message)
        }
        _ => error,
    }
}
