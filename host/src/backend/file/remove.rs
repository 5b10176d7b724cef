//! Deletes objects, empty directories, and everything below a directory.

use std::{ffi::CString, os::fd::OwnedFd, sync::Arc};

use omnistorage_types::Path;
use rustix::{
    fs::{AtFlags, FileType},
    io::Errno,
};

use super::{
    chain::Chain,
    error::{error, failure},
    names::for_each_entry,
    root::{Interrupt, Root, check_name},
    temporary::{self, Dead},
    tree::{split, split_object},
};
use crate::{ErrorCode, Result};

/// Deletes objects, links and special files. Paths come sorted, so the directory of one is mostly that of the next.
pub(super) fn delete_many(root: &Arc<Root>, paths: &[Path], interrupt: &Interrupt) -> Vec<Result<()>> {
    let mut last: Option<(&str, Arc<OwnedFd>)> = None;
    let results = paths.iter().map(|path| {
        interrupt.check(path)?;
        check_name(path)?;
        let mut delete = || {
            let (parent, name) = split_object(path)?;
            let directory = match last.take() {
                Some((path, directory)) if path == parent => directory,
                _ => root.tree.directory(parent)?,
            };
            let name = match root.find_link(&directory, name)? {
                Some(_) => root.link_name(name).unwrap_or(name),
                None => name,
            };
            let deleted = match rustix::fs::unlinkat(&directory, name, AtFlags::empty()) {
                // What POSIX returns for a directory; Linux returns EISDIR.
                Err(Errno::PERM) if is_directory(&directory, name) => Err(Errno::ISDIR),
                Ok(()) if root.fsync => rustix::fs::fsync(&directory),
                deleted => deleted,
            };
            last = Some((parent, directory));
            deleted
        };
        match delete() {
            Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
            Err(errno) => Err(failure(errno, path)),
        }
    });
    results.collect()
}

fn is_directory(directory: &OwnedFd, name: &str) -> bool {
    rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_dir())
}

/// Removes an empty directory. Leftovers of dead writers in it do not count.
pub(super) fn rmdir(root: &Root, path: &Path) -> Result<()> {
    check_name(path)?;
    if path.is_root() {
        return Err(root_stays(path));
    }
    let rmdir = || {
        let (parent, name) = split(path.as_str());
        let directory = root.tree.directory(parent)?;
        let remove = || rustix::fs::unlinkat(&directory, name, AtFlags::REMOVEDIR);
        match remove() {
            Err(Errno::NOTEMPTY | Errno::EXIST) => {
                let entries = root.tree.entries(path.as_str())?;
                for_each_entry(&entries, |name, kind| {
                    if kind == FileType::RegularFile && temporary::is_name(name) {
                        temporary::sweep(&entries, name, Dead::OR_FORGOTTEN);
                    }
                    Ok(())
                })?;
                remove()
            }
            removed => removed,
        }
    };
    rmdir().map_err(|errno| failure(errno, path))
}

fn root_stays(path: &Path) -> crate::Error {
    error(ErrorCode::PermissionDenied, "the root of a backend is not removed", path)
}

/// Makes a directory and those above it.
pub(super) fn mkdir(root: &Root, path: &Path) -> Result<()> {
    check_name(path)?;
    root.tree.make_directory(path.as_str(), |_| None).map(drop).map_err(|errno| failure(errno, path))
}

/// Deletes everything below a directory, and the directory itself unless it is the root; returns the number of objects.
/// The tree may be of any depth, and its names need not be UTF-8.
pub(super) fn purge(root: &Root, path: &Path, interrupt: &Interrupt) -> Result<u64> {
    check_name(path)?;
    let top = match root.tree.entries(path.as_str()) {
        Ok(top) => top,
        Err(Errno::NOENT) => return Ok(0),
        Err(errno) => return Err(failure(errno, path)),
    };
    let mut purge = Purge { chain: Chain::new(top), levels: Vec::new(), objects: 0 };
    purge.enter().map_err(|errno| failure(errno, path))?;
    while let Some(level) = purge.levels.last_mut() {
        interrupt.check(path)?;
        let step = match level.directories.last().map(|name| purge.chain.descend(&**name)) {
            None => purge.leave(),
            Some(Ok(())) => purge.enter(),
            Some(Err(Errno::NOENT)) => {
                level.directories.pop();
                Ok(())
            }
            Some(Err(errno)) => Err(errno),
        };
        step.map_err(|errno| failure(errno, &purge.innermost(path)))?;
    }
    if !path.is_root() {
        let (parent, name) = split(path.as_str());
        let removed = root
            .tree
            .directory(parent)
            .and_then(|directory| rustix::fs::unlinkat(&directory, name, AtFlags::REMOVEDIR));
        match removed {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(failure(errno, path)),
        }
    }
    Ok(purge.objects)
}

struct Purge {
    chain: Chain,
    /// One for each directory from the top to where the walk is.
    levels: Vec<Level>,
    objects: u64,
}

#[derive(Default)]
struct Level {
    /// Not yet removed. The walk is at this level or in the last of them.
    directories: Vec<CString>,
}

impl Purge {
    /// The path of the directory where the walk is, as far as it can be a path.
    fn innermost(&self, top: &Path) -> Path {
        let names = self.levels.iter().filter_map(|level| level.directories.last()?.to_str().ok());
        let path = Path::parse(names.collect::<Vec<_>>().join("/")).and_then(|below| top.join(&below));
        path.unwrap_or_else(|_| top.clone())
    }

    /// Deletes everything but directories in the directory to which the chain went.
    fn enter(&mut self) -> Result<(), Errno> {
        let directory = self.chain.innermost()?;
        let mut level = Level::default();
        let mut files = Vec::new();
        let read = for_each_entry(directory, |name, kind| {
            let name = CString::new(name).map_err(|_| Errno::INVAL)?;
            if kind == FileType::Directory { &mut level.directories } else { &mut files }.push(name);
            Ok(())
        });
        match read {
            // Somebody else removed it.
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
        for name in files {
            if temporary::is_name(name.to_bytes()) {
                // The file of a writer that may be alive stays, and so does the directory: the caller gets an error.
                temporary::sweep(directory, name.to_bytes(), Dead::OR_FORGOTTEN);
                continue;
            }
            match rustix::fs::unlinkat(directory, &*name, AtFlags::empty()) {
                Ok(()) => self.objects += 1,
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
        }
        self.levels.push(level);
        Ok(())
    }

    /// Goes back up, and removes the directory that is empty now.
    fn leave(&mut self) -> Result<(), Errno> {
        self.levels.pop();
        let Some(above) = self.levels.last_mut() else { return Ok(()) };
        self.chain.ascend()?;
        let Some(name) = above.directories.pop() else { return Ok(()) };
        match rustix::fs::unlinkat(self.chain.innermost()?, &*name, AtFlags::REMOVEDIR) {
            Err(Errno::NOENT) | Ok(()) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}
