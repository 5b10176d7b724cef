//! Where an object may lie: in a directory that is there, and in the place of no other.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ::opendal::raw::OpCreateDir;
use futures::future::join;
use omnistorage_types::Path;

use super::{super::require_object, Shared, convert::failed, directory};
use crate::{Error, ErrorCode, ObjectKind, Result};

/// The longest name, in bytes, where a directory of a file system is behind the service.
const MAX_NAME: usize = 255;

/// Directories that were there when they were last heard of.
#[derive(Default)]
pub(super) struct Known(Mutex<HashSet<Path>>);

impl Known {
    const MOST: usize = 1_000;

    fn all(&self) -> MutexGuard<'_, HashSet<Path>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, directory: Path) {
        let mut all = self.all();
        if all.len() >= Self::MOST {
            all.clear();
        }
        all.insert(directory);
    }

    /// Something is not as it was known: nothing is known any more.
    pub(super) fn forget(&self) {
        self.all().clear();
    }
}

/// What was found at a path.
#[derive(Clone, Copy)]
struct Found {
    /// An object is there.
    object: bool,
    /// The directory above is there, as far as that was asked.
    directory: bool,
}

impl Shared {
    /// Refuses to put an object in the place of a directory, or below another object.
    pub(super) async fn require_place(&self, path: &Path) -> Result<()> {
        self.look_at_place(path).await.map(drop)
    }

    /// The same, and makes the directory where there is none; gives whether an object is there.
    pub(super) async fn make_place(&self, path: &Path) -> Result<bool> {
        let found = self.look_at_place(path).await?;
        let above = path.parent().unwrap_or_default();
        // Elsewhere OpenDAL makes it.
        if !found.directory && self.0.moves.is_some() {
            let (calls, context) = (&self.0.calls, &self.0.context);
            let made = calls.create_dir_dyn(context, &directory(&above), OpCreateDir::new()).await;
            made.map_err(|error| failed(&error))?;
        }
        self.0.known.add(above);
        Ok(found.object)
    }

    /// Whether the directory of a path was there when it was last heard of.
    pub(super) fn knows_directory_of(&self, path: &Path) -> bool {
        self.0.known.all().contains(&path.parent().unwrap_or_default())
    }

    async fn look_at_place(&self, path: &Path) -> Result<Found> {
        require_object(path)?;
        if self.is_tree() && path.segments().any(|name| name.len() > MAX_NAME) {
            let message = format!("a name of more than {MAX_NAME} bytes is none in a directory");
            return Err(Error::new(ErrorCode::InvalidPath, message));
        }
        let above = |path: &Path| path.parent().filter(|directory| !directory.is_root());
        let Some(mut directory) = above(path) else {
            return Ok(Found { object: self.require_no_directory(path).await?, directory: false });
        };
        // Far away, one question takes as long as two at once.
        let (object, mut found) = join(self.require_no_directory(path), self.stat(&directory)).await;
        let object = object?;
        let mut is_above = true;
        loop {
            match found {
                Ok(found) if found.kind == ObjectKind::Object => {
                    return Err(Error::new(ErrorCode::NotDirectory, "the path runs through an object"));
                }
                Ok(_) => return Ok(Found { object, directory: is_above }),
                Err(error) if error.code() == ErrorCode::NotFound => {}
                Err(error) => return Err(error),
            }
            is_above = false;
            let Some(next) = above(&directory) else { return Ok(Found { object, directory: false }) };
            directory = next;
            found = self.stat(&directory).await;
        }
    }

    /// Whether an object is there, and no directory.
    pub(super) async fn require_no_directory(&self, path: &Path) -> Result<bool> {
        match self.stat(path).await {
            Ok(found) if found.kind == ObjectKind::Directory => {
                Err(Error::new(ErrorCode::IsDirectory, "a directory is there"))
            }
            Ok(_) => Ok(true),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
