//! The sync engine: options, events and reports.

mod options;

pub use options::{Backup, Comparison, Deletion, Order, OrderKey, Recoding, RenameStrategy, SyncOptions};

use crate::Error;

/// What was done with an object, or would be in a dry run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Its bytes were copied.
    Transferred,
    /// The contents were the same, only the time was set.
    UpdatedTime,
    /// It was extra.
    Deleted,
    /// Moved on the target from another path (see the reason).
    Renamed,
    /// For a move: gone from the source, since it is on the target.
    SourceRemoved,
    /// Left alone although it is not the same; see the reason.
    Skipped,
    /// See the error.
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
    /// [`SyncOptions::deadline`].
    Deadline,
}

impl Stop {
    /// Its word: `max-errors`, `max-transfer` or `deadline`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaxErrors => "max-errors",
            Self::MaxTransfer => "max-transfer",
            Self::Deadline => "deadline",
        }
    }

    /// The limit that has this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::MaxErrors, Self::MaxTransfer, Self::Deadline].into_iter().find(|stop| stop.as_str() == word)
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
    /// Objects that would have been deleted, had there been no error and no stop, or had deletes not been held.
    pub deletes_withheld: u64,
    /// Objects of the source that were counted.
    pub source_objects: u64,
    /// Objects that only the target has, of a run that deletes or [holds its deletes](SyncOptions::hold_deletes).
    pub extras: u64,
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

/// What a run would make of one path, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the filter includes the path.
    pub included: bool,
    /// What the filter says: the rule that decided, and where it stands.
    pub ruling: String,
    /// What would be done; `None`: nothing.
    pub action: Option<Action>,
    /// Why, for a person.
    pub reason: String,
}
