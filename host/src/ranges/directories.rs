//! Directories that a border parts from what is in them: `a` comes before `a-b`, and what is in `a` after that. When all
//! ranges are done they are looked at once more, each alone and the deepest first: only then nothing in them changes any
//! more, so that they get their times, and go if nothing is left in them.

use std::collections::BTreeSet;

use crate::{KeyRange, Path};

/// Such directories, the last path first, and the range in which each lies, hardly larger than the one path.
pub(super) fn parted(borders: &[Path], whole: &KeyRange) -> Vec<(Path, KeyRange)> {
    let directories: BTreeSet<Path> = borders.iter().flat_map(above).collect();
    let inside = directories.into_iter().rev().filter(|directory| whole.spans(directory.as_str()));
    let range = |directory: &Path| KeyRange { after: just_before(directory), until: Some(directory.clone()) };
    inside.map(|directory| (directory.clone(), range(&directory))).collect()
}

/// The paths up to a border whose contents, if they are directories, come behind it or lie on both sides of it.
pub(super) fn above(border: &Path) -> impl Iterator<Item = Path> {
    let text = border.as_str();
    let ends = text.bytes().enumerate().filter(|(_, byte)| *byte <= b'/').map(|(at, _)| at);
    ends.chain([text.len()])
        .filter_map(|end| Path::parse(text.get(..end)?).ok())
        .filter(|path| !path.is_root())
}

/// A path before another one, with little between the two.
fn just_before(path: &Path) -> Option<Path> {
    let mut head = path.as_str().chars();
    let last = head.next_back()?;
    let head = head.as_str();
    let before = (0..u32::from(last)).rev().filter_map(char::from_u32).find(|c| !matches!(c, '/' | '\0'));
    before
        .and_then(|before| Path::parse(format!("{head}{before}{}", char::MAX)).ok())
        .or_else(|| path.parent())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    #[test]
    fn what_a_border_parts_is_looked_at_the_deepest_first() {
        let found = parted(&[path("a/b-c/d.x"), path("a/k")], &KeyRange::default());
        let directories: Vec<_> = found.iter().map(|(directory, _)| directory.as_str()).collect();
        assert_eq!(directories, ["a/k", "a/b-c/d.x", "a/b-c/d", "a/b-c", "a/b", "a"]);
        let part = KeyRange { after: Some(path("a")), until: Some(path("a/b-c")) };
        let found = parted(&[path("a/b-c/d.x")], &part);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn a_range_of_one_directory_holds_it_and_nothing_that_is_in_it() {
        for (directory, outside) in [
            ("a/b", vec!["a", "a/a", "a/a/x", "a/a-b", "a/b/x", "a/b-", "a/c"]),
            ("a-b", vec!["a", "a,", "a,/x", "a-b/x", "a/x"]),
            ("é", vec!["e", "z/x", "é/x"]),
            ("x0", vec!["x", "x-y", "x0/y", "x."]),
            ("a/\u{1}", vec!["a", "a/\u{1}/x"]),
        ] {
            let range = KeyRange { after: just_before(&path(directory)), until: Some(path(directory)) };
            assert!(range.spans(directory) && !range.is_empty(), "{range:?}");
            for outside in outside {
                assert!(!range.spans(outside), "{outside} in {range:?}");
            }
        }
    }
}
