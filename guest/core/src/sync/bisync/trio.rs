//! The merge of three sorted sequences: two listings, and what is known of both.

use std::{cmp::Ordering, collections::VecDeque};

use omnistorage_path::Path;

use super::Record;
use crate::{
    entry::Entry,
    sync::merge::{Merge, MergeError, Side, Step},
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
    /// What is known of both.
    pub record: Option<Record>,
}

/// What the merge has next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrioStep {
    /// Nothing before more of this listing is pushed, or its end told. The first place is the source.
    Need(Side),
    /// Nothing before more records are pushed, or their end told.
    NeedRecords,
    /// A path.
    Trio(Box<Trio>),
    /// All three are through.
    End,
}

/// The merge. It holds what was pushed and not yet given.
#[derive(Debug, Default)]
pub struct Trios {
    listings: Merge,
    /// What the listings gave, while it has to wait for the records.
    pair: Option<(Path, Option<Entry>, Option<Entry>)>,
    listings_ended: bool,
    records: VecDeque<Record>,
    records_ended: bool,
}

impl Trios {
    /// Of three sequences of which nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands in the next entries of a listing.
    pub fn push(&mut self, side: Side, entries: Vec<Entry>) {
        self.listings.push(side, entries);
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
            self.pair = match self.listings.next()? {
                Step::Need(side) => return Ok(TrioStep::Need(side)),
                Step::SourceOnly(first) => Some((first.path.clone(), Some(first), None)),
                Step::TargetOnly(second) => Some((second.path.clone(), None, Some(second))),
                Step::Both { source, target } => Some((source.path.clone(), Some(source), Some(target))),
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
            (Some((path, ..)), Some(record)) => path.cmp(&record.path),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return Ok(TrioStep::End),
        };
        let record = if order.is_ge() { self.records.pop_front() } else { None };
        let pair = if order.is_le() { self.pair.take() } else { None };
        let (path, first, second) = match (pair, &record) {
            (Some(pair), _) => pair,
            (None, Some(record)) => (record.path.clone(), None, None),
            (None, None) => return Ok(TrioStep::End),
        };
        Ok(TrioStep::Trio(Box::new(Trio { path, first, second, record })))
    }
}
