//! Opens objects one after the other. Paths come sorted, so the directory of one is mostly that of the next, and is
//! kept open.

use std::{os::fd::OwnedFd, sync::Arc};

use omnistorage_types::Path;
use rustix::io::Errno;

use super::{
    chain::Identity,
    error::absent_below_objects,
    object::Object,
    root::{Root, check_name},
    tree::{open_object, split_object},
};
use crate::Result;

/// Opens objects of one root.
pub(super) struct Opener<'a> {
    root: &'a Arc<Root>,
    place: Option<Place>,
}

/// A directory kept open.
pub(super) struct Place {
    pub(super) path: String,
    pub(super) directory: Arc<OwnedFd>,
    pub(super) identity: Identity,
}

impl Place {
    pub(super) fn new(path: &str, directory: &Arc<OwnedFd>) -> Result<Self, Errno> {
        let identity = Identity::from(&rustix::fs::fstat(directory)?);
        Ok(Self { path: path.to_owned(), directory: directory.clone(), identity })
    }
}

impl<'a> Opener<'a> {
    pub(super) fn new(root: &'a Arc<Root>) -> Self {
        Self { root, place: None }
    }

    pub(super) fn open(&mut self, path: &Path) -> Result<Object> {
        check_name(path)?;
        if let Some(link) = self.root.find_link_at(path).map_err(|errno| absent_below_objects(errno, path))? {
            return Object::of_link(&link, path);
        }
        let mut open = || {
            let (parent, name) = split_object(path)?;
            let place = match self.place.take() {
                Some(place) if place.path == parent => place,
                _ => Place::new(parent, &self.root.readable_directory(parent)?)?,
            };
            let file = match self.root.follows() {
                true => self.root.readable_object(path.as_str()),
                false => open_object(&place.directory, name),
            };
            self.place = Some(place);
            file
        };
        let file = open().map_err(|errno| self.root.unreadable(errno, path))?;
        Object::new(self.root, file, path)
    }

    /// Which directory the last object was opened in.
    pub(super) fn directory(&self) -> Option<Identity> {
        self.place.as_ref().map(|place| place.identity)
    }
}
