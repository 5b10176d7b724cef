//! Copies between file backends, by the shortest way the kernel has.

use std::{ops::Range, sync::Arc};

use omnistorage_types::Path;
use rustix::io::Errno;

use super::{
    attributes::Attributes,
    draft::Draft,
    error::{changed, error, failure},
    link,
    object::{CHUNK, Object},
    opener::{Opener, Place},
    owned,
    parents::{Like, Parents},
    permissions::{Permissions, bits},
    placement::{Placement, other_version},
    read::hash_of,
    root::{Interrupt, Root, check_name},
    tree::{split, split_object},
    upload::{check_hash, check_size},
};
use crate::{
    Error, ErrorCode, Hash, Hasher, ObjectInfo, Result,
    backend::{CopyRequest, Meter, WriteOptions},
};

/// Up to this many bytes, a read and a write cost less than asking the kernel for better ways.
const SMALL: u64 = 64 * 1024;

/// How many bytes the kernel copies before we check whether the caller is still there.
#[cfg(target_os = "linux")]
const RANGE: u64 = 64 * 1024 * 1024;

/// Makes one copy after the other. Requests come sorted, so the directories of one are mostly those of the next.
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
    share: bool,
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
            ways: Ways { share: true, range: true },
        }
    }

    pub(super) fn copy(&mut self, request: &CopyRequest) -> Result<ObjectInfo> {
        let CopyRequest { source, target, options } = request;
        self.interrupt.check(source)?;
        let given = self.check_target(options, target).map_err(Error::on_target)?;

        let object = self.from.open(source)?;
        check_size(options.expected_size, object.size(), source)?;
        let permissions = match self.target.keeps_owned {
            true => Permissions::Given(bits(&object.stat)),
            false => Permissions::of(&object.stat),
        };
        let place = Placement::new(permissions, &options.condition);
        if self.is_same(source, target) {
            return self.onto_itself(&object, request, &place);
        }

        if self.target.link_name(target.as_str()).is_some() {
            return self.copy_link(&object, request, place);
        }
        let draft = self.begin(source, target, place).map_err(Error::on_target)?;
        if object.version().size > SMALL {
            // If it cannot be put in place later, copying the bytes is a waste.
            draft.check_place().map_err(Error::on_target)?;
        }
        let hash = self.copy_bytes(&object, &draft, source, options)?;
        if let (Some(expected), Some(hash)) = (&options.expected_hash, hash) {
            check_hash(expected, &hash, source)?;
        }
        let kept = self.kept(&object).map_err(|errno| failure(errno, source))?;
        object.check_unchanged()?;
        let modified = options.modified.unwrap_or(object.version().modified);
        draft.commit(given.or(kept), Some(modified)).map_err(Error::on_target)
    }

    /// Refuses what the target cannot store; returns what is to be kept beside the bytes.
    fn check_target(&self, options: &WriteOptions, target: &Path) -> Result<Attributes> {
        self.target.check_options(options, target)?;
        check_name(target)?;
        Attributes::of(options, target)
    }

    /// Makes a link from an object that says where the link leads.
    fn copy_link(&mut self, object: &Object, request: &CopyRequest, place: Placement) -> Result<ObjectInfo> {
        let CopyRequest { source, target, options } = request;
        if let Some(expected) = &options.expected_hash {
            let hash = hash_of(object, expected.algorithm, &mut self.buffer, self.interrupt)?;
            check_hash(expected, &hash, source)?;
        }
        let leads_to = object.read_at(0, link::LONGEST + 1)?;
        object.check_unchanged()?;
        let modified = options.modified.unwrap_or(object.version().modified);
        options.meter.moved(leads_to.len() as u64);
        link::write(self.target, target, &leads_to, Some(modified), place).map_err(Error::on_target)
    }

    /// What goes along with the bytes, as far as both sides keep it.
    fn kept(&self, object: &Object) -> Result<Attributes, Errno> {
        let mut kept = match self.source.keeps_attributes && self.target.keeps_attributes {
            true => Attributes::read(&object.file)?,
            false => Attributes::default(),
        };
        if self.target.keeps_owned {
            owned::add_to(&mut kept.metadata, &object.file, &object.stat);
        }
        Ok(kept)
    }

    /// A copy onto itself changes nothing.
    fn onto_itself(
        &mut self,
        object: &Object,
        request: &CopyRequest,
        place: &Placement,
    ) -> Result<ObjectInfo> {
        let CopyRequest { source, target, options } = request;
        if place.exclusive {
            let refused = error(ErrorCode::PreconditionFailed, "it is the object itself", target);
            return Err(refused.on_target());
        }
        let info = object.info(self.source)?;
        if place.expected.is_some() && place.expected != info.etag {
            return Err(other_version(target).on_target());
        }
        if let Some(expected) = &options.expected_hash {
            let hash = hash_of(object, expected.algorithm, &mut self.buffer, self.interrupt)?;
            check_hash(expected, &hash, source)?;
        }
        Ok(info)
    }

    /// Whether both paths are the same, even if one root lies below the other.
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

    /// Begins the target, in the directory of the last one if possible.
    fn begin(&mut self, source: &Path, target: &Path, how: Placement) -> Result<Draft> {
        let (parent, name) = split_object(target).map_err(|errno| failure(errno, target))?;
        if let Some(place) = self.to.take_if(|place| place.path == parent) {
            let parents = Parents::existing(self.target, &place.directory);
            match Draft::begin_in(parents, name, target, how.clone()) {
                // The directory was removed meanwhile: as for a new one.
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(failure(errno, target)),
                Ok(draft) => {
                    self.to = Some(place);
                    return Ok(draft);
                }
            }
        }
        let like = Like { root: self.source.clone(), parent: split(source.as_str()).0.to_owned() };
        let draft = Draft::begin(self.target, target, Some(like), how)?;
        self.to = Place::new(parent, draft.directory()).ok();
        Ok(draft)
    }

    /// Copies the bytes; returns their hash if one is expected.
    fn copy_bytes(
        &mut self,
        object: &Object,
        draft: &Draft,
        source: &Path,
        options: &WriteOptions,
    ) -> Result<Option<Hash>> {
        let size = object.version().size;
        let mut hasher = options.expected_hash.as_ref().map(|hash| Hasher::new(hash.algorithm));
        #[cfg(target_os = "linux")]
        if hasher.is_none() && size > SMALL && object.size().is_some() {
            if self.ways.share(object, draft) {
                return Ok(None);
            }
            if object.has_holes() {
                return self.copy_extents(object, draft, source, options).map(|()| None);
            }
            if self.ways.copy(object, 0..size, draft, source, self.interrupt, &options.meter)? {
                return Ok(None);
            }
        }
        let range = 0..object.size().unwrap_or(u64::MAX);
        let copied = self.read_and_write(object, range, draft, source, &options.meter, &mut hasher)?;
        if object.size().is_some_and(|size| size != copied) {
            return Err(changed(source));
        }
        Ok(hasher.map(Hasher::finish))
    }

    /// Copies what holds bytes: where the source has holes, the copy has holes too.
    #[cfg(target_os = "linux")]
    fn copy_extents(
        &mut self,
        object: &Object,
        draft: &Draft,
        source: &Path,
        options: &WriteOptions,
    ) -> Result<()> {
        let size = object.version().size;
        let mut offset = 0;
        while let Some(extent) = object.next_extent(offset).map_err(|errno| failure(errno, source))? {
            draft.seek(extent.start).map_err(Error::on_target)?;
            offset = extent.end;
            let (ways, interrupt) = (&mut self.ways, self.interrupt);
            if ways.copy(object, extent.clone(), draft, source, interrupt, &options.meter)? {
                continue;
            }
            let len = extent.end - extent.start;
            if self.read_and_write(object, extent, draft, source, &options.meter, &mut None)? != len {
                return Err(changed(source));
            }
        }
        draft.set_len(size).map_err(Error::on_target)
    }

    /// Copies a range, or as much of it as there is; returns the number of bytes.
    fn read_and_write(
        &mut self,
        object: &Object,
        range: Range<u64>,
        draft: &Draft,
        source: &Path,
        meter: &Meter,
        hasher: &mut Option<Hasher>,
    ) -> Result<u64> {
        let size = range.end - range.start;
        // One byte more shows whether the file has grown.
        let len = if size <= SMALL { SMALL as usize + 1 } else { CHUNK };
        self.buffer.resize(self.buffer.len().max(len), 0);
        let mut copied = 0;
        while copied < size {
            self.interrupt.check(source)?;
            match rustix::io::pread(&object.file, &mut self.buffer, range.start + copied) {
                Ok(0) => break,
                Ok(count) => {
                    let bytes = self.buffer.get(..count).unwrap_or_default();
                    if let Some(hasher) = hasher {
                        hasher.update(bytes);
                    }
                    draft.write(bytes).map_err(Error::on_target)?;
                    copied += count as u64;
                    meter.moved(count as u64);
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(failure(errno, source)),
            }
        }
        Ok(copied)
    }
}

#[cfg(target_os = "linux")]
impl Ways {
    /// Lets both files share their bytes (`FICLONE`), if the file system can; otherwise nothing was written.
    fn share(&mut self, object: &Object, draft: &Draft) -> bool {
        self.share = self.share && rustix::fs::ioctl_ficlone(draft.file(), &object.file).is_ok();
        self.share
    }

    /// Copies a range within the kernel (`copy_file_range`), to where the target is. `false` if the file systems cannot;
    /// then nothing was written.
    fn copy(
        &mut self,
        object: &Object,
        range: Range<u64>,
        draft: &Draft,
        source: &Path,
        interrupt: &Interrupt,
        meter: &Meter,
    ) -> Result<bool> {
        if !self.range {
            return Ok(false);
        }
        let Range { start, end } = range;
        let mut offset = start;
        while offset < end {
            interrupt.check(source)?;
            let len = usize::try_from((end - offset).min(RANGE)).unwrap_or(CHUNK);
            // The file offset of the target moves along.
            match rustix::fs::copy_file_range(&object.file, Some(&mut offset), draft.file(), None, len) {
                // Some file systems return 0 for a file that has bytes.
                Ok(0) if offset == start => return Ok(false),
                Ok(0) => return Err(changed(source)),
                Ok(count) => meter.moved(count as u64),
                Err(Errno::INTR) => {}
                // There is no room, whichever way it is written.
                Err(errno @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => {
                    return Err(failure(errno, draft.path()).on_target());
                }
                Err(errno) if offset > start => return Err(failure(errno, source)),
                // EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EPERM...: whatever it is, reading and writing will report it
                // better.
                Err(_) => {
                    self.range = false;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}
