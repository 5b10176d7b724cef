//! Reports of several runs as that of one.

use std::collections::BTreeMap;

use super::file::Ran;
use crate::{
    KeyRange,
    cli::{exit::Failure, transfer::json::Summary},
};

/// The summary of one run that did it all.
///
/// # Errors
/// Ranges that are not those of one tree, dry runs beside others, and counters that are too large.
pub(super) fn add(ran: &[Ran]) -> Result<Summary, Failure> {
    let Some((first, rest)) = ran.split_first() else {
        return Err(Failure::usage("there is no report"));
    };
    let mut sum = first.summary.clone();
    for ran in rest {
        let (name, summary) = (&ran.name, &ran.summary);
        if summary.dry_run != sum.dry_run {
            let message = format!("one of `{}` and `{name}` is a dry run: they do not add up", first.name);
            return Err(Failure::usage(message));
        }
        sum = added(sum, summary.clone())
            .ok_or_else(|| Failure::usage(format!("`{name}`: the sum is too large")))?;
    }
    let is_the_same = rest.iter().all(|ran| ran.range == first.range);
    let range = if is_the_same { first.range.clone() } else { joined(ran)? };
    sum.start_after = range.after.map(|after| after.to_string());
    sum.stop_at = range.until.map(|until| until.to_string());
    Ok(sum)
}

/// Refuses reports that leave out a part of a range, or tell of a part of it twice.
///
/// # Errors
/// Which part.
pub(super) fn require_range(ran: &[Ran], range: &KeyRange) -> Result<(), Failure> {
    let joined = joined(ran)?;
    if joined == *range {
        return Ok(());
    }
    let of = |range: &KeyRange| match (&range.after, &range.until) {
        (None, None) => "all paths".to_owned(),
        (None, Some(until)) => format!("the paths up to `{until}`"),
        (Some(after), None) => format!("the paths after `{after}`"),
        (Some(after), Some(until)) => format!("the paths after `{after}` up to `{until}`"),
    };
    let message = format!("these reports are of {}, and not of {}", of(&joined), of(range));
    Err(Failure::usage(message))
}

fn joined(ran: &[Ran]) -> Result<KeyRange, Failure> {
    KeyRange::joined(ran.iter().map(|ran| ran.range.clone()))
        .map_err(|why| Failure::usage(format!("the ranges of these reports do not fit: {why}")))
}

/// `None` if a counter is too large.
fn added(one: Summary, other: Summary) -> Option<Summary> {
    // What was not counted of one is not known of the sum.
    let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
        (Some(one), Some(other)) => one.checked_add(other).map(Some),
        _ => Some(None),
    };
    let calls = match (one.calls, other.calls) {
        (Some(mut calls), Some(more)) => {
            for (call, count) in more {
                let so_far: &mut u64 = calls.entry(call).or_default();
                *so_far = so_far.checked_add(count)?;
            }
            Some(calls)
        }
        _ => None::<BTreeMap<_, _>>,
    };
    Some(Summary {
        event: one.event,
        dry_run: one.dry_run,
        start_after: one.start_after,
        stop_at: one.stop_at,
        checked: sum(one.checked, other.checked)?,
        transferred: sum(one.transferred, other.transferred)?,
        bytes: sum(one.bytes, other.bytes)?,
        updated_times: sum(one.updated_times, other.updated_times)?,
        deleted: sum(one.deleted, other.deleted)?,
        renamed: sum(one.renamed, other.renamed)?,
        sources_removed: sum(one.sources_removed, other.sources_removed)?,
        skipped: sum(one.skipped, other.skipped)?,
        errors: sum(one.errors, other.errors)?,
        deletes_withheld: sum(one.deletes_withheld, other.deletes_withheld)?,
        deletes_withheld_because: one.deletes_withheld_because.or(other.deletes_withheld_because),
        source_objects: sum(one.source_objects, other.source_objects)?,
        extras: sum(one.extras, other.extras)?,
        stopped: one.stopped.or(other.stopped),
        memo: one.memo.or(other.memo),
        error: one.error.or(other.error),
        calls,
        bytes_moved: sum(one.bytes_moved, other.bytes_moved)?,
        elapsed_ms: one.elapsed_ms.max(other.elapsed_ms),
    })
}
