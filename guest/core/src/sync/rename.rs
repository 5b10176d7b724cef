//! Which objects were renamed on the source: those that only the source has, and whose like only the target has.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::common_hash;
use crate::entry::Entry;

/// What must agree beside the size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RenameStrategy {
    /// A hash of the same algorithm.
    pub hash: bool,
    /// The modification time, within this many nanoseconds.
    pub modified_within_ns: Option<u64>,
    /// The last segment of the path.
    pub name: bool,
}

/// Objects that only one side has, sorted out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renames {
    /// What the source has, and what it is on the target.
    pub renamed: Vec<(Entry, Entry)>,
    /// What is missing on the target for good.
    pub missing: Vec<Entry>,
    /// What the target has too much.
    pub extra: Vec<Entry>,
}

/// The sizes that objects of both sides have: only those can be renames, and only their hashes are of interest.
#[must_use]
pub fn candidates(entries: &[Entry], others: &[Entry]) -> Vec<usize> {
    let sizes: BTreeSet<u64> = others.iter().filter_map(|other| other.size).collect();
    let is_candidate = |entry: &Entry| entry.size.is_some_and(|size| sizes.contains(&size));
    entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| is_candidate(entry))
        .map(|(position, _)| position)
        .collect()
}

/// Pairs what only the source has with what only the target has. An object of the target serves once; of several, the
/// first in listing order.
///
/// ```
/// use omnistorage_core::{Path, entry::{Entry, ObjectKind}, sync::rename::{RenameStrategy, renames}};
///
/// let object = |path| Ok::<_, omnistorage_core::PathError>(Entry {
///     size: Some(3),
///     ..Entry::new(Path::parse(path)?, ObjectKind::Object)
/// });
/// let by_name = RenameStrategy { name: true, ..RenameStrategy::default() };
/// let found = renames(vec![object("new/a")?, object("new/b")?], vec![object("old/a")?], by_name);
/// assert_eq!(found.renamed, [(object("new/a")?, object("old/a")?)]);
/// assert_eq!((found.missing, found.extra), (vec![object("new/b")?], vec![]));
/// # Ok::<(), omnistorage_core::PathError>(())
/// ```
#[must_use]
pub fn renames(missing: Vec<Entry>, extra: Vec<Entry>, strategy: RenameStrategy) -> Renames {
    let mut by_size: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (position, entry) in extra.iter().enumerate().rev() {
        if let Some(size) = entry.size {
            by_size.entry(size).or_default().push(position);
        }
    }
    let mut found = Renames::default();
    let mut extra: Vec<Option<Entry>> = extra.into_iter().map(Some).collect();
    for entry in missing {
        let of_size = entry.size.and_then(|size| by_size.get_mut(&size));
        let old = of_size.and_then(|positions| {
            let is_it = |&position: &usize| {
                extra.get(position).and_then(Option::as_ref).is_some_and(|old| strategy.agrees(&entry, old))
            };
            let at = positions.iter().rposition(is_it)?;
            extra.get_mut(positions.remove(at))?.take()
        });
        match old {
            Some(old) => found.renamed.push((entry, old)),
            None => found.missing.push(entry),
        }
    }
    found.extra = extra.into_iter().flatten().collect();
    found
}

impl RenameStrategy {
    fn agrees(self, source: &Entry, target: &Entry) -> bool {
        let hash = || {
            common_hash(&source.hashes, &target.hashes).is_some_and(|(one, other)| one.digest == other.digest)
        };
        let modified = |window: u64| match (source.modified, target.modified) {
            (Some(one), Some(other)) => one.nanoseconds_since(other).unsigned_abs() <= u128::from(window),
            _ => false,
        };
        (!self.hash || hash())
            && self.modified_within_ns.is_none_or(modified)
            && (!self.name || source.path.name() == target.path.name())
    }
}

#[cfg(test)]
mod tests {
    use omnistorage_types::Path;

    use super::*;
    use crate::entry::{Hash, HashAlgorithm, ObjectKind, Timestamp};

    fn object(path: &str, size: u64, seconds: i64, digest: u8) -> Entry {
        Entry {
            size: Some(size),
            modified: Some(Timestamp { seconds, nanoseconds: 0 }),
            hashes: vec![Hash { algorithm: HashAlgorithm::Md5, digest: vec![digest] }],
            ..Entry::new(Path::parse(path).unwrap(), ObjectKind::Object)
        }
    }

    #[test]
    fn what_was_asked_must_agree() {
        let by = |hash, modified_within_ns, name| RenameStrategy { hash, modified_within_ns, name };
        let new = object("new/a", 3, 100, 1);
        for (old, strategy, is_renamed) in [
            (object("old/b", 3, 0, 1), by(true, None, false), true),
            (object("old/b", 3, 0, 2), by(true, None, false), false),
            (object("old/b", 4, 0, 1), by(true, None, false), false),
            (object("old/b", 3, 101, 2), by(false, Some(1_000_000_000), false), true),
            (object("old/b", 3, 102, 2), by(false, Some(1_000_000_000), false), false),
            (object("old/a", 3, 0, 2), by(false, None, true), true),
            (object("old/b", 3, 0, 2), by(false, None, true), false),
            (object("old/a", 3, 0, 2), by(true, None, true), false),
        ] {
            let found = renames(vec![new.clone()], vec![old.clone()], strategy);
            assert_eq!(found.renamed.len(), usize::from(is_renamed), "{old:?} {strategy:?}");
            assert_eq!(found.missing.len() + found.extra.len(), if is_renamed { 0 } else { 2 });
        }
    }

    #[test]
    fn an_object_serves_once_and_the_first_serves_first() {
        let by_hash = RenameStrategy { hash: true, ..RenameStrategy::default() };
        let new = vec![object("x", 1, 0, 1), object("y", 1, 0, 1), object("z", 1, 0, 1)];
        let found = renames(new, vec![object("a", 1, 0, 1), object("b", 1, 0, 1)], by_hash);
        let pairs: Vec<_> =
            found.renamed.iter().map(|(new, old)| format!("{}<{}", new.path, old.path)).collect();
        assert_eq!(pairs, ["x<a", "y<b"]);
        assert_eq!((found.missing.len(), found.extra.len()), (1, 0));
    }

    #[test]
    fn only_sizes_of_both_sides_are_of_interest() {
        let (one, other) = ([object("a", 1, 0, 0), object("b", 2, 0, 0)], [object("c", 2, 0, 0)]);
        assert_eq!(candidates(&one, &other), [1]);
    }
}
