//! The sum of ranges. There is none without each of them.

use std::collections::BTreeMap;

use crate::{
    Error, ErrorCode, KeyRange, Result,
    ranges::{counts::Counts, extra::Extra},
};

/// A range that was done.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) range: KeyRange,
    /// What was counted, or why it could not be carried through. Behind the first pass: what was told anew.
    pub(crate) counts: Result<Counts>,
    /// Objects that were skipped, since what is in their place is extra and deletes are held.
    pub(crate) waiting: u64,
}

/// The sum of all ranges, which must tile the whole; or why one of them could not be carried through.
pub(super) fn summed(whole: &KeyRange, done: &BTreeMap<usize, Done>) -> Result<Counts> {
    let uncovered = |why: String| Error::new(ErrorCode::Corrupted, why);
    let joined = KeyRange::joined(done.values().map(|done| done.range.clone()));
    let joined = joined.map_err(|why| uncovered(why.to_string()))?;
    if joined != *whole {
        return Err(uncovered("the ranges that were done are not all of what was asked for".to_owned()));
    }
    let mut sum: Option<Counts> = None;
    for done in done.values() {
        let counts = done.counts.clone()?;
        sum = Some(match sum {
            None => counts,
            Some(sum) => sum.plus(counts).ok_or_else(|| uncovered("the reports do not add up".to_owned()))?,
        });
    }
    sum.ok_or_else(|| uncovered("no range was done".to_owned()))
}

/// The sum after the deletes: what was done there adds up, and what waited is no longer skipped.
pub(super) fn deleted(sum: Counts, ranges: &[Extra], done: &BTreeMap<usize, Done>) -> Result<Counts> {
    let odd = || Error::new(ErrorCode::Corrupted, "the reports of the deletes do not fit those before");
    let mut sum = sum.report()?;
    sum.deletes_withheld = 0;
    for extra in ranges {
        let now = done.get(&extra.index).ok_or_else(odd)?.counts.clone()?.report()?;
        sum.skipped = sum.skipped.checked_sub(extra.waiting).ok_or_else(odd)?;
        for (counter, more) in [
            (&mut sum.errors, now.errors),
            (&mut sum.skipped, now.skipped),
            (&mut sum.transferred, now.transferred),
            (&mut sum.bytes, now.bytes),
            (&mut sum.updated_times, now.updated_times),
            (&mut sum.deleted, now.deleted),
            (&mut sum.deletes_withheld, now.deletes_withheld),
        ] {
            *counter = counter.checked_add(more).ok_or_else(odd)?;
        }
        sum.stopped = sum.stopped.or(now.stopped);
    }
    Ok(Counts::Sync(sum))
}

/// The sum after a last look at directories.
pub(super) fn tidied(sum: Counts, now: Counts) -> Result<Counts> {
    let odd = || Error::new(ErrorCode::Corrupted, "the report on directories does not fit those before");
    let (mut sum, now) = (sum.report()?, now.report()?);
    for (counter, more) in [
        (&mut sum.errors, now.errors),
        (&mut sum.transferred, now.transferred),
        (&mut sum.bytes, now.bytes),
        (&mut sum.updated_times, now.updated_times),
        (&mut sum.sources_removed, now.sources_removed),
    ] {
        *counter = counter.checked_add(more).ok_or_else(odd)?;
    }
    sum.stopped = sum.stopped.or(now.stopped);
    Ok(Counts::Sync(sum))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Path, ranges::tiles::Tiles, runtime::Report};

    fn tiles() -> Tiles {
        Tiles::new(KeyRange::default(), ["d", "m"].map(|border| Path::parse(border).unwrap()))
    }

    fn all(report: impl Fn(usize) -> Report) -> BTreeMap<usize, Done> {
        let tiles = tiles();
        let done = |index| Done {
            range: tiles.range(index).unwrap(),
            counts: Ok(Counts::Sync(report(index))),
            waiting: 0,
        };
        (0..tiles.count()).map(|index| (index, done(index))).collect()
    }

    #[test]
    fn a_sum_needs_every_range_and_none_that_failed() {
        let whole = KeyRange::default();
        let report = |index| Report { checked: index as u64 + 1, ..Report::default() };
        let done = all(report);
        assert_eq!(summed(&whole, &done).unwrap().report().unwrap().checked, 6);
        for missing in 0..3 {
            let mut done = all(report);
            done.remove(&missing);
            assert_eq!(summed(&whole, &done).unwrap_err().code(), ErrorCode::Corrupted);
        }
        let part = KeyRange { after: None, until: Some(Path::parse("x").unwrap()) };
        assert!(summed(&part, &done).is_err());
        let mut done = all(report);
        done.get_mut(&1).unwrap().counts = Err(Error::new(ErrorCode::PermissionDenied, "no"));
        assert_eq!(summed(&whole, &done).unwrap_err().code(), ErrorCode::PermissionDenied);
    }

    #[test]
    fn deletes_are_added_to_what_was_done_before() {
        let held = Report { checked: 5, extras: 2, deletes_withheld: 2, skipped: 1, ..Report::default() };
        let sum = Counts::Sync(Report { checked: 11, transferred: 4, skipped: 3, errors: 1, ..held });
        let extras = [Extra { index: 1, extras: 2, waiting: 1, errors: 0 }];
        let now = Report { checked: 5, deleted: 2, transferred: 1, extras: 2, ..Report::default() };
        let mut done = all(|_| now);
        let expected = Report {
            checked: 11,
            transferred: 5,
            deleted: 2,
            skipped: 2,
            extras: 2,
            errors: 1,
            ..Report::default()
        };
        assert_eq!(deleted(sum, &extras, &done).unwrap(), Counts::Sync(expected));
        done.remove(&1);
        assert!(deleted(sum, &extras, &done).is_err());
    }
}
