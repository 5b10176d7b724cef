//! The two places of a run, by what may be done with them.

use std::rc::Rc;

use futures::StreamExt;
use omnistorage_core::{
    entry::{Entry, HashAlgorithm, Timestamp},
    sync::{
        backup::BackupNames,
        compare::{self, CompareOptions, modify_window},
        filter::Filter,
        guard,
        merge::Side,
    },
};
use omnistorage_path::Path;

use super::{backup::Backup, batch::Batch, options, recode::Recoder, retry::retrying};
use crate::{
    backends::Place,
    convert::{Listed, entry, failure_of, place_of},
    exports::sync::{self, SyncOptions},
    imports::{
        backend::{self, Capabilities, Features},
        types::{self, Error, ErrorCode, Location, ObjectKind},
    },
};

/// A place to read from. A dry run and a check hold nothing else.
#[derive(Clone)]
pub(super) struct Reading {
    backend: Rc<backend::Backend>,
    name: Rc<str>,
    prefix: Rc<Path>,
    pub(super) capabilities: Capabilities,
    /// The listings tell when objects were written, not the times that they were given.
    pub(super) lists_writes: bool,
    /// The listings are asked for all that there is to know.
    pub(super) full_info: bool,
    /// At a call, in all.
    pub(super) attempts: u32,
}

/// A place to write to.
#[derive(Clone)]
pub(super) struct Writing(pub(super) Reading);

/// Both places of a run.
pub(super) struct Sides {
    pub(super) source: Reading,
    pub(super) target: Reading,
    /// Set if the source is one object: its name.
    pub(super) single: Option<Path>,
    /// Where replaced and deleted objects are kept, if that was asked for.
    pub(super) backup: Option<Rc<Backup>>,
    /// Which objects are meant.
    pub(super) filter: Rc<Filter>,
    /// What is done with them on the way.
    pub(super) recoder: Option<Recoder>,
}

impl Writing {
    /// Sets the modification time of what stands at a path relative to this place.
    pub(super) async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<(), Error> {
        let full = self.0.full(path)?;
        let set = async || self.0.backend.set_modified(full.clone(), modified.into()).await;
        retrying(self.0.attempts, set).await
    }
}

impl Reading {
    pub(super) fn new(place: Place, prefix: Path, attempts: u32, asks_for_times: bool) -> Self {
        let capabilities = place.backend.capabilities();
        let lists_writes = capabilities.modified_precision_ns.is_some()
            && !capabilities.features.contains(Features::LISTED_TIMES);
        Self {
            lists_writes: lists_writes && !asks_for_times,
            full_info: lists_writes && asks_for_times,
            backend: Rc::new(place.backend),
            name: place.name.into(),
            prefix: Rc::new(prefix),
            capabilities,
            attempts,
        }
    }

    /// In the words of the core.
    pub(super) fn location(&self) -> omnistorage_core::entry::Location {
        omnistorage_core::entry::Location { backend: self.name.to_string(), path: (*self.prefix).clone() }
    }

    pub(super) fn prefix(&self) -> &Path {
        &self.prefix
    }

    pub(super) fn backend(&self) -> &backend::Backend {
        &self.backend
    }

    /// Whether both are places of one backend.
    pub(super) fn shares_backend(&self, other: &Self) -> bool {
        self.name == other.name
    }

    pub(super) fn has(&self, feature: Features) -> bool {
        self.capabilities.features.contains(feature)
    }

    /// Whether this may be a file system that takes two names for one: what nothing stands at by its listing may be
    /// another object then, and is to be created, not replaced. Stores know names by their bytes.
    pub(super) fn may_fold_names(&self) -> bool {
        self.has(Features::DIRECTORIES) && self.has(Features::IF_ABSENT)
    }

    /// The full path of a path relative to this place.
    pub(super) fn full(&self, path: &Path) -> Result<String, Error> {
        let full = self.prefix.join(path).map_err(|why| Error::from(why).at(&self.name, path))?;
        Ok(full.into())
    }

    /// An error at a path relative to this place.
    pub(super) fn error(&self, code: ErrorCode, path: &Path, message: &str) -> Error {
        let error = crate::error::error(code, message);
        match self.prefix.join(path) {
            Ok(full) => error.at(&self.name, &full),
            Err(_) => error.at(&self.name, path),
        }
    }

    /// What stands at a path relative to this place.
    pub(super) async fn stat(&self, path: &Path) -> Result<Option<Entry>, Error> {
        let full = self.full(path)?;
        match retrying(self.attempts, async || self.backend.stat(full.clone()).await).await {
            Ok(info) => self.entry(info).map(Some),
            Err(error) if error.code == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An entry with its path relative to this place: a backend is not believed to stay below what it was asked for.
    pub(super) fn entry(&self, info: types::ObjectInfo) -> Result<Entry, Error> {
        let path =
            place_of(&info.path, &self.prefix).map_err(|message| self.astray(info.path.clone(), message))?;
        Ok(entry(info, path))
    }

    /// The same for all that a listing holds.
    pub(super) fn listed(&self, listed: types::Listed) -> Result<Listed, Error> {
        match listed {
            types::Listed::Entry(info) => self.entry(info).map(Listed::Entry),
            types::Listed::Failure(failure) => {
                let failed = failure_of(failure, &self.prefix);
                failed
                    .map(|failure| Listed::Failure(Box::new(failure)))
                    .map_err(|message| self.astray(self.prefix.to_string(), message))
            }
        }
    }

    fn astray(&self, path: String, message: String) -> Error {
        let at = Some(Location { backend: self.name.to_string(), path });
        Error { at, ..crate::error::error(ErrorCode::InvalidPath, message) }
    }
}

impl Sides {
    /// Opens both places, and refuses what cannot be a run: a source that is missing, places that overlap.
    pub(super) async fn open(
        source: Location,
        target: Location,
        filter: Filter,
        options: &SyncOptions,
    ) -> Result<Self, Error> {
        let attempts = options.retries;
        let (source, target) = (Place::open(source).await?, Place::open(target).await?);
        source.backend.limit_bandwidth(options.bandwidth);
        let kind = match retrying(attempts, async || source.stat().await).await {
            Ok(info) => Some(info.kind),
            Err(error) if error.code == ErrorCode::NotFound => None,
            Err(error) => return Err(error),
        };
        let single = match kind {
            Some(ObjectKind::Object) => source.path.name().map(Path::parse).transpose()?,
            Some(ObjectKind::Directory) | None => None,
            Some(ObjectKind::Symlink | ObjectKind::Special) => {
                return Err(source
                    .error(ErrorCode::Unsupported, "it is a link or a special file, which is not copied"));
            }
        };
        if single.is_none()
            && let Some(overlap) = guard::overlap(&location(&source), &location(&target))
            && !leaves_out(&filter, &source, &target)
        {
            return Err(source.error(ErrorCode::InvalidArgument, &format!("{overlap}: nothing was done")));
        }
        let backup = match &options.backup {
            Some(backup) => Some(Rc::new(open_backup(backup, [&source, &target], &filter, attempts).await?)),
            None => None,
        };
        if matches!(target.stat().await, Ok(info) if info.kind != ObjectKind::Directory) {
            return Err(target.error(ErrorCode::NotDirectory, "the target is an object, not a directory"));
        }
        let missing = kind.is_none().then(|| source.error(ErrorCode::NotFound, "the source does not exist"));
        let asks_for_times = options::asks_for_times(options, &filter);
        let prefix = match &single {
            Some(_) => source.path.parent().unwrap_or_default(),
            None => source.path.clone(),
        };
        let sides = Self {
            source: Reading::new(source, prefix, attempts, asks_for_times),
            target: {
                let prefix = target.path.clone();
                Reading::new(target, prefix, attempts, asks_for_times)
            },
            single,
            backup,
            filter: Rc::new(filter),
            recoder: Recoder::new(options)?,
        };
        // Where directories do not exist by themselves, a prefix is there if something is below it.
        if let Some(missing) = missing
            && sides.source.all_pages().next().await.transpose()?.is_none()
        {
            return Err(missing);
        }
        Ok(sides)
    }

    /// Whether the source is an object of the target directory: then there is nothing to do.
    pub(super) fn is_onto_itself(&self) -> bool {
        self.single.as_ref().is_some_and(|name| self.target_path(name) == *name)
            && self.source.shares_backend(&self.target)
            && self.source.prefix == self.target.prefix
    }

    /// The path on the target of an object of the source.
    pub(super) fn target_path(&self, path: &Path) -> Path {
        self.recoder.map_or_else(|| path.clone(), |recoder| recoder.target_path(path))
    }

    /// Whether an object of the target is one that a backup beside the objects keeps.
    pub(super) fn is_backup(&self, path: &Path) -> bool {
        self.backup.as_ref().is_some_and(|backup| backup.holds(path))
    }

    /// The side's place.
    pub(super) fn side(&self, side: Side) -> &Reading {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    /// Differences of time up to this count as none.
    fn window(&self, options: &SyncOptions) -> Option<u64> {
        let (source, target) = (&self.source.capabilities, &self.target.capabilities);
        modify_window(source.modified_precision_ns, target.modified_precision_ns, options.modify_window_ns)
    }

    /// How to compare what was listed.
    pub(super) fn compare_options(&self, options: &SyncOptions) -> CompareOptions {
        // A single object is not listed.
        let is_listed = self.single.is_none();
        let each = |holds: &dyn Fn(&Reading) -> bool| compare::Sides {
            source: holds(&self.source),
            target: holds(&self.target),
        };
        CompareOptions {
            write_times: each(&|side| is_listed && side.lists_writes),
            near: each(&|side| side.has(Features::BATCHES)),
            ..options::compare_options(options, self.window(options))
        }
    }

    /// For objects that go together, unless that would only make one wait for the other.
    pub(super) fn batch<T>(&self) -> Batch<T> {
        let of_many = [&self.source, &self.target].into_iter().all(|side| side.has(Features::BATCHES));
        if of_many { Batch::default() } else { Batch::of_one() }
    }

    /// The algorithm to compare by what no listing tells a hash of.
    pub(super) fn hash_algorithm(&self) -> HashAlgorithm {
        hash_algorithm(&self.source, &self.target)
    }
}

/// The algorithm to compare by: one that costs nothing on both sides, else on one, else the strongest.
pub(super) fn hash_algorithm(source: &Reading, target: &Reading) -> HashAlgorithm {
    let (source, target) = (&source.capabilities.hashes, &target.capabilities.hashes);
    let both = source.iter().find(|algorithm| target.contains(algorithm));
    both.or(source.first()).or(target.first()).map_or(HashAlgorithm::Sha256, |&algorithm| algorithm.into())
}

/// Whether a source leaves out the directory in which the target is.
fn leaves_out(filter: &Filter, source: &Place, target: &Place) -> bool {
    let inside = target.path.strip_prefix(&source.path).filter(|inside| !inside.is_root());
    inside.is_some_and(|inside| {
        filter.excluded_above(&inside).is_some() || !filter.ruling_on_directory(&inside).is_included()
    })
}

/// Whether a place leaves out an object that lies in it.
pub(super) fn leaves_out_object(filter: &Filter, place: &Place, object: &Place) -> bool {
    let inside = object.path.strip_prefix(&place.path).filter(|inside| !inside.is_root());
    inside.is_some_and(|inside| {
        filter.excluded_above(&inside).is_some()
            || !filter.ruling(&Entry::new(inside, omnistorage_core::entry::ObjectKind::Object)).is_included()
    })
}

/// Opens the place of a backup. It must lie apart, so that no run takes what is kept for its own.
async fn open_backup(
    backup: &sync::Backup,
    [source, target]: [&Place; 2],
    filter: &Filter,
    attempts: u32,
) -> Result<Backup, Error> {
    let names = BackupNames { suffix: backup.suffix.clone(), keep_extension: backup.keep_extension };
    let (place, in_place) = match &backup.place {
        Some(place) => (Place::open(place.clone()).await?, false),
        None => {
            let at = Location { backend: target.name.clone(), path: target.path() };
            (Place::open(at).await?, true)
        }
    };
    let overlaps = |other: &Place| {
        guard::overlap(&location(&place), &location(other)).is_some() && !leaves_out(filter, other, &place)
    };
    if !in_place && (overlaps(source) || overlaps(target)) {
        let message = "the place of the backup overlaps with the source or the target: nothing was done";
        return Err(place.error(ErrorCode::InvalidArgument, message));
    }
    let prefix = place.path.clone();
    Ok(Backup { place: Reading::new(place, prefix, attempts, false), names, in_place })
}

/// In the words of the core.
pub(super) fn location(place: &Place) -> omnistorage_core::entry::Location {
    omnistorage_core::entry::Location { backend: place.name.clone(), path: place.path.clone() }
}
