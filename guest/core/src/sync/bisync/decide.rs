//! The table of decisions.

use super::{Known, Precisions, Record};
use crate::{
    entry::{Entry, ObjectKind},
    sync::{compare::Reason, merge::Side},
};

/// What to do with a path. The first place is the source of a merge, the second its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: neither side changed.
    Keep,
    /// Nothing but to forget it: neither side has it any more.
    Forget,
    /// The other side has none: transfer it there.
    Create {
        /// Which side has it.
        from: Side,
    },
    /// Only this side changed: transfer it to the other, unless a comparison finds both the same.
    Update {
        /// Which side changed.
        from: Side,
    },
    /// Delete it here: the other side did, and here it is as it was.
    Delete {
        /// On which side.
        on: Side,
    },
    /// Both changed, or nothing is known about what both have: agreed if a comparison finds both the same, otherwise a
    /// conflict.
    Reconcile,
    /// Leave it alone on both sides, and what is known about it too.
    Skip(Reason),
    /// An object on one side, a directory on the other: an error.
    Clash,
}

/// How an object compares with what is known about it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Unchanged,
    Changed,
    Deleted,
}

/// What to do with a path, from what both sides list and what they had when they agreed last.
///
/// ```
/// use omnistorage_core::{Path, entry::{Entry, ObjectKind, Timestamp}, sync::merge::Side};
/// use omnistorage_core::sync::bisync::{Decision, Known, Precisions, Record, decide};
///
/// let mut entry = Entry::new(Path::parse("a")?, ObjectKind::Object);
/// entry.modified = Some(Timestamp { seconds: 1_700_000_000, nanoseconds: 0 });
/// let record = Record { path: entry.path.clone(), first: Known::from(&entry), second: Known::from(&entry) };
/// let decided = |first, second, record| decide(first, second, record, Precisions::default());
/// assert_eq!(decided(Some(&entry), None, None), Decision::Create { from: Side::Source });
/// assert_eq!(decided(Some(&entry), None, Some(&record)), Decision::Delete { on: Side::Source });
/// # Ok::<(), omnistorage_core::PathError>(())
/// ```
#[must_use]
pub fn decide(
    first: Option<&Entry>,
    second: Option<&Entry>,
    record: Option<&Record>,
    precisions: Precisions,
) -> Decision {
    let kinds = [first, second].map(|entry| entry.map(|entry| entry.kind));
    if kinds.contains(&Some(ObjectKind::Symlink)) {
        return Decision::Skip(Reason::SymbolicLink);
    }
    if kinds.contains(&Some(ObjectKind::Special)) {
        return Decision::Skip(Reason::SpecialFile);
    }
    if kinds.contains(&Some(ObjectKind::Directory)) && kinds.contains(&Some(ObjectKind::Object)) {
        return Decision::Clash;
    }
    // A directory where there was an object: the object was deleted.
    let object = |entry: &&Entry| entry.kind == ObjectKind::Object;
    let (first, second) = (first.filter(object), second.filter(object));
    let Some(record) = record else {
        return match (first, second) {
            (Some(_), Some(_)) => Decision::Reconcile,
            (Some(_), None) => Decision::Create { from: Side::Source },
            (None, Some(_)) => Decision::Create { from: Side::Target },
            (None, None) => Decision::Keep,
        };
    };
    use Change::{Changed, Deleted, Unchanged};
    let first = change(first, &record.first, precisions.first);
    match (first, change(second, &record.second, precisions.second)) {
        (Unchanged, Unchanged) => Decision::Keep,
        (Deleted, Deleted) => Decision::Forget,
        (Changed, Changed) => Decision::Reconcile,
        (Changed, Unchanged) => Decision::Update { from: Side::Source },
        (Unchanged, Changed) => Decision::Update { from: Side::Target },
        (Changed, Deleted) => Decision::Create { from: Side::Source },
        (Deleted, Changed) => Decision::Create { from: Side::Target },
        (Unchanged, Deleted) => Decision::Delete { on: Side::Source },
        (Deleted, Unchanged) => Decision::Delete { on: Side::Target },
    }
}

fn change(entry: Option<&Entry>, known: &Known, precision_ns: Option<u64>) -> Change {
    match entry {
        None => Change::Deleted,
        Some(entry) if known.is_still(entry, precision_ns) => Change::Unchanged,
        Some(_) => Change::Changed,
    }
}
