//! How much of a run is done, as its reports come in.
//!
//! A range may end before its border, and what is left of it is a range of its own. One that is lost may be done again, up to
//! another end. So reports may overlap. What counts are those that follow one another from the beginning of the run, each from where the
//! one before it ended. There is one report for a beginning, and it never changes; so there is one such row, and it grows at
//! its end alone.

use std::{collections::BTreeMap, ops::Bound};

use crate::{
    Error, ErrorCode, KeyRange, Path, Result,
    ranges::{Done, Tiles},
};

/// The reports of a phase so far.
pub(super) struct Cover {
    whole: KeyRange,
    /// By their beginnings.
    done: BTreeMap<Option<Path>, Done>,
    /// How far the row goes.
    reached: Reached,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reached {
    /// Up to there, or to the beginning.
    At(Option<Path>),
    End,
}

impl Reached {
    fn behind(range: &KeyRange, whole: &KeyRange) -> Self {
        if range.until == whole.until { Self::End } else { Self::At(range.until.clone()) }
    }
}

impl Cover {
    pub(super) fn new(whole: KeyRange) -> Self {
        let reached = Reached::At(whole.after.clone());
        Self { whole, done: BTreeMap::new(), reached }
    }

    /// Takes a report in; whether it is the first one from there.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`] for a range that is none of this run.
    pub(super) fn take(&mut self, done: Done) -> Result<bool> {
        let (range, whole) = (&done.range, &self.whole);
        let is_within = range.after >= whole.after
            && match (&range.until, &whole.until) {
                (_, None) => true,
                (Some(until), Some(end)) => until <= end,
                (None, Some(_)) => false,
            };
        if range.is_empty() || !is_within {
            return Err(Error::new(ErrorCode::Corrupted, "the ledger has a range that is none of the run"));
        }
        if self.done.contains_key(&range.after) {
            return Ok(false);
        }
        self.done.insert(range.after.clone(), done);
        while let Reached::At(at) = &self.reached
            && let Some(next) = self.done.get(at)
        {
            self.reached = Reached::behind(&next.range, &self.whole);
        }
        Ok(true)
    }

    /// Whether all of the run is done.
    pub(super) fn is_complete(&self) -> bool {
        self.reached == Reached::End
    }

    /// What is not done, each up to the next beginning of which there is a report.
    pub(super) fn gaps(&self) -> Vec<KeyRange> {
        let (mut gaps, mut reached) = (Vec::new(), self.reached.clone());
        while let Reached::At(at) = reached {
            let range = match self.done.get(&at) {
                Some(done) => done.range.clone(),
                None => {
                    let behind = (Bound::Excluded(at.clone()), Bound::Unbounded);
                    let next = self.done.range(behind).next().and_then(|(beginning, _)| beginning.clone());
                    let gap = KeyRange { after: at, until: next.or_else(|| self.whole.until.clone()) };
                    gaps.push(gap.clone());
                    gap
                }
            };
            reached = Reached::behind(&range, &self.whole);
        }
        gaps
    }

    /// The ranges that count, and their reports; of a run that is not complete, those so far.
    pub(super) fn into_tiles(mut self) -> (Tiles, BTreeMap<usize, Done>) {
        let (mut row, mut reached) = (Vec::new(), Reached::At(self.whole.after.clone()));
        while let Reached::At(at) = &reached
            && let Some(done) = self.done.remove(at)
        {
            reached = Reached::behind(&done.range, &self.whole);
            row.push(done);
        }
        let borders = row.iter().filter_map(|done| done.range.until.clone());
        (Tiles::new(self.whole, borders), row.into_iter().enumerate().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        ranges::{Counted, Counts},
        runtime::{Event, Report},
    };

    /// Names there are.
    const NAMES: u32 = 60;

    fn path(number: u32) -> Option<Path> {
        (number > 0).then(|| Path::parse(format!("{number:03}")).unwrap())
    }

    fn range(after: u32, until: u32) -> KeyRange {
        KeyRange { after: path(after), until: if until == NAMES { None } else { path(until) } }
    }

    /// The report on a range: how many names are in it.
    fn done(after: u32, until: u32) -> Done {
        let report = Report { checked: u64::from(until - after), ..Report::default() };
        Done { range: range(after, until), counts: Ok(Event::counts(report)), waiting: 0 }
    }

    fn checked(done: &BTreeMap<usize, Done>) -> u64 {
        let report = |done: &Done| done.counts.clone().and_then(Counts::report).unwrap();
        done.values().map(|done| report(done).checked).sum()
    }

    /// The numbers of a range.
    fn numbers(range: &KeyRange) -> (u32, u32) {
        let number = |path: &Path| path.as_str().parse().unwrap();
        (range.after.as_ref().map_or(0, number), range.until.as_ref().map_or(NAMES, number))
    }

    #[test]
    fn what_is_missing_lies_between_what_is_done() {
        let mut cover = Cover::new(range(0, NAMES));
        assert_eq!(cover.gaps(), [range(0, NAMES)]);
        assert!(cover.take(done(10, 20)).unwrap() && !cover.take(done(10, 15)).unwrap());
        assert!(cover.take(done(40, NAMES)).unwrap());
        assert_eq!(cover.gaps(), [range(0, 10), range(20, 40)]);
        assert!(cover.take(done(0, 10)).unwrap() && !cover.is_complete());
        // One that goes farther than where another one begins.
        assert!(cover.take(done(20, 50)).unwrap());
        assert_eq!(cover.gaps(), [range(50, NAMES)]);
        assert!(cover.take(done(50, NAMES)).unwrap() && cover.is_complete());
        let (tiles, done) = cover.into_tiles();
        assert_eq!((tiles.count(), checked(&done)), (4, u64::from(NAMES)));
    }

    #[test]
    fn a_range_of_another_run_is_refused() {
        let mut cover = Cover::new(range(5, 30));
        for (after, until) in [(0, 10), (10, 40), (10, NAMES)] {
            assert!(cover.take(done(after, until)).is_err(), "{after} {until}");
        }
        let empty = Done { range: KeyRange { after: path(9), until: path(9) }, ..done(9, 10) };
        assert!(cover.take(empty).is_err());
        assert!(cover.take(done(5, 30)).unwrap() && cover.is_complete());
    }

    proptest! {
        /// Workers that end ranges early, give parts away, die before or after they said so, or wake up too late: whatever is
        /// lost is missed and done again, and each name counts once.
        #[test]
        fn every_name_counts_once(
            first in 1..10_u32,
            steps in proptest::collection::vec((any::<prop::sample::Index>(), 0..8_u8, 1..60_u32), 0..200),
        ) {
            let mut cover = Cover::new(range(0, NAMES));
            let (mut queue, mut at) = (Vec::new(), 0);
            for number in 1..=first {
                let until = if number == first { NAMES } else { at + (NAMES - at) / (first - number + 1) };
                queue.push((at, until));
                at = until;
            }
            let mut steps = steps.into_iter();
            for _ in 0..10_000 {
                if cover.is_complete() {
                    break;
                }
                if queue.is_empty() {
                    queue = cover.gaps().iter().map(numbers).collect();
                }
                let Some((which, fate, cut)) = steps.next() else {
                    // From now on all goes well.
                    let (after, until) = queue.remove(0);
                    cover.take(done(after, until)).unwrap();
                    continue;
                };
                let (after, until) = queue.swap_remove(which.index(queue.len()));
                let cut = after + cut % (until - after).max(1);
                match fate {
                    // It gets lost.
                    0 => {}
                    // It is done.
                    1 | 2 => drop(cover.take(done(after, until)).unwrap()),
                    _ if cut <= after => queue.push((after, until)),
                    // It ends early, and what is left waits, or is lost.
                    3 | 4 => {
                        queue.push((cut, until));
                        cover.take(done(after, cut)).unwrap();
                    }
                    5 => drop(cover.take(done(after, cut)).unwrap()),
                    // What is left waits, and then whoever did the rest is gone; all of it is given out again.
                    6 => queue.extend([(cut, until), (after, until)]),
                    // It was slow: others did all of it before.
                    _ => {
                        cover.take(done(after, until)).unwrap();
                        cover.take(done(after, cut)).unwrap();
                        queue.push((cut, until));
                    }
                }
            }
            prop_assert!(cover.is_complete() && cover.gaps().is_empty());
            let (tiles, all) = cover.into_tiles();
            prop_assert_eq!(tiles.count(), all.len());
            prop_assert_eq!(checked(&all), u64::from(NAMES));
            let joined = KeyRange::joined(all.into_values().map(|done| done.range)).unwrap();
            prop_assert_eq!(joined, range(0, NAMES));
        }
    }
}
