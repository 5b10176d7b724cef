//! The sync engine: options, events and reports.

mod options;

use std::sync::Arc;

pub use self::options::{
    Backup, Comparison, Deletion, Order, OrderKey, Recoding, RenameStrategy, SyncOptions,
};
use super::{Storage, bindings::exports::omnistorage::storage::sync as wit, job::Job};
#[cfg(unix)]
use crate::FileBackend;
use crate::{
    error::{Error, ErrorCode, Result},
    object::Location,
};

/// What was done with an object, or would be in a dry run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Its bytes were copied.
    Transferred,
    /// The contents were the same, only the time was set.
    UpdatedTime,
    /// It was extra.
    Deleted,
    /// Moved on the target from another path, which the reason tells.
    Renamed,
    /// For a move: gone from the source, since it is on the target.
    SourceRemoved,
    /// Left alone although it is not the same: the reason tells.
    Skipped,
    /// The error tells.
    Failed,
}

impl Action {
    /// Its word: `transferred`, `updated-time`, `deleted`, `renamed`, `source-removed`,
    /// `skipped` or `failed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transferred => "transferred",
            Self::UpdatedTime => "updated-time",
            Self::Deleted => "deleted",
            Self::Renamed => "renamed",
            Self::SourceRemoved => "source-removed",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// Why a run ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stop {
    /// [`SyncOptions::max_errors`].
    MaxErrors,
    /// [`SyncOptions::max_transfer`].
    MaxTransfer,
}

impl Stop {
    /// Its word: `max-errors` or `max-transfer`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaxErrors => "max-errors",
            Self::MaxTransfer => "max-transfer",
        }
    }
}

/// One event an object (a move: one more when it leaves the source); nothing is said of objects that are the same on
/// both sides and stay there.
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
    /// Objects removed from the source of a move.
    pub sources_removed: u64,
    /// Objects left alone although they differ.
    pub skipped: u64,
    /// Objects that failed.
    pub errors: u64,
    /// Objects that would have been deleted, had there been no error and no stop.
    pub deletes_withheld: u64,
    /// Set if a limit ended the run before everything was looked at.
    pub stopped: Option<Stop>,
    /// What was the matter with the memo, if one was to be used.
    pub memo: Option<MemoTrouble>,
}

/// Why a [memo](SyncOptions::memo) was of no use; the run is as right as without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemoTrouble {
    /// It lies in the source or in the target: it was neither read nor kept.
    Overlap,
    /// It could not be read, or not to its end.
    Unreadable,
    /// It is of another version, about other places, or no memo at all.
    Foreign,
    /// It is not as it was written; what comes before the damage was used.
    Damaged,
    /// That of this run could not be kept.
    NotKept,
}

impl MemoTrouble {
    /// Its name, as in the interface of the component.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overlap => "overlap",
            Self::Unreadable => "unreadable",
            Self::Foreign => "foreign",
            Self::Damaged => "damaged",
            Self::NotKept => "not-kept",
        }
    }

    /// What there is to say of the memo.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Overlap => "lies in one of the places: it was neither read nor kept",
            Self::Unreadable => "could not be read: what it would have told was asked for",
            Self::Foreign => "is of another version, or about other places: it was not believed",
            Self::Damaged => "is damaged: nothing behind the damage was believed",
            Self::NotKept => "could not be kept: the next run asks again",
        }
    }
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

/// A sync, a copy or a move under way: [`Event`]s, then a [`Report`].
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

    /// Transfers what differs, and removes from the source what this run transferred and verified, or found to be the
    /// same on the target, unless it changed meanwhile. What was skipped or failed stays. Onto itself nothing is moved.
    ///
    /// One place under two names looks like two, and every object of it like one that is safe to remove. It is
    /// recognised if both names were granted the same backend, or are [`FileBackend`](crate::FileBackend)s; do not grant
    /// another store twice, or one inside a wrapper.
    ///
    /// # Errors
    /// As [`Storage::sync`]; [`ErrorCode::InvalidArgument`] also if both names stand for one place.
    pub async fn move_to(
        &self,
        source: &Location,
        target: &Location,
        options: &SyncOptions,
    ) -> Result<SyncJob> {
        if self.is_one_place(source, target).await? {
            let message = format!("`{}` and `{}` are one place by two names", source.backend, target.backend);
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
        let (source, target, options) = (source.into(), target.into(), options.into());
        self.start(Box::new(move |inside, guest| {
            Box::pin(async move {
                let job = guest.sync(inside)?.call_move_to(inside, source, target, options).await?;
                Ok(job.map(|job| (job.events, job.outcome)))
            })
        }))
        .await
    }

    /// Whether two names are known to stand for one place.
    async fn is_one_place(&self, source: &Location, target: &Location) -> Result<bool> {
        let mount = |at: &Location| self.mount(&at.backend).filter(|_| source.backend != target.backend);
        let (Some(from), Some(to)) = (mount(source), mount(target)) else { return Ok(false) };
        if Arc::ptr_eq(&from, &to) {
            return Ok(source.path == target.path || source.path.parent().as_ref() == Some(&target.path));
        }
        #[cfg(unix)]
        if let (Some(from), Some(to)) =
            (from.as_any().downcast_ref::<FileBackend>(), to.as_any().downcast_ref::<FileBackend>())
        {
            return from.is_same_directory(&source.path, to, &target.path).await;
        }
        Ok(false)
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

impl From<wit::Action> for Action {
    fn from(action: wit::Action) -> Self {
        match action {
            wit::Action::Transferred => Self::Transferred,
            wit::Action::UpdatedTime => Self::UpdatedTime,
            wit::Action::Deleted => Self::Deleted,
            wit::Action::Renamed => Self::Renamed,
            wit::Action::SourceRemoved => Self::SourceRemoved,
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
            sources_removed: report.sources_removed,
            skipped: report.skipped,
            errors: report.errors,
            deletes_withheld: report.deletes_withheld,
            stopped: report.stopped.map(|stop| match stop {
                wit::Stop::MaxErrors => Stop::MaxErrors,
                wit::Stop::MaxTransfer => Stop::MaxTransfer,
            }),
            memo: report.memo.map(|trouble| match trouble {
                wit::MemoTrouble::Overlap => MemoTrouble::Overlap,
                wit::MemoTrouble::Unreadable => MemoTrouble::Unreadable,
                wit::MemoTrouble::Foreign => MemoTrouble::Foreign,
                wit::MemoTrouble::Damaged => MemoTrouble::Damaged,
                wit::MemoTrouble::NotKept => MemoTrouble::NotKept,
            }),
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
