//! `bisync`.

mod options;
mod state;

use std::time::Duration;

use clap::Args;
use indicatif::HumanBytes;
use serde::Serialize;

use self::{options::BisyncArguments, state::StateOptions};
use super::{
    Globals,
    exit::{Exit, Failure},
    follow::{Failed, Follower, Story, objects, summed_up},
    metrics::MetricsOptions,
    output::{ErrorJson, Output, printable},
    place::Place,
    report_file::{Entry, ReportOptions, finish},
    session::{Session, join},
};
use crate::{
    Error,
    runtime::{Activity, BisyncAction, BisyncEvent, BisyncReport, BisyncSide},
};

/// Bring the changes of each of two directories to the other
///
/// The state of the last run tells what changed. The first run has none, and must be asked for with --resync: it
/// deletes nothing. A version that lost a conflict is kept as `NAME.conflict1`. Nothing is done if a directory has
/// become empty, or if more than half of it would be deleted. While one run is at work, another over the same two
/// places is refused, unless the state is kept at a store.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  omnistorage bisync --resync ./notes nas:notes\n  omnistorage bisync ./notes nas:notes"
)]
pub(crate) struct Bisync {
    #[command(flatten)]
    arguments: BisyncArguments,
    #[command(flatten)]
    state: StateOptions,
    /// Print one JSON event a line, then a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    report: ReportOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
    /// A directory
    #[arg(value_name = "FIRST", value_parser = Place::parser())]
    first: Place,
    /// The other
    #[arg(value_name = "SECOND", value_parser = Place::parser())]
    second: Place,
}

impl Bisync {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let Self { arguments, state, json, report, metrics, first, second } = self;
        let names = (state::identity(&first)?, state::identity(&second)?);
        let (directory, name) = (state.directory()?, state::name(&names));
        let (session, at_first, at_second, at_state) =
            Session::with_state(globals, &first, &second, &directory)?;
        let at_state = state::within(at_state, &name)?;
        let options = arguments.options(names)?;
        // A dry run leaves nothing behind, not even a lock.
        let _lock = if options.dry_run { None } else { state::lock(&directory, &name)? };
        let places = [&first, &second];
        let story = Run { dry_run: options.dry_run, places, done: 0, last: String::new() };
        let metrics = metrics.start("bisync").await?;
        let mut report = report.open(globals, "bisync", places, options.dry_run)?;
        let follower = Follower::new(globals, &session, json, None, story)
            .with_report(report.as_mut())
            .with_metrics(metrics.as_ref());
        let job = session.storage.bisync(&at_first, &at_second, &at_state, &options).await;
        let outcome = follower.follow(job).await;
        finish(report, outcome).await
    }
}

/// What is said of a run.
struct Run<'a> {
    dry_run: bool,
    places: [&'a Place; 2],
    done: u64,
    /// The path of the last event.
    last: String,
}

#[derive(Serialize)]
struct EventJson<'a> {
    event: &'static str,
    side: &'static str,
    path: &'a str,
    size: Option<u64>,
    reason: Option<&'a str>,
    error: Option<ErrorJson<'a>>,
}

/// The counters are null if the run could not be carried through; `error` then tells why.
#[derive(Serialize)]
struct SummaryJson<'a> {
    event: &'static str,
    dry_run: bool,
    checked: Option<u64>,
    transferred_to_first: Option<u64>,
    transferred_to_second: Option<u64>,
    bytes: Option<u64>,
    deleted_on_first: Option<u64>,
    deleted_on_second: Option<u64>,
    conflicts: Option<u64>,
    skipped: Option<u64>,
    errors: Option<u64>,
    deletes_withheld: Option<u64>,
    error: Option<ErrorJson<'a>>,
    elapsed_ms: u128,
}

impl Run<'_> {
    /// What the user calls the object of an event.
    fn place(&self, event: &BisyncEvent) -> String {
        let [first, second] = self.places;
        let place = match event.side {
            BisyncSide::First => first,
            BisyncSide::Second => second,
        };
        join(&place.typed, &event.path)
    }

    /// One event as a person reads it.
    fn in_words(&self, event: &BisyncEvent) -> String {
        let place = self.place(event);
        let place = printable(&place);
        let (done, would) = match event.action {
            BisyncAction::Transferred => ("brought", "would bring"),
            BisyncAction::Deleted => ("deleted", "would delete"),
            BisyncAction::Renamed => ("conflict: kept", "conflict: would keep"),
            BisyncAction::Replaced => ("conflict: replaced", "conflict: would replace"),
            BisyncAction::Skipped => ("skipped", "would skip"),
            BisyncAction::Failed => ("failed", "would fail"),
        };
        let what = if self.dry_run { would } else { done };
        match (&event.reason, event.action) {
            (Some(name), BisyncAction::Renamed) => format!("{what} `{place}` as `{}`", printable(name)),
            (Some(reason), _) => format!("{what} `{place}`: {}", printable(reason)),
            (None, _) => format!("{what} `{place}`"),
        }
    }
}

impl Story for Run<'_> {
    type Event = BisyncEvent;
    type Report = BisyncReport;

    fn note(&mut self, event: &BisyncEvent, _output: &mut Output) -> Result<(), Failure> {
        self.done += 1;
        self.last.clone_from(&event.path);
        Ok(())
    }

    fn json<'e>(event: &'e BisyncEvent) -> impl Serialize + 'e {
        EventJson {
            event: event.action.as_str(),
            side: event.side.as_str(),
            path: &event.path,
            size: event.size,
            reason: event.reason.as_deref(),
            error: event.error.as_ref().map(Into::into),
        }
    }

    fn entry<'e>(event: &'e BisyncEvent) -> Entry<'e> {
        Entry {
            event: event.action.as_str(),
            path: &event.path,
            size: event.size,
            bytes: if event.action == BisyncAction::Transferred { event.size.unwrap_or(0) } else { 0 },
            reason: event.reason.as_deref(),
            error: event.error.as_ref(),
            is_listed: true,
            is_failure: event.action == BisyncAction::Failed,
        }
    }

    fn failed<'e>(&self, event: &'e BisyncEvent) -> Option<Failed<'e>> {
        (event.action == BisyncAction::Failed).then(|| Failed {
            place: self.place(event),
            error: event.error.as_ref(),
            reason: "it failed",
        })
    }

    fn line(&self, event: &BisyncEvent, is_verbose: bool) -> Option<String> {
        let is_conflict = matches!(event.action, BisyncAction::Renamed | BisyncAction::Replaced);
        (is_verbose || is_conflict).then(|| self.in_words(event))
    }

    fn so_far(&self, _activity: &Activity, _elapsed: Duration) -> String {
        format!("{}: {}", objects(self.done), printable(&self.last))
    }

    fn interrupted(&self) -> String {
        format!("dealt with {}; what was under way was given up: run it again to go on", objects(self.done))
    }

    fn summary<'o>(
        &self,
        outcome: &'o Result<BisyncReport, Error>,
        _activity: &Activity,
        elapsed: Duration,
    ) -> impl Serialize + 'o {
        let count = |counter: fn(&BisyncReport) -> u64| outcome.as_ref().ok().map(counter);
        SummaryJson {
            event: "summary",
            dry_run: self.dry_run,
            checked: count(|report| report.checked),
            transferred_to_first: count(|report| report.transferred_to_first),
            transferred_to_second: count(|report| report.transferred_to_second),
            bytes: count(|report| report.bytes),
            deleted_on_first: count(|report| report.deleted_on_first),
            deleted_on_second: count(|report| report.deleted_on_second),
            conflicts: count(|report| report.conflicts),
            skipped: count(|report| report.skipped),
            errors: count(|report| report.errors),
            deletes_withheld: count(|report| report.deletes_withheld),
            error: outcome.as_ref().err().map(Into::into),
            elapsed_ms: elapsed.as_millis(),
        }
    }

    fn sentence(&self, report: &BisyncReport) -> String {
        sentence(report, self.dry_run)
    }

    fn errors(report: &BisyncReport) -> u64 {
        report.errors
    }

    fn exit(_report: &BisyncReport) -> Option<Exit> {
        None
    }
}

/// The whole as a person reads it: what happened, not what did not.
fn sentence(report: &BisyncReport, dry_run: bool) -> String {
    let mut parts = Vec::new();
    let transferred = report.transferred_to_first + report.transferred_to_second;
    if transferred > 0 {
        parts.push(format!(
            "brought {} to the first and {} to the second, {}",
            report.transferred_to_first,
            report.transferred_to_second,
            HumanBytes(report.bytes)
        ));
    }
    if report.deleted_on_first + report.deleted_on_second > 0 {
        let (first, second) = (report.deleted_on_first, report.deleted_on_second);
        parts.push(format!("deleted {first} on the first and {second} on the second"));
    }
    for (count, what) in [(report.conflicts, "met conflicts of"), (report.skipped, "skipped")] {
        if count > 0 {
            parts.push(format!("{what} {}", objects(count)));
        }
    }
    let mut parts = summed_up(dry_run, parts, report.errors);
    if report.deletes_withheld > 0 {
        parts.push(format!("left {} undeleted because of errors", objects(report.deletes_withheld)));
    }
    format!("{}; checked {}", parts.join("; "), objects(report.checked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_one_sentence() {
        let report = BisyncReport { checked: 7, ..BisyncReport::default() };
        assert_eq!(sentence(&report, false), "nothing to do; checked 7 objects");
        let report = BisyncReport {
            transferred_to_first: 1,
            transferred_to_second: 2,
            bytes: 2048,
            conflicts: 1,
            errors: 1,
            deletes_withheld: 3,
            ..report
        };
        assert_eq!(
            sentence(&report, true),
            "dry run: would have brought 1 to the first and 2 to the second, 2.00 KiB; met conflicts of 1 object; \
             failed for 1 object; left 3 objects undeleted because of errors; checked 7 objects"
        );
    }
}
