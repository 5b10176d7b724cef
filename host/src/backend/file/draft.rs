//! An object that is being written, not yet in place.

use std::{os::fd::OwnedFd, sync::Arc};

use omnistorage_path::Path;
use rustix::io::Errno;

use super::{
    attributes::Attributes,
    error::{error, failure},
    info::{info, modification_time},
    root::{Root, check_name},
    temporary::Temporary,
    tree::split_object,
};
use crate::{
    error::{Error, ErrorCode, Result},
    object::{ObjectInfo, Timestamp},
};

/// So often is a directory made again that another call takes away because it is empty.
const ATTEMPTS: u32 = 16;

/// A temporary file and the directories made for it. Dropped, it leaves nothing of either.
#[derive(Debug)]
pub(super) struct Draft {
    // In this order: the directories are empty only once the file is gone.
    temporary: Temporary,
    parents: Parents,
    path: Path,
}

/// A directory to write in. Dropped before it is kept, those made for it go again, as far as they are empty.
#[derive(Debug)]
pub(super) struct Parents {
    root: Arc<Root>,
    pub(super) directory: Arc<OwnedFd>,
    made: Vec<String>,
}

impl Parents {
    pub(super) fn make(root: &Arc<Root>, path: &str) -> Result<Self, Errno> {
        let (directory, made) = root.tree.make_directory(path)?;
        Ok(Self { root: root.clone(), directory, made })
    }

    /// Of a directory that is there.
    pub(super) fn existing(root: &Arc<Root>, directory: &Arc<OwnedFd>) -> Self {
        Self { root: root.clone(), directory: directory.clone(), made: Vec::new() }
    }

    /// Puts a file in its place here. A directory that another call took away, since it was empty to all others, is made
    /// again.
    fn put_in_place(&mut self, temporary: &mut Temporary, path: &Path) -> Result<(), Errno> {
        let (parent, name) = split_object(path)?;
        for _ in 1..ATTEMPTS {
            match temporary.put_in_place(name, &self.root.unnamed) {
                Err(Errno::NOENT) if temporary.is_unnamed() => {}
                done => return done,
            }
            let (directory, made) = match self.root.tree.make_directory(parent) {
                // Taken away once more, before it was open.
                Err(Errno::NOENT) => continue,
                made => made?,
            };
            self.made.retain(|before| !made.contains(before));
            self.made.extend(made);
            temporary.rebase(&directory);
            self.directory = directory;
        }
        temporary.put_in_place(name, &self.root.unnamed)
    }

    /// Leaves them, and makes their names last if the root is to.
    pub(super) fn keep(mut self) -> Result<(), Errno> {
        let made = std::mem::take(&mut self.made);
        if self.root.fsync {
            rustix::fs::fsync(&self.directory)?;
            for path in &made {
                let (parent, _) = super::tree::split(path);
                rustix::fs::fsync(self.root.tree.directory(parent)?)?;
            }
        }
        Ok(())
    }
}

impl Drop for Parents {
    fn drop(&mut self) {
        self.root.tree.remove_empty(&self.made);
    }
}

impl Draft {
    pub(super) fn begin(root: &Arc<Root>, path: &Path) -> Result<Self> {
        check_name(path)?;
        let begin = || {
            let (parent, name) = split_object(path)?;
            for _ in 1..ATTEMPTS {
                match Parents::make(root, parent).and_then(|parents| Self::begin_in(parents, name, path)) {
                    Err(Errno::NOENT) => {}
                    done => return done,
                }
            }
            Self::begin_in(Parents::make(root, parent)?, name, path)
        };
        begin().map_err(|errno| refused(errno, path))
    }

    /// In a directory that is open.
    pub(super) fn begin_in(parents: Parents, name: &str, path: &Path) -> Result<Self, Errno> {
        let temporary = Temporary::create(&parents.directory, name, &parents.root.unnamed)?;
        Ok(Self { temporary, parents, path: path.clone() })
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
        let Self { path, mut parents, mut temporary } = self;
        attributes.write(temporary.file(), &path)?;
        let times = modified.map(|modified| modification_time(modified, &path)).transpose()?;
        let mut commit = || {
            if let Some(times) = &times {
                rustix::fs::futimens(temporary.file(), times)?;
            }
            if parents.root.fsync {
                rustix::fs::fsync(temporary.file())?;
            }
            let stat = rustix::fs::fstat(temporary.file())?;
            parents.put_in_place(&mut temporary, &path)?;
            Ok(stat)
        };
        let stat = commit().map_err(|errno| refused(errno, &path))?;
        parents.keep().map_err(|errno| failure(errno, &path))?;
        let mut info = info(path, &stat);
        attributes.add_to(&mut info);
        Ok(info)
    }
}

/// What the system says of a temporary file.
fn refused(errno: Errno, path: &Path) -> Error {
    match errno {
        Errno::AGAIN => error(ErrorCode::Unavailable, "too many write this object at the same time", path),
        _ => failure(errno, path),
    }
}
