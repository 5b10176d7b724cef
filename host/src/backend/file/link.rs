//! Symbolic links as objects, where a root keeps them: the object `name.rclonelink` is the link `name`, and its bytes
//! are the path that the link leads to, whether there is anything or not. rclone has the same names for them
//! (`--links`).
//!
//! A link that is kept is never followed. A file that itself has such a name is an object like any other, unless a link
//! hides it by being the same object.

use std::{
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use omnistorage_types::Path;
use rustix::{
    fs::{AtFlags, FileType, Stat},
    io::Errno,
};

use super::{
    error::{error, failure},
    info::modification_time,
    links::{Links, SUFFIX},
    no_replace::rename_to_free,
    parents::Parents,
    placement::{Placement, already_there},
    root::{Root, check_name},
    temporary::with_free_name,
    tree::split_object,
};
use crate::{ErrorCode, ObjectInfo, Result, Timestamp};

/// No link holds a longer path: see path_resolution(7).
pub(super) const LONGEST: usize = 4095;

/// A link that was found.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) leads_to: Vec<u8>,
    /// As that of a file.
    pub(super) stat: Stat,
}

impl Root {
    /// The name of the link that an object of that name may be.
    pub(super) fn link_name<'a>(&self, name: &'a str) -> Option<&'a str> {
        let is_kept = self.links == Links::Keep;
        name.strip_suffix(SUFFIX).filter(|name| is_kept && !name.is_empty() && !name.ends_with('/'))
    }

    /// The link that an object of a directory is; `None` if it is none.
    pub(super) fn find_link(&self, directory: impl AsFd, name: &str) -> Result<Option<Link>, Errno> {
        let Some(name) = self.link_name(name) else { return Ok(None) };
        let mut stat = match rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_symlink() => stat,
            Ok(_) | Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(errno),
        };
        stat.st_mode = FileType::RegularFile.as_raw_mode() | 0o666;
        let leads_to = rustix::fs::readlinkat(&directory, name, Vec::<u8>::new())?.into_bytes();
        stat.st_size = leads_to.len().try_into().map_err(|_| Errno::OVERFLOW)?;
        Ok(Some(Link { leads_to, stat }))
    }

    /// The link that an object is; `None` if it is none.
    pub(super) fn find_link_at(&self, path: &Path) -> Result<Option<Link>, Errno> {
        if self.link_name(path.as_str()).is_none() {
            return Ok(None);
        }
        let (parent, name) = split_object(path)?;
        self.find_link(self.tree.directory(parent)?, name)
    }
}

impl Link {
    /// A file with these bytes and the same time. Nobody else has it open.
    pub(super) fn open(&self) -> Result<OwnedFd, Errno> {
        let file = memory_file()?;
        let mut bytes = self.leads_to.as_slice();
        while !bytes.is_empty() {
            let count = rustix::io::write(&file, bytes)?;
            bytes = bytes.get(count..).unwrap_or_default();
        }
        let modified = super::info::Version::from(&self.stat).modified;
        let times = modification_time(modified, &Path::root()).map_err(|_| Errno::INVAL)?;
        rustix::fs::futimens(&file, &times)?;
        Ok(file)
    }
}

#[cfg(target_os = "linux")]
fn memory_file() -> Result<OwnedFd, Errno> {
    rustix::fs::memfd_create("link", rustix::fs::MemfdFlags::CLOEXEC)
}

#[cfg(not(target_os = "linux"))]
fn memory_file() -> Result<OwnedFd, Errno> {
    tempfile::tempfile()
        .map(OwnedFd::from)
        .map_err(|error| error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error))
}

/// Makes the link that an object is, in one step.
pub(super) fn write(
    root: &Arc<Root>,
    path: &Path,
    leads_to: &[u8],
    modified: Option<Timestamp>,
    place: Placement,
) -> Result<ObjectInfo> {
    check_name(path)?;
    let failed = |errno| failure(errno, path);
    let (parent, object) = split_object(path).map_err(failed)?;
    let name = root.link_name(object).unwrap_or(object);
    if leads_to.is_empty() || leads_to.len() > LONGEST || leads_to.contains(&0) {
        let message = "these bytes are nothing that a symbolic link can lead to";
        return Err(error(ErrorCode::InvalidArgument, message, path));
    }
    let times = modified.map(|modified| modification_time(modified, path)).transpose()?;
    let parents = Parents::make(root, parent, None).map_err(failed)?;
    parents.check_names(path, &place)?;
    let directory = &*parents.directory;
    let link_path = match path.as_str().strip_suffix(SUFFIX) {
        Some(link) => Path::parse(link).map_err(crate::Error::from)?,
        None => path.clone(),
    };
    place.check(root, directory, &link_path)?;
    let temporary = with_free_name(directory, |temporary| {
        rustix::fs::symlinkat(leads_to, directory, temporary).map(|()| Some(temporary.to_owned()))
    })
    .map_err(failed)?;
    let put_in_place = || {
        if let Some(times) = &times {
            rustix::fs::utimensat(directory, &*temporary, times, AtFlags::SYMLINK_NOFOLLOW)?;
        }
        match place.exclusive {
            true => rename_to_free(directory, &temporary, directory, name),
            false => rustix::fs::renameat(directory, &*temporary, directory, name),
        }
    };
    if let Err(errno) = put_in_place() {
        let _ = rustix::fs::unlinkat(directory, &*temporary, AtFlags::empty());
        return Err(match errno {
            Errno::EXIST => already_there(directory, &link_path),
            errno => failed(errno),
        });
    }
    let made = root.find_link(directory, object).map_err(failed)?;
    let made = made.ok_or_else(|| failed(Errno::STALE))?;
    parents.keep().map_err(failed)?;
    Ok(root.info(path.clone(), &made.stat))
}
