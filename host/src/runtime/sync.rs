//! The sync engine: options, events and reports.

use std::time::Duration;

use super::{Filter, Storage, bindings::exports::omnistorage::storage::sync as wit, job::Job};
use crate::{
    error::{Error, Result},
    object::Location,
};

/// When an object that is on both sides counts as the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparison {
    /// Size and modification time, within the coarser precision of the two sides; where one side keeps no times, the
    /// size, and a time of the target that is not older than the source's.
    #[default]
    Automatic,
    /// Size and a checksum both sides can give.
    Checksum,
    /// Size alone.
    SizeOnly,
    /// Never: transfer all. For a check: compare the bytes themselves.
    Always,
    /// Whatever is on the target stays.
    IgnoreExisting,
}

/// What becomes of target objects that the source does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deletion {
    /// They stay.
    None,
    /// They are deleted once everything was transferred without an error.
    #[default]
    After,
}

/// How to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncOptions {
    /// Tell what would be done, and do nothing.
    pub dry_run: bool,
    /// When objects count as the same.
    pub comparison: Comparison,
    /// Leave target objects alone that are newer than the source's.
    pub update_only: bool,
    /// Differences of time up to this count as none; `None`: the coarser precision of both sides.
    pub modify_window: Option<Duration>,
    /// For [`Storage::sync`] alone: what becomes of extra objects.
    pub deletion: Deletion,
    /// Fail, and delete nothing, if more objects than this would go.
    pub max_delete: Option<u64>,
    /// Mirror a source without any object onto a target that has some: refused otherwise.
    pub allow_empty_source: bool,
    /// Calls of the backends in flight for transfers, from 1 to 256. Default 4.
    pub transfers: u32,
    /// Calls in flight for comparisons that need more than a listing, from 1 to 256. Default 8.
    pub checkers: u32,
    /// For [`Storage::check`]: ignore what only the target has.
    pub one_way: bool,
    /// Which objects are meant. An object of both sides is judged by the source. A target within the source is no
    /// overlap if its directory is excluded.
    pub filter: Filter,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            dry_run: false,
            comparison: Comparison::default(),
            update_only: false,
            modify_window: None,
            deletion: Deletion::default(),
            max_delete: None,
            allow_empty_source: false,
            transfers: 4,
            checkers: 8,
            one_way: false,
            filter: Filter::default(),
        }
    }
}

/// What was done with an object, or would be in a dry run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Its bytes were copied.
    Transferred,
    /// The contents were the same, only the time was set.
    UpdatedTime,
    /// It was extra.
    Deleted,
    /// Left alone although it is not the same: the reason tells.
    Skipped,
    /// The error tells.
    Failed,
}

impl Action {
    /// Its word: `transferred`, `updated-time`, `deleted`, `skipped` or `failed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transferred => "transferred",
            Self::UpdatedTime => "updated-time",
            Self::Deleted => "deleted",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// One event an object; nothing is said of objects that are the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What was done.
    pub action: Action,
    /// Relative to the places given.
    pub path: String,
    /// In bytes, where known.
    pub size: Option<u64>,
    /// Why, for a person.
    pub reason: Option<String>,
    /// What failed.
    pub error: Option<Error>,
}

/// What a run did. The counters equal the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Objects of both sides that were looked at, a pair as one.
    pub checked: u64,
    /// Objects copied.
    pub transferred: u64,
    /// Bytes of the objects copied.
    pub bytes: u64,
    /// Objects whose time alone was set.
    pub updated_times: u64,
    /// Objects deleted.
    pub deleted: u64,
    /// Objects moved within the target.
    pub renamed: u64,
    /// Objects left alone although they differ.
    pub skipped: u64,
    /// Objects that failed.
    pub errors: u64,
    /// Objects that would have been deleted, had there been no error.
    pub deletes_withheld: u64,
}

/// How the two sides of a path compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Difference {
    /// They are the same.
    Same,
    /// They are not.
    Differ,
    /// Only the target has it.
    MissingOnSource,
    /// Only the source has it.
    MissingOnTarget,
    /// They could not be compared.
    Error,
}

/// The comparison of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckEntry {
    /// Relative to the places given.
    pub path: String,
    /// How it compares.
    pub difference: Difference,
    /// Why, for a person.
    pub reason: Option<String>,
    /// What failed.
    pub error: Option<Error>,
}

/// What a check found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Paths of both sides.
    pub checked: u64,
    /// Paths that are the same.
    pub same: u64,
    /// Paths that differ.
    pub differ: u64,
    /// Paths only the target has.
    pub missing_on_source: u64,
    /// Paths only the source has.
    pub missing_on_target: u64,
    /// Paths that could not be compared.
    pub errors: u64,
}

/// A sync or a copy under way: [`Event`]s, then a [`Report`].
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

impl From<Comparison> for wit::Comparison {
    fn from(comparison: Comparison) -> Self {
        match comparison {
            Comparison::Automatic => Self::Automatic,
            Comparison::Checksum => Self::Checksum,
            Comparison::SizeOnly => Self::SizeOnly,
            Comparison::Always => Self::Always,
            Comparison::IgnoreExisting => Self::IgnoreExisting,
        }
    }
}

impl From<&SyncOptions> for wit::SyncOptions {
    fn from(options: &SyncOptions) -> Self {
        Self {
            dry_run: options.dry_run,
            comparison: options.comparison.into(),
            update_only: options.update_only,
            modify_window_ns: options
                .modify_window
                .map(|window| u64::try_from(window.as_nanos()).unwrap_or(u64::MAX)),
            deletion: match options.deletion {
                Deletion::None => wit::Deletion::None,
                Deletion::After => wit::Deletion::After,
            },
            max_delete: options.max_delete,
            allow_empty_source: options.allow_empty_source,
            transfers: options.transfers,
            checkers: options.checkers,
            one_way: options.one_way,
            filter: (&options.filter).into(),
        }
    }
}

impl From<wit::Action> for Action {
    fn from(action: wit::Action) -> Self {
        match action {
            wit::Action::Transferred => Self::Transferred,
            wit::Action::UpdatedTime => Self::UpdatedTime,
            wit::Action::Deleted => Self::Deleted,
            wit::Action::Skipped => Self::Skipped,
            wit::Action::Failed => Self::Failed,
        }
    }
}

impl From<wit::Event> for Event {
    fn from(event: wit::Event) -> Self {
        Self {
            action: event.action.into(),
            path: event.path,
            size: event.size,
            reason: event.reason,
            error: event.error.map(Into::into),
        }
    }
}

impl From<wit::Report> for Report {
    fn from(report: wit::Report) -> Self {
        Self {
            checked: report.checked,
            transferred: report.transferred,
            bytes: report.bytes,
            updated_times: report.updated_times,
            deleted: report.deleted,
            renamed: report.renamed,
            skipped: report.skipped,
            errors: report.errors,
            deletes_withheld: report.deletes_withheld,
        }
    }
}

impl From<wit::CheckEntry> for CheckEntry {
    fn from(entry: wit::CheckEntry) -> Self {
        Self {
            path: entry.path,
            difference: match entry.difference {
                wit::Difference::Same => Difference::Same,
                wit::Difference::Differ => Difference::Differ,
                wit::Difference::MissingOnSource => Difference::MissingOnSource,
                wit::Difference::MissingOnTarget => Difference::MissingOnTarget,
                wit::Difference::Error => Difference::Error,
            },
            reason: entry.reason,
            error: entry.error.map(Into::into),
        }
    }
}

impl From<wit::CheckReport> for CheckReport {
    fn from(report: wit::CheckReport) -> Self {
        Self {
            checked: report.checked,
            same: report.same,
            differ: report.differ,
            missing_on_source: report.missing_on_source,
            missing_on_target: report.missing_on_target,
            errors: report.errors,
        }
    }
}
