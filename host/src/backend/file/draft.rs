//! An object that is being written, not yet in place.

use std::{os::fd::OwnedFd, sync::Arc};

use omnistorage_types::Path;
use rustix::io::Errno;

use super::{
    attributes::Attributes,
    error::{error, failure},
    info::times,
    parents::{ATTEMPTS, Like, Parents},
    placement::{Placement, refused},
    root::{Root, check_name},
    temporary::Temporary,
    tree::{split, split_object},
};
use crate::{ErrorCode, ObjectInfo, Result, Timestamp};

/// A temporary file and the directories made for it. Dropped, it leaves nothing of either.
#[derive(Debug)]
pub(super) struct Draft {
    // In this order: the directories are empty only once the file is gone.
    temporary: Temporary,
    parents: Parents,
    path: Path,
    place: Placement,
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
