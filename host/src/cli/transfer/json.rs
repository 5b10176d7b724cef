//! The events of a run as JSON: `events.schema.json` beside this file says what they hold.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Deserializer, Serialize};

use super::super::output::{ErrorJson, bytes_moved, calls};
use crate::{
    Error,
    runtime::{Activity, Event, Report, SyncOptions},
};

/// What was done with one object.
#[derive(Serialize)]
pub(crate) struct EventJson<'a> {
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

/// What went wrong, as a summary and an event tell it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ErrorLine {
    pub(in super::super) code: String,
    pub(in super::super) message: String,
}

impl From<&Error> for ErrorLine {
    fn from(error: &Error) -> Self {
        Self { code: error.code().as_str().to_owned(), message: error.message().to_owned() }
    }
}

/// The word of a summary.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(in super::super) enum End {
    #[serde(rename = "summary")]
    Summary,
}

/// The end of a run. The counters are null if it could not be carried through; `error` then tells why. `report` reads what
/// is written here: each field must be there, and no other.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Summary {
    pub(in super::super) event: End,
    pub(in super::super) dry_run: bool,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) start_after: Option<String>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) stop_at: Option<String>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) checked: Option<u64>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) transferred: Option<u64>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) bytes: Option<u64>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) updated_times: Option<u64>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) deleted: Option<u64>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) renamed: Option<u64>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) sources_removed: Option<u64>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) skipped: Option<u64>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) errors: Option<u64>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) deletes_withheld: Option<u64>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) deletes_withheld_because: Option<String>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) source_objects: Option<u64>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) extras: Option<u64>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) stopped: Option<String>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) memo: Option<String>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) error: Option<ErrorLine>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) calls: Option<BTreeMap<String, u64>>,
    #[serde(deserialize_with = "demanded")]
    pub(in super::super) bytes_moved: Option<u64>,
    pub(in super::super) elapsed_ms: u64,
}

/// Null, which must be said: what is not there is an error.
pub(in super::super) fn demanded<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(value)
}

impl Summary {
    pub(super) fn new(
        outcome: &Result<Report, Error>,
        activity: &Activity,
        options: &SyncOptions,
        elapsed: Duration,
    ) -> Self {
        let count = |counter: fn(&Report) -> u64| outcome.as_ref().ok().map(counter);
        let report = outcome.as_ref().ok();
        let range = options.range();
        Self {
            event: End::Summary,
            dry_run: options.dry_run,
            start_after: range.after.map(|after| after.to_string()),
            stop_at: range.until.map(|until| until.to_string()),
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
            deletes_withheld_because: report
                .and_then(|report| withheld_because(report, options.hold_deletes))
                .map(str::to_owned),
            source_objects: count(|report| report.source_objects),
            extras: count(|report| report.extras),
            stopped: report.and_then(|report| report.stopped).map(|stop| stop.as_str().to_owned()),
            memo: report.and_then(|report| report.memo).map(|trouble| trouble.name().to_owned()),
            error: outcome.as_ref().err().map(Into::into),
            calls: calls(activity)
                .map(|calls| calls.into_iter().map(|(call, count)| (call.to_owned(), count)).collect()),
            bytes_moved: bytes_moved(activity),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Why deletes were withheld, if any were.
fn withheld_because(report: &Report, are_held: bool) -> Option<&'static str> {
    match report.stopped {
        _ if report.deletes_withheld == 0 => None,
        None if are_held => Some("held"),
        _ if report.errors > 0 => Some("errors"),
        Some(stop) => Some(stop.as_str()),
        None => None,
    }
}
