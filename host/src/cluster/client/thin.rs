//! The borders that a run needs when its ranges are compared.

use crate::{
    Path, Result,
    ranges::{Extra, Stage, Tiles},
};

/// Where a range may end anywhere, those that have nothing to delete need no borders between them: the record of a run must fit
/// into one message, however many ranges there were.
pub(super) fn thinned(stage: Stage, tiles: Tiles) -> Result<(Stage, Tiles)> {
    let Stage::Deleting { sum, ranges } = stage else { return Ok((stage, tiles)) };
    let mut borders = Vec::new();
    let mut named = Vec::new();
    for extra in ranges {
        let range = tiles.range(extra.index)?;
        borders.extend(range.after.iter().chain(&range.until).cloned());
        named.push((range.after, extra));
    }
    borders.sort_unstable();
    borders.dedup();
    let tiles = Tiles::new(tiles.whole().clone(), borders);
    // What begins behind a border has the index behind that of what ends there.
    let behind = |after: &Path| tiles.borders().binary_search(after).map_or_else(|at| at, |at| at + 1);
    let index = |after: &Option<Path>| after.as_ref().map_or(0, behind);
    let ranges = named.iter().map(|(after, extra)| Extra { index: index(after), ..*extra }).collect();
    Ok((Stage::Deleting { sum, ranges }, tiles))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        KeyRange,
        ranges::{Counted, Counts},
        runtime::{Event, Report},
    };

    #[test]
    fn ranges_with_nothing_to_delete_need_no_borders_between_them() {
        let path = |text: &str| Path::parse(text).unwrap();
        let whole = KeyRange { after: Some(path("a")), until: None };
        let tiles = Tiles::new(whole, ["b", "c", "d", "e", "f", "g"].map(path));
        let extra = |index| Extra { index, extras: index as u64, waiting: 0, errors: 0 };
        let sum: Counts = Event::counts(Report::default());
        let stage = Stage::Deleting { sum, ranges: [0, 3, 4, 6].map(extra).to_vec() };
        let (stage, thin) = thinned(stage, tiles.clone()).unwrap();
        let Stage::Deleting { ranges, .. } = stage else { panic!("{stage:?}") };
        assert_eq!(thin.borders(), ["b", "d", "e", "f", "g"].map(path));
        for extra in ranges {
            let before = usize::try_from(extra.extras).unwrap();
            assert_eq!(thin.range(extra.index).unwrap(), tiles.range(before).unwrap());
        }
    }
}
