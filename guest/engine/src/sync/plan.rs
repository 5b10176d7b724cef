//! Finds borders that cut a place into ranges, to share a run among machines.

use std::{collections::VecDeque, rc::Rc};

use futures::future::try_join_all;
use omnistorage_core::sync::cut::thinned;
use omnistorage_types::{Error, ErrorCode, KeyRange, Location, ObjectKind, Path};

use super::{options::require_room, place::Reading, probe::borders};
use crate::{place::Place, port::Storage};

/// The most ranges that may be asked for.
const MOST: u32 = 10_000;

/// How many parts are cut at once.
const AT_ONCE: usize = 8;

/// The most borders from one cut.
const OF_A_CUT: usize = 8;

/// Borders that are found for each one that is given, so that those can be chosen evenly.
const SPARE: usize = 4;

/// Attempts for one probe.
const ATTEMPTS: u32 = 3;

/// Borders from one search, at most so many.
pub(super) async fn cut(
    port: &Rc<dyn Storage>,
    at: Location,
    range: KeyRange,
    most: u32,
) -> Result<Vec<Path>, Error> {
    check("most", most, &range)?;
    let place = Place::open(port, at).await?;
    let prefix = place.path.clone();
    let place = Reading::new(place, prefix, ATTEMPTS, false).await;
    place.require_ranges()?;
    borders([&place], &range, most as usize).await
}

/// Refuses a number that is too small or too large, and a range in which no path can lie.
fn check(name: &str, number: u32, range: &KeyRange) -> Result<(), Error> {
    if !(1..=MOST).contains(&number) {
        let message = format!("`{name}` must be from 1 to {MOST}, not {number}");
        return Err(Error::new(ErrorCode::InvalidArgument, message));
    }
    require_room(range)
}

/// The borders, one less than the ranges, or fewer where there is nothing more to cut at. No more parts are cut than
/// ranges are asked for, so the requests are bounded.
pub(super) async fn plan(
    port: &Rc<dyn Storage>,
    at: Location,
    range: KeyRange,
    ranges: u32,
) -> Result<Vec<Path>, Error> {
    check("ranges", ranges, &range)?;
    let place = Place::open(port, at).await?;
    let is_there = match place.stat_to_list().await {
        Ok(info) if info.kind == ObjectKind::Directory => true,
        Ok(_) => return Err(place.error(ErrorCode::NotDirectory, "it is an object, not a directory")),
        Err(error) if error.code() == ErrorCode::NotFound => false,
        Err(error) => return Err(error),
    };
    let missing = place.error(ErrorCode::NotFound, "there is no such directory");
    let prefix = place.path.clone();
    let place = Reading::new(place, prefix, ATTEMPTS, false).await;
    place.require_ranges()?;
    if place.first_key(&KeyRange::default()).await?.is_none() && !is_there {
        return Err(missing);
    }
    let wanted = ranges as usize - 1;
    let (mut found, mut cuts) = (Vec::new(), 0);
    // Each part as long as the others have not been cut as often.
    let mut parts = VecDeque::from([range]);
    while found.len() < wanted * SPARE && cuts < ranges as usize && !parts.is_empty() {
        let now: Vec<_> = parts.drain(..parts.len().min(AT_ONCE).min(ranges as usize - cuts)).collect();
        cuts += now.len();
        let cut = try_join_all(now.iter().map(|part| borders([&place], part, OF_A_CUT))).await?;
        for (part, borders) in now.into_iter().zip(cut) {
            if borders.is_empty() {
                continue;
            }
            let begins = std::iter::once(part.after).chain(borders.iter().cloned().map(Some));
            let ends = borders.iter().cloned().map(Some).chain([part.until]);
            parts.extend(begins.zip(ends).map(|(after, until)| KeyRange { after, until }));
            found.extend(borders);
        }
    }
    found.sort_unstable();
    Ok(thinned(found, wanted))
}
