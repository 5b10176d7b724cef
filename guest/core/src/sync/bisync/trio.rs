//! The merge of three sorted sequences: two listings, and what is known about both.

use std::{cmp::Ordering, collections::VecDeque};

use omnistorage_types::Path;

use super::Record;
use crate::{
    entry::{Entry, Listed, ListingFailure},
    sync::{
        hidden::Hidden,
        merge::{Merge, MergeError, Side, Step},
    },
};

/// A path, and who has what of it. One of the three is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trio {
    /// The path.
    pub path: Path,
    /// What the first place lists.
    pub first: Option<Entry>,
    /// What the second place lists.
    pub second: Option<Entry>,
    /// What is known about both.
    pub record: Option<Record>,
    /// A listing failed here: what is missing may be there all the same.
    pub is_uncertain: bool,
}

/// What the merge has next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrioStep {
    /// Nothing before more of this listing is pushed, or its end reported. The first place is the source.
    Need(Side),
    /// Nothing before more records are pushed, or their end reported.
    NeedRecords,
    /// What a side could not list, and why. It comes before all paths that it makes uncertain.
    Failed {
        /// Whose listing.
        side: Side,
        /// What is missing there.
        failure: Box<ListingFailure>,
    },
    /// A path.
    Trio(Box<Trio>),
    /// All three are through.
    End,
}

/// The merge. It holds what was pushed and not yet given.
#[derive(Debug)]
pub struct Trios {
    listings: Merge,
    /// What the listings gave, while it has to wait for the records.
    pair: Option<Pair>,
    /// What either side could not list.
    hidden: Hidden,
    listings_ended: bool,
    records: VecDeque<Record>,
    records_ended: bool,
}

/// What the listings say about a path.
#[derive(Debug)]
struct Pair {
    path: Path,
    first: Option<Entry>,
    second: Option<Entry>,
    is_uncertain: bool,
}

impl Default for Trios {
    fn default() -> Self {
        Self::new()
    }
}

impl Trios {
    /// Of three sequences of which nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            listings: Merge::new(),
            pair: None,
            hidden: Hidden::new(),
            listings_ended: false,
            records: VecDeque::new(),
            records_ended: false,
        }
    }

    /// Hands in the next entries of a listing.
    pub fn push(&mut self, side: Side, page: Vec<Listed>) {
        self.listings.push(side, page);
    }

    /// Tells that a listing is complete.
    pub fn end(&mut self, side: Side) {
        self.listings.end(side);
    }

    /// Hands in the next records. Whoever read them has checked their order.
    pub fn push_records(&mut self, records: impl IntoIterator<Item = Record>) {
        self.records.extend(records);
    }

    /// Tells that there are no more records.
    pub const fn end_records(&mut self) {
        self.records_ended = true;
    }

    /// The next step, in byte order of the paths.
    ///
    /// # Errors
    /// What is wrong with a listing.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end where this one asks for more")]
    pub fn next(&mut self) -> Result<TrioStep, MergeError> {
        if self.pair.is_none() && !self.listings_ended {
            let step = self.listings.next()?;
            let is_uncertain = matches!(step, Step::Unknown { .. });
            let pair = |path, first, second| Some(Pair { path, first, second, is_uncertain });
            self.pair = match step {
                Step::Need(side) => return Ok(TrioStep::Need(side)),
                Step::Failed { side, failure } => {
                    self.hidden.add(&failure.what);
                    return Ok(TrioStep::Failed { side, failure });
                }
                Step::SourceOnly(first) | Step::Unknown { side: Side::Source, entry: first } => {
                    pair(first.path.clone(), Some(first), None)
                }
                Step::TargetOnly(second) | Step::Unknown { side: Side::Target, entry: second } => {
                    pair(second.path.clone(), None, Some(second))
                }
                Step::Both { source, target } => pair(source.path.clone(), Some(source), Some(target)),
                Step::End => {
                    self.listings_ended = true;
                    None
                }
            };
        }
        if self.records.is_empty() && !self.records_ended {
            return Ok(TrioStep::NeedRecords);
        }
        let order = match (&self.pair, self.records.front()) {
            (Some(pair), Some(record)) => pair.path.cmp(&record.path),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return Ok(TrioStep::End),
        };
        let record = if order.is_ge() { self.records.pop_front() } else { None };
        let pair = if order.is_le() { self.pair.take() } else { None };
        let Pair { path, first, second, is_uncertain } = match (pair, &record) {
            (Some(pair), _) => pair,
            (None, Some(record)) => Pair {
                path: record.path.clone(),
                first: None,
                second: None,
                is_uncertain: self.hidden.holds(&record.path),
            },
            (None, None) => return Ok(TrioStep::End),
        };
        Ok(TrioStep::Trio(Box::new(Trio { path, first, second, record, is_uncertain })))
    }
}
