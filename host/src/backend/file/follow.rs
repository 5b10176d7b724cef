//! Symbolic links that are followed, where a root follows them: to what they lead to within the root, and no further.
//!
//! Reads, looks and listings follow; whatever changes something does not. The kernel keeps a link from leading out
//! (`RESOLVE_BENEATH`, see openat2(2)): one that begins with `/` counts as doing so, wherever it points.

use std::{os::fd::OwnedFd, sync::Arc};

use omnistorage_types::Path;
use rustix::{fs::Stat, io::Errno};

use super::{
    chain::Identity,
    error::{absent_below_objects, error, failure},
    info::kind,
    links::Links,
    root::Root,
    tree::split,
};
use crate::{Error, ErrorCode, ObjectKind};

impl Root {
    /// Whether links are followed.
    pub(super) fn follows(&self) -> bool {
        self.links == Links::Follow
    }

    /// A directory to find something in that is read.
    pub(super) fn readable_directory(&self, path: &str) -> Result<Arc<OwnedFd>, Errno> {
        if self.follows() && !path.is_empty() {
            self.tree.followed_entries(path).map(Arc::new)
        } else {
            self.tree.directory(path)
        }
    }

    /// A directory to list.
    pub(super) fn readable_entries(&self, path: &str) -> Result<OwnedFd, Errno> {
        if self.follows() { self.tree.followed_entries(path) } else { self.tree.entries(path) }
    }

    /// An object to read. What was opened may still be a directory or special: look before reading.
    pub(super) fn readable_object(&self, path: &str) -> Result<OwnedFd, Errno> {
        if self.follows() { self.tree.followed_object(path) } else { self.tree.object(path) }
    }

    /// What is known about a directory, also of one that may not be looked into.
    pub(super) fn readable_directory_stat(&self, path: &str) -> Result<Stat, Errno> {
        if self.follows() { self.tree.followed_stat(path) } else { self.tree.directory_stat(path) }
    }

    /// What was found at a path; of a link what it leads to, if links are followed.
    pub(super) fn through_link(&self, found: Stat, path: &Path) -> Result<Stat, Error> {
        if self.follows() && is_link(&found) {
            self.tree.followed_stat(path.as_str()).map_err(|errno| lost(errno, path))
        } else {
            Ok(found)
        }
    }

    /// Why nothing can be read at a path.
    pub(super) fn unreadable(&self, errno: Errno, path: &Path) -> Error {
        match errno {
            Errno::LOOP | Errno::XDEV if self.follows() => lost(errno, path),
            _ => absent_below_objects(errno, path),
        }
    }

    /// Whether a link, of which the path is given, leads to a directory.
    pub(super) fn leads_to_directory(&self, path: &[u8]) -> bool {
        let stat = str::from_utf8(path).map(|path| self.tree.followed_stat(path));
        matches!(stat, Ok(Ok(stat)) if kind(&stat) == ObjectKind::Directory)
    }

    /// Refuses a directory that links lead to and that is above its own path, since what is in it has no end.
    pub(super) fn check_circle(&self, path: &str, directory: &OwnedFd) -> Result<(), Errno> {
        let identity = Identity::from(&rustix::fs::fstat(directory)?);
        let mut above = path;
        while !above.is_empty() {
            above = split(above).0;
            if Identity::from(&self.tree.followed_stat(above)?) == identity {
                return Err(Errno::LOOP);
            }
        }
        Ok(())
    }
}

/// Whether it is a link that was found.
pub(super) fn is_link(found: &Stat) -> bool {
    kind(found) == ObjectKind::Symlink
}

/// Why a link is not followed.
pub(super) fn lost(errno: Errno, path: &Path) -> Error {
    let (code, message) = match errno {
        Errno::NOENT | Errno::NOTDIR => (ErrorCode::NotFound, "the symbolic link leads to nothing"),
        Errno::LOOP => (ErrorCode::PermissionDenied, "the symbolic link leads in a circle"),
        Errno::XDEV => (
            ErrorCode::PermissionDenied,
            "the symbolic link leads out of the place, as one that begins with `/` always does: it is not followed",
        ),
        _ => return failure(errno, path),
    };
    error(code, message, path)
}
