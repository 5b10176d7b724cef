//! Of which paths a listing told nothing, since it could not.

use std::collections::BTreeSet;

use omnistorage_types::Path;

use crate::entry::Unlisted;

/// What is hidden: paths, each with all below it. What was passed is forgotten, so memory does not grow with a tree.
#[derive(Debug)]
pub(super) struct Hidden {
    /// With a `/` at the end, but for the root, so that they sort as what is below them.
    directories: BTreeSet<String>,
}

fn key(path: &Path) -> String {
    if path.is_root() { String::new() } else { format!("{path}/") }
}

impl Hidden {
    pub(super) const fn new() -> Self {
        Self { directories: BTreeSet::new() }
    }

    /// Takes in what was left out.
    pub(super) fn add(&mut self, what: &Unlisted) {
        self.directories.extend(what.covers().map(key));
    }

    /// Whether nothing is known about a path. Must be asked in byte order.
    pub(super) fn holds(&mut self, path: &Path) -> bool {
        if self.directories.is_empty() {
            return false;
        }
        let key = key(path);
        // Between a directory and what is in it come others: `d`, `d-b`, `d/x`.
        while let Some(first) = self.directories.first()
            && **first < *path.as_str()
            && !key.starts_with(&**first)
        {
            self.directories.pop_first();
        }
        let slashes = key.match_indices('/').map(|(at, _)| at + 1);
        std::iter::once(0).chain(slashes).any(|end| self.directories.contains(&key[..end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_is_hidden_and_what_was_passed_is_forgotten() {
        let path = |path: &str| Path::parse(path).unwrap();
        let mut hidden = Hidden::new();
        for at in ["d", "d-b", "e/f"] {
            hidden.add(&Unlisted::Directory(path(at)));
        }
        hidden.add(&Unlisted::Name { directory: Path::root(), name: "a//b".into() });
        for (at, is_hidden) in [
            ("a", false),
            ("d", true),
            ("d-a", false),
            ("d-b", true),
            ("d-b/x", true),
            ("d.txt", false),
            ("d/x/y", true),
            ("d0", false),
            ("e", false),
            ("e/a", false),
            ("e/f/x", true),
            ("e/g", false),
            ("f", false),
        ] {
            assert_eq!(hidden.holds(&path(at)), is_hidden, "{at}");
        }
        assert!(hidden.directories.is_empty());
        hidden.add(&Unlisted::Directory(Path::root()));
        assert!(hidden.holds(&path("a")) && hidden.holds(&path("z/z")));
    }
}
