//! Creates directories, sets their times and removes them, once the objects are in place.
//!
//! They are not counted, and there are no events for them: a run is about objects. Beyond a limit, directories are left
//! to the next run.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use omnistorage_core::entry::{Entry, Timestamp};
use omnistorage_types::{Error, ErrorCode, Path};

use super::place::Writing;

/// How many directories of each kind are kept in memory.
const KEPT: usize = 10_000;

/// How many calls run at a time.
const CALLS: usize = 8;

/// The time of a directory on the target, compared with the source.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The same as on the source, and nothing in it has changed.
    Same,
    /// Different, or about to become so.
    Differs,
    /// The directory does not exist yet. It gets a time once something creates it.
    Missing,
}

/// What is to be done about the directories of a run.
#[derive(Default)]
pub(super) struct Directories {
    /// Directories of the source, by path: the time, and how the target's compares with it.
    times: BTreeMap<Path, (Timestamp, Standing)>,
    /// Only the source has them.
    missing: Vec<Path>,
    /// Only the target has them, and nothing that stays was seen in them.
    extra: BTreeSet<Path>,
    /// Those of the source, in the same order.
    source: Vec<Path>,
}

impl Directories {
    /// A directory of the source, and whether the target has it with the same time.
    pub(super) fn add_source(&mut self, source: &Entry, target: Option<&Entry>, window_ns: Option<u64>) {
        if self.source.len() >= KEPT {
            return;
        }
        self.source.push(source.path.clone());
        if target.is_none() {
            self.missing.push(source.path.clone());
        }
        let Some((window, modified)) = window_ns.zip(source.modified) else { return };
        let is_near =
            |other: Timestamp| other.nanoseconds_since(modified).unsigned_abs() <= u128::from(window);
        let standing = match target {
            None => Standing::Missing,
            Some(target) if target.modified.is_some_and(is_near) => Standing::Same,
            Some(_) => Standing::Differs,
        };
        self.times.insert(source.path.clone(), (modified, standing));
    }

    pub(super) fn add_extra(&mut self, path: Path) {
        if self.extra.len() < KEPT {
            self.extra.insert(path);
        }
    }

    /// Notes that something on the target stays, and so do the directories above it.
    pub(super) fn hold(&mut self, path: &Path) {
        // If a directory is not extra, neither are those above it.
        let above = std::iter::successors(path.parent(), Path::parent);
        for directory in above {
            if !self.extra.remove(&directory) {
                break;
            }
        }
    }

    /// What is in a directory of the target changed, and its time with it. One that was missing was made for it, which
    /// changed the directory above.
    pub(super) fn touch(&mut self, path: &Path) {
        for above in std::iter::successors(path.parent(), Path::parent) {
            let Some((_, standing)) = self.times.get_mut(&above) else { break };
            if std::mem::replace(standing, Standing::Differs) != Standing::Missing {
                break;
            }
        }
    }

    /// Makes those that are missing, with those that nothing is in.
    pub(super) async fn make(&mut self, target: &Writing) -> Vec<(Path, Error)> {
        if !target.0.features().directories {
            return Vec::new();
        }
        let missing = std::mem::take(&mut self.missing);
        let mut calls = stream::iter(missing)
            .map(async |path| {
                let made = match target.0.full(&path) {
                    Ok(full) => target.0.backend().mkdir(full).await,
                    Err(error) => Err(error),
                };
                (path, made)
            })
            .buffered(CALLS);
        let mut failed = Vec::new();
        while let Some((path, made)) = calls.next().await {
            match made {
                Ok(()) => self.made(&path),
                Err(error) => failed.push((path, error)),
            }
        }
        failed
    }

    /// A directory of the target is new, which changed the one above.
    fn made(&mut self, path: &Path) {
        if let Some((_, standing)) = self.times.get_mut(path) {
            *standing = Standing::Differs;
        }
        self.touch(path);
    }

    /// Removes directories that only the target has, deepest first. One that is not empty holds what was left alone,
    /// and stays.
    pub(super) async fn remove_extra(&mut self, target: &Writing) {
        for path in std::mem::take(&mut self.extra).iter().rev() {
            if remove(target, path).await {
                self.touch(path);
            }
        }
    }

    /// Removes directories of the source that have become empty.
    pub(super) async fn remove_source(&self, source: &Writing) {
        for path in self.source.iter().rev() {
            remove(source, path).await;
        }
    }

    /// Sets the times of the source on the target's directories, deepest first.
    pub(super) async fn set_times(&self, target: &Writing) -> Vec<(Path, Error)> {
        if !target.0.features().directories || !target.0.features().set_modified {
            return Vec::new();
        }
        let differing = self.times.iter().rev().filter(|(_, (_, standing))| *standing == Standing::Differs);
        let calls = stream::iter(differing).map(async |(path, (modified, _))| {
            let set = target.set_modified(path, *modified).await;
            // Somebody removed it meanwhile; or its times are not kept there.
            let passes = |error: &Error| {
                matches!(error.code(), ErrorCode::NotFound | ErrorCode::NotDirectory | ErrorCode::Unsupported)
            };
            set.err().filter(|error| !passes(error)).map(|error| (path.clone(), error))
        });
        calls.buffered(CALLS).filter_map(std::future::ready).collect().await
    }
}

async fn remove(place: &Writing, path: &Path) -> bool {
    match place.0.full(path) {
        Ok(full) if place.0.features().directories => place.0.backend().rmdir(full).await.is_ok(),
        _ => false,
    }
}
