//! `copy`, `sync` and `move`.

pub(super) mod json;
mod options;

use std::{num::NonZeroU32, time::Duration};

use clap::Args;
use indicatif::HumanBytes;
use serde::Serialize;

pub(super) use self::json::EventJson;
use self::{
    json::Summary,
    options::{DeleteOptions, TransferOptions},
};
#[cfg(not(target_family = "wasm"))]
use super::share::require_whole;
use super::{
    Globals,
    compare::{Names, Places},
    exit::{Exit, Failure},
    explain,
    filter::within,
    follow::{Failed, Follower, Story, objects, summed_up},
    memo::MemoOptions,
    output::{Output, bytes_moved, note, printable},
    report_file::{Entry, finish},
    session::{Granted, Session, join},
    share::ClusterOptions,
    threads::Threads,
    wildcard::Pattern,
};
#[cfg(not(target_family = "wasm"))]
use crate::ranges::{self, Operation, Transfer};
use crate::{
    Error, ErrorCode, Location, ObjectKind,
    backend::clock::sleep,
    runtime::{Action, Activity, Event, Report, Stop, Storage, SyncJob, SyncOptions},
};

/// The reason for which a link is skipped.
const SYMBOLIC_LINK: &str = "symbolic link";

/// Transfer what differs from SOURCE to TARGET; delete nothing
///
/// The contents of the directory SOURCE go into the directory TARGET; if SOURCE is an object, it goes there itself.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  omnistorage copy ./photos s3://bucket/photos --exclude '*.part'\n  omnistorage copy 's3://bucket/logs/2026-*.gz' ./logs"
)]
pub(crate) struct Copy {
    #[command(flatten)]
    transfer: TransferOptions,
    #[command(flatten)]
    cluster: ClusterOptions,
    #[command(flatten)]
    places: Places,
}

/// Make the directory TARGET equal to the directory SOURCE: transfer what differs, delete what is extra
///
/// Nothing is deleted before everything was transferred, unless you ask for it, and nothing after any error. An overlap
/// of the two, and an empty SOURCE, are refused.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  omnistorage sync --dry-run -v ./photos s3://bucket/photos\n  omnistorage sync --max-delete 100 --backup-dir nas:kept ./photos nas:photos"
)]
pub(crate) struct Sync {
    #[command(flatten)]
    transfer: TransferOptions,
    #[command(flatten)]
    delete: DeleteOptions,
    #[command(flatten)]
    cluster: ClusterOptions,
    #[command(flatten)]
    places: Places,
}

/// Transfer what differs from SOURCE to TARGET, then remove from SOURCE what is on TARGET
///
/// An object is removed from SOURCE only once it was transferred and verified, or if TARGET is proved to have the same;
/// what was skipped, failed or changed meanwhile stays.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  omnistorage move ./outbox s3://bucket/inbox\n  omnistorage move --min-age 1d --delete-empty-src-dirs ./logs nas:logs"
)]
pub(crate) struct Move {
    #[command(flatten)]
    transfer: TransferOptions,
    /// Remove directories of SOURCE that are empty afterwards
    #[arg(long)]
    delete_empty_src_dirs: bool,
    #[command(flatten)]
    cluster: ClusterOptions,
    #[command(flatten)]
    places: Places,
}

/// Copy one object to another name
///
/// It is transferred if it differs, and the store copies it within itself where it can. Nothing takes the place of a
/// directory, and an object that is there is replaced as a whole, or not at all.
#[derive(Args)]
#[command(after_help = COPYTO_EXAMPLES)]
pub(crate) struct CopyTo {
    #[command(flatten)]
    transfer: TransferOptions,
    #[command(flatten)]
    names: Names,
}

const COPYTO_EXAMPLES: &str = "\
Examples:
  omnistorage copyto report.pdf s3://bucket/2026/november.pdf
  omnistorage copyto s3://bucket/state.json s3://bucket/state.json.old";

/// Give one object another name, or move it to another store under that name
///
/// It is renamed in one step where its store can, and otherwise removed from SOURCE once it is on TARGET and verified.
#[derive(Args)]
#[command(after_help = MOVETO_EXAMPLES)]
pub(crate) struct MoveTo {
    #[command(flatten)]
    transfer: TransferOptions,
    #[command(flatten)]
    names: Names,
}

const MOVETO_EXAMPLES: &str = "\
Examples:
  omnistorage moveto s3://bucket/draft.txt s3://bucket/final.txt
  omnistorage moveto ./upload.part nas:inbox/upload.bin";

impl CopyTo {
    pub(crate) fn threads(&self) -> Threads {
        self.transfer.recoding.threads()
    }

    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let Self { transfer, names } = self;
        let (places, name) = names.places()?;
        let with_name = |options| SyncOptions { target_name: Some(name), ..options };
        carry_out(Kind::Copy, globals, &transfer, &places, None, None, with_name).await
    }
}

impl MoveTo {
    pub(crate) fn threads(&self) -> Threads {
        self.transfer.recoding.threads()
    }

    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let Self { transfer, names } = self;
        transfer.check_for_move()?;
        let (places, name) = names.places()?;
        let with_name = |options| SyncOptions { target_name: Some(name), ..options };
        carry_out(Kind::Move, globals, &transfer, &places, None, None, with_name).await
    }
}

impl Copy {
    pub(crate) fn threads(&self) -> Threads {
        self.cluster.threads(self.transfer.recoding.threads())
    }

    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let Self { transfer, cluster, places } = self;
        let (places, pattern) = places.without_wildcard()?;
        carry_out(Kind::Copy, globals, &transfer, &places, pattern, Some(&cluster), |options| options).await
    }
}

impl Sync {
    pub(crate) fn threads(&self) -> Threads {
        self.cluster.threads(self.transfer.recoding.threads())
    }

    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let Self { transfer, delete, cluster, places } = self;
        let with_deletes = |options| delete.add_to(options);
        let (places, pattern) = places.without_wildcard()?;
        carry_out(Kind::Sync, globals, &transfer, &places, pattern, Some(&cluster), with_deletes).await
    }
}

impl Move {
    pub(crate) fn threads(&self) -> Threads {
        self.cluster.threads(self.transfer.recoding.threads())
    }

    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let Self { transfer, delete_empty_src_dirs: delete_empty_source_directories, cluster, places } = self;
        transfer.check_for_move()?;
        let with_directories = |options| SyncOptions { delete_empty_source_directories, ..options };
        let (places, pattern) = places.without_wildcard()?;
        carry_out(Kind::Move, globals, &transfer, &places, pattern, Some(&cluster), with_directories).await
    }
}

/// Which of the three runs it is.
#[derive(Clone, Copy)]
enum Kind {
    Copy,
    Sync,
    Move,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Sync => "sync",
            Self::Move => "move",
        }
    }

    /// `at_once`: so many ranges at a time.
    async fn start(
        self,
        storage: &Storage,
        [source, target]: [&Location; 2],
        options: &SyncOptions,
        at_once: Option<NonZeroU32>,
    ) -> Result<SyncJob, Error> {
        #[cfg(not(target_family = "wasm"))]
        if let Some(count) = at_once {
            let sides = [source.clone(), target.clone()];
            return ranges::transfer(storage, self.into(), &sides, options, count.get()).await;
        }
        #[cfg(target_family = "wasm")]
        let _ = at_once;
        match self {
            Self::Copy => storage.copy(source, target, options).await,
            Self::Sync => storage.sync(source, target, options).await,
            Self::Move => storage.move_to(source, target, options).await,
        }
    }
}

#[cfg(not(target_family = "wasm"))]
impl From<Kind> for Transfer {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Copy => Self::Copy,
            Kind::Sync => Self::Sync,
            Kind::Move => Self::Move,
        }
    }
}

/// Starts a run, and follows it to its end.
async fn carry_out(
    kind: Kind,
    globals: &Globals,
    transfer: &TransferOptions,
    places: &Places,
    pattern: Option<Pattern>,
    cluster: Option<&ClusterOptions>,
    complete: impl FnOnce(SyncOptions) -> SyncOptions,
) -> Result<(), Failure> {
    if let Some(decision) = transfer.comparison.decision().filter(|_| globals.is_verbose()) {
        note(decision);
    }
    let backup = transfer.backup_dir.as_ref();
    let sharing = cluster.map(ClusterOptions::sharing).transpose()?.flatten();
    let at_once = cluster.map(ClusterOptions::at_once).transpose()?.flatten();
    let directory = match (sharing, at_once) {
        // Each range would know a part alone, so there is none, wherever other runs have theirs.
        (Some(_), _) | (_, Some(_)) => None,
        (None, None) => transfer.memo.directory(&places.source, &places.target, transfer.dry_run)?,
    };
    let Places { source, target } = places;
    let Granted { session, source, target, third: backup, memo } = match at_once {
        Some(ranges) => Session::with_ranges(globals, source, target, backup, transfer.files(), ranges.get()),
        None => Session::with_backup(globals, source, target, backup, directory.as_ref(), transfer.files()),
    }?;
    if directory.is_some() && memo.is_none() && globals.is_verbose() {
        note("the memo would lie in one of the places: nothing is remembered");
    }
    let mut options = complete(transfer.options(backup, memo)?);
    options.filter = within(options.filter, pattern.as_ref())?;
    let cutoff = transfer.cutoff();
    if options.target_name.is_none() {
        refuse_name(&session, places, [&source, &target]).await?;
    }
    #[cfg(not(target_family = "wasm"))]
    if let Some(sharing) = sharing {
        sharing.require(&transfer.unshared())?;
        let backup = transfer.backup_dir.as_ref();
        let operation = Operation::Transfer(kind.into());
        let task = sharing.task(operation, places, backup, transfer.report.of_ranges()?, transfer.files())?;
        let job = sharing.start(&session, [&source, &target], task, &options, transfer.ages(), globals).await;
        let story = Run::new(&options, places);
        let follower = Follower::new(globals, &session, transfer.json, transfer.period(), story).shared();
        return follower.follow(job).await;
    }
    #[cfg(not(target_family = "wasm"))]
    if at_once.is_some() {
        require_whole(&transfer.not_in_ranges())?;
    }
    if let Some(path) = &transfer.explain {
        let explanation = match kind {
            Kind::Move => session.storage.explain_move(&source, &target, path, &options).await,
            Kind::Copy | Kind::Sync => session.storage.explain(&source, &target, path, &options).await,
        };
        return explain::tell(&session, path, explanation, transfer.json);
    }
    let named = [&places.source, &places.target];
    let mut report = transfer.report.open(globals, kind.name(), named, transfer.dry_run)?;
    let metrics = transfer.metrics.start(kind.name()).await?;
    let mut once = async || {
        let story = Run::new(&options, places);
        let follower = Follower::new(globals, &session, transfer.json, transfer.period(), story)
            .until(cutoff)
            .with_report(report.as_mut())
            .with_metrics(metrics.as_ref())
            .below(&target.path);
        let job = kind.start(&session.storage, [&source, &target], &options, at_once).await;
        let outcome = follower.follow(job).await;
        if let (Some(directory), Some(name)) =
            (&directory, options.memo.as_ref().and_then(|at| at.path.name()))
        {
            MemoOptions::hide(directory, name);
        }
        outcome
    };
    for run in 1..transfer.runs {
        match once().await {
            Err(failure) if failure.exit == Exit::Retryable => {
                let pause = pause_behind(run);
                let why = failure.message.map_or_else(String::new, |message| format!("{message}; "));
                note(format_args!("{why}run {} of {} in {} s", run + 1, transfer.runs, pause.as_secs()));
                sleep(pause).await;
            }
            outcome => return finish(report, outcome).await,
        }
    }
    let outcome = once().await;
    finish(report, outcome).await
}

/// Refuses what most probably is meant as the name of an object, and would become a directory of that name.
async fn refuse_name(session: &Session, places: &Places, at: [&Location; 2]) -> Result<(), Failure> {
    if !places.seem_to_rename() {
        return Ok(());
    }
    let [source, target] = at.map(|at| session.storage.stat(at));
    let is_object = source.await.is_ok_and(|info| info.kind == ObjectKind::Object);
    let is_missing = target.await.is_err_and(|error| error.code() == ErrorCode::NotFound);
    if !is_object || !is_missing {
        return Ok(());
    }
    let target = printable(&places.target.typed);
    Err(Failure::usage(format!(
        "`{target}` would become a directory, with the object in it: `copyto` and `moveto` give an object that name; write \
         `{target}/` if a directory is meant"
    )))
}

/// How long to wait for a store that was out of reach: twice as long each time, a minute at most.
fn pause_behind(run: u32) -> Duration {
    Duration::from_secs(1 << (run - 1).min(6)).min(Duration::from_secs(60))
}

/// What is said of a run.
struct Run<'a> {
    options: &'a SyncOptions,
    places: &'a Places,
    /// What the events so far add up to.
    so_far: Report,
    /// The path that was transferred last.
    last: String,
    /// Links that were skipped.
    links: u64,
}

impl<'a> Run<'a> {
    fn new(options: &'a SyncOptions, places: &'a Places) -> Self {
        Self { options, places, so_far: Report::default(), last: String::new(), links: 0 }
    }
}

impl Story for Run<'_> {
    type Event = Event;
    type Report = Report;

    fn note(&mut self, event: &Event, _output: &mut Output) -> Result<(), Failure> {
        let so_far = &mut self.so_far;
        *match event.action {
            Action::Transferred => {
                so_far.bytes += event.size.unwrap_or(0);
                self.last.clone_from(&event.path);
                &mut so_far.transferred
            }
            Action::UpdatedTime => &mut so_far.updated_times,
            Action::Deleted => &mut so_far.deleted,
            Action::Renamed => &mut so_far.renamed,
            Action::SourceRemoved => &mut so_far.sources_removed,
            Action::Skipped => &mut so_far.skipped,
            Action::Failed => &mut so_far.errors,
        } += 1;
        if event.action == Action::Skipped && event.reason.as_deref() == Some(SYMBOLIC_LINK) {
            self.links += 1;
        }
        Ok(())
    }

    fn json<'e>(event: &'e Event) -> impl Serialize + 'e {
        EventJson::from(event)
    }

    fn entry<'e>(event: &'e Event) -> Entry<'e> {
        Entry {
            event: event.action.as_str(),
            path: &event.path,
            size: event.size,
            bytes: if event.action == Action::Transferred { event.size.unwrap_or(0) } else { 0 },
            reason: event.reason.as_deref(),
            error: event.error.as_ref(),
            is_listed: true,
            is_failure: event.action == Action::Failed,
        }
    }

    fn failed<'e>(&self, event: &'e Event) -> Option<Failed<'e>> {
        (event.action == Action::Failed).then(|| Failed {
            place: join(&self.places.source.typed, &event.path),
            error: event.error.as_ref(),
            reason: event.reason.as_deref().unwrap_or("it failed"),
        })
    }

    fn line(&self, event: &Event, is_verbose: bool) -> Option<String> {
        is_verbose.then(|| line(event, self.options.dry_run))
    }

    /// The bytes include those of unfinished transfers.
    fn so_far(&self, activity: &Activity, elapsed: Duration) -> String {
        let objects = objects(self.so_far.transferred);
        let last = if self.last.is_empty() { String::new() } else { format!(": {}", printable(&self.last)) };
        match bytes_moved(activity) {
            Some(bytes) => {
                let rate = bytes as f64 / elapsed.as_secs_f64().max(0.001);
                format!("{objects}, {}, {}/s{last}", HumanBytes(bytes), HumanBytes(rate as u64))
            }
            None => format!("{objects}{last}"),
        }
    }

    fn interrupted(&self) -> String {
        let done = match done(&self.so_far) {
            done if done.is_empty() && self.so_far.errors == 0 => "nothing was done yet".to_owned(),
            done => summed_up(self.options.dry_run, done, self.so_far.errors).join("; "),
        };
        format!("{done}; what was under way was given up: run it again to go on")
    }

    fn summary<'o>(
        &self,
        outcome: &'o Result<Report, Error>,
        activity: &Activity,
        elapsed: Duration,
    ) -> impl Serialize + 'o {
        Summary::new(outcome, activity, self.options, elapsed)
    }

    fn sentence(&self, report: &Report) -> String {
        sentence(report, self.options)
    }

    fn afterwards(&self, report: &Report, is_verbose: bool) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(trouble) = report.memo.filter(|_| is_verbose) {
            lines.push(format!("the memo {}", trouble.as_str()));
        }
        if self.links > 0 {
            // Leaving something out on purpose is no error, but the copy is not complete: say so even with -q.
            lines.push(format!("skipped {}", links(self.links)));
        }
        lines
    }

    fn errors(report: &Report) -> u64 {
        report.errors
    }

    fn exit(report: &Report) -> Option<Exit> {
        match report.stopped? {
            Stop::MaxTransfer => Some(Exit::MaxTransfer),
            Stop::Deadline => Some(Exit::MaxDuration),
            Stop::MaxErrors => None,
        }
    }
}

/// One event as a person reads it.
fn line(event: &Event, dry_run: bool) -> String {
    let (done, would) = match event.action {
        Action::Transferred => ("transferred", "would transfer"),
        Action::UpdatedTime => ("set the time of", "would set the time of"),
        Action::Deleted => ("deleted", "would delete"),
        Action::Renamed => ("renamed", "would rename"),
        Action::SourceRemoved => ("removed from the source", "would remove from the source"),
        Action::Skipped => ("skipped", "would skip"),
        Action::Failed => ("failed", "would fail"),
    };
    let mut line = format!("{} `{}`", if dry_run { would } else { done }, printable(&event.path));
    if let Some(size) = event.size {
        line += &format!(" ({})", HumanBytes(size));
    }
    if let Some(reason) = &event.reason {
        let from = if event.action == Action::Renamed { "from " } else { "" };
        line += &format!(": {from}{}", printable(reason));
    }
    line
}

/// What was done as a person reads it, not what was not.
fn done(report: &Report) -> Vec<String> {
    let mut parts = Vec::new();
    if report.transferred > 0 {
        parts.push(format!("transferred {}, {}", objects(report.transferred), HumanBytes(report.bytes)));
    }
    for (count, what) in [
        (report.updated_times, "set the times of"),
        (report.renamed, "renamed"),
        (report.sources_removed, "removed from the source"),
        (report.deleted, "deleted"),
        (report.skipped, "skipped"),
    ] {
        if count > 0 {
            parts.push(format!("{what} {}", objects(count)));
        }
    }
    parts
}

/// The whole as a person reads it.
fn sentence(report: &Report, options: &SyncOptions) -> String {
    let mut parts = summed_up(options.dry_run, done(report), report.errors);
    if options.hold_deletes && report.deletes_withheld > 0 {
        parts.push(format!("held back {} to delete", objects(report.deletes_withheld)));
    } else if report.deletes_withheld > 0 {
        let why = if report.errors > 0 { "errors" } else { "the limit" };
        parts.push(format!("left {} undeleted because of {why}", objects(report.deletes_withheld)));
    }
    if let Some(stop) = report.stopped {
        parts.push(format!("ended early: --{} was reached", option_of(stop)));
    }
    format!("{}; checked {}", parts.join("; "), objects(report.checked))
}

/// The option that ends a run so.
const fn option_of(stop: Stop) -> &'static str {
    match stop {
        Stop::MaxErrors => "max-errors",
        Stop::MaxTransfer => "max-transfer",
        Stop::Deadline => "max-duration",
    }
}

/// A number of links, in words.
fn links(count: u64) -> String {
    if count == 1 { "1 symbolic link".to_owned() } else { format!("{count} symbolic links") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_one_sentence() {
        let report = Report { checked: 7, ..Report::default() };
        assert_eq!(sentence(&report, &SyncOptions::default()), "nothing to do; checked 7 objects");
        let report = Report {
            checked: 3,
            transferred: 1,
            bytes: 2048,
            skipped: 2,
            errors: 1,
            deletes_withheld: 4,
            ..report
        };
        assert_eq!(
            sentence(&report, &SyncOptions { dry_run: true, ..SyncOptions::default() }),
            "dry run: would have transferred 1 object, 2.00 KiB; skipped 2 objects; failed for 1 object; \
             left 4 objects undeleted because of errors; checked 3 objects"
        );
    }
}
