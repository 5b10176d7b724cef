//! The sum of ranges. There is none without each of them.

use std::collections::BTreeMap;

use crate::{
    Error, ErrorCode, KeyRange, Result,
    cluster::{
        entry::Outcome,
        record::{Extra, Run},
        told::{Counts, Told},
    },
    runtime::{Event, SyncOptions},
};

/// A range that was done.
pub(super) struct Done {
    pub(super) range: KeyRange,
    pub(super) outcome: Outcome,
}

/// The sum of all ranges, which must tile that of the run; or why one of them could not be carried through.
pub(super) fn summed(run: &Run, options: &SyncOptions, done: &BTreeMap<usize, Done>) -> Result<Counts> {
    let uncovered = |why: String| Error::new(ErrorCode::Corrupted, format!("the run {}: {why}", run.id));
    let joined = KeyRange::joined(done.values().map(|done| done.range.clone()));
    let joined = joined.map_err(|why| uncovered(why.to_string()))?;
    if joined != options.range() {
        return Err(uncovered("its ranges are not all of what was asked for".to_owned()));
    }
    let mut sum: Option<Counts> = None;
    for done in done.values() {
        let counts = done.outcome.counts()?;
        sum = Some(match sum {
            None => counts,
            Some(sum) => sum.plus(counts).ok_or_else(|| uncovered("its reports do not add up".to_owned()))?,
        });
    }
    sum.ok_or_else(|| uncovered("it has no range".to_owned()))
}

/// The sum after the deletes. What was counted in a range with deletes counts anew there; what was done adds up.
pub(super) fn deleted(sum: Counts, ranges: &[Extra], done: &BTreeMap<usize, Done>) -> Result<Counts> {
    let too_large = || Error::new(ErrorCode::Corrupted, "the reports of the deletes do not fit those before");
    let mut sum = Event::report(sum)?;
    sum.deletes_withheld = 0;
    for extra in ranges {
        let held = Event::report(extra.counts)?;
        let now = Event::report(done.get(&extra.index).ok_or_else(too_large)?.outcome.counts()?)?;
        let counter = |sum: u64, held: u64, now: u64| {
            sum.checked_sub(held).and_then(|rest| rest.checked_add(now)).ok_or_else(too_large)
        };
        sum.errors = counter(sum.errors, held.errors, now.errors)?;
        sum.skipped = counter(sum.skipped, held.skipped, now.skipped)?;
        sum.transferred = counter(sum.transferred, 0, now.transferred)?;
        sum.bytes = counter(sum.bytes, 0, now.bytes)?;
        sum.updated_times = counter(sum.updated_times, 0, now.updated_times)?;
        sum.deleted = counter(sum.deleted, 0, now.deleted)?;
        sum.deletes_withheld = counter(sum.deletes_withheld, 0, now.deletes_withheld)?;
    }
    Ok(Counts::Sync(sum))
}

/// The sum after a last look at directories.
pub(super) fn tidied(sum: Counts, done: &BTreeMap<usize, Done>) -> Result<Counts> {
    let odd = || Error::new(ErrorCode::Corrupted, "the report on directories does not fit those before");
    let mut sum = Event::report(sum)?;
    let now = Event::report(done.get(&0).ok_or_else(odd)?.outcome.counts()?)?;
    let counter = |sum: u64, now: u64| sum.checked_add(now).ok_or_else(odd);
    sum.errors = counter(sum.errors, now.errors)?;
    sum.transferred = counter(sum.transferred, now.transferred)?;
    sum.bytes = counter(sum.bytes, now.bytes)?;
    sum.updated_times = counter(sum.updated_times, now.updated_times)?;
    Ok(Counts::Sync(sum))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        Path,
        cluster::{Operation, Task, options::SharedOptions, told::Fault, witness::Witnesses},
        runtime::Report,
    };

    fn run(borders: &[&str]) -> Run {
        let task = Task {
            operation: Operation::Sync,
            source: "a:".into(),
            target: "b:".into(),
            backup: None,
            metadata: false,
            links: "skip".into(),
        };
        let borders: Vec<_> = borders.iter().map(|border| Path::parse(*border).unwrap()).collect();
        let options = SharedOptions::new(&SyncOptions::default()).unwrap();
        Run::new("R".into(), task, options, Duration::from_secs(30), &borders, Witnesses::default())
    }

    fn counted(report: Report) -> Outcome {
        Outcome::Counted(Counts::Sync(report))
    }

    fn all(run: &Run, report: impl Fn(usize) -> Report) -> BTreeMap<usize, Done> {
        let done = |index| Done { range: run.range(index).unwrap(), outcome: counted(report(index)) };
        (0..run.ranges()).map(|index| (index, done(index))).collect()
    }

    #[test]
    fn a_sum_needs_every_range_and_none_that_failed() {
        let (run, options) = (run(&["d", "m"]), SyncOptions::default());
        let report = |index| Report { checked: index as u64 + 1, ..Report::default() };
        let done = all(&run, report);
        let Ok(Counts::Sync(sum)) = summed(&run, &options, &done) else { panic!() };
        assert_eq!(sum.checked, 6);
        for missing in 0..3 {
            let mut done = all(&run, report);
            done.remove(&missing);
            assert_eq!(summed(&run, &options, &done).unwrap_err().code(), ErrorCode::Corrupted);
        }
        let part = SyncOptions { stop_at: Some(Path::parse("x").unwrap()), ..options.clone() };
        assert!(summed(&run, &part, &done).is_err());
        let mut done = all(&run, report);
        let fault = Fault::from(&Error::new(ErrorCode::PermissionDenied, "no"));
        done.get_mut(&1).unwrap().outcome = Outcome::Failed(fault);
        assert_eq!(summed(&run, &options, &done).unwrap_err().code(), ErrorCode::PermissionDenied);
    }

    #[test]
    fn deletes_are_added_to_what_was_done_before() {
        let run = run(&["d", "m"]);
        let held =
            Report { checked: 5, extras: 2, deletes_withheld: 2, skipped: 1, errors: 1, ..Report::default() };
        let sum =
            Counts::Sync(Report { checked: 11, transferred: 4, skipped: 3, extras: 2, errors: 1, ..held });
        let extras = [Extra { index: 1, counts: Counts::Sync(held) }];
        let now = Report { checked: 5, deleted: 2, transferred: 1, extras: 2, ..Report::default() };
        let mut done = all(&run, |_| now);
        let Ok(Counts::Sync(whole)) = deleted(sum, &extras, &done) else { panic!() };
        let expected =
            Report { checked: 11, transferred: 5, deleted: 2, skipped: 2, extras: 2, ..Report::default() };
        assert_eq!(whole, expected);
        done.remove(&1);
        assert!(deleted(sum, &extras, &done).is_err());
    }
}
