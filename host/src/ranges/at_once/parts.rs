//! How a run is shared.

use crate::{
    ErrorCode, Location, ObjectKind, Path, Result,
    ranges::tiles::{Tiles, are_flat, look},
    runtime::{Storage, SyncOptions},
};

/// Ranges cut for each that is at work.
const CUTS: u32 = 2;
/// The most that [`Storage::plan`] takes.
const MOST_CUTS: u32 = 10_000;

/// How many ranges are cut for so many at work.
fn cuts(at_work: u32) -> u32 {
    at_work.saturating_mul(CUTS).min(MOST_CUTS)
}

/// What a run is shared into.
pub(super) enum Parts {
    /// These, which are cut beforehand.
    Fixed(Tiles),
    /// Whatever whoever is free takes from the others.
    Moving,
}

impl Parts {
    /// How a run can be shared among so many at work; `None`: it cannot.
    ///
    /// # Errors
    /// As [`Storage::plan`] and [`Storage::stat`]. Whatever is wrong with the source, one run says.
    pub(super) async fn of(
        storage: &Storage,
        [source, target]: [&Location; 2],
        options: &SyncOptions,
        at_work: u32,
    ) -> Result<Option<Self>> {
        if at_work < 2 {
            return Ok(None);
        }
        if !are_flat(storage, [source, target]).await? {
            return match Tiles::cut(storage, [source, target], options, cuts(at_work)).await {
                Ok(tiles) if tiles.count() == 1 => Ok(None),
                Ok(tiles) => Ok(Some(Self::Fixed(tiles))),
                Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::NotDirectory) => {
                    Ok(None)
                }
                Err(error) => Err(error),
            };
        }
        let source = look(storage, source, &Path::root()).await?;
        Ok((source == Some(ObjectKind::Directory)).then_some(Self::Moving))
    }
}
