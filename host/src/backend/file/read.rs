//! Open objects: their bytes, and whether they are still those of the version that was opened.

use std::{os::fd::OwnedFd, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage_types::Path;
use rustix::{
    fs::{AtFlags, Stat},
    io::Errno,
};

use super::{
    KIND,
    attributes::Attributes,
    error::{SPECIAL, absent_below_objects, changed, error, failure},
    follow::is_link,
    info::modification_time,
    object::{CHUNK, Object},
    opener::Opener,
    root::{Interrupt, Root, check_name, start_blocking},
    tree::{open_object, split},
};
use crate::{
    Error, ErrorCode, Hash, HashAlgorithm, Hasher, ObjectInfo, ObjectKind, Result, Timestamp,
    backend::{ReadOptions, Reader, too_large},
};

/// Opens an object and reads its first chunk. While one chunk is in use, the next one is being read.
pub(super) async fn read(root: &Arc<Root>, path: &Path, options: &ReadOptions) -> Result<Reader> {
    let (path, options) = (path.clone(), options.clone());
    let (info, first, remaining) = root
        .run_short(move |root| {
            let object = Object::open(root, &path)?;
            object.check_match(root, &options)?;
            let info = object.info(root)?;
            let (offset, left) = object.range(&options);
            let mut remaining = Remaining { root: root.clone(), object, offset, left };
            let first = remaining.next()?;
            Ok((info, first, remaining))
        })
        .await?;
    let first = (!first.is_empty()).then_some(Ok(first));
    let later = stream::unfold(remaining.ahead(), |ahead| async {
        let next = ahead?.await.and_then(|(chunk, remaining)| {
            remaining.check_open()?;
            Ok((chunk?, remaining))
        });
        match next {
            Ok((chunk, _)) if chunk.is_empty() => None,
            Ok((chunk, remaining)) => Some((Ok(chunk), remaining.ahead())),
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(Reader { info, contents: stream::iter(first).chain(later).boxed() })
}

/// The part of an object that is still to be read.
struct Remaining {
    root: Arc<Root>,
    object: Object,
    offset: u64,
    left: u64,
}

impl Remaining {
    /// Begins to read the next chunk, if there is one.
    fn ahead(mut self) -> Option<impl Future<Output = Result<(Result<Bytes>, Self)>>> {
        (self.left > 0).then(|| {
            start_blocking(move || {
                let chunk = self.next();
                Ok((chunk, self))
            })
        })
    }

    fn check_open(&self) -> Result<()> {
        self.root.check_open().map_err(|error| error.at(KIND, &self.object.path))
    }

    /// The next chunk. The last one is given only if the object did not change meanwhile.
    fn next(&mut self) -> Result<Bytes> {
        self.check_open()?;
        let len = usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK);
        let chunk = self.object.read_at(self.offset, len)?;
        self.offset += chunk.len() as u64;
        self.left -= chunk.len() as u64;
        if chunk.len() < len {
            if self.object.size().is_some() {
                return Err(changed(&self.object.path));
            }
            self.left = 0;
        }
        if self.left == 0 {
            self.object.check_unchanged()?;
        }
        Ok(chunk.into())
    }
}

/// The range asked for, by value.
pub(super) fn read_all(root: &Root, path: &Path, options: &ReadOptions, max: usize) -> Result<Bytes> {
    let object = Object::open(root, path)?;
    object.check_match(root, options)?;
    let (offset, len) = object.range(options);
    let too_large = || too_large(max).at(KIND, path);
    let bytes = if object.size().is_some() {
        let len = usize::try_from(len).ok().filter(|len| *len <= max).ok_or_else(too_large)?;
        let bytes = object.read_at(offset, len)?;
        if bytes.len() < len {
            return Err(changed(path));
        }
        bytes
    } else {
        object.read_to_end(offset, len, max)?.ok_or_else(too_large)?
    };
    object.check_unchanged()?;
    Ok(bytes.into())
}

/// The hash of an object.
pub(super) fn hash(
    root: &Root,
    path: &Path,
    algorithm: HashAlgorithm,
    interrupt: &Interrupt,
) -> Result<Hash> {
    hash_of(&Object::open(root, path)?, algorithm, &mut Vec::new(), interrupt)
}

/// The hashes of many objects.
pub(super) fn hash_many(
    root: &Arc<Root>,
    paths: &[Path],
    algorithm: HashAlgorithm,
    interrupt: &Interrupt,
) -> Vec<Result<Hash>> {
    let (mut opener, mut buffer) = (Opener::new(root), Vec::new());
    let mut hash = |path| hash_of(&opener.open(path)?, algorithm, &mut buffer, interrupt);
    paths.iter().map(&mut hash).collect()
}

/// The hash of an open object. The buffer may serve the next one too.
pub(super) fn hash_of(
    object: &Object,
    algorithm: HashAlgorithm,
    buffer: &mut Vec<u8>,
    interrupt: &Interrupt,
) -> Result<Hash> {
    let mut hasher = Hasher::new(algorithm);
    let size = object.size();
    let len = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(CHUNK).min(CHUNK);
    buffer.resize(buffer.len().max(len), 0);
    let mut offset = 0;
    while size.is_none_or(|size| offset < size) {
        interrupt.check(&object.path)?;
        match rustix::io::pread(&object.file, &mut **buffer, offset) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(buffer.get(..count).unwrap_or_default());
                offset += count as u64;
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(failure(errno, &object.path)),
        }
    }
    // More bytes than the size it had are a change, too.
    if size.is_some_and(|size| size != offset) {
        return Err(changed(&object.path));
    }
    object.check_unchanged()?;
    Ok(hasher.finish())
}

/// What is known about a path.
pub(super) fn stat(root: &Root, path: &Path) -> Result<ObjectInfo> {
    check_name(path)?;
    let failed = |errno| root.unreadable(errno, path);
    let (parent, name) = split(path.as_str());
    let directory = root.readable_directory(parent).map_err(failed)?;
    if path.is_root() {
        let stat = rustix::fs::fstat(&directory).map_err(failed)?;
        return Ok(root.info(path.clone(), &stat));
    }
    if let Some(link) = root.find_link(&directory, name).map_err(failed)? {
        return Ok(root.info(path.clone(), &link.stat));
    }
    let stat = rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
    let stat = root.through_link(stat, path)?;
    let mut info = root.info(path.clone(), &stat);
    if root.keeps_metadata() && info.kind == ObjectKind::Object {
        read_attributes(root, &directory, name, &stat, path)?.add_to(&mut info);
    }
    Ok(info)
}

/// The attributes of an object that was just seen in a directory. If it may not be read, they are unknown.
pub(super) fn read_attributes(
    root: &Root,
    directory: &OwnedFd,
    name: &str,
    stat: &Stat,
    path: &Path,
) -> Result<Attributes> {
    let opened =
        if root.follows() { root.readable_object(path.as_str()) } else { open_object(directory, name) };
    match opened.and_then(|file| root.attributes(&file, stat)) {
        Ok(attributes) => Ok(attributes),
        Err(Errno::ACCESS | Errno::PERM | Errno::NOENT | Errno::LOOP | Errno::NXIO) => {
            Ok(Attributes::default())
        }
        Err(errno) => Err::<_, Error>(failure(errno, path)),
    }
}

/// Sets the modification time of an object or a directory.
pub(super) fn set_modified(root: &Root, path: &Path, modified: Timestamp) -> Result<()> {
    let times = modification_time(modified, path)?;
    let info = stat(root, path)?;
    match info.kind {
        ObjectKind::Symlink => return Err(failure(Errno::LOOP, path)),
        ObjectKind::Special => return Err(error(ErrorCode::Unsupported, SPECIAL, path)),
        ObjectKind::Object | ObjectKind::Directory => {}
    }
    let (parent, name) = split(path.as_str());
    let name = if path.is_root() { "." } else { name };
    root.tree
        .directory(parent)
        .and_then(|directory| {
            let name = match root.find_link(&directory, name)? {
                Some(_) => root.link_name(name).unwrap_or(name),
                None => name,
            };
            if root.follows() && is_link(&rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW)?) {
                return Err(Errno::LOOP);
            }
            rustix::fs::utimensat(&directory, name, &times, AtFlags::SYMLINK_NOFOLLOW)
        })
        .map_err(|errno| absent_below_objects(errno, path))
}
