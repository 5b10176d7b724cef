//! What stands on the target in the place of something else: a directory where an object should be, or an object where
//! a directory should.
//!
//! A sync that deletes makes room. What is in the way is extra, and goes with all that is extra, under the same guards;
//! what needs the place waits until then. The listings are merged once more for it, and nothing else of them is looked
//! at. Without deletes the object alone fails.

use std::collections::BTreeMap;

use futures::StreamExt;
use omnistorage_core::{
    entry::{Entry, Listed, ObjectKind},
    sync::{
        compare::Reason,
        filter::{Filter, Ruling},
        merge::Side,
    },
};
use omnistorage_types::{Action, Deletion, Error, ErrorCode, Path};

use super::Run;
use crate::sync::{
    fence::Seen,
    memo::Recalling,
    pair::Pair,
    pairs::{Pairs, Step},
};

/// The advice where nothing is deleted.
pub(super) const ADVICE: &str = "delete it or move it away, or let a sync delete it";

/// The kind of obstacle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// A directory in the place of the object with that path.
    Directory,
    /// An object in the place of a directory that objects below that path need.
    Object,
}

/// Objects that only the target has, of those that were met last: what comes next may need a directory in their place.
/// All that sorts between an object and what is below its path begins with its path, so these are few.
#[derive(Default)]
pub(super) struct Standing(Vec<Path>);

impl Standing {
    pub(super) fn add(&mut self, object: &Path) {
        while self.0.pop_if(|last| !object.as_str().starts_with(last.as_str())).is_some() {}
        self.0.push(object.clone());
    }

    fn above(&self, path: &Path) -> Option<&Path> {
        self.0.iter().find(|object| path.starts_with(object))
    }
}

/// Objects that wait for room, by their path or by that of the directory that they need.
#[derive(Default)]
pub(super) struct Wanted(BTreeMap<Path, Obstacle>);

/// The objects that now have room, and why the others do not.
pub(super) struct Rooms(BTreeMap<Path, (Obstacle, Result<(), Error>)>);

impl Rooms {
    /// Whether a path was waiting, and whether there is room for it.
    fn find(&self, path: &Path) -> Option<&Result<(), Error>> {
        if let Some((_, room)) = self.0.get(path) {
            return Some(room);
        }
        let above = std::iter::successors(path.parent(), Path::parent);
        above
            .filter_map(|directory| self.0.get(&directory))
            .find_map(|(obstacle, room)| (*obstacle == Obstacle::Object).then_some(room))
    }
}

/// The contents of a directory that is in the way.
enum Found {
    /// Something that must stay.
    Staying(Path),
    /// Only directories, each before those inside it.
    Directories(Vec<Path>),
}

impl Run {
    /// Whether obstacles may wait for the deletes.
    pub(super) fn may_make_room(&self) -> bool {
        self.options.deletion != Deletion::None && self.rooms.is_none()
    }

    /// Lets an object wait whose place is a directory, if that may go.
    pub(super) fn want(&mut self, source: &Entry) {
        if self.may_make_room() {
            self.wanted.0.insert(source.path.clone(), Obstacle::Directory);
            return;
        }
        let at = self.sides.target_path(&source.path);
        let message = format!("a directory stands where an object should: {ADVICE}");
        let error = self.sides.target.error(ErrorCode::IsDirectory, &at, &message);
        self.fail(&source.path, error);
    }

    /// An object that only the source has: whether something stands where it needs a directory, which is seen to then.
    pub(super) fn lacks_directory(&mut self, source: &Entry) -> bool {
        if self.standing.0.is_empty() {
            return false;
        }
        let Some(object) = self.standing.above(&self.sides.target_path(&source.path)).cloned() else {
            return false;
        };
        if self.may_make_room() {
            self.wanted.0.insert(object, Obstacle::Object);
            return true;
        }
        // A store without real directories may have both.
        if !self.sides.target.features().directories {
            return false;
        }
        let message = format!("an object stands where `{}` needs a directory: {ADVICE}", source.path);
        let error = self.sides.target.error(ErrorCode::NotDirectory, &object, &message);
        self.fail(&source.path, error);
        true
    }

    /// Fails those, before anything is deleted, for which there will be no room whatever is deleted.
    pub(super) async fn foresee_room(&mut self) {
        let directories = self.wanted.0.iter().filter(|(_, obstacle)| **obstacle == Obstacle::Directory);
        let directories: Vec<_> = directories.map(|(path, _)| path.clone()).collect();
        for path in directories {
            let error = match self.look_into(&self.sides.target_path(&path), false).await {
                Ok(Found::Directories(_)) => continue,
                Ok(Found::Staying(staying)) => self.staying(&path, &staying),
                Err(error) => error,
            };
            self.wanted.0.remove(&path);
            self.fail(&path, error);
        }
    }

    /// Lets what waits have its place, after the deletes; `withheld` if there were none because of errors.
    pub(super) async fn make_room(&mut self, withheld: bool) -> Result<(), Error> {
        let wanted = std::mem::take(&mut self.wanted).0;
        if wanted.is_empty() {
            return Ok(());
        }
        let is_held = self.options.hold_deletes;
        if self.journal.report.stopped.is_some() || is_held {
            let reason = if is_held { Reason::DeletesHeld } else { Reason::LimitReached };
            let objects = wanted.iter().filter(|(_, obstacle)| **obstacle == Obstacle::Directory);
            for (path, _) in objects {
                self.journal.tell(Action::Skipped, path, None, reason);
            }
            return Ok(());
        }
        let mut rooms = BTreeMap::new();
        for (path, obstacle) in wanted {
            let room = match obstacle {
                _ if withheld => {
                    let message =
                        "it is in the way of what the source has, and was not deleted because of errors";
                    Err(self.sides.target.error(ErrorCode::AlreadyExists, &path, message))
                }
                _ if self.carrier.is_none() => Ok(()),
                Obstacle::Directory => self.clear(&path).await,
                Obstacle::Object => self.is_gone(&path).await,
            };
            rooms.insert(path, (obstacle, room));
        }
        self.rooms = Some(Rooms(rooms));
        let pairs = Recalling::new(Pairs::new(&self.sides).await?, None);
        self.transfer_all(Some(pairs)).await
    }

    /// Handles a step of the merge that places the waiting objects, and returns whether it was the last.
    pub(super) fn take_wanted(&mut self, step: Step) -> bool {
        let (source, target) = match step {
            Step::SourceOnly(source) => (source, None),
            Step::Both { source, target } => (source, Some(target)),
            Step::Failed { side, failure } => {
                self.fail_listed(side, *failure);
                return false;
            }
            Step::Unknown { side: Side::Source, entry } => {
                let waited = self.rooms.as_ref().is_some_and(|rooms| rooms.find(&entry.path).is_some());
                if waited && entry.kind == ObjectKind::Object {
                    self.skip(&entry, Reason::Unlisted);
                }
                return false;
            }
            Step::TargetOnly(_) | Step::Unknown { .. } | Step::Need(_) => return false,
            Step::End => return true,
        };
        let room = self.rooms.as_ref().and_then(|rooms| rooms.find(&source.path));
        let Some(room) = room else { return false };
        match (room, target) {
            (Ok(()), _) if source.kind == ObjectKind::Directory => {
                self.directories.add_source(&source, None, self.compare.window_ns);
            }
            _ if source.kind != ObjectKind::Object => {}
            (Err(error), _) => {
                let error = error.clone();
                self.fail(&source.path, error);
            }
            // Another process was faster.
            (Ok(()), Some(target)) if target.kind == ObjectKind::Object => {
                self.decide(Pair::listed(source, target), self.compare);
            }
            // In a dry run it still exists.
            (Ok(()), _) => self.queue(source, Reason::MissingOnTarget, Seen::Nothing),
        }
        false
    }

    /// Removes a directory that is in the way, with the directories in it.
    async fn clear(&self, path: &Path) -> Result<(), Error> {
        let (target, directory) = (&self.sides.target, self.sides.target_path(path));
        let directories = match self.look_into(&directory, true).await? {
            Found::Directories(directories) => directories,
            Found::Staying(staying) => return Err(self.staying(path, &staying)),
        };
        if !target.features().directories {
            return Ok(());
        }
        for directory in directories.iter().rev().chain([&directory]) {
            match target.backend().rmdir(target.full(directory)?).await {
                Ok(()) => {}
                // It is no directory any more, or was none: what needs the place will tell.
                Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::NotDirectory) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn is_gone(&self, object: &Path) -> Result<(), Error> {
        match self.sides.target.stat(object).await? {
            Some(entry) if entry.kind != ObjectKind::Directory => {
                let message = "it stands where a directory should, and was not deleted: move it away";
                Err(self.sides.target.error(ErrorCode::NotDirectory, object, message))
            }
            _ => Ok(()),
        }
    }

    fn staying(&self, path: &Path, staying: &Path) -> Error {
        let message = format!(
            "a directory stands where an object should, and `{staying}` is not to be deleted: move it away"
        );
        self.sides.target.error(ErrorCode::IsDirectory, &self.sides.target_path(path), &message)
    }

    /// What a directory of the target will hold once all that is extra is deleted, or holds after that.
    async fn look_into(&self, directory: &Path, is_after: bool) -> Result<Found, Error> {
        let filter = self.sides.filter.for_target();
        // The depth limit does not apply here.
        let is_excluded = |directory: &Path| {
            let ruling = filter.ruling_on_directory(directory);
            !ruling.is_included() && !matches!(ruling, Ruling::TooDeep(_))
        };
        if is_excluded(directory) {
            return Ok(Found::Staying(directory.clone()));
        }
        let mut directories = Vec::new();
        let mut pages = self.sides.target.pages_below(directory)?;
        while let Some(page) = pages.next().await {
            for listed in page? {
                let entry = match listed {
                    Listed::Entry(entry) => entry,
                    Listed::Failure(failure) => return Err(failure.error),
                };
                let goes = match entry.kind {
                    ObjectKind::Directory => !is_excluded(&entry.path),
                    ObjectKind::Object => !is_after && self.is_deletable(&filter, &entry),
                    ObjectKind::Symlink | ObjectKind::Special => false,
                };
                if !goes {
                    return Ok(Found::Staying(entry.path));
                }
                if entry.kind == ObjectKind::Directory {
                    directories.push(entry.path);
                }
            }
        }
        Ok(Found::Directories(directories))
    }

    fn is_deletable(&self, filter: &Filter, entry: &Entry) -> bool {
        !self.sides.is_backup(&entry.path)
            && self.sides.range.spans(entry.path.as_str())
            && filter.excluded_above(&entry.path).is_none()
            && self.sides.filter.screen(Step::TargetOnly(entry.clone())).is_some()
    }
}
