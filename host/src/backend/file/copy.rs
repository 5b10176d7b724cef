//! Copies between file backends, by the shortest way the kernel has.

use std::sync::Arc;

use omnistorage_path::Path;
use rustix::io::Errno;

use super::{
    attributes::Attributes,
    draft::{Draft, Parents},
    error::{changed, failure},
    opener::{Opener, Place},
    read::{CHUNK, Object, hash_of},
    root::{Interrupt, Root, check_name},
    tree::split_object,
    upload::{check_hash, check_size},
};
use crate::{
    backend::{CopyRequest, Meter, WriteOptions},
    error::{Error, Result},
    object::ObjectInfo,
};

/// Up to so many bytes, a read and a write cost less than asking the kernel for better ways.
const SMALL: u64 = 64 * 1024;

/// So many bytes does the kernel copy before we look whether the caller is still there.
#[cfg(target_os = "linux")]
const RANGE: u64 = 64 * 1024 * 1024;

/// One copy after the other. Requests come sorted, so the directories of one are mostly those of the next.
pub(super) struct Copier<'a> {
    source: &'a Arc<Root>,
    target: &'a Arc<Root>,
    from: Opener<'a>,
    to: Option<Place>,
    buffer: Vec<u8>,
    interrupt: &'a Interrupt,
    /// Ways that the kernel has refused once are not tried again.
    #[cfg(target_os = "linux")]
    ways: Ways,
}

#[cfg(target_os = "linux")]
#[derive(Clone, Copy)]
struct Ways {
    clone: bool,
    range: bool,
}

impl<'a> Copier<'a> {
    pub(super) fn new(source: &'a Arc<Root>, target: &'a Arc<Root>, interrupt: &'a Interrupt) -> Self {
        Self {
            source,
            target,
            from: Opener::new(source),
            to: None,
            buffer: Vec::new(),
            interrupt,
            #[cfg(target_os = "linux")]
            ways: Ways { clone: true, range: true },
        }
    }

    pub(super) fn copy(&mut self, request: &CopyRequest) -> Result<ObjectInfo> {
        let CopyRequest { source, target, options } = request;
        self.interrupt.check(source)?;
        let given = self.check_target(options, target).map_err(Error::on_target)?;

        let object = self.from.open(source)?;
        check_size(options.expected_size, object.version().size, source)?;
        if self.is_same(source, target) {
            if let Some(expected) = &options.expected_hash {
                check_hash(
                    expected,
                    &hash_of(&object, expected.algorithm, &mut self.buffer, self.interrupt)?,
                    source,
                )?;
            }
            return object.info(self.source);
        }

        let draft = self.begin(target).map_err(Error::on_target)?;
        self.copy_bytes(&object, &draft, source, options)?;
        let kept = if self.source.keeps_attributes && self.target.keeps_attributes {
            Attributes::read(&object.file).map_err(|errno| failure(errno, source))?
        } else {
            Attributes::default()
        };
        object.check_unchanged()?;
        let modified = options.modified.unwrap_or(object.version().modified);
        draft.commit(given.or(kept), Some(modified)).map_err(Error::on_target)
    }

    /// Refuses what the target cannot store; gives what is to be kept beside the bytes.
    fn check_target(&self, options: &WriteOptions, target: &Path) -> Result<Attributes> {
        self.target.check_options(options, target)?;
        check_name(target)?;
        Attributes::of(options, target)
    }

    /// Whether both paths are one, also where one root lies below the other.
    fn is_same(&self, source: &Path, target: &Path) -> bool {
        let (Ok((_, source_name)), Ok((parent, target_name))) = (split_object(source), split_object(target))
        else {
            return false;
        };
        if source_name != target_name {
            return false;
        }
        let to = match &self.to {
            Some(place) if place.path == parent => Some(place.identity),
            _ => self
                .target
                .tree
                .directory(parent)
                .and_then(|directory| Place::new(parent, &directory))
                .ok()
                .map(|place| place.identity),
        };
        to.is_some() && to == self.from.directory()
    }

    /// Begins the target, in the directory of the last one if it may.
    fn begin(&mut self, target: &Path) -> Result<Draft> {
        let (parent, name) = split_object(target).map_err(|errno| failure(errno, target))?;
        if let Some(place) = self.to.take_if(|place| place.path == parent) {
            let parents = Parents::existing(self.target, &place.directory);
            match Draft::begin_in(parents, name, target) {
                // It was taken away meanwhile, or too many write there: as for a new one.
                Err(Errno::NOENT | Errno::AGAIN) => {}
                Err(errno) => return Err(failure(errno, target)),
                Ok(draft) => {
                    self.to = Some(place);
                    return Ok(draft);
                }
            }
        }
        let draft = Draft::begin(self.target, target)?;
        self.to = Place::new(parent, draft.directory()).ok();
        Ok(draft)
    }

    fn copy_bytes(
        &mut self,
        object: &Object,
        draft: &Draft,
        source: &Path,
        options: &WriteOptions,
    ) -> Result<()> {
        let size = object.version().size;
        #[cfg(target_os = "linux")]
        if options.expected_hash.is_none()
            && size > SMALL
            && self.ways.copy(object, draft, source, self.interrupt, &options.meter)?
        {
            return Ok(());
        }
        let mut hasher = options.expected_hash.as_ref().map(|hash| hash.algorithm.hasher());
        // One byte more shows whether the file has grown.
        let len = if size <= SMALL { SMALL as usize + 1 } else { CHUNK };
        self.buffer.resize(self.buffer.len().max(len), 0);
        let mut copied = 0;
        while copied < size {
            self.interrupt.check(source)?;
            match rustix::io::pread(&object.file, &mut self.buffer, copied) {
                Ok(0) => break,
                Ok(count) => {
                    let bytes = self.buffer.get(..count).unwrap_or_default();
                    if let Some(hasher) = &mut hasher {
                        hasher.update(bytes);
                    }
                    draft.write(bytes).map_err(Error::on_target)?;
                    copied += count as u64;
                    options.meter.moved(count as u64);
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(failure(errno, source)),
            }
        }
        if copied != size {
            return Err(changed(source));
        }
        match (&options.expected_hash, hasher) {
            (Some(expected), Some(hasher)) => check_hash(expected, &hasher.finish(), source),
            _ => Ok(()),
        }
    }
}

#[cfg(target_os = "linux")]
impl Ways {
    /// Copies without the bytes passing through this process: by sharing them (`FICLONE`) or within the kernel
    /// (`copy_file_range`). `false` if the file systems can do neither; then nothing was written.
    fn copy(
        &mut self,
        object: &Object,
        draft: &Draft,
        source: &Path,
        interrupt: &Interrupt,
        meter: &Meter,
    ) -> Result<bool> {
        if self.clone {
            if rustix::fs::ioctl_ficlone(draft.file(), &object.file).is_ok() {
                return Ok(true);
            }
            self.clone = false;
        }
        if !self.range {
            return Ok(false);
        }
        let size = object.version().size;
        let mut offset = 0;
        while offset < size {
            interrupt.check(source)?;
            let len = usize::try_from((size - offset).min(RANGE)).unwrap_or(CHUNK);
            // The file offset of the target moves along.
            match rustix::fs::copy_file_range(&object.file, Some(&mut offset), draft.file(), None, len) {
                // Some file systems say so of a file that has bytes.
                Ok(0) if offset == 0 => return Ok(false),
                Ok(0) => return Err(changed(source)),
                Ok(count) => meter.moved(count as u64),
                Err(Errno::INTR) => {}
                Err(errno @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) if offset > 0 => {
                    return Err(failure(errno, draft.path()).on_target());
                }
                Err(errno) if offset > 0 => return Err(failure(errno, source)),
                // EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EPERM...: whatever it is, reading and writing tells it better.
                Err(_) => {
                    self.range = false;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}
