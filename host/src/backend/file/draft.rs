//! An object that is being written, not yet in place.

use std::{os::fd::OwnedFd, sync::Arc};

use omnistorage_types::Path;
use rustix::{
    fs::{AtFlags, Stat},
    io::Errno,
};

use super::{
    attributes::Attributes,
    error::{error, failure, special_in_place},
    exchange,
    folding::is_listed,
    info::{kind, times},
    parents::{ATTEMPTS, Like, Parents},
    permissions::Permissions,
    root::{Root, check_name},
    temporary::Temporary,
    tree::{split, split_object},
};
use crate::{Error, ErrorCode, ObjectInfo, ObjectKind, Result, Timestamp, backend::WriteCondition};

/// A temporary file and the directories made for it. Dropped, it leaves nothing of either.
#[derive(Debug)]
pub(super) struct Draft {
    // In this order: the directories are empty only once the file is gone.
    temporary: Temporary,
    parents: Parents,
    path: Path,
    place: Placement,
}

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

impl Draft {
    pub(super) fn begin(root: &Arc<Root>, path: &Path, like: Option<Like>, place: Placement) -> Result<Self> {
        check_name(path)?;
        let begin = || {
            let (parent, name) = split_object(path)?;
            for _ in 1..ATTEMPTS {
                let parents = Parents::make(root, parent, like.clone());
                match parents.and_then(|parents| Self::begin_in(parents, name, path, place.clone())) {
                    Err(Errno::NOENT) => {}
                    done => return done,
                }
            }
            Self::begin_in(Parents::make(root, parent, like)?, name, path, place)
        };
        let draft = begin().map_err(|errno| match errno {
            Errno::NOENT if is_there(root, path) => {
                let message = "no files can be made or replaced there: the file system makes them up itself";
                error(ErrorCode::PermissionDenied, message, path)
            }
            errno => refused(errno, path),
        })?;
        draft.parents.check_names(path, &draft.place)?;
        Ok(draft)
    }

    /// In a directory that is open.
    pub(super) fn begin_in(
        parents: Parents,
        name: &str,
        path: &Path,
        place: Placement,
    ) -> Result<Self, Errno> {
        let mode = place.permissions.to_make();
        let temporary = Temporary::create(&parents.directory, name, mode, &parents.root().unnamed)?;
        Ok(Self { temporary, parents, path: path.clone(), place })
    }

    pub(super) fn file(&self) -> &OwnedFd {
        self.temporary.file()
    }

    /// Where the object will be.
    pub(super) fn directory(&self) -> &Arc<OwnedFd> {
        &self.parents.directory
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses early what could not be put in place later.
    pub(super) fn check_place(&self) -> Result<()> {
        self.place.check(self.parents.root(), self.temporary.directory(), &self.path)
    }

    /// Puts the next bytes at an offset: what lies between becomes a hole.
    #[cfg(target_os = "linux")]
    pub(super) fn seek(&self, offset: u64) -> Result<()> {
        let sought = rustix::fs::seek(self.file(), rustix::fs::SeekFrom::Start(offset));
        sought.map(drop).map_err(|errno| failure(errno, &self.path))
    }

    /// Ends with a hole, if there is anything to end with.
    #[cfg(target_os = "linux")]
    pub(super) fn set_len(&self, len: u64) -> Result<()> {
        rustix::fs::ftruncate(self.file(), len).map_err(|errno| failure(errno, &self.path))
    }

    /// Appends.
    pub(super) fn write(&self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(self.file(), bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(failure(errno, &self.path)),
            }
        }
        Ok(())
    }

    /// Puts it in place, with what is kept beside the bytes.
    pub(super) fn commit(self, attributes: Attributes, modified: Option<Timestamp>) -> Result<ObjectInfo> {
        // Locals are dropped in the opposite order: the file before the directories.
        let Self { path, mut parents, mut temporary, place } = self;
        let mut stored = attributes.clone();
        let owned = parents.root().take_owned(&mut stored.metadata);
        stored.write(temporary.file(), &path)?;
        // The clock of the file system ticks in milliseconds: two versions within a tick, of which one has the inode of the
        // other, would have one etag.
        let modified = modified.or_else(|| parents.root().told.exchange.then(Timestamp::now));
        let times = match (modified, owned.accessed) {
            (None, None) => None,
            (modified, accessed) => Some(times(modified, accessed, &path)?),
        };
        let finish = || {
            owned.apply(temporary.file())?;
            if let Some(times) = &times {
                rustix::fs::futimens(temporary.file(), times)?;
            }
            if parents.root().fsync {
                rustix::fs::fsync(temporary.file())?;
            }
            rustix::fs::fstat(temporary.file())
        };
        let stat = finish().map_err(|errno| refused(errno, &path))?;
        parents.put_in_place(&mut temporary, &path, &stat, &place)?;
        parents.root().leftovers.sweep(split(path.as_str()).0, &parents.directory);
        let root = parents.root().clone();
        parents.keep().map_err(|errno| failure(errno, &path))?;
        let mut info = root.info(path, &stat);
        attributes.add_to(&mut info);
        Ok(info)
    }
}

/// Whether the innermost directory above an object that can be opened is one that others find as well, and not a removed one.
fn is_there(root: &Root, path: &Path) -> bool {
    let mut above = path.as_str();
    while !above.is_empty() {
        above = split(above).0;
        if let Ok(directory) = root.tree.directory(above) {
            return rustix::fs::fstat(&directory).is_ok_and(|stat| stat.st_nlink > 0);
        }
    }
    false
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
