//! Two-way sync: options, events and reports.

use std::{fmt, time::Duration};

use crate::{Comparison, Error, Filter};

/// One of the two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BisyncSide {
    /// The one that was given first.
    First,
    /// The other.
    Second,
}

impl BisyncSide {
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

impl DeleteLimit {
    /// In objects.
    ///
    /// ```
    /// use omnistorage_types::DeleteLimit;
    ///
    /// assert_eq!(DeleteLimit::Percent(50).of(5), 2);
    /// assert_eq!(DeleteLimit::Count(7).of(5), 7);
    /// ```
    #[must_use]
    pub fn of(self, records: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => {
                let share = u128::from(records) * u128::from(percent) / 100;
                u64::try_from(share).unwrap_or(u64::MAX)
            }
        }
    }
}

impl fmt::Display for DeleteLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// The options of a two-way sync.
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
    /// How many objects are worked on at once, from 1 to 256. Default 4.
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
    /// A conflict: the version of this side got another name (see the reason), and is there on both sides.
    Renamed,
    /// A conflict: the version of this side was replaced by the other's.
    Replaced,
    /// Left alone on both sides; see the reason.
    Skipped,
    /// See the error.
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
    pub side: BisyncSide,
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
