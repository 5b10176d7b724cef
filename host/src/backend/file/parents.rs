//! The directories above an object: made where they are missing, and removed again if nothing is written.

use std::{os::fd::OwnedFd, sync::Arc};

use omnistorage_types::Path;
use rustix::{
    fs::{AtFlags, Mode, Stat},
    io::Errno,
};

use super::{
    error::failure,
    folding::check_directories,
    permissions::bits,
    placement::{Placement, refused},
    root::Root,
    temporary::Temporary,
    tree::{split, split_object},
};
use crate::Result;

/// How often a directory is made again after another call removed it because it was empty.
pub(super) const ATTEMPTS: u32 = 16;

/// A directory to write in. If it is dropped before it is kept, the directories made for it are removed, as far as they
/// are empty.
#[derive(Debug)]
pub(super) struct Parents {
    root: Arc<Root>,
    pub(super) directory: Arc<OwnedFd>,
    made: Vec<String>,
    like: Option<Like>,
}

/// The directory that a new one is a copy of, if that is known.
#[derive(Clone, Debug)]
pub(super) struct Like {
    pub(super) root: Arc<Root>,
    /// Of the object that is copied.
    pub(super) parent: String,
}

impl Like {
    /// The permission bits for `made`, at or above the directory `parent` of the copy: never wider than those of the
    /// directory of the source that it stands for, and always enough to write in it. Directories stand for each other as
    /// long as they have one name, from the objects upwards, and so do the two above those: the places that are copied
    /// between.
    fn mode(&self, parent: &str, made: &str) -> Option<Mode> {
        let (mut here, mut there) = (self.parent.as_str(), parent);
        while there.len() > made.len() {
            let ((above, name), (above_there, name_there)) = (split(here), split(there));
            if here.is_empty() || name != name_there {
                return None;
            }
            (here, there) = (above, above_there);
        }
        self.root.readable_directory_stat(here).ok().map(|stat| bits(&stat) | Mode::RWXU)
    }
}

impl Parents {
    pub(super) fn make(root: &Arc<Root>, path: &str, like: Option<Like>) -> Result<Self, Errno> {
        let (directory, made) = make(root, path, like.as_ref())?;
        Ok(Self { root: root.clone(), directory, made, like })
    }

    /// Of a directory that is there.
    pub(super) fn existing(root: &Arc<Root>, directory: &Arc<OwnedFd>) -> Self {
        Self { root: root.clone(), directory: directory.clone(), made: Vec::new(), like: None }
    }

    /// Refuses directories that are called otherwise, if only what is not there yet may be put in them.
    pub(super) fn check_names(&self, object: &Path, place: &Placement) -> Result<()> {
        match place.exclusive {
            true => check_directories(&self.root.tree, object, &self.made),
            false => Ok(()),
        }
    }

    pub(super) fn root(&self) -> &Arc<Root> {
        &self.root
    }

    /// Puts a file in its place here. If another call removed the directory because it looked empty, it is made again.
    pub(super) fn put_in_place(
        &mut self,
        temporary: &mut Temporary,
        path: &Path,
        made: &Stat,
        place: &Placement,
    ) -> Result<()> {
        let failed = |errno| failure(errno, path);
        let (parent, name) = split_object(path).map_err(failed)?;
        for _ in 0..ATTEMPTS {
            let taken = match place.expected {
                Some(_) => Err(Errno::EXIST),
                None => temporary.take_free_name(name, made, &self.root.unnamed),
            };
            match taken {
                Err(Errno::NOENT) if temporary.is_unnamed() => {}
                Err(Errno::EXIST) => {
                    if place.replace(temporary, path, made, &self.root)? {
                        return Ok(());
                    }
                }
                done => return done.map_err(|errno| refused(errno, path)),
            }
            let (directory, made) = match make(&self.root, parent, self.like.as_ref()) {
                // Removed once more, before it could be opened.
                Err(Errno::NOENT) => continue,
                made => made.map_err(failed)?,
            };
            self.made.retain(|before| !made.contains(before));
            self.made.extend(made);
            temporary.rebase(&directory);
            self.directory = directory;
        }
        Err(refused(Errno::NOENT, path))
    }

    /// Leaves them, and makes their names last if the root is to.
    pub(super) fn keep(mut self) -> Result<(), Errno> {
        let made = std::mem::take(&mut self.made);
        if self.root.fsync {
            rustix::fs::fsync(&self.directory)?;
            for path in &made {
                let (parent, _) = split(path);
                rustix::fs::fsync(self.root.tree.directory(parent)?)?;
            }
        }
        Ok(())
    }
}

impl Drop for Parents {
    fn drop(&mut self) {
        self.root.tree.remove_empty(&self.made);
    }
}

fn make(root: &Root, path: &str, like: Option<&Like>) -> Result<(Arc<OwnedFd>, Vec<String>), Errno> {
    let mode = |made: &str| like.and_then(|like| like.mode(path, made));
    let (directory, made) = root.tree.make_directory(path, mode)?;
    if root.keeps_owned {
        // The umask is for what nobody asked for.
        let keep = |made: &String| match mode(made) {
            Some(mode) => {
                let (parent, name) = split(made);
                rustix::fs::chmodat(root.tree.directory(parent)?, name, mode, AtFlags::empty())
            }
            None => Ok(()),
        };
        if let Err(errno) = made.iter().try_for_each(keep) {
            root.tree.remove_empty(&made);
            return Err(errno);
        }
    }
    Ok((directory, made))
}
