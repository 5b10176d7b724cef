//! What the file system knows of a file, as [`ObjectInfo`].

use std::os::fd::OwnedFd;

use omnistorage_types::Path;
use rustix::fs::{FileType, Stat, Timespec, Timestamps, UTIME_OMIT};

use super::error::error;
use crate::{ErrorCode, ObjectInfo, ObjectKind, Result, Timestamp};

/// What changes whenever the contents of a file do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) size: u64,
    pub(super) modified: Timestamp,
}

impl From<&Stat> for Version {
    fn from(stat: &Stat) -> Self {
        Self {
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: time(stat.st_mtime, stat.st_mtime_nsec),
        }
    }
}

/// A time that the system tells.
pub(super) fn time(seconds: impl Into<i64>, nanoseconds: impl TryInto<u32>) -> Timestamp {
    Timestamp { seconds: seconds.into(), nanoseconds: nanoseconds.try_into().unwrap_or(0) }
}

/// What stands there.
pub(super) fn kind(stat: &Stat) -> ObjectKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => ObjectKind::Object,
        FileType::Directory => ObjectKind::Directory,
        FileType::Symlink => ObjectKind::Symlink,
        _ => ObjectKind::Special,
    }
}

/// All but content type and metadata. The etag of an object is its inode, size and modification time in hexadecimal.
pub(super) fn info(path: Path, stat: &Stat) -> ObjectInfo {
    let Version { size, modified } = Version::from(stat);
    let mut info = ObjectInfo::new(path, kind(stat));
    info.modified = Some(modified);
    if info.kind == ObjectKind::Object {
        info.size = Some(size);
        info.etag =
            Some(format!("{:x}-{size:x}-{:x}.{:x}", stat.st_ino, modified.seconds, modified.nanoseconds));
    }
    info
}

/// Whether the files on the file system of a directory really have the sizes that it reports. Where they are made up
/// while they are read, it may report anything.
pub(super) fn are_sizes_told(directory: &OwnedFd) -> bool {
    #[cfg(target_os = "linux")]
    {
        /// Of `proc`, `sysfs` and `cgroup2`: see statfs(2).
        const MADE_UP: [i64; 3] = [0x9fa0, 0x6265_6572, 0x6367_7270];
        #[allow(clippy::unnecessary_cast, reason = "the widths differ between systems")]
        rustix::fs::fstatfs(directory).map_or(true, |system| !MADE_UP.contains(&(system.f_type as i64)))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = directory;
        true
    }
}

/// For setting only the modification time.
pub(super) fn modification_time(modified: Timestamp, path: &Path) -> Result<Timestamps> {
    times(Some(modified), None, path)
}

/// For setting only the times that are given.
pub(super) fn times(
    modified: Option<Timestamp>,
    accessed: Option<Timestamp>,
    path: &Path,
) -> Result<Timestamps> {
    // From a full second on, values mean "now" and "leave it" to the kernel.
    if modified.into_iter().chain(accessed).any(|time| time.nanoseconds >= 1_000_000_000) {
        let message = "a time has a second or more of nanoseconds";
        return Err(error(ErrorCode::InvalidArgument, message, path));
    }
    let set = |time: Option<Timestamp>| match time {
        Some(Timestamp { seconds, nanoseconds }) => Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() },
        None => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
    };
    Ok(Timestamps { last_access: set(accessed), last_modification: set(modified) })
}
