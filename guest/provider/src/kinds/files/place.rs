//! How an object takes its place, and why it may not.

use omnistorage::{
    Error, ErrorCode, ObjectKind, Path, Result,
    backend::{WriteCondition, WriteOptions},
};
use wasip3::filesystem::types::{Descriptor, ErrorCode as Errno};

use super::{
    KIND,
    directory::{Directory, NO_FOLLOW, make, walk_existing},
    failure::{error, failure},
    info::kind,
    names::{self, split},
    temporary::Temporary,
};

/// As often as the directories of an object are made anew, since others remove them.
const ATTEMPTS: u32 = 8;

/// Refuses what cannot be kept.
///
/// # Errors
/// [`ErrorCode::Unsupported`]
pub(super) fn check_options(options: &WriteOptions, path: &Path) -> Result<()> {
    let lacking = match options {
        WriteOptions { condition: WriteCondition::IfMatch(_), .. } => "writes if an etag matches",
        WriteOptions { content_type: Some(_), .. } => "content types",
        WriteOptions { metadata, .. } if !metadata.is_empty() => "metadata",
        _ => return Ok(()),
    };
    Err(Error::unsupported(KIND, lacking).at(KIND, path))
}

/// The directory that a temporary file of an object is made in: its own, or the innermost above it that exists. Fails at
/// once if something stands at the path that the object cannot replace.
///
/// # Errors
/// [`ErrorCode::IsDirectory`], [`ErrorCode::NotDirectory`], [`ErrorCode::PreconditionFailed`].
pub(super) async fn begin(root: &Directory, path: &Path, is_exclusive: bool) -> Result<Directory> {
    names::check(path)?;
    let (parent, leaf) = split(path)?;
    let (directory, missing) = walk_existing(root, parent).await.map_err(|errno| failure(errno, path))?;
    if missing.is_empty() {
        check_replaced(&directory, leaf, path, is_exclusive).await?;
    }
    Ok(directory)
}

/// Refuses what stands at a name and is not to be replaced.
///
/// # Errors
/// As [`begin`]; [`ErrorCode::AlreadyExists`] for a device, a socket or a named pipe.
pub(super) async fn check_replaced(
    directory: &Descriptor,
    leaf: &str,
    path: &Path,
    is_exclusive: bool,
) -> Result<()> {
    let there = match directory.stat_at(NO_FOLLOW, leaf.to_owned()).await {
        Ok(there) => kind(&there.type_),
        Err(Errno::NoEntry) => return Ok(()),
        Err(errno) => return Err(failure(errno, path)),
    };
    match there {
        ObjectKind::Directory => Err(failure(Errno::IsDirectory, path)),
        _ if is_exclusive => Err(already_there(path)),
        ObjectKind::Special => {
            let message = "a device, a socket or a named pipe stands there, which is never replaced: remove it \
                           first, or choose another name";
            Err(error(ErrorCode::AlreadyExists, message, path))
        }
        ObjectKind::Object | ObjectKind::Symlink => Ok(()),
    }
}

/// Something stands where nothing may.
pub(super) fn already_there(path: &Path) -> Error {
    error(ErrorCode::PreconditionFailed, "there is something at this path already", path)
}

/// Puts a whole file in the place of an object.
///
/// # Errors
/// As [`begin`] and [`check_replaced`].
pub(super) async fn put(
    temporary: &mut Temporary,
    root: &Directory,
    path: &Path,
    is_exclusive: bool,
) -> Result<()> {
    let (parent, leaf) = split(path)?;
    for _ in 0..ATTEMPTS {
        let parents = Parents::make(root, parent).await.map_err(|errno| failure(errno, path))?;
        check_replaced(&parents.directory, leaf, path, is_exclusive).await?;
        let placed = if is_exclusive {
            temporary.take_free_name(&parents.directory, leaf).await
        } else {
            temporary.replace(&parents.directory, leaf).await
        };
        match placed {
            Ok(()) => {
                parents.keep();
                return Ok(());
            }
            Err(Errno::Exist) => return Err(already_there(path)),
            // Somebody removed the directories, which looked empty.
            Err(Errno::NoEntry) => {}
            Err(errno) => return Err(failure(errno, path)),
        }
    }
    let message = "its temporary file, or its directory, was removed while it was written: try again";
    Err(error(ErrorCode::Unavailable, message, path))
}

/// The directories above an object. Those that were made for it are gone when dropped, unless they are kept.
pub(super) struct Parents {
    pub(super) directory: Directory,
    made: Vec<(Directory, String)>,
}

impl Parents {
    /// Opens them, and makes those that are missing.
    ///
    /// # Errors
    /// As [`make`].
    pub(super) async fn make(root: &Directory, path: &str) -> Result<Self, Errno> {
        let (directory, missing) = walk_existing(root, path).await?;
        let mut parents = Self { directory, made: Vec::new() };
        for name in missing {
            let (entered, made) = make(&parents.directory, name).await?;
            let above = std::mem::replace(&mut parents.directory, entered);
            if made {
                parents.made.push((above, name.to_owned()));
            }
        }
        Ok(parents)
    }

    /// They stay.
    pub(super) fn keep(mut self) {
        self.made.clear();
    }
}

impl Drop for Parents {
    fn drop(&mut self) {
        if !self.made.is_empty() {
            wit_bindgen::block_on(async {
                for (above, name) in self.made.drain(..).rev() {
                    // What others put something into stays.
                    let _ = above.remove_directory_at(name).await;
                }
            });
        }
    }
}
