//! A listing level by level, in the byte order of a recursive one, that leaves out directories as a whole.
//!
//! What is in a directory `a` sorts as `a/...`, after `a-b` and `a.txt`: so a directory waits for its turn while the
//! level it stands in goes on, and memory holds the batches in flight and the directories that wait.

use std::collections::{BTreeSet, VecDeque};

use omnistorage_types::Path;

use crate::entry::{Entry, ObjectInfo, ObjectKind};

/// What a walk can meet.
pub trait Met {
    /// Where it stands.
    fn path(&self) -> &Path;

    /// What it is.
    fn kind(&self) -> ObjectKind;
}

impl Met for Entry {
    fn path(&self) -> &Path {
        &self.path
    }

    fn kind(&self) -> ObjectKind {
        self.kind
    }
}

impl Met for ObjectInfo {
    fn path(&self) -> &Path {
        &self.path
    }

    fn kind(&self) -> ObjectKind {
        self.kind
    }
}

/// What the walk has next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalkStep<E = Entry> {
    /// Open the listing of this directory, one level of it, and hand in its first entries.
    Enter(Path),
    /// Hand in the next entries of the directory entered last, or tell its end.
    Need,
    /// The directory entered last is through: what was opened for it can go.
    Leave,
    /// An entry.
    Entry(E),
    /// All of it.
    End,
}

/// A walk of a tree.
#[derive(Debug)]
pub struct Walk<E = Entry> {
    levels: Vec<Level<E>>,
    start: Option<Path>,
}

/// A directory that was entered, and is not through.
#[derive(Debug)]
struct Level<E> {
    directory: Path,
    entries: VecDeque<E>,
    ended: bool,
    /// Directories that wait for their turn, with a `/` at their end.
    waiting: BTreeSet<String>,
}

impl<E> Level<E> {
    const fn new(directory: Path) -> Self {
        Self { directory, entries: VecDeque::new(), ended: false, waiting: BTreeSet::new() }
    }
}

impl<E: Met> Walk<E> {
    /// Of all below a directory.
    #[must_use]
    pub const fn new(start: Path) -> Self {
        Self { levels: Vec::new(), start: Some(start) }
    }

    /// Hands in the next entries of the directory entered last.
    pub fn push(&mut self, entries: Vec<E>) {
        if let Some(level) = self.levels.last_mut() {
            level.entries.extend(entries);
        }
    }

    /// Tells that the directory entered last has no more entries.
    pub fn end(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.ended = true;
        }
    }

    /// The next step. `looks_into` says of a directory whether what is in it is wanted.
    pub fn next(&mut self, looks_into: impl Fn(&Path) -> bool) -> WalkStep<E> {
        if let Some(start) = self.start.take() {
            self.levels.push(Level::new(start.clone()));
            return WalkStep::Enter(start);
        }
        let Some(level) = self.levels.last_mut() else { return WalkStep::End };
        let next = level.entries.front().map(|entry| entry.path().as_str());
        if next.is_none() && !level.ended {
            return WalkStep::Need;
        }
        let its_turn = |waiting: &&String| next.is_none_or(|next| waiting.as_str() < next);
        if level.waiting.first().filter(its_turn).is_some() {
            let directory = level.waiting.pop_first().unwrap_or_default();
            if let Ok(path) = Path::parse(directory.trim_end_matches('/')) {
                self.levels.push(Level::new(path.clone()));
                return WalkStep::Enter(path);
            }
        }
        match level.entries.pop_front() {
            Some(entry) => {
                // A listing that names a directory above or beside its own must not lead the walk around for ever.
                let is_below = entry.path().parent().as_ref() == Some(&level.directory);
                if entry.kind() == ObjectKind::Directory && is_below && looks_into(entry.path()) {
                    level.waiting.insert(format!("{}/", entry.path()));
                }
                WalkStep::Entry(entry)
            }
            None => {
                self.levels.pop();
                WalkStep::Leave
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One level of a tree, as a backend with directories lists it.
    fn level(tree: &BTreeSet<String>, directory: &Path) -> Vec<Entry> {
        let below = |path: &String| Path::parse(path.as_str()).unwrap().strip_prefix(directory);
        let mut names = std::collections::BTreeMap::new();
        for rest in tree.iter().filter_map(below) {
            let name = rest.segments().next().unwrap().to_owned();
            let nested = rest.segments().count() > 1;
            *names.entry(name).or_insert(nested) |= nested;
        }
        let entry = |(name, nested): (String, bool)| {
            let kind = if nested { ObjectKind::Directory } else { ObjectKind::Object };
            Entry::new(directory.join(&Path::parse(name).unwrap()).unwrap(), kind)
        };
        names.into_iter().map(entry).collect()
    }

    fn walk(tree: &BTreeSet<String>, page: usize, looks_into: impl Fn(&Path) -> bool) -> Vec<Entry> {
        let (mut walk, mut found, mut open) = (Walk::new(Path::root()), Vec::new(), Vec::new());
        loop {
            match walk.next(&looks_into) {
                WalkStep::Enter(directory) => open.push(VecDeque::from(level(tree, &directory))),
                WalkStep::Need => {
                    let entries = open.last_mut().unwrap();
                    let page: Vec<_> = entries.drain(..page.min(entries.len())).collect();
                    if page.is_empty() { walk.end() } else { walk.push(page) }
                }
                WalkStep::Leave => drop(open.pop().unwrap()),
                WalkStep::Entry(entry) => found.push(entry),
                WalkStep::End => break,
            }
        }
        assert!(open.is_empty());
        found
    }

    proptest! {
        #[test]
        fn it_is_in_the_order_of_a_recursive_listing(
            paths in proptest::collection::btree_set("[ab.0-]{1,2}(/[ab.0-]{1,2}){0,3}", 0..30),
            page in 1_usize..4,
        ) {
            // No object may stand where a directory does.
            let is_directory = |path: &String| paths.iter().any(|other| other.starts_with(&format!("{path}/")));
            let legal = |path: &&String| !is_directory(path) && Path::parse(path.as_str()).is_ok();
            let tree: BTreeSet<String> = paths.iter().filter(legal).cloned().collect();
            let all = walk(&tree, page, |_| true);
            let order: Vec<_> = all.iter().map(|entry| entry.path.as_str()).collect();
            prop_assert!(order.is_sorted(), "{order:?}");
            let objects = all.iter().filter(|entry| entry.kind == ObjectKind::Object);
            prop_assert!(objects.map(|entry| entry.path.as_str()).eq(&tree));
            // Without what is in `a`, wherever it stands.
            let some = walk(&tree, page, |path| path.name() != Some("a"));
            let outside = |entry: &&Entry| {
                entry.path.parent().is_none_or(|parent| parent.segments().all(|segment| segment != "a"))
            };
            prop_assert!(some.iter().eq(all.iter().filter(outside)));
        }
    }
}
