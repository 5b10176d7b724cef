//! The two places of a run, typed by what may be done with them.

use std::rc::Rc;

use futures::{StreamExt, future::join};
use omnistorage_core::{
    entry::Entry,
    sync::{
        backup::BackupNames,
        compare::{self, CompareOptions, modify_window},
        filter::Filter,
        merge::Side,
    },
};
use omnistorage_types::{
    self as types, Error, ErrorCode, HashAlgorithm, KeyRange, Location, ObjectKind, Path, SyncOptions,
};

use super::{
    backup::Backup,
    batch::Batch,
    options,
    place::{Reading, hash_algorithm, nanoseconds},
    recode::Recoder,
    retry::{Attempts, retrying},
};
use crate::{place::Place, port::Storage};

/// Both places of a run.
pub(super) struct Sides {
    pub(super) source: Reading,
    pub(super) target: Reading,
    /// The name of the source, if it is a single object.
    pub(super) single: Option<Path>,
    /// Where replaced and deleted objects are kept, if that was asked for.
    pub(super) backup: Option<Rc<Backup>>,
    /// Which objects are included.
    pub(super) filter: Rc<Filter>,
    /// The range of paths.
    pub(super) range: KeyRange,
    /// What happens to objects on the way.
    pub(super) recoder: Option<Recoder>,
    /// What becomes of objects that the listing of the source does not show.
    pub(super) unshown: Unshown,
}

/// What becomes of an object of the target that the source turns out to have, although its listing does not show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unshown {
    /// What the source lacks is of no interest, and is not asked for.
    Unasked,
    /// It is neither missing nor extra, and is left alone. Some servers answer for any name with one and the same page: it
    /// keeps an object of the target, and never replaces it.
    Kept,
    /// It is compared, as what the listing shows.
    Compared,
}

impl Sides {
    /// Opens both places, and refuses what cannot be a run: a source that is missing, places that overlap.
    pub(super) async fn open(
        port: &Rc<dyn Storage>,
        [source, target]: [Location; 2],
        filter: Filter,
        options: &SyncOptions,
    ) -> Result<Self, Error> {
        let (source, target) = (Place::open(port, source).await?, Place::open(port, target).await?);
        let attempts = &Attempts::new(port.clone(), options.retries);
        source.backend.limit_bandwidth(options.bandwidth).await;
        let stat_target = async || if target.path.is_root() { None } else { target.stat().await.ok() };
        let (source_info, target_info) =
            join(retrying(attempts, async || source.stat_to_list().await), stat_target()).await;
        let kind = match source_info {
            Ok(info) => Some(info.kind),
            Err(error) if error.code() == ErrorCode::NotFound => None,
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
        let is_directory = match kind {
            // A prefix that objects share counts as a directory.
            None if options.target_name.is_some() => {
                crate::objects::stat(&source).await?.kind == ObjectKind::Directory
            }
            kind => kind == Some(ObjectKind::Directory),
        };
        if options.target_name.is_some() && is_directory {
            return Err(source.error(
                ErrorCode::IsDirectory,
                "it is a directory, and only an object gets another name: `copy` or `move` it",
            ));
        }
        if single.is_none()
            && let Some(overlap) = source.overlap(&target)
            && !leaves_out(&filter, &source, &target)
        {
            return Err(source.error(ErrorCode::InvalidArgument, &format!("{overlap}: nothing was done")));
        }
        let backup = match &options.backup {
            Some(backup) => {
                Some(Rc::new(open_backup(port, backup, [&source, &target], &filter, options.retries).await?))
            }
            None => None,
        };
        if matches!(target_info, Some(info) if info.kind != ObjectKind::Directory) {
            return Err(target.error(ErrorCode::NotDirectory, "the target is an object, not a directory"));
        }
        if let Some(name) = options::target_name(options)? {
            refuse_directory(&target, &name).await?;
        }
        let missing = kind.is_none().then(|| source.error(ErrorCode::NotFound, "the source does not exist"));
        let asks_for_times = options::asks_for_times(options, &filter);
        let prefix = match &single {
            Some(_) => source.path.parent().unwrap_or_default(),
            None => source.path.clone(),
        };
        let recoder = Recoder::new(options)?;
        let renamed = single.as_ref().zip(options::target_name(options)?).map(|(single, there)| {
            (recoder.as_ref().map_or_else(|| single.clone(), |recoder| recoder.target_path(single)), there)
        });
        let sides = Self {
            source: Reading::new(source, prefix, options.retries, asks_for_times).await,
            target: {
                let prefix = target.path.clone();
                let target = Reading::new(target, prefix, options.retries, asks_for_times).await;
                match renamed {
                    Some((here, there)) => target.renaming(here, there),
                    None => target,
                }
            },
            single,
            backup,
            filter: Rc::new(filter),
            range: options.range(),
            recoder,
            unshown: Unshown::Unasked,
        };
        if !sides.range.is_whole() && sides.single.is_none() {
            for side in [&sides.source, &sides.target] {
                side.require_ranges()?;
            }
        }
        // In a store without real directories, a prefix exists if something is below it.
        if let Some(missing) = missing
            && sides.source.all_pages().next().await.transpose()?.is_none()
        {
            return Err(missing);
        }
        Ok(sides)
    }

    /// Whether the source is the very object of the target directory: then there is nothing to do.
    pub(super) fn is_onto_itself(&self) -> bool {
        self.source.shares_backend(&self.target)
            && self.source.prefix() == self.target.prefix()
            && self
                .single
                .as_ref()
                .is_some_and(|name| self.target.name_there(&self.target_path(name)) == name)
    }

    /// The path on the target of an object of the source.
    pub(super) fn target_path(&self, path: &Path) -> Path {
        self.recoder.as_ref().map_or_else(|| path.clone(), |recoder| recoder.target_path(path))
    }

    /// Whether an object of the target is one that a backup beside the objects keeps.
    pub(super) fn is_backup(&self, path: &Path) -> bool {
        self.backup.as_ref().is_some_and(|backup| backup.holds(path))
    }

    /// The place of a side.
    pub(super) fn side(&self, side: Side) -> &Reading {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    /// Times that differ by no more than this are equal.
    fn window(&self, options: &SyncOptions) -> Option<u64> {
        let window = options.modify_window.map(nanoseconds);
        modify_window(self.source.precision_ns(), self.target.precision_ns(), window)
    }

    /// How to compare what was listed.
    pub(super) fn compare_options(&self, options: &SyncOptions) -> CompareOptions {
        // A single object is looked up, not listed.
        let is_listed = self.single.is_none();
        let each = |holds: &dyn Fn(&Reading) -> bool| compare::Sides {
            source: holds(&self.source),
            target: holds(&self.target),
        };
        CompareOptions {
            write_times: each(&|side| is_listed && side.lists_writes),
            near: each(&|side| side.features().batches),
            ..options::compare_options(options, self.window(options))
        }
    }

    /// Batches for small objects, unless batching would only make them wait for each other.
    pub(super) fn batch<T>(&self, bandwidth: Option<u64>) -> Batch<T> {
        let of_many = [&self.source, &self.target].into_iter().all(|side| side.features().batches);
        if of_many { Batch::of_a_second(bandwidth) } else { Batch::of_one() }
    }

    /// The hash algorithm for objects whose listings carry none.
    pub(super) fn hash_algorithm(&self) -> HashAlgorithm {
        hash_algorithm(&self.source, &self.target)
    }
}

/// Refuses a name that is that of a directory, also where an object could stand beside it: whoever gives it means
/// something else.
async fn refuse_directory(directory: &Place, name: &Path) -> Result<(), Error> {
    let at = Place { path: directory.path.join(name)?, ..directory.clone() };
    match crate::objects::stat(&at).await {
        Ok(info) if info.kind == ObjectKind::Directory => Err(at
            .error(ErrorCode::IsDirectory, "a directory has this name: `copy` or `move` the object into it")),
        Err(error) if error.code() != ErrorCode::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether the filter excludes the directory of the source in which the target lies.
fn leaves_out(filter: &Filter, source: &Place, target: &Place) -> bool {
    let inside = target.path.strip_prefix(&source.path).filter(|inside| !inside.is_root());
    inside.is_some_and(|inside| {
        filter.excluded_above(&inside).is_some() || !filter.ruling_on_directory(&inside).is_included()
    })
}

/// Whether the filter excludes an object that lies in a place.
pub(super) fn leaves_out_object(filter: &Filter, place: &Place, object: &Place) -> bool {
    let inside = object.path.strip_prefix(&place.path).filter(|inside| !inside.is_root());
    inside.is_some_and(|inside| {
        filter.excluded_above(&inside).is_some()
            || !filter.ruling(&Entry::new(inside, ObjectKind::Object)).is_included()
    })
}

/// Opens the place of a backup. It must lie apart, so that no run takes what is kept for its own.
async fn open_backup(
    port: &Rc<dyn Storage>,
    backup: &types::Backup,
    [source, target]: [&Place; 2],
    filter: &Filter,
    attempts: u32,
) -> Result<Backup, Error> {
    let names = BackupNames { suffix: backup.suffix.clone(), keep_extension: backup.keep_extension };
    let (place, in_place) = match &backup.place {
        Some(place) => (Place::open(port, place.clone()).await?, false),
        None => (Place::open(port, target.location()).await?, true),
    };
    let overlaps = |other: &Place| place.overlap(other).is_some() && !leaves_out(filter, other, &place);
    if !in_place && (overlaps(source) || overlaps(target)) {
        let message = "the place of the backup overlaps with the source or the target: nothing was done";
        return Err(place.error(ErrorCode::InvalidArgument, message));
    }
    let prefix = place.path.clone();
    Ok(Backup { place: Reading::new(place, prefix, attempts, false).await, names, in_place })
}
