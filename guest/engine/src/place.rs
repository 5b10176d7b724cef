//! From a location to an open backend and a checked path.

use std::rc::Rc;

use omnistorage_core::sync::guard;
use omnistorage_types::{
    Error, ErrorCode, ListOptions, Listed, Location, ObjectInfo, ObjectKind, Path, Result, Unlisted,
};

use crate::port::{Backend, Listing, Reader, Storage};

/// How many entries are asked for at once.
pub(crate) const PAGE: u32 = 1000;

/// An open backend and a path in it.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) port: Rc<dyn Storage>,
    pub(crate) backend: Rc<dyn Backend>,
    pub(crate) name: Rc<str>,
    pub(crate) path: Path,
}

impl Place {
    /// Opens the backend.
    pub(crate) async fn open(
        port: &Rc<dyn Storage>,
        Location { backend: name, path }: Location,
    ) -> Result<Self> {
        let backend = port.open(&name).await.map_err(|error| error.at(&name, &path))?;
        Ok(Self { port: port.clone(), backend, name: name.into(), path })
    }

    /// Where it is.
    pub(crate) fn location(&self) -> Location {
        Location { backend: self.name.to_string(), path: self.path.clone() }
    }

    /// What stands at the path.
    pub(crate) async fn stat(&self) -> Result<ObjectInfo> {
        self.backend.stat(self.path.clone()).await
    }

    /// What stands at the path, for whoever lists it next. The root of a flat store is not asked about: it can be
    /// nothing but a directory, and the listing says whether it is there.
    pub(crate) async fn stat_to_list(&self) -> Result<ObjectInfo> {
        match self.path.is_root() && !self.backend.capabilities().await.features.directories {
            true => Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory)),
            false => self.stat().await,
        }
    }

    /// Opens the object at the path.
    pub(crate) async fn read(&self, options: omnistorage_types::ReadOptions) -> Result<Reader> {
        self.backend.read(self.path.clone(), options).await
    }

    /// Opens a listing of what is below the path.
    pub(crate) async fn list(&self, options: ListOptions) -> Result<Box<dyn Listing>> {
        self.backend.list(self.path.clone(), options).await
    }

    /// An error at this place.
    pub(crate) fn error(&self, code: ErrorCode, message: &str) -> Error {
        Error::new(code, message).at(&self.name, &self.path)
    }

    /// How two places overlap, if they do.
    pub(crate) fn overlap(&self, other: &Self) -> Option<guard::Overlap> {
        guard::overlap(&self.location(), &other.location())
    }
}

/// The path below a prefix, checked: a backend may list what it was not asked for.
pub(crate) fn below(path: &Path, prefix: &Path) -> Result<Path, String> {
    path.strip_prefix(prefix)
        .ok_or_else(|| format!("the backend listed a path that is not below {:?}", prefix.as_str()))
}

/// A failure of a listing, relative to a prefix.
pub(crate) fn unlisted_below(what: Unlisted, prefix: &Path) -> Result<Unlisted, String> {
    Ok(match what {
        Unlisted::Directory(path) => Unlisted::Directory(below(&path, prefix)?),
        Unlisted::Entry(path) => Unlisted::Entry(below(&path, prefix)?),
        Unlisted::Name { directory, name } => {
            let inside = name.strip_prefix(prefix.as_str()).filter(|_| !prefix.is_root());
            let inside = inside.and_then(|inside| inside.strip_prefix('/')).map(str::to_owned);
            Unlisted::Name { directory: below(&directory, prefix)?, name: inside.unwrap_or(name) }
        }
    })
}

/// The entries of a page, and the first error of those that could not be listed.
pub(crate) fn entries(page: Vec<Listed>) -> (Vec<ObjectInfo>, Option<Error>) {
    let (mut entries, mut failed) = (Vec::with_capacity(page.len()), None);
    for listed in page {
        match listed {
            Listed::Entry(entry) => entries.push(entry),
            Listed::Failure(failure) => drop(failed.get_or_insert(failure.error)),
        }
    }
    (entries, failed)
}
