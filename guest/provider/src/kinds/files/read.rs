//! Reading objects, and what is known about a path.

use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage::{
    Error, ErrorCode, ObjectInfo, ObjectKind, Path, Result, Timestamp,
    backend::{Contents, ReadOptions, Reader},
};
use send_wrapper::SendWrapper;
use wasip3::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode as Errno, NewTimestamp, OpenFlags};
use wit_bindgen::{FutureReader, StreamReader, StreamResult};

use super::{
    KIND,
    directory::{NO_FOLLOW, Root},
    failure::{absent_below_objects, changed, error, failure},
    info::{info, look, modified_of, of_open, time},
    names::{self, split},
};

/// Bytes read at once.
const CHUNK: u64 = 256 * 1024;

/// What stands at a path.
///
/// # Errors
/// [`ErrorCode::NotFound`]
pub(super) async fn stat(root: &Root, path: &Path) -> Result<ObjectInfo> {
    names::check(path)?;
    if path.is_root() {
        return of_open(&root.top, path.clone()).await.map_err(|errno| failure(errno, path));
    }
    let (parent, name) = split(path)?;
    let looked = async { look(&*root.walk(parent).await?, name, path.clone()).await };
    looked.await.map_err(|errno| absent_below_objects(errno, path))
}

/// An open object.
pub(super) struct Object {
    pub(super) file: Descriptor,
    pub(super) info: ObjectInfo,
}

/// Opens an object, with what is known about it, its etag too.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::IsDirectory`]; [`ErrorCode::PermissionDenied`] for a link.
async fn open(root: &Root, path: &Path) -> Result<Object> {
    let Object { file, .. } = open_to_copy(root, path).await?;
    let known = async {
        let info = of_open(&file, path.clone()).await?;
        check_kind(info.kind)?;
        Ok(info)
    };
    let info = known.await.map_err(|errno| unreadable(errno, path))?;
    Ok(Object { file, info })
}

/// Opens an object, with what was known of its name just before: without an etag, and of another file if somebody
/// exchanged them meanwhile. Whoever reads it checks at the end that it is of that size and time, so that would be
/// noticed. What might block is never opened.
///
/// # Errors
/// As [`open`].
pub(super) async fn open_to_copy(root: &Root, path: &Path) -> Result<Object> {
    names::check(path)?;
    let (parent, name) = split(path)?;
    let opened = async {
        let directory = root.walk(parent).await?;
        let stat = directory.stat_at(NO_FOLLOW, name.to_owned()).await?;
        let info = info(path.clone(), &stat, None);
        check_kind(info.kind)?;
        let file =
            directory.open_at(NO_FOLLOW, name.to_owned(), OpenFlags::empty(), DescriptorFlags::READ).await?;
        Ok(Object { file, info })
    };
    opened.await.map_err(|errno| unreadable(errno, path))
}

fn unreadable(errno: Errno, path: &Path) -> Error {
    match errno {
        Errno::NoSuchDevice => {
            let message =
                "it is a device, a socket or a named pipe, which the file backend never reads or writes";
            error(ErrorCode::Unsupported, message, path)
        }
        errno => absent_below_objects(errno, path),
    }
}

fn check_kind(kind: ObjectKind) -> Result<(), Errno> {
    match kind {
        ObjectKind::Object => Ok(()),
        ObjectKind::Directory => Err(Errno::IsDirectory),
        ObjectKind::Symlink => Err(Errno::Loop),
        ObjectKind::Special => Err(Errno::NoSuchDevice),
    }
}

/// Opens an object to read a range of it.
///
/// # Errors
/// As [`open`]; [`ErrorCode::PreconditionFailed`].
pub(super) async fn read(root: &Root, path: &Path, options: &ReadOptions) -> Result<Reader> {
    let Object { file, info } = open(root, path).await?;
    if options.if_match.is_some() && options.if_match != info.etag {
        let message = "the object is not the one of the given etag any more";
        return Err(error(ErrorCode::PreconditionFailed, message, path));
    }
    let size = info.size.unwrap_or(0);
    let left = size.saturating_sub(options.offset).min(options.length.unwrap_or(u64::MAX));
    let contents = contents(file, info.clone(), options.offset, left);
    Ok(Reader { info, contents })
}

/// Bytes of an open file as they come.
struct Reading {
    file: Descriptor,
    info: ObjectInfo,
    stream: StreamReader<u8>,
    /// `None` once it was asked.
    ended: Option<FutureReader<Result<(), Errno>>>,
    left: u64,
}

/// All bytes of an open object.
pub(super) fn contents_of(Object { file, info }: Object) -> Contents {
    let size = info.size.unwrap_or(0);
    contents(file, info, 0, size)
}

/// `left` bytes of a file from an offset on. That they are of one version is checked at their end.
fn contents(file: Descriptor, info: ObjectInfo, offset: u64, left: u64) -> Contents {
    if left == 0 {
        return stream::empty().boxed();
    }
    let (stream, ended) = file.read_via_stream(offset);
    let reading = Reading { file, info, stream, ended: Some(ended), left };
    SendWrapper::new(Box::pin(stream::try_unfold(reading, next))).boxed()
}

/// Whether an open object is still the version that it was.
///
/// # Errors
/// [`ErrorCode::Unavailable`] if it is not.
pub(super) async fn check_unchanged(file: &Descriptor, info: &ObjectInfo) -> Result<()> {
    let now = file.stat().await.map_err(|errno| failure(errno, &info.path))?;
    let is_same = (Some(now.size), modified_of(&now)) == (info.size, info.modified);
    if is_same { Ok(()) } else { Err(changed(&info.path)) }
}

async fn next(mut reading: Reading) -> Result<Option<(Bytes, Reading)>> {
    if reading.left == 0 {
        check_unchanged(&reading.file, &reading.info).await?;
        return Ok(None);
    }
    loop {
        let room = usize::try_from(reading.left.min(CHUNK)).unwrap_or(usize::MAX);
        let (state, mut chunk) = reading.stream.read(Vec::with_capacity(room)).await;
        if !chunk.is_empty() {
            // A vector may have more room than it was asked for.
            chunk.truncate(room);
            reading.left -= chunk.len() as u64;
            return Ok(Some((chunk.into(), reading)));
        }
        if state == StreamResult::Dropped {
            let ended = match reading.ended.take() {
                Some(ended) => ended.await,
                None => Ok(()),
            };
            let path = &reading.info.path;
            return Err(ended.map_or_else(|errno| failure(errno, path), |()| changed(path)));
        }
    }
}

/// Sets a modification time.
///
/// # Errors
/// [`ErrorCode::NotFound`]
pub(super) async fn set_modified(root: &Root, path: &Path, modified: Timestamp) -> Result<()> {
    names::check(path)?;
    let is_before_1970 = modified.seconds < 0;
    let modified = time(modified).map_err(|error| error.at(KIND, path))?;
    let set = async {
        if path.is_root() {
            return root.top.set_times(NewTimestamp::NoChange, modified).await;
        }
        let (parent, name) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
        let directory = root.walk(parent).await?;
        // By name, wasmtime 49 loses the sign of such a time; of an open file it does not.
        if is_before_1970 {
            let kind = look(&directory, name, path.clone()).await?.kind;
            if let ObjectKind::Object | ObjectKind::Directory = kind {
                let open =
                    directory.open_at(NO_FOLLOW, name.to_owned(), OpenFlags::empty(), DescriptorFlags::READ);
                return open.await?.set_times(NewTimestamp::NoChange, modified).await;
            }
        }
        directory.set_times_at(NO_FOLLOW, name.to_owned(), NewTimestamp::NoChange, modified).await
    };
    set.await.map_err(|errno| absent_below_objects(errno, path))
}
