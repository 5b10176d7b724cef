//! The events of a run as JSON: `events.schema.json` beside this file says what they hold.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::super::output::{ErrorJson, bytes_moved, calls};
use crate::{
    Error,
    runtime::{Activity, Event, MemoTrouble, Report, Stop},
};

/// What was done with one object.
#[derive(Serialize)]
pub(super) struct EventJson<'a> {
    event: &'static str,
    path: &'a str,
    size: Option<u64>,
    reason: Option<&'a str>,
    error: Option<ErrorJson<'a>>,
}

impl<'a> From<&'a Event> for EventJson<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            event: event.action.as_str(),
            path: &event.path,
            size: event.size,
            reason: event.reason.as_deref(),
            error: event.error.as_ref().map(Into::into),
        }
    }
}

/// The end of a run. The counters are null if it could not be carried through; `error` then tells why.
#[derive(Serialize)]
pub(super) struct SummaryJson<'a> {
    event: &'static str,
    dry_run: bool,
    checked: Option<u64>,
    transferred: Option<u64>,
    bytes: Option<u64>,
    updated_times: Option<u64>,
    deleted: Option<u64>,
    renamed: Option<u64>,
    sources_removed: Option<u64>,
    skipped: Option<u64>,
    errors: Option<u64>,
    deletes_withheld: Option<u64>,
    deletes_withheld_because: Option<&'static str>,
    stopped: Option<&'static str>,
    memo: Option<&'static str>,
    error: Option<ErrorJson<'a>>,
    calls: Option<BTreeMap<&'static str, u64>>,
    bytes_moved: Option<u64>,
    elapsed_ms: u128,
}

impl<'a> SummaryJson<'a> {
    pub(super) fn new(
        outcome: &'a Result<Report, Error>,
        activity: &Activity,
        dry_run: bool,
        elapsed: Duration,
    ) -> Self {
        let count = |counter: fn(&Report) -> u64| outcome.as_ref().ok().map(counter);
        Self {
            event: "summary",
            dry_run,
            checked: count(|report| report.checked),
            transferred: count(|report| report.transferred),
            bytes: count(|report| report.bytes),
            updated_times: count(|report| report.updated_times),
            deleted: count(|report| report.deleted),
            renamed: count(|report| report.renamed),
            sources_removed: count(|report| report.sources_removed),
            skipped: count(|report| report.skipped),
            errors: count(|report| report.errors),
            deletes_withheld: count(|report| report.deletes_withheld),
            deletes_withheld_because: outcome.as_ref().ok().and_then(withheld_because),
            stopped: outcome.as_ref().ok().and_then(|report| report.stopped).map(Stop::as_str),
            memo: outcome.as_ref().ok().and_then(|report| report.memo).map(MemoTrouble::name),
            error: outcome.as_ref().err().map(Into::into),
            calls: calls(activity),
            bytes_moved: bytes_moved(activity),
            elapsed_ms: elapsed.as_millis(),
        }
    }
}

/// Why deletes were withheld, if any were.
fn withheld_because(report: &Report) -> Option<&'static str> {
    match report.stopped {
        _ if report.deletes_withheld == 0 => None,
        _ if report.errors > 0 => Some("errors"),
        Some(stop) => Some(stop.as_str()),
        None => None,
    }
}
