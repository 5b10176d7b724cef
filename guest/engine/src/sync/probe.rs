//! Finds borders of ranges by probes.

use futures::future::try_join_all;
use omnistorage_core::sync::cut::{Cut, CutStep};
use omnistorage_types::{Error, KeyRange, ListOptions, Listed, Path};

use super::{place::Reading, retry::retrying};
use crate::place::PAGE;

/// Where to cut a range of some places, at no more than so many borders: at keys of the first place that has any to cut
/// at.
pub(super) async fn borders<const N: usize>(
    places: [&Reading; N],
    range: &KeyRange,
    most: usize,
) -> Result<Vec<Path>, Error> {
    for place in places {
        let mut cut = Cut::new(range.clone(), most);
        let borders = loop {
            match cut.step() {
                CutStep::Done(borders) => break borders,
                CutStep::Probe(ranges) => {
                    cut.found(try_join_all(ranges.iter().map(|range| place.first_key(range))).await?);
                }
            }
        };
        if !borders.is_empty() {
            return Ok(borders);
        }
    }
    Ok(Vec::new())
}

impl Reading {
    /// The first path of a range, whatever stands there; names that cannot be listed are passed by.
    pub(super) async fn first_key(&self, range: &KeyRange) -> Result<Option<Path>, Error> {
        let KeyRange { after: start_after, until } = self.full_range(range)?;
        let options =
            ListOptions { recursive: true, start_after, until, limit: Some(1), ..ListOptions::default() };
        retrying(&self.attempts, async || {
            let listing = self.backend().list(self.prefix().clone(), options.clone()).await?;
            loop {
                let page = listing.next(PAGE).await?;
                let is_end = page.is_empty();
                for listed in page {
                    if let Listed::Entry(info) = listed {
                        return self.entry(info).map(|entry| Some(entry.path));
                    }
                }
                if is_end {
                    return Ok(None);
                }
            }
        })
        .await
    }
}
