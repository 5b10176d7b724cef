//! How an object takes its place, and why it may not.

use std::os::fd::OwnedFd;

use omnistorage_types::Path;
use rustix::{
    fs::{AtFlags, Stat},
    io::Errno,
};

use super::{
    error::{error, failure, special_in_place},
    exchange,
    folding::is_listed,
    info::kind,
    permissions::Permissions,
    root::Root,
    temporary::Temporary,
    tree::split,
};
use crate::{Error, ErrorCode, ObjectKind, Result, backend::WriteCondition};

/// How an object takes its place.
#[derive(Clone, Debug)]
pub(super) struct Placement {
    pub(super) permissions: Permissions,
    /// Only where nothing is yet.
    pub(super) exclusive: bool,
    /// Only over the object of this etag.
    pub(super) expected: Option<String>,
}

impl Placement {
    /// For a condition that [`Root::check_options`] lets pass.
    pub(super) fn new(permissions: Permissions, condition: &WriteCondition) -> Self {
        let expected = match condition {
            WriteCondition::IfMatch(etag) => Some(etag.clone()),
            WriteCondition::Always | WriteCondition::IfAbsent => None,
        };
        Self { permissions, exclusive: *condition == WriteCondition::IfAbsent, expected }
    }

    /// Refuses what stands at a path and is not to be replaced.
    pub(super) fn check(&self, root: &Root, directory: &OwnedFd, path: &Path) -> Result<()> {
        let (_, name) = split(path.as_str());
        match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(there) => self.check_replaced(root, directory, path, &there),
            Err(Errno::NOENT) if self.expected.is_some() => Err(other_version(path)),
            // Whatever the error is, it will show when the object is put there.
            Err(_) => Ok(()),
        }
    }

    /// Whether it is the object of the expected etag.
    fn is_expected(&self, root: &Root, path: &Path, there: &Stat) -> bool {
        self.expected.is_some() && root.info(path.clone(), there).etag == self.expected
    }

    fn check_replaced(&self, root: &Root, directory: &OwnedFd, path: &Path, there: &Stat) -> Result<()> {
        match kind(there) {
            ObjectKind::Directory => Err(failure(Errno::ISDIR, path)),
            _ if self.exclusive => Err(already_there(directory, path)),
            _ if self.expected.is_some() && !self.is_expected(root, path, there) => Err(other_version(path)),
            ObjectKind::Special => Err(special_in_place(path)),
            ObjectKind::Object | ObjectKind::Symlink => Ok(()),
        }
    }

    /// Replaces whatever has the name of the object by a file, if that is allowed. `made` is what is known about the
    /// file. Returns whether it could: not if the directory, which looked empty to everybody else, was removed too.
    pub(super) fn replace(
        &self,
        temporary: &mut Temporary,
        path: &Path,
        made: &Stat,
        root: &Root,
    ) -> Result<bool> {
        let failed = |errno| failure(errno, path);
        if self.exclusive {
            return Err(already_there(temporary.directory(), path));
        }
        let (_, name) = split(path.as_str());
        let locked = self.expected.as_ref().map(|_| exchange::lock(temporary.directory())).transpose();
        let _locked = locked.map_err(|errno| match errno {
            Errno::WOULDBLOCK => {
                let message = "somebody keeps the directory locked (`flock`): try again when that is over";
                error(ErrorCode::Unavailable, message, path)
            }
            errno => failed(errno),
        })?;
        match rustix::fs::statat(temporary.directory(), name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(there) => {
                self.check_replaced(root, temporary.directory(), path, &there)?;
                if kind(&there) == ObjectKind::Object
                    && self.permissions.take_over(temporary.file(), made, &there).map_err(failed)?
                    && root.fsync
                {
                    rustix::fs::fsync(temporary.file()).map_err(failed)?;
                }
            }
            Err(Errno::NOENT) if self.expected.is_some() => return Err(other_version(path)),
            // It disappeared meanwhile, and whoever comes next gets the place.
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(failed(errno)),
        }
        if self.expected.is_some() {
            let is_expected = |there: &Stat| self.is_expected(root, path, there);
            return match temporary.replace_if(name, made, &root.unnamed, is_expected) {
                Ok(true) => Ok(true),
                Ok(false) | Err(Errno::NOENT) => Err(other_version(path)),
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                    let missing = "writes if an etag matches, since its file system exchanges no names";
                    Err(Error::unsupported(super::KIND, missing).at(super::KIND, path))
                }
                Err(errno) => Err(refused(errno, path)),
            };
        }
        match temporary.replace(name, &root.unnamed) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) if temporary.is_unnamed() => Ok(false),
            Err(errno) => Err(refused(errno, path)),
        }
    }
}

/// Another version than that of the given etag is there, or none.
pub(super) fn other_version(path: &Path) -> Error {
    error(ErrorCode::PreconditionFailed, "the object is not the one of the given etag any more", path)
}

/// Why a name is not free: something has it, or, where the file system takes several names for one, something with
/// another name has it.
pub(super) fn already_there(directory: &OwnedFd, path: &Path) -> Error {
    let (_, wanted) = split(path.as_str());
    let is_there = is_listed(directory, wanted).unwrap_or(true);
    if is_there {
        error(ErrorCode::PreconditionFailed, "there is something at this path already", path)
    } else {
        let message = "the file system takes this name for that of another object, which stays: names that differ in \
                       letter case or Unicode form alone cannot both be here, so rename one";
        error(ErrorCode::AlreadyExists, message, path)
    }
}

/// What the system says of a temporary file.
pub(super) fn refused(errno: Errno, path: &Path) -> Error {
    match errno {
        Errno::NOENT => {
            let message = "its temporary file, or its directory, was removed while it was written: try again";
            error(ErrorCode::Unavailable, message, path)
        }
        _ => failure(errno, path),
    }
}
