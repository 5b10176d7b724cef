//! Turns a path of the operating system into a directory to grant and a path in it.

#![allow(clippy::disallowed_methods, reason = "what a local place means depends on the files that are there")]

#[cfg(target_family = "wasm")]
mod granted;

use std::{borrow::Cow, ffi::OsStr};
#[cfg(not(target_family = "wasm"))]
use std::{
    ffi::OsString,
    fs, io,
    path::{self, PathBuf},
};

#[cfg(target_family = "wasm")]
pub(super) use self::granted::{is_apart, resolve};
#[cfg(not(target_family = "wasm"))]
use super::exit::Exit;
use super::{exit::Failure, output::printable};
use crate::Path;

/// What a command needs of a place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Its contents: for a directory, everything below it. Links that lead to it are followed.
    Contents,
    /// The thing itself, to make or remove it: its directory is granted, and a link means the link.
    Entry,
}

/// The directory to grant and the path in it: for a directory, itself; for an object, its directory; for something that
/// does not exist, the nearest directory that does.
#[cfg(not(target_family = "wasm"))]
pub(super) fn resolve(
    typed: &str,
    path: &path::Path,
    directory: bool,
    need: Need,
) -> Result<(PathBuf, Path), Failure> {
    let (root, names) = match (need, path.file_name()) {
        (Need::Entry, Some(name)) => {
            let (root, mut names) = nearest_directory(typed, path.parent().unwrap_or(path))?;
            names.push(name.to_owned());
            (root, names)
        }
        (Need::Entry, None) => {
            let (root, names) = nearest_directory(typed, path)?;
            match (root.parent(), root.file_name()) {
                (Some(parent), Some(name)) if names.is_empty() => (parent.to_owned(), vec![name.to_owned()]),
                _ => (root, names),
            }
        }
        (Need::Contents, _) => nearest_directory(typed, path)?,
    };
    if directory && !names.is_empty() {
        let full = names.iter().fold(root.clone(), |full, name| full.join(name));
        if fs::metadata(full).is_ok_and(|found| !found.is_dir()) {
            return Err(Failure::new(
                Exit::NotRetryable,
                format!("`{}`: it is not a directory", printable(typed)),
            ));
        }
    }
    let path = local_path(typed, names.iter().map(|name| name.as_os_str()))?;
    Ok((root, path))
}

/// The nearest existing directory, without links, and the names that lead on from there.
#[cfg(not(target_family = "wasm"))]
fn nearest_directory(typed: &str, path: &path::Path) -> Result<(PathBuf, Vec<OsString>), Failure> {
    let (mut head, mut names) = (path, Vec::new());
    let root = loop {
        let existing = if head.as_os_str().is_empty() { path::Path::new(".") } else { head };
        match fs::canonicalize(existing) {
            Ok(found) if found.is_dir() => break found,
            Ok(found) => {
                names.extend(found.file_name().map(ToOwned::to_owned));
                break found.parent().unwrap_or(&found).to_owned();
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                let (Some(name), Some(parent)) = (head.file_name(), head.parent()) else {
                    let message = format!(
                        "`{}`: there is no `{}`",
                        printable(typed),
                        printable(&head.to_string_lossy())
                    );
                    return Err(Failure::new(Exit::DirectoryNotFound, message));
                };
                names.push(name.to_owned());
                head = parent;
            }
            Err(error) => return Err(Failure::system(&format!("`{}`", printable(typed)), error)),
        }
    };
    names.reverse();
    Ok((root, names))
}

/// Names of the operating system as a path.
pub(super) fn local_path<'a>(typed: &str, names: impl Iterator<Item = &'a OsStr>) -> Result<Path, Failure> {
    let refused = |what: String| Failure::usage(format!("`{}`: {what}", printable(typed)));
    let names = names
        .map(|name| {
            name.to_str()
                .map(Cow::Borrowed)
                .ok_or_else(|| refused(format!("the name {name:?} is not UTF-8; rename it")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Path::parse(names.join("/")).map_err(|error| refused(format!("the path is refused: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(path: &path::Path, need: Need) -> (PathBuf, String) {
        let (root, rest) = super::resolve("x", path, false, need).unwrap();
        (root, rest.as_str().to_owned())
    }

    #[test]
    fn no_more_is_granted_than_needed() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir(root.join("d")).unwrap();
        fs::write(root.join("d/f"), "").unwrap();
        std::os::unix::fs::symlink("d", root.join("link")).unwrap();

        use Need::{Contents, Entry};
        for (path, need, granted, rest) in [
            ("d", Contents, "d", ""),
            ("d/", Contents, "d", ""),
            ("link", Contents, "d", ""),
            ("d/f", Contents, "d", "f"),
            ("link/f", Contents, "d", "f"),
            ("d/f/x", Contents, "d", "f/x"),
            ("d/../d/new/deep", Contents, "d", "new/deep"),
            ("new", Contents, "", "new"),
            ("d", Entry, "", "d"),
            ("link", Entry, "", "link"),
            ("d/.", Entry, "", "d"),
            ("d/../d/f", Entry, "d", "f"),
            ("new/deep", Entry, "", "new/deep"),
        ] {
            // Joined as text: `PathBuf::join` with an empty path would add a slash.
            let granted = if granted.is_empty() { root.clone() } else { root.join(granted) };
            assert_eq!(resolved(&root.join(path), need), (granted, rest.to_owned()), "{path}");
        }
    }

    #[test]
    fn what_cannot_be_found_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let gone = directory.path().join("gone/../x");
        let failure = resolve("x", &gone, false, Need::Contents).unwrap_err();
        assert_eq!(failure.exit, Exit::DirectoryNotFound);

        fs::write(directory.path().join("f"), "").unwrap();
        let file = directory.path().join("f/");
        let failure = resolve("f/", &file, true, Need::Contents).unwrap_err();
        assert_eq!(failure.exit, Exit::NotRetryable);
    }
}
