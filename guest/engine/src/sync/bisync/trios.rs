//! Merges both listings and the state while they stream.

use futures::StreamExt;
use omnistorage_core::{
    entry::{Listed, ListingFailure},
    sync::{
        bisync::{Trio, TrioStep, Trios as Merge},
        merge::Side,
    },
};
use omnistorage_types::{Error, ErrorCode};

use super::{ends::Ends, state::Records};
use crate::sync::pages::Pages;

/// The next item of the merge.
pub(super) enum Found {
    /// A path that the filter includes.
    Trio(Box<Trio>),
    /// A failure of a listing, of a path that the filter includes.
    Failed { side: Side, failure: Box<ListingFailure> },
}

/// The merge, with its inputs.
pub(super) struct Trios<'a> {
    ends: &'a Ends,
    merge: Merge,
    first: Pages,
    second: Pages,
    records: Option<Records<'a>>,
}

impl<'a> Trios<'a> {
    /// Starts from the beginning, with the records of the state, if there are any.
    pub(super) fn new(ends: &'a Ends, records: Option<Records<'a>>) -> Self {
        let pages = |side| ends.place(side).pages(ends.filter.clone());
        Self { ends, merge: Merge::new(), first: pages(Side::Source), second: pages(Side::Target), records }
    }

    /// The next item; `None` after the last path.
    pub(super) async fn next(&mut self) -> Result<Option<Found>, Error> {
        loop {
            let step = self.merge.next().map_err(|why| Error::new(ErrorCode::Other, why.to_string()))?;
            match step {
                TrioStep::Need(side) => {
                    let pages = if side == Side::Source { &mut self.first } else { &mut self.second };
                    match pages.next().await {
                        Some(page) => {
                            let is_meant = |listed: &Listed| match listed {
                                Listed::Entry(entry) => self.ends.filter.ruling(entry).is_included(),
                                Listed::Failure(failure) => self.ends.filter.asks_for(&failure.what),
                            };
                            self.merge.push(side, page?.into_iter().filter(is_meant).collect());
                        }
                        None => self.merge.end(side),
                    }
                }
                TrioStep::NeedRecords => {
                    let more = match &mut self.records {
                        Some(records) => records.next().await?,
                        None => None,
                    };
                    match more {
                        Some(records) => self.merge.push_records(records),
                        None => self.merge.end_records(),
                    }
                }
                TrioStep::Failed { side, failure } => return Ok(Some(Found::Failed { side, failure })),
                TrioStep::Trio(trio) => return Ok(Some(Found::Trio(trio))),
                TrioStep::End => return Ok(None),
            }
        }
    }
}
