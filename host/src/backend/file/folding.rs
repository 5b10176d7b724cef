//! Directories that a file system finds by other names than theirs.
//!
//! Where names that differ in letter case alone lead to one directory, what is created in `dir` would stand in `Dir`, and
//! no listing would ever tell it under its own path.

use std::os::fd::OwnedFd;

use omnistorage_types::Path;
use rustix::{fs::AtFlags, io::Errno};

use super::{
    chain::Identity,
    error::{error, failure},
    names::for_each_entry,
    tree::{Tree, split},
};
use crate::{ErrorCode, Result};

/// Refuses to create an object where one of the directories above it is called otherwise. Those that were `made` for it
/// are called as they should be.
///
/// # Errors
/// [`ErrorCode::AlreadyExists`]
pub(super) fn check_directories(tree: &Tree, object: &Path, made: &[String]) -> Result<()> {
    let mut path = split(object.as_str()).0;
    while !path.is_empty() {
        let (parent, name) = split(path);
        if !made.iter().any(|made| made == path) {
            let is_own = tree.directory(parent).and_then(|parent| is_own_name(&parent, name, identity));
            if !is_own.map_err(|errno| failure(errno, object))? {
                let message = format!(
                    "the file system takes the directory `{path}` for another one, which stays: names that differ in letter \
                     case alone cannot both be here, so rename one"
                );
                return Err(error(ErrorCode::AlreadyExists, message, object));
            }
        }
        path = parent;
    }
    Ok(())
}

fn identity(directory: &OwnedFd, name: &str) -> Option<Identity> {
    let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(Identity::from(&stat))
}

/// Whether what is found by a name has this name. All names are read only where the name in the other case leads to the same
/// thing.
fn is_own_name(
    directory: &OwnedFd,
    name: &str,
    find: impl Fn(&OwnedFd, &str) -> Option<Identity>,
) -> Result<bool, Errno> {
    let twin = in_other_case(name);
    let found = find(directory, name);
    if twin == name || found.is_none() || find(directory, &twin) != found {
        return Ok(true);
    }
    is_listed(directory, name)
}

/// Whether a directory has an entry of just that name.
pub(super) fn is_listed(directory: &OwnedFd, name: &str) -> Result<bool, Errno> {
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
    let entries = rustix::fs::openat(directory, ".", flags, rustix::fs::Mode::empty())?;
    let mut is_listed = false;
    for_each_entry(&entries, |listed, _| {
        is_listed |= listed == name.as_bytes();
        Ok(())
    })?;
    Ok(is_listed)
}

/// Small letters for capital ones, and the other way round.
fn in_other_case(name: &str) -> String {
    let mut swapped = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_lowercase() {
            swapped.extend(letter.to_uppercase())
        } else {
            swapped.extend(letter.to_lowercase())
        }
    }
    swapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_called_otherwise_is_told_where_names_are_folded() {
        let scratch = tempfile::tempdir().unwrap();
        for name in ["Dir", "other", "2024"] {
            std::fs::create_dir(scratch.path().join(name)).unwrap();
        }
        let directory = OwnedFd::from(std::fs::File::open(scratch.path()).unwrap());
        let folding = |directory: &OwnedFd, name: &str| {
            let mut names =
                std::fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().file_name());
            let found = names.find(|found| found.to_string_lossy().to_lowercase() == name.to_lowercase())?;
            identity(directory, found.to_str().unwrap())
        };
        for (name, expected) in
            [("Dir", true), ("dir", false), ("DIR", false), ("other", true), ("2024", true), ("no", true)]
        {
            assert_eq!(is_own_name(&directory, name, folding), Ok(expected), "{name}");
            assert_eq!(is_own_name(&directory, name, identity), Ok(true), "{name}");
        }
    }

    #[test]
    fn the_other_case_of_a_name() {
        for (name, swapped) in [("Dir-1", "dIR-1"), ("2024", "2024"), ("Ä", "ä"), ("", "")] {
            assert_eq!(in_other_case(name), swapped);
        }
    }
}
