//! A place of a run, typed by what may be done with it.

use std::{rc::Rc, time::Duration};

use omnistorage_core::{
    entry::{Entry, Listed},
    sync::guard,
};
use omnistorage_types::{
    self as types, Capabilities, Error, ErrorCode, Features, HashAlgorithm, KeyRange, Location, ObjectInfo,
    Path, Timestamp,
};

use super::retry::{Attempts, retrying};
use crate::{
    place::{Place, below, unlisted_below},
    planted::{self, Bug},
    port::{Backend, Storage},
};

/// A place to read from. Dry runs and checks hold nothing else.
#[derive(Clone)]
pub(super) struct Reading {
    backend: Rc<dyn Backend>,
    name: Rc<str>,
    prefix: Rc<Path>,
    pub(super) capabilities: Capabilities,
    /// The listings carry the time of the last write, not the modification time that was set.
    pub(super) lists_writes: bool,
    /// The listings are asked for all details.
    pub(super) full_info: bool,
    /// How many attempts each call gets in total.
    pub(super) attempts: Attempts,
    renamed: Option<Rc<Renamed>>,
}

/// An object whose name in the place differs from its name in the run. Paths are relative to the place.
struct Renamed {
    here: Path,
    there: Path,
}

/// A place to write to.
#[derive(Clone)]
pub(super) struct Writing(pub(super) Reading);

impl Writing {
    /// Sets the modification time of what stands at a path relative to this place.
    pub(super) async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<(), Error> {
        let full = self.0.full(path)?;
        let set = async || self.0.backend.set_modified(full.clone(), modified).await;
        retrying(&self.0.attempts, set).await
    }
}

impl Reading {
    pub(super) async fn new(place: Place, prefix: Path, attempts: u32, asks_for_times: bool) -> Self {
        let capabilities = place.backend.capabilities().await;
        let lists_writes = capabilities.modified_precision.is_some() && !capabilities.features.listed_times;
        Self {
            lists_writes: lists_writes && !asks_for_times,
            full_info: lists_writes && asks_for_times,
            attempts: Attempts::new(place.port, attempts),
            backend: place.backend,
            name: place.name,
            prefix: Rc::new(prefix),
            capabilities,
            renamed: None,
        }
    }

    pub(super) fn location(&self) -> Location {
        Location { backend: self.name.to_string(), path: (*self.prefix).clone() }
    }

    /// Whether another place lies in this one, or this one in it.
    pub(super) fn overlaps(&self, place: &Place) -> bool {
        guard::overlap(&self.location(), &place.location()).is_some()
    }

    pub(super) fn port(&self) -> &Rc<dyn Storage> {
        self.attempts.port()
    }

    pub(super) fn prefix(&self) -> &Path {
        &self.prefix
    }

    pub(super) fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// Whether both are places of one backend.
    pub(super) fn shares_backend(&self, other: &Self) -> bool {
        self.name == other.name
    }

    pub(super) const fn features(&self) -> Features {
        self.capabilities.features
    }

    /// The precision of its times, in nanoseconds.
    pub(super) fn precision_ns(&self) -> Option<u64> {
        self.capabilities.modified_precision.map(nanoseconds)
    }

    /// Whether this may be a file system. It may take two names for one, where stores know names by their bytes: what
    /// nothing stands at by its listing may be another object then, and is to be created, not replaced. And it has no
    /// call that replaces or deletes one version alone. To do so by locks and exchanges of names costs more than a small
    /// write does, and leaves a hidden file behind if the process is killed in between.
    pub(super) fn is_file_system(&self) -> bool {
        self.features().directories && self.features().if_absent
    }

    /// Whether its listings may leave out what it has: a name that they lack is asked for.
    pub(super) fn hides_names(&self) -> bool {
        self.features().partial_list && !planted::has(Bug::TrustsListings)
    }

    /// The same place, where the object that the run knows as `here` is called `there`.
    pub(super) fn renaming(self, here: Path, there: Path) -> Self {
        Self { renamed: Some(Rc::new(Renamed { here, there })), ..self }
    }

    /// The name in this place of what the run calls by this name.
    pub(super) fn name_there<'a>(&'a self, path: &'a Path) -> &'a Path {
        self.renamed.as_ref().filter(|renamed| renamed.here == *path).map_or(path, |renamed| &renamed.there)
    }

    /// The full path of a path relative to this place.
    pub(super) fn full(&self, path: &Path) -> Result<Path, Error> {
        self.prefix.join(self.name_there(path)).map_err(|why| Error::from(why).at(&self.name, path))
    }

    /// A range relative to this place, as its backend knows the paths.
    pub(super) fn full_range(&self, range: &KeyRange) -> Result<KeyRange, Error> {
        let full = |path: &Option<Path>| path.as_ref().map(|path| self.full(path)).transpose();
        Ok(KeyRange { after: full(&range.after)?, until: full(&range.until)? })
    }

    /// Refuses a place whose listings cannot start in the middle.
    pub(super) fn require_ranges(&self) -> Result<(), Error> {
        if self.features().sorted_list {
            return Ok(());
        }
        let message = "it does not list in byte order, so that each range of paths would cost a listing of all there is";
        Err(self.error(ErrorCode::Unsupported, &Path::root(), message))
    }

    /// An error at a path relative to this place.
    pub(super) fn error(&self, code: ErrorCode, path: &Path, message: &str) -> Error {
        let error = Error::new(code, message);
        match self.prefix.join(self.name_there(path)) {
            Ok(full) => error.at(&self.name, &full),
            Err(_) => error.at(&self.name, path),
        }
    }

    /// What stands at a path relative to this place.
    pub(super) async fn stat(&self, path: &Path) -> Result<Option<Entry>, Error> {
        let full = self.full(path)?;
        match retrying(&self.attempts, async || self.backend.stat(full.clone()).await).await {
            Ok(info) => self.entry(info).map(Some),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An entry with its path relative to this place. Checked: a backend may return entries outside what it was asked
    /// for.
    pub(super) fn entry(&self, info: ObjectInfo) -> Result<Entry, Error> {
        let path = below(&info.path, &self.prefix).map_err(|message| self.astray(&info.path, message))?;
        let path = match &self.renamed {
            Some(renamed) if renamed.there == path => renamed.here.clone(),
            _ => path,
        };
        Ok(Entry::of(info, path))
    }

    /// The same for a whole page.
    pub(super) fn listed(&self, listed: types::Listed) -> Result<Listed, Error> {
        match listed {
            types::Listed::Entry(info) => self.entry(info).map(Listed::Entry),
            types::Listed::Failure(mut failure) => {
                let what = unlisted_below(failure.what, &self.prefix);
                failure.what = what.map_err(|message| self.astray(&self.prefix, message))?;
                Ok(Listed::Failure(failure))
            }
        }
    }

    fn astray(&self, path: &Path, message: String) -> Error {
        Error::new(ErrorCode::InvalidPath, message).at(&self.name, path)
    }
}

/// The algorithm to compare by: one that costs nothing on both sides, else on one, else the strongest.
pub(super) fn hash_algorithm(source: &Reading, target: &Reading) -> HashAlgorithm {
    let (source, target) = (&source.capabilities.hashes, &target.capabilities.hashes);
    let both = source.iter().find(|algorithm| target.contains(algorithm));
    both.or(source.first()).or(target.first()).copied().unwrap_or(HashAlgorithm::Sha256)
}

/// Longer durations count as 584 years, the most that fits.
pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
