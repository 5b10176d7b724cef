//! Objects that changed on both sides: one version takes the name, the other is kept or replaced.

use omnistorage_core::{
    entry::Entry,
    sync::{
        bisync::conflict::{name, winning_side},
        merge::Side,
    },
};
use omnistorage_types::{BisyncAction, CopyRequest, Error, ErrorCode, Path};

use super::{
    act::{Actor, Conflicts, Settled, agreed, other},
    journal::done,
};
use crate::{
    planted::{self, Bug},
    sync::copying::as_it_is,
    sync::copying::copy_many,
    sync::removal::is_unchanged,
    sync::retry::retrying,
};

/// The reason for a conflict.
const BOTH: &str = "changed on both sides";

/// How many numbers are tried to find a free name.
const NUMBERS: u32 = 10_000;

impl Actor {
    /// Lets one version take the name. If this is interrupted after any step, the next run comes to the same result.
    pub(super) async fn resolve(
        &self,
        settled: &mut Settled,
        first: &Entry,
        second: &Entry,
    ) -> Result<(), (Side, Error)> {
        let told = self.winner(first, second).await.map_err(|error| (Side::Source, error))?;
        let from = told.unwrap_or(Side::Source);
        let (won, lost) = match from {
            Side::Source => (first, second),
            Side::Target => (second, first),
        };
        let to = other(from);
        let at_loser = |error| (to, error);
        let keeps_loser = self.conflicts.keep_loser && !planted::has(Bug::ReplacesLoser);
        if !keeps_loser && told.is_some() {
            settled.events.push(done(BisyncAction::Replaced, to, &settled.path, lost.size, BOTH));
            let brought = self.bring(settled, from, won, Some(lost), BOTH).await;
            if brought.is_err() {
                settled.events.clear();
            }
            return brought;
        }
        let name = self.free_name(&settled.path).await.map_err(at_loser)?;
        let (kept, is_moved) = match self.dry_run {
            true => (Entry { path: name.clone(), ..lost.clone() }, true),
            false => self.keep(to, lost, &name).await.map_err(at_loser)?,
        };
        settled.events.push(done(BisyncAction::Renamed, to, &settled.path, lost.size, name.as_str()));
        let replaced = (!is_moved).then_some(lost);
        self.bring(settled, from, won, replaced, BOTH).await?;
        if !self.dry_run {
            let written = self.transfer(to, &kept, None).await.map_err(|error| (from, error))?;
            settled.loser = Some(agreed(&name, to, &kept, &written));
        }
        settled.events.push(done(BisyncAction::Transferred, from, &name, kept.size, BOTH));
        Ok(())
    }

    /// The winning version, if that can be told. If the listings carry no times, the objects are looked up.
    async fn winner(&self, first: &Entry, second: &Entry) -> Result<Option<Side>, Error> {
        let Conflicts { winner, window_ns, .. } = self.conflicts;
        let told = winning_side(winner, first, second, window_ns);
        if told.is_some() || first.modified.and(second.modified).is_some() {
            return Ok(told);
        }
        let path = &first.path;
        Ok(match (self.ends.first.stat(path).await?, self.ends.second.stat(path).await?) {
            (Some(first), Some(second)) => winning_side(winner, &first, &second, window_ns),
            _ => None,
        })
    }

    /// The first free name with the suffix: not on either side, and not given away by this run.
    async fn free_name(&self, path: &Path) -> Result<Path, Error> {
        for number in 1..=NUMBERS {
            let name = name(path, &self.conflicts.suffix, number)?;
            let is_free = !self.given.borrow().contains(&name)
                && self.ends.first.stat(&name).await?.is_none()
                && self.ends.second.stat(&name).await?.is_none();
            if is_free {
                self.given.borrow_mut().insert(name.clone());
                return Ok(name);
            }
        }
        let message = format!("{NUMBERS} versions of it were kept already: see which can go");
        Err(self.ends.first.error(ErrorCode::AlreadyExists, path, &message))
    }

    /// Renames the losing version on its side, and returns whether the old name is free now.
    async fn keep(&self, side: Side, lost: &Entry, name: &Path) -> Result<(Entry, bool), Error> {
        let place = self.ends.place(side);
        if !is_unchanged(place, lost).await? {
            let message = "it changed once more meanwhile: the next run will see it";
            return Err(place.error(ErrorCode::Unavailable, &lost.path, message));
        }
        let (source, target) = (place.full(&lost.path)?, place.full(name)?);
        if place.features().move_to {
            let step = async || {
                match place
                    .backend()
                    .move_to(source.clone(), place.backend(), target.clone(), as_it_is())
                    .await
                {
                    // An earlier attempt succeeded, and its answer was lost.
                    Err(error) if error.code() == ErrorCode::NotFound => place.stat(name).await?.ok_or(error),
                    moved => place.entry(moved?),
                }
            };
            return Ok((retrying(&place.attempts, step).await?, true));
        }
        let copy = async || {
            let request = CopyRequest { source: source.clone(), target: target.clone(), options: as_it_is() };
            let copied = copy_many(place, place, vec![request]).await.pop();
            let message = "the backend gave no result for it";
            copied.unwrap_or_else(|| Err(place.error(ErrorCode::Other, &lost.path, message)))
        };
        Ok((place.entry(retrying(&place.attempts, copy).await?)?, false))
    }
}
