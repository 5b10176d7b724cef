//! An open object.

#[cfg(target_os = "linux")]
use std::ops::Range;
use std::os::fd::OwnedFd;

use omnistorage_types::Path;
#[cfg(target_os = "linux")]
use rustix::fs::SeekFrom;
use rustix::{buffer::spare_capacity, fs::Stat, io::Errno};

use super::{
    error::{SPECIAL, absent_below_objects, changed, error, failure},
    info::{Version, kind},
    link::Link,
    placement::other_version,
    root::{Root, check_name},
};
use crate::{ErrorCode, ObjectInfo, ObjectKind, Result, backend::ReadOptions};

/// The size of a chunk, in bytes, of streams and of reads by value.
pub(super) const CHUNK: usize = 256 * 1024;

/// An open object.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) file: OwnedFd,
    pub(super) stat: Stat,
    pub(super) tells_size: bool,
    pub(super) path: Path,
}

impl Object {
    pub(super) fn open(root: &Root, path: &Path) -> Result<Self> {
        check_name(path)?;
        if path.is_root() {
            return Err(failure(Errno::ISDIR, path));
        }
        if let Some(link) = root.find_link_at(path).map_err(|errno| absent_below_objects(errno, path))? {
            return Self::of_link(&link, path);
        }
        let file = root.readable_object(path.as_str()).map_err(|errno| root.unreadable(errno, path))?;
        Self::new(root, file, path)
    }

    /// Of a link that is kept as an object.
    pub(super) fn of_link(link: &Link, path: &Path) -> Result<Self> {
        let file = link.open().map_err(|errno| failure(errno, path))?;
        Ok(Self { file, stat: link.stat, tells_size: true, path: path.clone() })
    }

    /// From what was opened, if it is an object.
    pub(super) fn new(root: &Root, file: OwnedFd, path: &Path) -> Result<Self> {
        let stat = rustix::fs::fstat(&file).map_err(|errno| failure(errno, path))?;
        match kind(&stat) {
            ObjectKind::Object => {
                let tells_size = root.told.sizes && stat.st_size != 0;
                Ok(Self { file, stat, tells_size, path: path.clone() })
            }
            ObjectKind::Directory => Err(failure(Errno::ISDIR, path)),
            ObjectKind::Symlink => Err(failure(Errno::LOOP, path)),
            ObjectKind::Special => Err(error(ErrorCode::Unsupported, SPECIAL, path)),
        }
    }

    pub(super) fn version(&self) -> Version {
        Version::from(&self.stat)
    }

    /// How many bytes it has; `None` if only its end tells. A file that is made up while it is read, as in `/proc`,
    /// reports a size of 0, and so does an empty file.
    pub(super) fn size(&self) -> Option<u64> {
        self.tells_size.then(|| self.version().size)
    }

    /// Whether it has holes: zeros that are not on the disk.
    #[cfg(target_os = "linux")]
    pub(super) fn has_holes(&self) -> bool {
        u64::try_from(self.stat.st_blocks)
            .is_ok_and(|blocks| blocks.saturating_mul(512) < self.version().size)
    }

    /// The next range from `offset` on that is no hole.
    #[cfg(target_os = "linux")]
    pub(super) fn next_extent(&self, offset: u64) -> Result<Option<Range<u64>>, Errno> {
        let size = self.version().size;
        let seek = |position| rustix::fs::seek(&self.file, position);
        let start = match seek(SeekFrom::Data(offset)) {
            Ok(start) => start,
            // There are only holes from there on.
            Err(Errno::NXIO) => return Ok(None),
            // The file system cannot tell.
            Err(Errno::INVAL | Errno::NOTSUP) => offset,
            Err(errno) => return Err(errno),
        };
        let end = match seek(SeekFrom::Hole(start)) {
            Ok(end) => end.min(size),
            Err(Errno::INVAL | Errno::NOTSUP | Errno::NXIO) => size,
            Err(errno) => return Err(errno),
        };
        Ok((start < end).then_some(start..end))
    }

    pub(super) fn info(&self, root: &Root) -> Result<ObjectInfo> {
        let mut info = root.info(self.path.clone(), &self.stat);
        if root.keeps_metadata() {
            let attributes = root.attributes(&self.file, &self.stat);
            attributes.map_err(|errno| failure(errno, &self.path))?.add_to(&mut info);
        }
        Ok(info)
    }

    /// At most `len` bytes from `offset`; fewer only at the end of the file.
    pub(super) fn read_at(&self, mut offset: u64, len: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            match rustix::io::pread(&self.file, spare_capacity(&mut bytes), offset) {
                Ok(0) => break,
                Ok(count) => offset += count as u64,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(failure(errno, &self.path)),
            }
        }
        bytes.truncate(len);
        Ok(bytes)
    }

    /// At most `len` bytes from `offset`, where only the end says how many there are; `None` if there are more than
    /// `max`.
    pub(super) fn read_to_end(&self, offset: u64, len: u64, max: usize) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        loop {
            let left = len.saturating_sub(bytes.len() as u64);
            let want = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let chunk = self.read_at(offset.saturating_add(bytes.len() as u64), want)?;
            bytes.extend_from_slice(&chunk);
            if bytes.len() > max {
                return Ok(None);
            }
            if chunk.len() < want || want == 0 {
                return Ok(Some(bytes));
            }
        }
    }

    /// Whether the bytes read since it was opened are those of one version.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        let now = rustix::fs::fstat(&self.file).map_err(|errno| failure(errno, &self.path))?;
        if Version::from(&now) == self.version() { Ok(()) } else { Err(changed(&self.path)) }
    }

    pub(super) fn check_match(&self, root: &Root, options: &ReadOptions) -> Result<()> {
        let etag = root.info(self.path.clone(), &self.stat).etag;
        if options.if_match.is_none() || options.if_match == etag {
            return Ok(());
        }
        Err(other_version(&self.path))
    }

    /// The range asked for, as far as there are bytes: its start and its length. Where the size is not told, there may
    /// be fewer.
    pub(super) fn range(&self, options: &ReadOptions) -> (u64, u64) {
        let size = self.size().unwrap_or(u64::MAX);
        let start = options.offset.min(size);
        (start, options.length.unwrap_or(u64::MAX).min(size - start))
    }
}
