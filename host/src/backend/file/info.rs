//! What the file system knows of a file, as [`ObjectInfo`].

use omnistorage_path::Path;
use rustix::fs::{FileType, Stat, Timespec, Timestamps, UTIME_OMIT};

use super::error::error;
use crate::{
    error::{ErrorCode, Result},
    object::{ObjectInfo, ObjectKind, Timestamp},
};

/// What changes whenever the contents of a file do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) size: u64,
    pub(super) modified: Timestamp,
}

impl From<&Stat> for Version {
    #[allow(clippy::unnecessary_cast, reason = "the widths differ between systems")]
    fn from(stat: &Stat) -> Self {
        let modified = Timestamp {
            seconds: stat.st_mtime as i64,
            nanoseconds: u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
        };
        Self { size: u64::try_from(stat.st_size).unwrap_or(0), modified }
    }
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

/// For setting the modification time, and it alone.
pub(super) fn modification_time(modified: Timestamp, path: &Path) -> Result<Timestamps> {
    // Beyond a second lie the kernel's words for "now" and "leave it".
    if modified.nanoseconds >= 1_000_000_000 {
        let message = "the modification time has a second or more of nanoseconds";
        return Err(error(ErrorCode::InvalidArgument, message, path));
    }
    Ok(Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: modified.seconds, tv_nsec: modified.nanoseconds.into() },
    })
}
