//! Ranges of paths, in byte order.

use std::fmt;

use crate::Path;

/// The paths after one and up to another, in byte order of the whole paths: that of listings. Ranges of which each begins
/// where the one before it ends tile a tree.
///
/// A directory and what is in it may lie in different ranges: `a` < `a-b` < `a/x`.
///
/// ```
/// use omnistorage_types::{KeyRange, Path};
///
/// let range = KeyRange { after: Some(Path::parse("a")?), until: Some(Path::parse("b")?) };
/// assert!(!range.spans("a") && range.spans("a-b") && range.spans("a/x") && range.spans("b") && !range.spans("b/x"));
/// # Ok::<(), omnistorage_types::PathError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// The last path before it; `None`: it has no beginning.
    pub after: Option<Path>,
    /// Its last path; `None`: it has no end.
    pub until: Option<Path>,
}

impl KeyRange {
    /// Whether it has neither beginning nor end.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.after.is_none() && self.until.is_none()
    }

    /// Whether no path can lie in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        is_empty(self.after.as_ref(), self.until.as_ref())
    }

    /// Whether a path, or a name that cannot be one, lies in it.
    #[must_use]
    pub fn spans(&self, path: &str) -> bool {
        spans(self.after.as_ref(), self.until.as_ref(), path)
    }

    /// Whether anything below a directory can lie in it; the directory itself may lie elsewhere.
    #[must_use]
    pub fn spans_below(&self, directory: &str) -> bool {
        spans_below(self.after.as_ref(), self.until.as_ref(), directory)
    }
}

/// Why ranges do not make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untiled {
    /// There are none.
    Nothing,
    /// No range spans what is after the one path, up to the other.
    Gap {
        /// The end of a range.
        after: Path,
        /// The beginning of the next one.
        until: Path,
    },
    /// More than one range spans what comes after this path; `None`: from the beginning on.
    Overlap(Option<Path>),
}

impl fmt::Display for Untiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("there is no range"),
            Self::Gap { after, until } => write!(f, "no range holds what is after `{after}` up to `{until}`"),
            Self::Overlap(Some(after)) => write!(f, "more than one range holds what is after `{after}`"),
            Self::Overlap(None) => f.write_str("more than one range holds the first paths"),
        }
    }
}

impl std::error::Error for Untiled {}

impl KeyRange {
    /// The range that some ranges tile, in any order: each path of it lies in one of them.
    ///
    /// ```
    /// use omnistorage_types::{KeyRange, Path};
    ///
    /// let border = Path::parse("m")?;
    /// let first = KeyRange { after: None, until: Some(border.clone()) };
    /// let second = KeyRange { after: Some(border), until: None };
    /// assert!(KeyRange::joined([second.clone(), first.clone()])?.is_whole());
    /// assert!(KeyRange::joined([first.clone(), second, first]).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The first gap, or the first overlap.
    pub fn joined(ranges: impl IntoIterator<Item = Self>) -> Result<Self, Untiled> {
        let mut ranges: Vec<_> = ranges.into_iter().collect();
        ranges.sort_unstable_by(|one, other| one.after.cmp(&other.after));
        let mut ranges = ranges.into_iter();
        let Some(mut joined) = ranges.next() else { return Err(Untiled::Nothing) };
        for next in ranges {
            match (joined.until.take(), next.after) {
                (Some(until), Some(after)) if until == after => joined.until = next.until,
                (Some(until), Some(after)) if until < after => {
                    return Err(Untiled::Gap { after: until, until: after });
                }
                (_, after) => return Err(Untiled::Overlap(after)),
            }
        }
        Ok(joined)
    }
}

pub(crate) fn is_empty(after: Option<&Path>, until: Option<&Path>) -> bool {
    after.zip(until).is_some_and(|(after, until)| after >= until)
}

pub(crate) fn spans(after: Option<&Path>, until: Option<&Path>, path: &str) -> bool {
    after.is_none_or(|after| path > after.as_str()) && until.is_none_or(|until| path <= until.as_str())
}

pub(crate) fn spans_below(after: Option<&Path>, until: Option<&Path>, directory: &str) -> bool {
    if directory.is_empty() {
        return true;
    }
    let first = || directory.bytes().chain([b'/']);
    let is_below = |path: &str| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
    after.is_none_or(|after| is_below(after.as_str()) || after.as_str().bytes().lt(first()))
        && until.is_none_or(|until| first().lt(until.as_str().bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    /// The ranges between borders.
    fn tiles(borders: &std::collections::BTreeSet<String>) -> Vec<KeyRange> {
        let borders = || borders.iter().map(|border| Some(path(border)));
        let begins = std::iter::once(None).chain(borders());
        begins.zip(borders().chain([None])).map(|(after, until)| KeyRange { after, until }).collect()
    }

    proptest! {
        #[test]
        fn what_is_between_borders_is_the_whole_and_without_one_it_is_not(
            borders in prop::collection::btree_set("[ab](/[ab-])?", 1..8),
            taken in any::<prop::sample::Index>(),
            path in "[ab](/[ab-]){0,2}",
        ) {
            let ranges = tiles(&borders);
            prop_assert_eq!(ranges.iter().filter(|range| range.spans(&path)).count(), 1);
            prop_assert_eq!(KeyRange::joined(ranges.iter().rev().cloned()), Ok(KeyRange::default()));
            let at = taken.index(ranges.len());
            let twice = ranges.iter().cloned().chain([ranges[at].clone()]);
            prop_assert!(matches!(KeyRange::joined(twice), Err(Untiled::Overlap(_))));
            let rest = ranges.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, range)| range.clone());
            let joined = KeyRange::joined(rest);
            match joined {
                Ok(joined) => prop_assert!(!joined.is_whole() && (at == 0 || at + 1 == ranges.len())),
                Err(why) => prop_assert!(matches!(why, Untiled::Gap { .. }), "{}", why),
            }
        }

        #[test]
        fn what_may_be_below_a_directory_is_told(
            ends in prop::array::uniform2(prop::option::of("[ab.-](/[ab.-]{1,2}){0,2}")),
            directory in "[ab](/[ab])?",
            name in "[ab0.-]{1,3}",
        ) {
            let [after, until] = ends.map(|end| end.and_then(|end| Path::parse(end).ok()));
            let range = KeyRange { after, until };
            if range.spans(&format!("{directory}/{name}")) {
                prop_assert!(range.spans_below(&directory));
            }
        }
    }
}
