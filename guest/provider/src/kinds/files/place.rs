//! How an object takes its place, and why it may not.

use omnistorage::{
    Error, ErrorCode, ObjectKind, Path, Result,
    backend::{WriteCondition, WriteOptions},
};
use wasip3::filesystem::types::{Descriptor, ErrorCode as Errno};

use super::{
    KIND,
    directory::{Directory, NO_FOLLOW, Root, make, walk_existing},
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

/// Where an object is to be, as it was found at the beginning of a write.
pub(super) struct Found {
    /// That of the object, or the innermost above it that exists: where its temporary file goes.
    pub(super) directory: Directory,
    /// Whether it is that of the object.
    pub(super) is_parent: bool,
    /// What stands at the path, if it was looked at.
    pub(super) there: Option<ObjectKind>,
}

/// Looks where an object is to be. Fails if something stands there that it cannot replace.
///
/// # Errors
/// [`ErrorCode::IsDirectory`], [`ErrorCode::NotDirectory`], [`ErrorCode::PreconditionFailed`].
pub(super) async fn find(root: &Root, path: &Path, is_exclusive: bool) -> Result<Found> {
    let found = find_directory(root, path).await?;
    if !found.is_parent {
        return Ok(found);
    }
    let (_, leaf) = split(path)?;
    let there = check_replaced(&found.directory, leaf, path, is_exclusive).await?;
    Ok(Found { there, ..found })
}

/// The same without a look at the path itself: where nothing may stand there, taking the name tells.
///
/// # Errors
/// [`ErrorCode::NotDirectory`]
pub(super) async fn find_directory(root: &Root, path: &Path) -> Result<Found> {
    names::check(path)?;
    let (parent, _) = split(path)?;
    let (directory, missing) = root.walk_existing(parent).await.map_err(|errno| failure(errno, path))?;
    Ok(Found { directory, is_parent: missing.is_empty(), there: None })
}

/// What stands at a name, if it may be replaced.
///
/// # Errors
/// As [`find`]; [`ErrorCode::AlreadyExists`] for a device, a socket or a named pipe.
pub(super) async fn check_replaced(
    directory: &Descriptor,
    leaf: &str,
    path: &Path,
    is_exclusive: bool,
) -> Result<Option<ObjectKind>> {
    let there = match directory.stat_at(NO_FOLLOW, leaf.to_owned()).await {
        Ok(there) => kind(&there.type_),
        Err(Errno::NoEntry) => return Ok(None),
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
        ObjectKind::Object | ObjectKind::Symlink => Ok(Some(there)),
    }
}

/// Something stands where nothing may.
pub(super) fn already_there(path: &Path) -> Error {
    error(ErrorCode::PreconditionFailed, "there is something at this path already", path)
}

/// Puts a whole file in the place of an object. `is_parent`: it was made in the directory of the object.
///
/// # Errors
/// As [`find`].
pub(super) async fn put(
    temporary: &mut Temporary,
    root: &Directory,
    path: &Path,
    is_exclusive: bool,
    is_parent: bool,
) -> Result<()> {
    let (parent, leaf) = split(path)?;
    if is_parent {
        let directory = temporary.directory();
        if take(temporary, &directory, leaf, path, is_exclusive).await? {
            return Ok(());
        }
    }
    for _ in 0..ATTEMPTS {
        let parents = Parents::make(root, parent).await.map_err(|errno| failure(errno, path))?;
        if take(temporary, &parents.directory, leaf, path, is_exclusive).await? {
            parents.keep();
            return Ok(());
        }
    }
    Err(gone(path))
}

/// Others took away what a write stands on.
pub(super) fn gone(path: &Path) -> Error {
    let message = "its temporary file, or its directory, was removed while it was written: try again";
    error(ErrorCode::Unavailable, message, path)
}

/// Gives a file the name of its object, if that may be; says whether the directory was there.
async fn take(
    temporary: &mut Temporary,
    directory: &Descriptor,
    leaf: &str,
    path: &Path,
    is_exclusive: bool,
) -> Result<bool> {
    let taken = if is_exclusive {
        temporary.take_free_name(directory, leaf).await
    } else {
        // A rename would replace a device as it replaces a link.
        check_replaced(directory, leaf, path, is_exclusive).await?;
        temporary.replace(directory, leaf).await
    };
    match taken {
        Ok(()) => Ok(true),
        Err(Errno::NoEntry) => Ok(false),
        Err(Errno::Exist) => {
            // A directory is told from the rest.
            check_replaced(directory, leaf, path, is_exclusive).await?;
            Err(already_there(path))
        }
        Err(errno) => Err(failure(errno, path)),
    }
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
