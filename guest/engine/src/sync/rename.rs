//! Tracks renames: an object renamed on the source is moved on the target instead of being sent again.

use omnistorage_core::{
    entry::{Entry, HashAlgorithm, Timestamp},
    sync::rename::{RenameStrategy, Renames, candidates, renames},
};
use omnistorage_types::{CopyRequest, Error, ErrorCode, WriteCondition, WriteOptions};

use super::{
    contents::hashes,
    copying::as_it_is,
    copying::copy_many,
    place::{Reading, Writing},
    removal::{Doomed, delete_seen},
    retry::retrying,
    sides::Sides,
};

/// How many objects one call hashes.
const MANY: usize = 128;

/// Objects that only one side has, held until both listings have ended.
#[derive(Default)]
pub(super) struct Unmatched {
    pub(super) missing: Vec<Entry>,
    pub(super) extra: Vec<Entry>,
}

impl Unmatched {
    /// Whether the target can move an object at all.
    pub(super) fn can_rename(target: &Reading) -> bool {
        target.features().move_to || target.features().copy
    }

    /// Matches objects of both sides that are the same.
    pub(super) async fn sort_out(mut self, sides: &Sides, strategy: RenameStrategy) -> Renames {
        if strategy.hash {
            let algorithm = sides.hash_algorithm();
            let (from, to) = (candidates(&self.missing, &self.extra), candidates(&self.extra, &self.missing));
            add_hashes(&sides.source, &mut self.missing, &from, algorithm).await;
            add_hashes(&sides.target, &mut self.extra, &to, algorithm).await;
        }
        renames(self.missing, self.extra, strategy)
    }
}

/// An object whose hash is not available is no rename.
async fn add_hashes(side: &Reading, entries: &mut [Entry], positions: &[usize], algorithm: HashAlgorithm) {
    let unknown = |position: &&usize| {
        let known = |entry: &Entry| entry.hashes.iter().any(|hash| hash.algorithm == algorithm);
        entries.get(**position).is_some_and(|entry| !known(entry))
    };
    let unknown: Vec<usize> = positions.iter().filter(unknown).copied().collect();
    for positions in unknown.chunks(MANY) {
        let paths: Vec<_> =
            positions.iter().filter_map(|&position| entries.get(position)).map(|entry| &entry.path).collect();
        let found = hashes(side, &paths, algorithm).await;
        for (&position, hash) in positions.iter().zip(found) {
            if let (Some(entry), Ok(hash)) = (entries.get_mut(position), hash) {
                entry.hashes.push(hash);
            }
        }
    }
}

/// The result of a rename.
pub(super) enum Renamed {
    /// The object has its new name.
    Moved,
    /// The object exists under both names: the old one could not be deleted.
    Copied(Error),
    /// The object still has its old name only.
    Failed,
    /// It is not known which name the object has.
    Unknown(Error),
}

/// Moves an object of the target to the path of the source, with the time that it has there if it is known.
pub(super) async fn rename(
    target: &Writing,
    source: &Entry,
    modified: Option<Timestamp>,
    from: &Entry,
    condition: WriteCondition,
) -> Renamed {
    match try_rename(target, source, modified, from, condition).await {
        Ok(()) => Renamed::Moved,
        // The answer of what was done may be lost: what is there tells.
        Err(error) => match (target.0.stat(&from.path).await, target.0.stat(&source.path).await) {
            (Ok(None), Ok(Some(new))) if new.size == source.size => Renamed::Moved,
            // Whose it is shows when it is sent.
            (Ok(Some(_)), Ok(Some(_))) if error.code() == ErrorCode::PreconditionFailed => Renamed::Failed,
            (Ok(Some(_)), Ok(Some(new))) if new.size == source.size => Renamed::Copied(error),
            (Ok(Some(_)), Ok(_)) => Renamed::Failed,
            _ => Renamed::Unknown(error),
        },
    }
}

async fn try_rename(
    target: &Writing,
    source: &Entry,
    modified: Option<Timestamp>,
    from: &Entry,
    condition: WriteCondition,
) -> Result<(), Error> {
    let modified = modified.filter(|_| target.0.features().set_modified);
    let options = WriteOptions { condition, modified, expected_size: source.size, ..as_it_is() };
    let (old, new) = (target.0.full(&from.path)?, target.0.full(&source.path)?);
    if target.0.features().move_to {
        let call = async || {
            target.0.backend().move_to(old.clone(), target.0.backend(), new.clone(), options.clone()).await
        };
        return retrying(&target.0.attempts, call).await.map(drop);
    }
    let call = async || {
        let request = CopyRequest { source: old.clone(), target: new.clone(), options: options.clone() };
        copy_many(&target.0, &target.0, vec![request]).await.into_iter().collect::<Result<Vec<_>, _>>()
    };
    retrying(&target.0.attempts, call).await?;
    delete_seen(target, &[&Doomed::from(from)]).await.into_iter().collect()
}
