//! The passes of a run over ranges, and the options of each.

use crate::{
    KeyRange,
    runtime::{Comparison, Deletion, SyncOptions},
};

/// A pass over a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Compares, transfers, and counts what is extra.
    Merge,
    /// Deletes as many as were counted, at most, and transfers what waited for that.
    Delete {
        /// The extras of the merge.
        most: u64,
    },
}

impl Pass {
    /// The options of a run, for this pass over one of its ranges.
    pub(crate) fn options(self, options: &SyncOptions, range: &KeyRange) -> SyncOptions {
        let options = within(options.clone(), range);
        match self {
            Self::Merge => {
                let hold_deletes = options.deletion != Deletion::None;
                SyncOptions { hold_deletes, max_delete: None, ..options }
            }
            Self::Delete { most } => SyncOptions {
                hold_deletes: false,
                // All ranges together were judged.
                max_delete: Some(most),
                allow_empty_source: true,
                comparison: afterwards(&options),
                ..options
            },
        }
    }
}

/// How objects are compared once more: what is there was transferred a moment ago, or was the same.
pub(super) fn afterwards(options: &SyncOptions) -> Comparison {
    match options.comparison {
        Comparison::Always | Comparison::Checksum if options.ignore_size => Comparison::IgnoreExisting,
        Comparison::Always | Comparison::Checksum => Comparison::SizeOnly,
        other => other,
    }
}

/// Options for a range alone.
pub(super) fn within(options: SyncOptions, range: &KeyRange) -> SyncOptions {
    SyncOptions { start_after: range.after.clone(), stop_at: range.until.clone(), ..options }
}
