//! Content type and user metadata, kept in extended attributes: `user.mime_type` as freedesktop.org has it, and
//! `user.<key>` as rclone has it.

use std::os::fd::OwnedFd;

use omnistorage_types::Path;
use rustix::io::Errno;

use super::error::{error, failure};
use crate::{ErrorCode, Metadata, ObjectInfo, Result, backend::WriteOptions};

/// <https://www.freedesktop.org/wiki/CommonExtendedAttributes/>
const CONTENT_TYPE: &str = "user.mime_type";
const PREFIX: &str = "user.";

/// What is kept beside the bytes of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) content_type: Option<String>,
    /// Sorted by key; keys are unique.
    pub(super) metadata: Metadata,
}

impl Attributes {
    /// The attributes that a write should store.
    pub(super) fn of(options: &WriteOptions, path: &Path) -> Result<Self> {
        let mut metadata = options.metadata.clone();
        metadata.sort();
        let refused = metadata.iter().enumerate().find_map(|(position, (key, _))| {
            let is_twice = metadata.get(position + 1).is_some_and(|(next, _)| next == key);
            let reason = match key.as_str() {
                "" => "is empty",
                "mime_type" => "is where the file backend keeps the content type",
                key if key.contains('\0') => "holds a NUL character",
                _ if is_twice => "is given twice",
                _ => return None,
            };
            Some(format!("the metadata key `{}` {reason}", key.escape_debug()))
        });
        match refused {
            Some(message) => Err(error(ErrorCode::InvalidArgument, message, path)),
            None => Ok(Self { content_type: options.content_type.clone(), metadata }),
        }
    }

    /// Each of these, or the one of `other` where there is none here. Metadata counts as a whole.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            content_type: self.content_type.or(other.content_type),
            metadata: if self.metadata.is_empty() { other.metadata } else { self.metadata },
        }
    }

    /// The attributes of an open file. What is not UTF-8 was not written by this crate, and is skipped.
    pub(super) fn read(file: &OwnedFd) -> Result<Self, Errno> {
        let mut attributes = Self::default();
        for name in system::names(file)?.split(|byte| *byte == 0) {
            let Some(name) = str::from_utf8(name).ok().filter(|name| name.starts_with(PREFIX)) else {
                continue;
            };
            let value = match system::value(file, name) {
                Ok(value) => value,
                // Removed since it was listed.
                Err(system::ABSENT) => continue,
                Err(errno) => return Err(errno),
            };
            match (String::from_utf8(value), name.strip_prefix(PREFIX)) {
                (Ok(value), _) if name == CONTENT_TYPE => attributes.content_type = Some(value),
                (Ok(value), Some(key)) if !key.is_empty() => {
                    attributes.metadata.push((key.to_owned(), value))
                }
                _ => {}
            }
        }
        attributes.metadata.sort();
        Ok(attributes)
    }

    /// Sets the attributes of an open file that has none yet.
    pub(super) fn write(&self, file: &OwnedFd, path: &Path) -> Result<()> {
        if let Some(content_type) = &self.content_type {
            set(file, CONTENT_TYPE, content_type, path)?;
        }
        for (key, value) in &self.metadata {
            set(file, &format!("{PREFIX}{key}"), value, path)?;
        }
        Ok(())
    }

    /// Replaces the old attributes by those that are given.
    pub(super) fn replace(&self, file: &OwnedFd, path: &Path) -> Result<()> {
        if !self.metadata.is_empty() {
            let old = Self::read(file).map_err(|errno| failure(errno, path))?;
            for (key, _) in old.metadata {
                system::remove(file, &format!("{PREFIX}{key}")).map_err(|errno| failure(errno, path))?;
            }
        }
        self.write(file, path)
    }

    pub(super) fn add_to(self, info: &mut ObjectInfo) {
        info.content_type = self.content_type;
        info.metadata = self.metadata;
    }
}

/// Whether the file system of an open directory keeps such attributes. This only looks: opening a backend changes
/// nothing.
pub(super) fn are_kept(directory: &OwnedFd) -> bool {
    matches!(system::value(directory, CONTENT_TYPE), Ok(_) | Err(system::ABSENT))
}

fn set(file: &OwnedFd, name: &str, value: &str, path: &Path) -> Result<()> {
    system::set(file, name, value).map_err(|errno| match errno {
        Errno::RANGE | Errno::TOOBIG | Errno::NOSPC | Errno::DQUOT | Errno::NAMETOOLONG => error(
            ErrorCode::LimitExceeded,
            format!("the file system has no room for `{}` beside the object", name.escape_debug()),
            path,
        ),
        _ => failure(errno, path),
    })
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
mod system {
    use std::os::fd::OwnedFd;

    use rustix::{
        fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr},
        io::Errno,
    };

    /// The errors for an attribute that is not there.
    #[cfg(not(target_vendor = "apple"))]
    pub(super) const ABSENT: Errno = Errno::NODATA;
    #[cfg(target_vendor = "apple")]
    pub(super) const ABSENT: Errno = Errno::NOATTR;

    /// The largest list of names, and the largest value, that Linux gives: see xattr(7).
    const LARGEST: usize = 64 * 1024;

    /// The names, each ended by NUL.
    pub(super) fn names(file: &OwnedFd) -> Result<Vec<u8>, Errno> {
        let mut some = [0; 512];
        match flistxattr(file, &mut some[..]) {
            Ok(len) => Ok(some[..len].to_vec()),
            Err(Errno::RANGE) => sized(|all| flistxattr(file, all)),
            Err(Errno::NOTSUP) => Ok(Vec::new()),
            Err(errno) => Err(errno),
        }
    }

    pub(super) fn value(file: &OwnedFd, name: &str) -> Result<Vec<u8>, Errno> {
        let mut some = [0; 512];
        match fgetxattr(file, name, &mut some[..]) {
            Ok(len) => Ok(some[..len].to_vec()),
            Err(Errno::RANGE) => sized(|all| fgetxattr(file, name, all)),
            Err(errno) => Err(errno),
        }
    }

    fn sized(get: impl FnOnce(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
        let mut all = vec![0; LARGEST];
        let len = get(&mut all)?;
        all.truncate(len);
        Ok(all)
    }

    pub(super) fn set(file: &OwnedFd, name: &str, value: &str) -> Result<(), Errno> {
        fsetxattr(file, name, value.as_bytes(), XattrFlags::empty())
    }

    pub(super) fn remove(file: &OwnedFd, name: &str) -> Result<(), Errno> {
        fremovexattr(file, name)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
mod system {
    use std::os::fd::OwnedFd;

    use rustix::io::Errno;

    pub(super) const ABSENT: Errno = Errno::NOENT;

    pub(super) fn names(_: &OwnedFd) -> Result<Vec<u8>, Errno> {
        Ok(Vec::new())
    }

    pub(super) fn value(_: &OwnedFd, _: &str) -> Result<Vec<u8>, Errno> {
        Err(Errno::NOTSUP)
    }

    pub(super) fn set(_: &OwnedFd, _: &str, _: &str) -> Result<(), Errno> {
        Err(Errno::NOTSUP)
    }

    pub(super) fn remove(_: &OwnedFd, _: &str) -> Result<(), Errno> {
        Err(Errno::NOTSUP)
    }
}
