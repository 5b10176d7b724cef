//! `bisync`.

mod options;
mod state;

use std::time::Instant;

use clap::Args;
use indicatif::HumanBytes;
use serde::Serialize;

use self::{options::BisyncArguments, state::StateOptions};
use super::{
    Globals,
    exit::{Exit, Failure, Subject},
    output::{ErrorJson, Output, printable},
    place::Place,
    progress::Progress,
    session::{Session, join},
    transfer::{objects, seconds},
};
use crate::{
    Error,
    runtime::{BisyncAction, BisyncEvent, BisyncJob, BisyncReport, BisyncSide},
};

/// Bring the changes of each of two directories to the other
///
/// The state of the last run tells what changed. The first run has none, and must be asked for with --resync: it
/// deletes nothing. A version that lost a conflict is kept as `NAME.conflict1`. Nothing is done if a directory has
/// become empty, or if more than half of it would be deleted. While one run is at work, another over the same two
/// places is refused, unless the state is kept at a store.
#[derive(Args)]
pub(crate) struct Bisync {
    #[command(flatten)]
    arguments: BisyncArguments,
    #[command(flatten)]
    state: StateOptions,
    /// Print one JSON event a line, then a summary
    #[arg(long)]
    json: bool,
    /// A directory
    #[arg(value_name = "FIRST", value_parser = Place::parser())]
    first: Place,
    /// The other
    #[arg(value_name = "SECOND", value_parser = Place::parser())]
    second: Place,
}

impl Bisync {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let Self { arguments, state, json, first, second } = self;
        let names = (state::identity(&first)?, state::identity(&second)?);
        let (directory, name) = (state.directory()?, state::name(&names));
        let (session, at_first, at_second, at_state) =
            Session::with_state(globals, &first, &second, &directory)?;
        let at_state = state::within(at_state, &name)?;
        let options = arguments.options(names)?;
        // A dry run leaves nothing behind, not even a lock.
        let _lock = if options.dry_run { None } else { state::lock(&directory, &name)? };
        let started = Instant::now();
        let job = session.storage.bisync(&at_first, &at_second, &at_state, &options).await;
        let job = job.map_err(session.failure(Subject::Tree))?; // nothing of the places was looked at yet
        let run = Run {
            globals,
            json,
            dry_run: options.dry_run,
            places: [&first, &second],
            session: &session,
            started,
            progress: Progress::new(!globals.quiet && !json, false),
            output: Output::of_run(),
            done: 0,
            exit: Exit::Done,
        };
        run.follow(job).await
    }
}

/// A run as the user sees it.
struct Run<'a> {
    globals: &'a Globals,
    json: bool,
    dry_run: bool,
    places: [&'a Place; 2],
    session: &'a Session,
    started: Instant,
    progress: Progress,
    output: Output,
    done: u64,
    exit: Exit,
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
    async fn follow(mut self, mut job: BisyncJob) -> Result<(), Failure> {
        while let Some(event) = job.next().await {
            self.report(&event)?;
        }
        let outcome = job.outcome().await;
        if self.json {
            self.output.json(&self.summary(&outcome))?;
        }
        self.output.flush()?;
        let report = outcome.map_err(self.session.failure(Subject::Trees))?;
        if !self.json && !self.globals.quiet {
            let elapsed = seconds(self.started.elapsed());
            self.progress.note(format_args!("{} in {elapsed}", sentence(&report, self.dry_run)));
        }
        match (report.errors, self.exit) {
            (0, _) => Ok(()),
            (_, Exit::Done) => Err(Failure::silent(Exit::Other)),
            (_, exit) => Err(Failure::silent(exit)),
        }
    }

    fn report(&mut self, event: &BisyncEvent) -> Result<(), Failure> {
        self.done += 1;
        let done = self.done;
        self.progress.update(|| format!("{}: {}", objects(done), printable(&event.path)));
        if self.json {
            self.output.json(&EventJson {
                event: event.action.as_str(),
                side: event.side.as_str(),
                path: &event.path,
                size: event.size,
                reason: event.reason.as_deref(),
                error: event.error.as_ref().map(Into::into),
            })?;
            self.output.flush()?;
        }
        let is_conflict = matches!(event.action, BisyncAction::Renamed | BisyncAction::Replaced);
        if event.action == BisyncAction::Failed {
            self.report_failure(event);
        } else if !self.json && (self.globals.is_verbose() || (is_conflict && !self.globals.quiet)) {
            self.progress.note(self.line(event));
        }
        Ok(())
    }

    fn report_failure(&mut self, event: &BisyncEvent) {
        let sentence = match &event.error {
            Some(error) if error.location().is_some() => self.session.describe(error),
            Some(error) => format!("`{}`: {}", self.place(event), error.message()),
            None => format!("`{}`: it failed", self.place(event)),
        };
        self.progress.note(format_args!("error: {sentence}"));
        let exit = event.error.as_ref().map_or(Exit::Other, |error| Exit::of(error.code(), Subject::Object));
        self.exit = self.exit.worse(exit);
    }

    /// What the user calls the object of an event.
    fn place(&self, event: &BisyncEvent) -> String {
        let [first, second] = self.places;
        let place = match event.side {
            BisyncSide::First => first,
            BisyncSide::Second => second,
        };
        printable(&join(&place.typed, &event.path)).into_owned()
    }

    /// One event as a person reads it.
    fn line(&self, event: &BisyncEvent) -> String {
        let place = self.place(event);
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

    fn summary<'o>(&self, outcome: &'o Result<BisyncReport, Error>) -> SummaryJson<'o> {
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
            elapsed_ms: self.started.elapsed().as_millis(),
        }
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
    let mode = match (dry_run, parts.is_empty()) {
        (false, _) => "",
        (true, true) => "dry run: ",
        (true, false) => "dry run: would have ",
    };
    if parts.is_empty() {
        parts.push("nothing to do".to_owned());
    }
    if report.errors > 0 {
        parts.push(format!("failed for {}", objects(report.errors)));
    }
    if report.deletes_withheld > 0 {
        parts.push(format!("left {} undeleted because of errors", objects(report.deletes_withheld)));
    }
    format!("{mode}{}; checked {}", parts.join("; "), objects(report.checked))
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
