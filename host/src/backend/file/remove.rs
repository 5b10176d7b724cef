//! Deletes objects, empty directories, and everything below a directory.

use std::{ffi::CString, os::fd::OwnedFd, sync::Arc};

use omnistorage_types::Path;
use rustix::{
    fs::{AtFlags, FileType},
    io::Errno,
};

use super::{
    KIND,
    chain::Chain,
    error::{error, failure},
    names::for_each_entry,
    no_replace::rename_to_free,
    placement::other_version,
    root::{Interrupt, Root, check_name},
    temporary::{self, Dead},
    tree::{split, split_object},
};
use crate::{Error, ErrorCode, ObjectKind, Result, backend::ObjectVersion};

/// Deletes objects, links and special files.
pub(super) fn delete_many(root: &Arc<Root>, paths: &[Path], interrupt: &Interrupt) -> Vec<Result<()>> {
    let delete = |directory: &OwnedFd, name: &str| {
        let name = match root.find_link(directory, name)? {
            Some(_) => root.link_name(name).unwrap_or(name),
            None => name,
        };
        match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
            // What POSIX returns for a directory; Linux returns EISDIR.
            Err(Errno::PERM) if is_directory(directory, name) => Err(Errno::ISDIR),
            Ok(()) if root.fsync => rustix::fs::fsync(directory),
            deleted => deleted,
        }
    };
    let mut directories = Directories { root, last: None };
    let results = paths.iter().map(|path| {
        interrupt.check(path)?;
        directories.at(path, |directory, name| unless_gone(delete(directory, name), path))
    });
    results.collect()
}

/// Deletes objects that are still of these versions.
pub(super) fn delete_versions(
    root: &Arc<Root>,
    versions: &[ObjectVersion],
    interrupt: &Interrupt,
) -> Vec<Result<()>> {
    let mut directories = Directories { root, last: None };
    let results = versions.iter().map(|ObjectVersion { path, etag }| {
        interrupt.check(path)?;
        if root.link_name(path.as_str()).is_some() {
            return Err(Error::unsupported(KIND, "deletes of links if an etag matches").at(KIND, path));
        }
        directories.at(path, |directory, name| delete_version(root, directory, name, path, etag))
    });
    results.collect()
}

/// No system deletes a file under the condition that it is a certain one. So its name is taken away first, and then it is
/// looked at what had it: another version gets the name back, unless somebody has put a newer one there. A process that is
/// killed in that instant leaves the file under a hidden name, which a sweep finds a day later at the earliest.
fn delete_version(root: &Root, directory: &OwnedFd, name: &str, path: &Path, etag: &str) -> Result<()> {
    let is_it = |name: &str| {
        let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let info = root.info(path.clone(), &stat);
        if info.kind == ObjectKind::Directory {
            Err(Errno::ISDIR)
        } else {
            Ok(info.etag.as_deref() == Some(etag))
        }
    };
    match is_it(name) {
        Ok(true) => {}
        Ok(false) => return Err(other_version(path)),
        Err(errno) => return unless_gone(Err(errno), path),
    }
    let aside = temporary::with_foreign_name(|aside| {
        rename_to_free(directory, name, directory, aside).map(|()| Some(aside.to_owned()))
    });
    let aside = match aside {
        Ok(aside) => aside,
        Err(errno) => return unless_gone(Err(errno), path),
    };
    let remove = || unless_gone(rustix::fs::unlinkat(directory, &*aside, AtFlags::empty()), path);
    if is_it(&aside) == Ok(true) {
        remove()?;
        return if root.fsync { unless_gone(rustix::fs::fsync(directory), path) } else { Ok(()) };
    }
    match rename_to_free(directory, &aside, directory, name) {
        Ok(()) => Err(other_version(path)),
        Err(Errno::EXIST) => remove().and_then(|()| Err(other_version(path))),
        Err(errno) => Err(failure(errno, path)),
    }
}

/// What is not there needs no deleting.
fn unless_gone(deleted: Result<(), Errno>, path: &Path) -> Result<()> {
    match deleted {
        Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
        Err(errno) => Err(failure(errno, path)),
    }
}

/// The directories of paths that come sorted: that of one is mostly that of the next.
struct Directories<'a> {
    root: &'a Arc<Root>,
    last: Option<(&'a str, Arc<OwnedFd>)>,
}

impl<'a> Directories<'a> {
    /// Does something with the name of an object in its directory. Where there is no such directory, there is nothing to
    /// do.
    fn at(&mut self, path: &'a Path, act: impl FnOnce(&OwnedFd, &str) -> Result<()>) -> Result<()> {
        check_name(path)?;
        let (parent, name) = split_object(path).map_err(|errno| failure(errno, path))?;
        let directory = match self.last.take() {
            Some((path, directory)) if path == parent => directory,
            _ => match self.root.tree.directory(parent) {
                Ok(directory) => directory,
                Err(errno) => return unless_gone(Err(errno), path),
            },
        };
        let done = act(&directory, name);
        self.last = Some((parent, directory));
        done
    }
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

fn root_stays(path: &Path) -> Error {
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
