//! What a pass tells of objects that an earlier pass told of already: it is told once.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    ranges::{counts::Counts, pass::Pass},
    runtime::{Action, CheckEntry, Event, Report},
};

/// Failures of a range that are kept in mind. One that is beyond is told again if it fails again.
const FAILURES: usize = 10_000;

/// Why an object waits for the deletes: the word of the component.
const HELD: &str = "what is in its place is extra, and deletes are held";

/// Whether an event says that an object waits for the deletes.
pub(crate) fn is_held_back(event: &Event) -> bool {
    event.action == Action::Skipped && event.reason.as_deref() == Some(HELD)
}

/// What jobs of a range tell, put in order for whoever follows the whole run.
pub(super) trait Tells: Sized {
    /// What was told of a range so far.
    type Told: Default + Send;

    /// What follows from a pass telling this; `None`: nothing yet, or nothing any more.
    fn told(self, so_far: &mut Self::Told, pass: Telling) -> Option<Self>;

    /// How many objects wait for the deletes.
    fn waiting(so_far: &Self::Told) -> u64;

    /// What waited, and what nothing more becomes of.
    fn given_up(so_far: Self::Told) -> Vec<Self>;

    /// The counts of a pass behind the first one, by what was told.
    fn told_counts(so_far: &mut Self::Told, counts: Counts, telling: Telling) -> Counts;
}

/// Which pass tells something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    First,
    /// Whatever it does was not done before.
    Later,
    /// A dry run: what it says may have been said before.
    LaterDry,
    /// About directories.
    Last,
}

impl Telling {
    pub(super) const fn of(pass: Pass, dry_run: bool) -> Self {
        match pass {
            Pass::Merge => Self::First,
            Pass::Delete { .. } if dry_run => Self::LaterDry,
            Pass::Delete { .. } => Self::Later,
        }
    }
}

/// The events of a range.
#[derive(Default)]
pub(super) struct Events {
    waiting: BTreeMap<String, Event>,
    failed: BTreeSet<String>,
    /// Of the pass at work, if it is not the first.
    tally: Report,
}

impl Tells for Event {
    type Told = Events;

    fn told(self, so_far: &mut Events, telling: Telling) -> Option<Self> {
        if telling == Telling::First {
            if is_held_back(&self) {
                so_far.waiting.insert(self.path.clone(), self);
                return None;
            }
            if self.action == Action::Failed && so_far.failed.len() < FAILURES {
                so_far.failed.insert(self.path.clone());
            }
            return Some(self);
        }
        let waited = so_far.waiting.remove(&self.path).is_some();
        let is_new = match self.action {
            Action::Deleted => true,
            Action::Failed => waited || !so_far.failed.contains(&self.path),
            Action::Skipped => waited,
            Action::Transferred | Action::UpdatedTime | Action::Renamed | Action::SourceRemoved => {
                waited || telling != Telling::LaterDry
            }
        };
        if !is_new {
            return None;
        }
        let tally = &mut so_far.tally;
        *match self.action {
            Action::Transferred => {
                tally.bytes += self.size.unwrap_or(0);
                &mut tally.transferred
            }
            Action::UpdatedTime => &mut tally.updated_times,
            Action::Deleted => &mut tally.deleted,
            Action::Renamed => &mut tally.renamed,
            Action::SourceRemoved => &mut tally.sources_removed,
            Action::Skipped => &mut tally.skipped,
            Action::Failed => &mut tally.errors,
        } += 1;
        Some(self)
    }

    fn waiting(so_far: &Events) -> u64 {
        so_far.waiting.len() as u64
    }

    fn given_up(so_far: Events) -> Vec<Self> {
        so_far.waiting.into_values().collect()
    }

    fn told_counts(so_far: &mut Events, counts: Counts, telling: Telling) -> Counts {
        let tally = std::mem::take(&mut so_far.tally);
        if telling != Telling::Last {
            // What waited and is gone by now is nobody's any more.
            so_far.waiting.clear();
        }
        match counts {
            Counts::Sync(Report { deletes_withheld, stopped, .. }) => {
                Counts::Sync(Report { deletes_withheld, stopped, ..tally })
            }
            Counts::Check(_) => counts,
        }
    }
}

impl Tells for CheckEntry {
    type Told = ();

    fn told(self, (): &mut (), _: Telling) -> Option<Self> {
        Some(self)
    }

    fn waiting((): &()) -> u64 {
        0
    }

    fn given_up((): ()) -> Vec<Self> {
        Vec::new()
    }

    fn told_counts((): &mut (), counts: Counts, _: Telling) -> Counts {
        counts
    }
}
