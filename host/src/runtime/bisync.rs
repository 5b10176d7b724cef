//! Two-way sync: options, events and reports.

use std::time::Duration;

use super::{Comparison, Filter, Storage, bindings::exports::omnistorage::storage::bisync as wit, job::Job};
use crate::{
    error::{Error, Result},
    object::Location,
};

/// One of the two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one that was given first.
    First,
    /// The other.
    Second,
}

impl Side {
    /// Its word: `first` or `second`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
        }
    }
}

/// Which version of an object that changed on both sides takes its name. Where that cannot be told, the first's does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Winner {
    /// The one that was modified last.
    #[default]
    Newer,
    /// The one that was modified first.
    Older,
    /// The one of more bytes.
    Larger,
    /// The one of fewer bytes.
    Smaller,
    /// That of the first place.
    First,
    /// That of the second place.
    Second,
}

/// How many objects may be deleted on a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteLimit {
    /// So many.
    Count(u64),
    /// So many of a hundred that both sides had.
    Percent(u32),
}

/// How a two-way sync is to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BisyncOptions {
    /// Tell what would be done, and do nothing.
    pub dry_run: bool,
    /// Begin, or begin anew, without a state: nothing is deleted, what only one side has goes to the other, and what
    /// both have in different versions is a conflict.
    pub resync: bool,
    /// When two versions are the same: [`Comparison::Automatic`], [`Comparison::ExactTimes`], [`Comparison::Checksum`]
    /// or [`Comparison::SizeOnly`].
    pub comparison: Comparison,
    /// Differences of time up to this count as none; `None`: the coarser precision of both sides.
    pub modify_window: Option<Duration>,
    /// Which version takes the name in a conflict.
    pub winner: Winner,
    /// The other version stays on both sides, under the name with the suffix and a number. Otherwise it is replaced,
    /// unless it could not be told which is to win. Default: yes.
    pub keep_loser: bool,
    /// Holds no `/`; not empty. Default: `.conflict`.
    pub conflict_suffix: String,
    /// Do nothing if more than this would be deleted on a side. Default: 50 %.
    pub max_delete: DeleteLimit,
    /// Let a side that has become empty empty the other: refused otherwise.
    pub allow_empty: bool,
    /// What the places are called in the state, which holds for no others. `None`: by their locations.
    pub names: Option<(String, String)>,
    /// Objects worked on at once, from 1 to 256. Default 4.
    pub transfers: u32,
    /// Attempts at an object, in all, from 1 to 100. Only what may pass is tried again. Default 3.
    pub retries: u32,
    /// Bytes a second that move, at most.
    pub bandwidth: Option<u64>,
    /// Which objects are meant, on both sides. Bounds of size and time are refused.
    pub filter: Filter,
}

impl Default for BisyncOptions {
    fn default() -> Self {
        Self {
            dry_run: false,
            resync: false,
            comparison: Comparison::default(),
            modify_window: None,
            winner: Winner::default(),
            keep_loser: true,
            conflict_suffix: ".conflict".to_owned(),
            max_delete: DeleteLimit::Percent(50),
            allow_empty: false,
            names: None,
            transfers: 4,
            retries: 3,
            bandwidth: None,
            filter: Filter::default(),
        }
    }
}

/// What was done with an object, or would be in a dry run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BisyncAction {
    /// Brought to this side from the other.
    Transferred,
    /// Deleted on this side.
    Deleted,
    /// A conflict: the version of this side got another name, which the reason tells, and is there on both sides.
    Renamed,
    /// A conflict: the version of this side was replaced by the other's.
    Replaced,
    /// Left alone on both sides: the reason tells.
    Skipped,
    /// The error tells.
    Failed,
}

impl BisyncAction {
    /// Its word: `transferred`, `deleted`, `renamed`, `replaced`, `skipped` or `failed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transferred => "transferred",
            Self::Deleted => "deleted",
            Self::Renamed => "renamed",
            Self::Replaced => "replaced",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// One event an object. Nothing is said of what both agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BisyncEvent {
    /// What was done.
    pub action: BisyncAction,
    /// Where it was done.
    pub side: Side,
    /// Relative to both places.
    pub path: String,
    /// In bytes, where known.
    pub size: Option<u64>,
    /// Why, for a person.
    pub reason: Option<String>,
    /// What failed.
    pub error: Option<Error>,
}

/// What a two-way sync did. The counters equal the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BisyncReport {
    /// Paths of objects that were looked at.
    pub checked: u64,
    /// Objects copied to the first place.
    pub transferred_to_first: u64,
    /// Objects copied to the second place.
    pub transferred_to_second: u64,
    /// Bytes of the objects copied.
    pub bytes: u64,
    /// Objects deleted on the first place.
    pub deleted_on_first: u64,
    /// Objects deleted on the second place.
    pub deleted_on_second: u64,
    /// Objects that changed on both sides.
    pub conflicts: u64,
    /// Paths left alone on both sides.
    pub skipped: u64,
    /// Objects that failed.
    pub errors: u64,
    /// Objects that would have been deleted, had there been no error.
    pub deletes_withheld: u64,
}

/// A two-way sync under way: [`BisyncEvent`]s, then a [`BisyncReport`].
pub type BisyncJob = Job<BisyncEvent, BisyncReport>;

impl Storage {
    /// Brings the changes of each of two places to the other. What changed is told by the state: an object outside of
    /// both, which the first run, with [`BisyncOptions::resync`], makes, and each run replaces in one step at its end.
    /// A run that is interrupted leaves the old state, and the next one finds what it did.
    ///
    /// # Errors
    /// An unknown backend; an option out of its range. Then as [`Job::outcome`], and
    /// [`ErrorCode::PreconditionFailed`](crate::ErrorCode::PreconditionFailed) if there is no state, or it is damaged,
    /// of other places or of another filter, or if a side has become empty.
    pub async fn bisync(
        &self,
        first: &Location,
        second: &Location,
        state: &Location,
        options: &BisyncOptions,
    ) -> Result<BisyncJob> {
        let (first, second, state, options) = (first.into(), second.into(), state.into(), options.into());
        self.start(Box::new(move |inside, guest| {
            Box::pin(async move {
                let job = guest.bisync(inside)?.call_bisync(inside, first, second, state, options).await?;
                Ok(job.map(|job| (job.events, job.outcome)))
            })
        }))
        .await
    }
}

impl From<&BisyncOptions> for wit::BisyncOptions {
    fn from(options: &BisyncOptions) -> Self {
        let nanoseconds = |window: Duration| u64::try_from(window.as_nanos()).unwrap_or(u64::MAX);
        Self {
            dry_run: options.dry_run,
            resync: options.resync,
            comparison: options.comparison.into(),
            modify_window_ns: options.modify_window.map(nanoseconds),
            winner: options.winner.into(),
            keep_loser: options.keep_loser,
            conflict_suffix: options.conflict_suffix.clone(),
            max_delete: match options.max_delete {
                DeleteLimit::Count(count) => wit::DeleteLimit::Count(count),
                DeleteLimit::Percent(percent) => wit::DeleteLimit::Percent(percent),
            },
            allow_empty: options.allow_empty,
            names: options.names.clone(),
            transfers: options.transfers,
            retries: options.retries,
            bandwidth: options.bandwidth,
            filter: (&options.filter).into(),
        }
    }
}

impl From<Winner> for wit::Winner {
    fn from(winner: Winner) -> Self {
        match winner {
            Winner::Newer => Self::Newer,
            Winner::Older => Self::Older,
            Winner::Larger => Self::Larger,
            Winner::Smaller => Self::Smaller,
            Winner::First => Self::First,
            Winner::Second => Self::Second,
        }
    }
}

impl From<wit::BisyncEvent> for BisyncEvent {
    fn from(event: wit::BisyncEvent) -> Self {
        Self {
            action: match event.action {
                wit::BisyncAction::Transferred => BisyncAction::Transferred,
                wit::BisyncAction::Deleted => BisyncAction::Deleted,
                wit::BisyncAction::Renamed => BisyncAction::Renamed,
                wit::BisyncAction::Replaced => BisyncAction::Replaced,
                wit::BisyncAction::Skipped => BisyncAction::Skipped,
                wit::BisyncAction::Failed => BisyncAction::Failed,
            },
            side: match event.side {
                wit::Side::First => Side::First,
                wit::Side::Second => Side::Second,
            },
            path: event.path,
            size: event.size,
            reason: event.reason,
            error: event.error.map(Into::into),
        }
    }
}

impl From<wit::BisyncReport> for BisyncReport {
    fn from(report: wit::BisyncReport) -> Self {
        Self {
            checked: report.checked,
            transferred_to_first: report.transferred_to_first,
            transferred_to_second: report.transferred_to_second,
            bytes: report.bytes,
            deleted_on_first: report.deleted_on_first,
            deleted_on_second: report.deleted_on_second,
            conflicts: report.conflicts,
            skipped: report.skipped,
            errors: report.errors,
            deletes_withheld: report.deletes_withheld,
        }
    }
}
