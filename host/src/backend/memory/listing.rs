//! A cursor over the objects as they are now: each batch looks once, and continues after the last path that was
//! returned.

use std::ops::Bound;

use async_trait::async_trait;
use omnistorage_types::Path;

use super::{
    Shared,
    objects::{Objects, below},
};
use crate::{
    ObjectInfo, ObjectKind, Result,
    backend::{ListOptions, Listed, Listing},
};

/// A cursor over what is below a prefix.
pub(super) struct MemoryListing {
    shared: Shared,
    prefix: Path,
    recursive: bool,
    /// Only paths greater than this one are left; at the beginning it may end with `/`.
    after: String,
    end: Bound<String>,
    /// No path behind this one.
    until: Option<Path>,
}

impl MemoryListing {
    pub(super) fn new(shared: Shared, prefix: Path, options: &ListOptions) -> Self {
        let (from, end) = below(prefix.as_str());
        // No path ends with `/`: after it is the same as from it on.
        let after = options.start_after.clone().map_or(from.clone(), |after| from.max(after.into()));
        Self { shared, prefix, recursive: options.recursive, after, end, until: options.until.clone() }
    }

    /// The objects, deeper ones included.
    fn objects(&self, objects: &Objects, max: usize) -> Vec<ObjectInfo> {
        let end = self.end.as_ref().map(String::as_str);
        objects
            .range(Bound::Excluded(&self.after), end)
            .take_while(|(path, _)| self.until.as_ref().is_none_or(|until| *path <= until))
            .take(max)
            .map(|(path, object)| object.info(path))
            .collect()
    }

    /// The next entry of one level.
    ///
    /// The order is that of the entries, in which the directory `a` stands before `a-b`, while the objects of `a` lie
    /// behind it: `a-b` < `a/x`. So wherever a name holds a character that sorts before `/`, the part before that may
    /// be a directory that comes first.
    fn next_of_level(&self, objects: &Objects, after: &str) -> Option<ObjectInfo> {
        let start = if self.prefix.is_root() { 0 } else { self.prefix.as_str().len() + 1 };
        let end = self.end.as_ref().map(String::as_str);
        let directory = |name: &str| {
            let path = Path::parse(name).ok()?; // a part of a path at its slash is one
            Some(ObjectInfo::new(path, ObjectKind::Directory))
        };
        let mut from = Bound::Excluded(after.to_owned());
        loop {
            let (path, object) = objects.range(from.as_ref().map(String::as_str), end).next()?;
            let path_str = path.as_str();
            let slash = path_str[start..].find('/').map(|slash| start + slash);
            let name = &path_str[..slash.unwrap_or(path_str.len())];
            if name <= after {
                from = Bound::Included(format!("{name}0")); // given before: go on behind all that is below it
                continue;
            }
            let sorts_before_slash = name.char_indices().filter(|(at, char)| *at > start && *char < '/');
            for shorter in sorts_before_slash.map(|(at, _)| &name[..at]) {
                if shorter > after && objects.has_below(shorter) {
                    return directory(shorter);
                }
            }
            return if slash.is_some() { directory(name) } else { Some(object.info(path)) };
        }
    }

    fn level(&self, objects: &Objects, max: usize) -> Vec<ObjectInfo> {
        let mut after = self.after.clone();
        let next = || {
            let entry = self.next_of_level(objects, &after)?;
            if self.until.as_ref().is_some_and(|until| entry.path > *until) {
                return None;
            }
            entry.path.as_str().clone_into(&mut after);
            Some(entry)
        };
        std::iter::from_fn(next).take(max).collect()
    }
}

#[async_trait]
impl Listing for MemoryListing {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        let batch = self.shared.read(&self.prefix, |objects| {
            Ok(if self.recursive { self.objects(objects, max) } else { self.level(objects, max) })
        })?;
        if let Some(last) = batch.last() {
            last.path.as_str().clone_into(&mut self.after);
        }
        Ok(batch.into_iter().map(Listed::Entry).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::{Backend, MemoryBackend};

    proptest! {
        /// Against the plain definition, over the names whose order is delicate.
        #[test]
        fn one_level_is_sorted_and_whole(
            paths in prop::collection::btree_set("(a|b|a-|a!b|-){1}(/(a|a-|b)){0,2}", 0..12),
            after in "(a|a-|b)(/(a|b))?",
            max in 1_usize..4,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let backend = MemoryBackend::new();
                let mut names = BTreeSet::new();
                for path in paths {
                    let path = Path::parse(path).unwrap();
                    if backend.write_all(&path, "x".into(), &Default::default()).await.is_ok() {
                        names.insert(path.segments().next().unwrap().to_owned());
                    }
                }
                let expected: Vec<_> = names.into_iter().filter(|name| *name > after).collect();
                let options = ListOptions { start_after: Some(Path::parse(after).unwrap()), ..Default::default() };
                let mut listing = backend.list(&Path::root(), &options).await.unwrap();
                let mut given = Vec::new();
                loop {
                    let batch = listing.next(max).await.unwrap();
                    prop_assert!(batch.len() <= max);
                    if batch.is_empty() {
                        break;
                    }
                    given.extend(batch.into_iter().map(|entry| String::from(entry.into_entry().unwrap().path)));
                }
                prop_assert_eq!(given, expected);
                Ok(())
            })?;
        }
    }
}
