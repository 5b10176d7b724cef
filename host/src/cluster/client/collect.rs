//! What of a phase is done, and what is missing.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Error, ErrorCode, Result,
    cluster::{
        cover::Cover,
        entry::Entry,
        queue::{Phase, Work},
    },
    ranges::{Done, Extra, Tiles},
};

/// The work of a phase.
pub(super) enum Collection {
    /// All of the run is to be compared, in whatever ranges.
    Merge(Cover),
    /// These ranges are to be done.
    Each { phase: Phase, tiles: Tiles, missing: BTreeSet<usize>, done: BTreeMap<usize, Done> },
}

impl Collection {
    pub(super) fn merge(tiles: &Tiles) -> Self {
        Self::Merge(Cover::new(tiles.whole().clone()))
    }

    pub(super) fn delete(tiles: Tiles, ranges: &[Extra]) -> Self {
        let missing = ranges.iter().map(|extra| extra.index).collect();
        Self::Each { phase: Phase::Delete, tiles, missing, done: BTreeMap::new() }
    }

    /// Of the one look at all directories.
    pub(super) fn tidy(tiles: &Tiles) -> Self {
        let tiles = Tiles::new(tiles.whole().clone(), []);
        Self::Each { phase: Phase::Tidy, tiles, missing: BTreeSet::from([0]), done: BTreeMap::new() }
    }

    pub(super) fn phase(&self) -> Phase {
        match self {
            Self::Merge(_) => Phase::Merge,
            Self::Each { phase, .. } => *phase,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::Merge(cover) => cover.is_complete(),
            Self::Each { missing, .. } => missing.is_empty(),
        }
    }

    /// What is missing, as far as is known.
    pub(super) fn missing(&self) -> Vec<Work> {
        match self {
            Self::Merge(cover) => cover.gaps().iter().map(|gap| Work::merge(gap, 1.0)).collect(),
            Self::Each { phase: Phase::Tidy, .. } => vec![Work::Tidy],
            Self::Each { missing, .. } => {
                missing.iter().map(|index| Work::Delete { index: *index }).collect()
            }
        }
    }

    /// Takes in that something is done; whether that is new.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`] for an entry that is none of the run.
    pub(super) fn take(&mut self, name: &str, entry: &Entry) -> Result<bool> {
        let odd = || {
            let message = format!("the ledger has an entry `{name}` that does not fit the run");
            Error::new(ErrorCode::Corrupted, message)
        };
        let range = entry.bounds.range()?;
        let counts = entry.outcome.clone().into();
        let of_it = Done { range, counts, waiting: entry.waiting };
        match self {
            Self::Merge(_) if entry.bounds.name() != name => Err(odd()),
            Self::Merge(cover) => cover.take(of_it),
            Self::Each { tiles, missing, done, .. } => {
                let index = name.parse().map_err(|_| odd())?;
                if !missing.contains(&index) {
                    return Ok(false);
                }
                if tiles.range(index)? != of_it.range {
                    return Err(odd());
                }
                missing.remove(&index);
                done.insert(index, of_it);
                Ok(true)
            }
        }
    }

    /// The ranges, and what came of them.
    pub(super) fn into_done(self) -> (Tiles, BTreeMap<usize, Done>) {
        match self {
            Self::Merge(cover) => cover.into_tiles(),
            Self::Each { tiles, done, .. } => (tiles, done),
        }
    }
}
