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

/// All but content type and metadata. The etag of an object is its inode, where that is kept, its size and its
/// modification time in hexadecimal.
pub(super) fn info(path: Path, stat: &Stat, told: Told) -> ObjectInfo {
    let Version { size, modified } = Version::from(stat);
    let mut info = ObjectInfo::new(path, kind(stat));
    info.modified = Some(modified);
    if info.kind == ObjectKind::Object {
        info.size = told.sizes.then_some(size);
        let inode = if told.inodes { stat.st_ino } else { 0 };
        info.etag = Some(format!("{inode:x}-{size:x}-{:x}.{:x}", modified.seconds, modified.nanoseconds));
    }
    info
}

/// What a file system tells of its files that is true, and what it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Files have the sizes that it tells. Where they are made up as they are read, it tells anything.
    pub(super) sizes: bool,
    /// A file has one inode for as long as it is there. Where the file system numbers files as it meets them, the next
    /// mount, or a look a little later, finds another number.
    pub(super) inodes: bool,
    /// Two files can exchange their names in one step.
    pub(super) exchange: bool,
}

impl Told {
    const USUAL: Self = Self { sizes: true, inodes: true, exchange: false };

    /// What the file system of a directory tells. See statfs(2).
    pub(super) fn of(directory: &OwnedFd) -> Self {
        #[cfg(target_os = "linux")]
        {
            #[allow(clippy::unnecessary_cast, reason = "the widths differ between systems")]
            rustix::fs::fstatfs(directory).map_or(Self::USUAL, |system| Self::by_type(system.f_type as i64))
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = directory;
            Self::USUAL
        }
    }

    #[cfg(target_os = "linux")]
    const fn by_type(of: i64) -> Self {
        match of {
            // `proc`, `sysfs`, `cgroup2`.
            0x9fa0 | 0x6265_6572 | 0x6367_7270 => Self { sizes: false, inodes: false, ..Self::USUAL },
            // FAT, exFAT and FUSE.
            0x4d44 | 0x2011_bab0 | 0x6573_5546 => Self { inodes: false, ..Self::USUAL },
            // ext4, XFS, Btrfs, tmpfs, F2FS, bcachefs, overlayfs.
            0xef53 | 0x5846_5342 | 0x9123_683e | 0x0102_1994 | 0xf2f5_2010 | 0xca45_1a4e | 0x794c_7630 => {
                Self { exchange: true, ..Self::USUAL }
            }
            _ => Self::USUAL,
        }
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

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn an_etag_holds_the_inode_only_where_that_is_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let stats = ["a", "b"].map(|name| {
            let file = std::fs::File::create(scratch.path().join(name)).unwrap();
            file.set_modified(std::time::UNIX_EPOCH).unwrap();
            rustix::fs::fstat(&file).unwrap()
        });
        let etags = |of| stats.map(|stat| info(Path::root(), &stat, Told::by_type(of)).etag);
        let [a, b] = etags(0xef53);
        assert_ne!(a, b);
        for renumbering in [0x4d44, 0x2011_bab0, 0x6573_5546] {
            let [a, b] = etags(renumbering);
            assert!(a.is_some());
            assert_eq!(a, b);
        }
    }

    #[test]
    fn proc_tells_no_sizes() {
        let proc = OwnedFd::from(std::fs::File::open("/proc").unwrap());
        assert!(!Told::of(&proc).sizes);
    }
}
