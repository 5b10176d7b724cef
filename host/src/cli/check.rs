//! `check`.

#![allow(clippy::disallowed_methods, reason = "the report is a file that the user names")]

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    time::Duration,
};

use clap::Args;
use serde::Serialize;

use super::{
    Globals,
    compare::{Concurrency, Places, decision},
    exit::{Exit, Failure},
    filter::FilterOptions,
    follow::{Failed, Follower, Story, objects},
    metrics::MetricsOptions,
    output::{ErrorJson, Output, calls, note, printable},
    range::RangeOptions,
    recode::RecodingOptions,
    report_file::{Entry, ReportOptions, finish},
    session::{FileSettings, Granted, LinkOptions, Session, join},
    share::ClusterOptions,
    threads::Threads,
};
#[cfg(not(target_family = "wasm"))]
use crate::ranges::{self, Operation};
use crate::{
    Error,
    runtime::{Activity, CheckEntry, CheckReport, Comparison, Difference, SyncOptions},
};

/// Compare SOURCE with TARGET, and change nothing
///
/// Objects are the same if their sizes and checksums are. The exit code is 1 if there are differences.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  omnistorage check ./photos s3://bucket/photos\n  omnistorage check --one-way --combined - ./photos nas:photos"
)]
pub(crate) struct Check {
    #[command(flatten)]
    comparison: CheckComparison,
    /// Ignore what only TARGET has
    #[arg(long)]
    one_way: bool,
    /// Write a line for every path to FILE (`-`: standard output): `=` the same, `*` differs, `+` only in SOURCE,
    /// `-` only in TARGET, `!` an error; then a blank and the path
    #[arg(long, value_name = "FILE")]
    combined: Option<String>,
    #[command(flatten)]
    recoding: RecodingOptions,
    #[command(flatten)]
    concurrency: Concurrency,
    #[command(flatten)]
    links: LinkOptions,
    /// Print one JSON event a line, then a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    report: ReportOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
    #[command(flatten)]
    range: RangeOptions,
    #[command(flatten)]
    filter: FilterOptions,
    #[command(flatten)]
    cluster: ClusterOptions,
    #[command(flatten)]
    places: Places,
}

/// If several are given, the first one decides, in the order of [`CheckComparison::given`], which is rclone's.
#[derive(Args)]
struct CheckComparison {
    /// Compare size and checksum: what is done by default
    #[arg(long, short)]
    checksum: bool,
    /// Compare the size alone
    #[arg(long)]
    size_only: bool,
    /// Read both sides and compare the bytes
    #[arg(long)]
    download: bool,
}

impl CheckComparison {
    /// The options that are given, as they are typed; the first decides.
    fn given(&self) -> impl Iterator<Item = (&'static str, Comparison)> {
        [
            (self.size_only, "--size-only", Comparison::SizeOnly),
            (self.download, "--download", Comparison::Always),
            (self.checksum, "--checksum", Comparison::Checksum),
        ]
        .into_iter()
        .filter_map(|(is_given, option, comparison)| is_given.then_some((option, comparison)))
    }
}

impl Check {
    pub(crate) fn threads(&self) -> Threads {
        self.cluster.threads(self.recoding.threads())
    }

    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let combined = Combined::open(self.combined.as_deref(), self.json)?;
        let comparison = self.comparison.given().next().map_or(Comparison::Automatic, |(_, given)| given);
        let given = self.comparison.given().map(|(option, _)| option);
        if let Some(decision) = decision(given).filter(|_| globals.is_verbose()) {
            note(decision);
        }
        let (places, pattern) = self.places.without_wildcard()?;
        let filter = self.filter.filter_within(pattern.as_ref())?;
        let options = self.range.add_to(SyncOptions {
            comparison,
            recoding: self.recoding.recoding()?,
            max_window: self.recoding.max_window(),
            one_way: self.one_way,
            filter,
            ..self.concurrency.options()
        })?;
        let files = FileSettings { links: self.links.links(), ..FileSettings::default() };
        let Places { source, target } = &places;
        let at_once = self.cluster.at_once()?;
        let Granted { session, source, target, .. } = match at_once {
            Some(ranges) => Session::with_ranges(globals, source, target, None, files, ranges.get()),
            None => Session::with_backup(globals, source, target, None, None, files),
        }?;
        let sharing = self.cluster.sharing()?;
        #[cfg(target_family = "wasm")]
        let _ = sharing;
        #[cfg(not(target_family = "wasm"))]
        if let Some(sharing) = sharing {
            sharing.require(&[
                (self.combined.is_some(), "combined", "workers tell of differences alone"),
                (self.metrics.is_given(), "metrics-addr", "workers tell of differences alone"),
            ])?;
            let task = sharing.task(Operation::Check, &places, None, self.report.of_ranges()?, files)?;
            let ages = self.filter.ages();
            let job = sharing.start(&session, [&source, &target], task, &options, ages, globals).await;
            let story = Run { places: &places, combined, checked: 0, last: String::new() };
            return Follower::new(globals, &session, self.json, None, story).shared().follow(job).await;
        }
        let story = Run { places: &places, combined, checked: 0, last: String::new() };
        let metrics = self.metrics.start("check").await?;
        let mut report = self.report.open(globals, "check", [&places.source, &places.target], false)?;
        let follower = Follower::new(globals, &session, self.json, None, story)
            .with_report(report.as_mut())
            .with_metrics(metrics.as_ref());
        #[cfg(not(target_family = "wasm"))]
        let job = match at_once {
            Some(count) => ranges::check(&session.storage, &[source, target], &options, count.get()).await,
            None => session.storage.check(&source, &target, &options).await,
        };
        #[cfg(target_family = "wasm")]
        let job = session.storage.check(&source, &target, &options).await;
        let outcome = follower.follow(job).await;
        finish(report, outcome).await
    }
}

/// The report in rclone's notation.
enum Combined {
    None,
    Output,
    File { file: BufWriter<File>, name: String },
}

impl Combined {
    fn open(target: Option<&str>, json: bool) -> Result<Self, Failure> {
        Ok(match target {
            None => Self::None,
            Some("-") if json => {
                return Err(Failure::usage("--json and --combined - would both write to standard output"));
            }
            Some("-") => Self::Output,
            Some(name) => {
                let file = File::create(name).map_err(|error| Self::failed(name, error))?;
                Self::File { file: BufWriter::new(file), name: name.to_owned() }
            }
        })
    }

    fn failed(name: &str, error: std::io::Error) -> Failure {
        Failure::system(&format!("cannot write the report `{}`", printable(name)), error)
    }

    fn add(&mut self, entry: &CheckEntry, output: &mut Output) -> Result<(), Failure> {
        let line = || format!("{} {}", symbol(entry.difference), entry.path);
        match self {
            Self::None => Ok(()),
            Self::Output => output.line(&line()),
            Self::File { file, name } => {
                writeln!(file, "{}", line()).map_err(|error| Self::failed(name, error))
            }
        }
    }

    fn finish(&mut self) -> Result<(), Failure> {
        match self {
            Self::None | Self::Output => Ok(()),
            Self::File { file, name } => file.flush().map_err(|error| Self::failed(name, error)),
        }
    }
}

/// rclone's sign for a difference.
const fn symbol(difference: Difference) -> char {
    match difference {
        Difference::Same => '=',
        Difference::Differ => '*',
        Difference::MissingOnSource => '-',
        Difference::MissingOnTarget => '+',
        Difference::Error => '!',
    }
}

/// The word for a difference in JSON.
const fn event_name(difference: Difference) -> &'static str {
    match difference {
        Difference::Same => "same",
        Difference::Differ => "differ",
        Difference::MissingOnSource => "missing-on-source",
        Difference::MissingOnTarget => "missing-on-target",
        Difference::Error => "error",
    }
}

/// What is said of a comparison.
struct Run<'a> {
    places: &'a Places,
    combined: Combined,
    checked: u64,
    /// The path that was compared last.
    last: String,
}

#[derive(Serialize)]
pub(super) struct EntryJson<'a> {
    event: &'static str,
    path: &'a str,
    reason: Option<&'a str>,
    error: Option<ErrorJson<'a>>,
}

impl<'a> From<&'a CheckEntry> for EntryJson<'a> {
    fn from(entry: &'a CheckEntry) -> Self {
        Self {
            event: event_name(entry.difference),
            path: &entry.path,
            reason: entry.reason.as_deref(),
            error: entry.error.as_ref().map(Into::into),
        }
    }
}

/// The counters are null if the comparison could not be carried through; `error` then tells why.
#[derive(Serialize)]
struct SummaryJson<'a> {
    event: &'static str,
    checked: Option<u64>,
    same: Option<u64>,
    differ: Option<u64>,
    missing_on_source: Option<u64>,
    missing_on_target: Option<u64>,
    errors: Option<u64>,
    error: Option<ErrorJson<'a>>,
    calls: Option<BTreeMap<&'static str, u64>>,
    elapsed_ms: u128,
}

impl Story for Run<'_> {
    type Event = CheckEntry;
    type Report = CheckReport;

    fn note(&mut self, entry: &CheckEntry, output: &mut Output) -> Result<(), Failure> {
        self.checked += 1;
        self.last.clone_from(&entry.path);
        self.combined.add(entry, output)
    }

    fn json<'e>(entry: &'e CheckEntry) -> impl Serialize + 'e {
        EntryJson::from(entry)
    }

    fn entry<'e>(entry: &'e CheckEntry) -> Entry<'e> {
        Entry {
            event: event_name(entry.difference),
            path: &entry.path,
            size: None,
            bytes: 0,
            reason: entry.reason.as_deref(),
            error: entry.error.as_ref(),
            is_listed: entry.difference != Difference::Same,
            is_failure: entry.difference == Difference::Error,
        }
    }

    fn failed<'e>(&self, entry: &'e CheckEntry) -> Option<Failed<'e>> {
        (entry.difference == Difference::Error).then(|| Failed {
            place: join(&self.places.source.typed, &entry.path),
            error: entry.error.as_ref(),
            reason: entry.reason.as_deref().unwrap_or("it could not be compared"),
        })
    }

    fn line(&self, entry: &CheckEntry, _is_verbose: bool) -> Option<String> {
        (entry.difference != Difference::Same).then(|| line(entry))
    }

    fn so_far(&self, _activity: &Activity, _elapsed: Duration) -> String {
        format!("{}: {}", objects(self.checked), printable(&self.last))
    }

    fn interrupted(&self) -> String {
        format!("compared {}; of the others nothing is known", objects(self.checked))
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.combined.finish()
    }

    fn summary<'o>(
        &self,
        outcome: &'o Result<CheckReport, Error>,
        activity: &Activity,
        elapsed: Duration,
    ) -> impl Serialize + 'o {
        let count = |counter: fn(&CheckReport) -> u64| outcome.as_ref().ok().map(counter);
        SummaryJson {
            event: "summary",
            checked: count(|report| report.checked),
            same: count(|report| report.same),
            differ: count(|report| report.differ),
            missing_on_source: count(|report| report.missing_on_source),
            missing_on_target: count(|report| report.missing_on_target),
            errors: count(|report| report.errors),
            error: outcome.as_ref().err().map(Into::into),
            calls: calls(activity),
            elapsed_ms: elapsed.as_millis(),
        }
    }

    fn sentence(&self, report: &CheckReport) -> String {
        sentence(report)
    }

    fn errors(report: &CheckReport) -> u64 {
        report.errors
    }

    fn exit(report: &CheckReport) -> Option<Exit> {
        let differences = report.differ + report.missing_on_source + report.missing_on_target;
        (report.errors == 0 && differences > 0).then_some(Exit::Other)
    }
}

/// One path as a person reads it.
fn line(entry: &CheckEntry) -> String {
    let path = printable(&entry.path);
    match (entry.difference, &entry.reason) {
        (Difference::Same, _) => format!("`{path}` is the same"),
        (Difference::Differ, None) => format!("`{path}` differs"),
        (Difference::Differ, Some(reason)) => format!("`{path}` differs: {reason}"),
        (Difference::MissingOnSource, _) => format!("`{path}` is only in the target"),
        (Difference::MissingOnTarget, _) => format!("`{path}` is only in the source"),
        (Difference::Error, _) => format!("`{path}` could not be compared"),
    }
}

/// The whole as a person reads it.
fn sentence(report: &CheckReport) -> String {
    let mut parts = Vec::new();
    for (count, what) in [
        (report.differ, "differ"),
        (report.missing_on_target, "only in the source"),
        (report.missing_on_source, "only in the target"),
        (report.errors, "could not be compared"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if parts.is_empty() {
        parts.push("no differences".to_owned());
    }
    format!("{}; {} the same; checked {}", parts.join("; "), report.same, objects(report.checked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_is_one_sentence() {
        let report = CheckReport { checked: 2, same: 2, ..CheckReport::default() };
        assert_eq!(sentence(&report), "no differences; 2 the same; checked 2 objects");
        let report = CheckReport { checked: 4, same: 1, differ: 2, missing_on_target: 1, ..report };
        assert_eq!(sentence(&report), "2 differ; 1 only in the source; 1 the same; checked 4 objects");
    }
}
