//! Deletes objects, empty directories, and everything below a directory; and makes directories.

use omnistorage::{Error, ErrorCode, Path, Result};
use wasip3::filesystem::types::{Descriptor, DescriptorType, ErrorCode as Errno};

use super::{
    directory::{Directory, NO_FOLLOW, Root, entries},
    failure::{error, failure},
    names::{self, split},
    place::Parents,
};

/// Deletes an object, a link or a special file; fine if there is none.
///
/// # Errors
/// [`ErrorCode::IsDirectory`]
pub(super) async fn delete(root: &Root, path: &Path) -> Result<()> {
    names::check(path)?;
    let (parent, name) = split(path)?;
    let deleted = async {
        let directory = root.walk(parent).await?;
        match directory.unlink_file_at(name.to_owned()).await {
            // What POSIX returns for a directory; Linux returns EISDIR.
            Err(Errno::NotPermitted | Errno::Access) if is_directory(&directory, name).await => {
                Err(Errno::IsDirectory)
            }
            deleted => deleted,
        }
    };
    match deleted.await {
        Ok(()) | Err(Errno::NoEntry | Errno::NotDirectory) => Ok(()),
        Err(errno) => Err(failure(errno, path)),
    }
}

async fn is_directory(directory: &Descriptor, name: &str) -> bool {
    let there = directory.stat_at(NO_FOLLOW, name.to_owned()).await;
    there.is_ok_and(|there| matches!(there.type_, DescriptorType::Directory))
}

/// Makes a directory and those above it.
///
/// # Errors
/// [`ErrorCode::NotDirectory`]
pub(super) async fn mkdir(root: &Root, path: &Path) -> Result<()> {
    names::check(path)?;
    let parents = Parents::make(&root.top, path.as_str()).await.map_err(|errno| failure(errno, path))?;
    parents.keep();
    Ok(())
}

/// Removes an empty directory.
///
/// # Errors
/// As [`Backend::rmdir`](omnistorage::Backend::rmdir).
pub(super) async fn rmdir(root: &Root, path: &Path) -> Result<()> {
    names::check(path)?;
    if path.is_root() {
        return Err(root_stays(path));
    }
    let (parent, name) = split(path)?;
    let removed = async { root.walk(parent).await?.remove_directory_at(name.to_owned()).await };
    removed.await.map_err(|errno| match errno {
        // POSIX leaves the choice between the two.
        Errno::Exist => failure(Errno::NotEmpty, path),
        errno => failure(errno, path),
    })
}

fn root_stays(path: &Path) -> Error {
    error(ErrorCode::PermissionDenied, "the root of a backend is not removed", path)
}

/// Deletes everything below a directory, and the directory itself unless it is the root; returns the number of objects.
///
/// # Errors
/// [`ErrorCode::NotDirectory`]
pub(super) async fn purge(root: &Root, path: &Path) -> Result<u64> {
    names::check(path)?;
    let top = match root.walk(path.as_str()).await {
        Ok(top) => top,
        Err(Errno::NoEntry) => return Ok(0),
        Err(errno) => return Err(failure(errno, path)),
    };
    let purged = empty(top).await.map_err(|errno| failure(errno, path))?;
    if !path.is_root() {
        match rmdir(root, path).await {
            Err(error) if error.code() != ErrorCode::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(purged)
}

/// Deletes all that is in a directory; returns the number of objects. Only the names of the directories on the way are
/// held: whatever their depth, one of them is open beside its parent.
async fn empty(top: Directory) -> Result<u64, Errno> {
    let (root, mut purged) = (Root::new(&top), 0);
    // Directories below the top that are to be emptied, as paths; one is removed when it is met again.
    let mut waiting = vec![Waiting { path: String::new(), is_empty: false }];
    while let Some(Waiting { path, is_empty }) = waiting.pop() {
        if is_empty {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
            match root.walk(parent).await?.remove_directory_at(name.to_owned()).await {
                Ok(()) | Err(Errno::NoEntry) => continue,
                Err(errno) => return Err(errno),
            }
        }
        let directory = match root.walk(&path).await {
            Err(Errno::NoEntry) => continue,
            directory => directory?,
        };
        if !path.is_empty() {
            waiting.push(Waiting { path: path.clone(), is_empty: true });
        }
        let (found, ended) = entries(&directory).await;
        ended?;
        for (name, kind) in found {
            if matches!(kind, DescriptorType::Directory) {
                let path = if path.is_empty() { name } else { format!("{path}/{name}") };
                waiting.push(Waiting { path, is_empty: false });
                continue;
            }
            match directory.unlink_file_at(name.clone()).await {
                Ok(()) => purged += u64::from(!names::is_temporary(&name)),
                Err(Errno::NoEntry) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
    Ok(purged)
}

/// A directory that is to be emptied, or was.
struct Waiting {
    path: String,
    is_empty: bool,
}
