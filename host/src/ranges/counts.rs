//! What jobs over ranges count, and how that adds up.

use crate::{
    Error, ErrorCode, Location, Result,
    ranges::operation::{Operation, Transfer},
    runtime::{CheckEntry, CheckReport, Event, Job, Report, Storage, SyncOptions},
};

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// By a sync, a copy or a move.
    Sync(Report),
    /// By a check.
    Check(CheckReport),
}

impl Counts {
    /// The sum of two; `None` if it is too large, or if they are not alike.
    pub fn plus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Sync(one), Self::Sync(other)) => Some(Self::Sync(Report {
                checked: one.checked.checked_add(other.checked)?,
                transferred: one.transferred.checked_add(other.transferred)?,
                bytes: one.bytes.checked_add(other.bytes)?,
                updated_times: one.updated_times.checked_add(other.updated_times)?,
                deleted: one.deleted.checked_add(other.deleted)?,
                renamed: one.renamed.checked_add(other.renamed)?,
                sources_removed: one.sources_removed.checked_add(other.sources_removed)?,
                skipped: one.skipped.checked_add(other.skipped)?,
                errors: one.errors.checked_add(other.errors)?,
                deletes_withheld: one.deletes_withheld.checked_add(other.deletes_withheld)?,
                source_objects: one.source_objects.checked_add(other.source_objects)?,
                extras: one.extras.checked_add(other.extras)?,
                stopped: one.stopped.or(other.stopped),
                memo: one.memo.or(other.memo),
            })),
            (Self::Check(one), Self::Check(other)) => Some(Self::Check(CheckReport {
                checked: one.checked.checked_add(other.checked)?,
                same: one.same.checked_add(other.same)?,
                differ: one.differ.checked_add(other.differ)?,
                missing_on_source: one.missing_on_source.checked_add(other.missing_on_source)?,
                missing_on_target: one.missing_on_target.checked_add(other.missing_on_target)?,
                errors: one.errors.checked_add(other.errors)?,
            })),
            (Self::Sync(_), Self::Check(_)) | (Self::Check(_), Self::Sync(_)) => None,
        }
    }

    /// What a transfer counted.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`] for what a check counted.
    pub fn report(self) -> Result<Report> {
        Event::report(self)
    }
}

fn unlike() -> Error {
    Error::new(ErrorCode::Corrupted, "a range was counted by another kind of run")
}

/// What a job over a range tells of objects: those of a transfer, or those of a check.
pub trait Counted: Sized + Send + 'static {
    /// What such a job ends with.
    type Report: Copy + Default + Send + Sync + 'static;

    /// Begins such a job.
    ///
    /// # Errors
    /// As [`Storage::sync`]; [`ErrorCode::InvalidArgument`] for an operation of the other kind.
    fn begin(
        storage: &Storage,
        operation: Operation,
        sides: [&Location; 2],
        options: &SyncOptions,
    ) -> impl Future<Output = Result<Job<Self, Self::Report>>> + Send;

    /// A report as counts.
    fn counts(report: Self::Report) -> Counts;

    /// Counts as a report.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`] for those of the other kind.
    fn report(counts: Counts) -> Result<Self::Report>;
}

fn another(operation: Operation) -> Error {
    Error::new(ErrorCode::InvalidArgument, format!("`{}` is another kind of run", operation.as_str()))
}

impl Counted for Event {
    type Report = Report;

    async fn begin(
        storage: &Storage,
        operation: Operation,
        [source, target]: [&Location; 2],
        options: &SyncOptions,
    ) -> Result<Job<Self, Report>> {
        match operation {
            Operation::Transfer(Transfer::Copy) => storage.copy(source, target, options).await,
            Operation::Transfer(Transfer::Sync) => storage.sync(source, target, options).await,
            Operation::Transfer(Transfer::Move) => storage.move_to(source, target, options).await,
            Operation::Check => Err(another(operation)),
        }
    }

    fn counts(report: Report) -> Counts {
        Counts::Sync(report)
    }

    fn report(counts: Counts) -> Result<Report> {
        match counts {
            Counts::Sync(report) => Ok(report),
            Counts::Check(_) => Err(unlike()),
        }
    }
}

impl Counted for CheckEntry {
    type Report = CheckReport;

    async fn begin(
        storage: &Storage,
        operation: Operation,
        [source, target]: [&Location; 2],
        options: &SyncOptions,
    ) -> Result<Job<Self, CheckReport>> {
        match operation {
            Operation::Check => storage.check(source, target, options).await,
            Operation::Transfer(_) => Err(another(operation)),
        }
    }

    fn counts(report: CheckReport) -> Counts {
        Counts::Check(report)
    }

    fn report(counts: Counts) -> Result<CheckReport> {
        match counts {
            Counts::Check(report) => Ok(report),
            Counts::Sync(_) => Err(unlike()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_add_up_as_far_as_they_go() {
        let one = Counts::Sync(Report { checked: 2, extras: 1, ..Report::default() });
        let Some(Counts::Sync(sum)) = one.plus(one) else { panic!("{one:?}") };
        assert_eq!((sum.checked, sum.extras, sum.transferred), (4, 2, 0));
        assert_eq!(
            Counts::Sync(Report { bytes: u64::MAX, ..sum }).plus(Counts::Sync(Report { bytes: 1, ..sum })),
            None
        );
        assert_eq!(one.plus(Counts::Check(CheckReport::default())), None);
    }
}
