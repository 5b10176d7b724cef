//! What must hold of a run as a whole before anything is done.

use std::fmt;

use omnistorage_types::DeleteLimit;

use super::Decision;
use crate::sync::merge::Side;

/// What a run would do, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Objects that both sides had when they agreed last.
    pub records: u64,
    /// Objects that the first place has.
    pub on_first: u64,
    /// Objects that the second place has.
    pub on_second: u64,
    /// Objects to be deleted on the first place.
    pub deletes_on_first: u64,
    /// Objects to be deleted on the second place.
    pub deletes_on_second: u64,
    /// Everything else that is to be done or to be told.
    pub others: u64,
}

/// How far a run may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of each side.
    pub max_delete: DeleteLimit,
    /// A side that has become empty may empty the other.
    pub allow_empty: bool,
}

/// Why nothing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A side has no object any more: it is more often a disk that is not mounted than a wish.
    Emptied {
        /// Which.
        side: Side,
        /// What it had.
        records: u64,
    },
    /// Too much would be deleted.
    TooMany {
        /// On which side.
        side: Side,
        /// Deletes that are due.
        deletes: u64,
        /// Of so many that it had.
        records: u64,
        /// What was allowed.
        max_delete: DeleteLimit,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = |side: &Side| match side {
            Side::Source => "first",
            Side::Target => "second",
        };
        match self {
            Self::Emptied { side, records } => write!(
                f,
                "the {} place is empty, and had {records} objects when both agreed last: nothing was done; see that \
                 it is what it should be, allow it (`allow-empty`) if it is, or begin anew (`resync`)",
                which(side)
            ),
            Self::TooMany { side, deletes, records, max_delete } => write!(
                f,
                "{deletes} of {records} objects of the {} place would be deleted, and at most {max_delete} may be: \
                 nothing was done; allow more (`max-delete`) if that is meant",
                which(side)
            ),
        }
    }
}

impl std::error::Error for Refusal {}

impl Plan {
    /// Counts a decision.
    pub const fn count(&mut self, decision: Decision) {
        match decision {
            Decision::Keep => {}
            Decision::Delete { on: Side::Source } => self.deletes_on_first += 1,
            Decision::Delete { on: Side::Target } => self.deletes_on_second += 1,
            _ => self.others += 1,
        }
    }

    /// Deletes on both sides.
    #[must_use]
    pub const fn deletes(&self) -> u64 {
        self.deletes_on_first.saturating_add(self.deletes_on_second)
    }

    /// Whether the run may begin.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, limits: Limits) -> Result<(), Refusal> {
        let records = self.records;
        for (side, objects) in [(Side::Source, self.on_first), (Side::Target, self.on_second)] {
            if objects == 0 && records > 0 && !limits.allow_empty {
                return Err(Refusal::Emptied { side, records });
            }
        }
        let max_delete = limits.max_delete;
        for (side, deletes) in [(Side::Source, self.deletes_on_first), (Side::Target, self.deletes_on_second)]
        {
            if deletes > max_delete.of(records) {
                return Err(Refusal::TooMany { side, deletes, records, max_delete });
            }
        }
        Ok(())
    }
}
