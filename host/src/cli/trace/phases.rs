//! The phases of a run: what of the same kind was done in it, from the first call to the last. They overlap, since a run
//! lists, compares and transfers at the same time.

use super::context::SpanId;
use crate::backend::layer::Operation;

/// What calls are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Listing,
    Comparing,
    Transferring,
    Deleting,
}

impl Phase {
    pub(super) const ALL: [Self; 4] = [Self::Listing, Self::Comparing, Self::Transferring, Self::Deleting];

    pub(super) const fn of(operation: Operation) -> Self {
        match operation {
            Operation::List | Operation::ListNext => Self::Listing,
            Operation::Stat | Operation::Exists | Operation::Hash => Self::Comparing,
            Operation::Delete | Operation::Rmdir | Operation::Purge | Operation::Sweep => Self::Deleting,
            _ => Self::Transferring,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Comparing => "comparing",
            Self::Transferring => "transferring",
            Self::Deleting => "deleting",
        }
    }
}

/// When the first call of a phase began, and the last one ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) id: SpanId,
    pub(super) from: u64,
    pub(super) to: u64,
}

/// A run that is under way.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: SpanId,
    pub(super) from: u64,
    pub(super) phases: [Option<Times>; Phase::ALL.len()],
}
