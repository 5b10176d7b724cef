//! `copy`, `sync` and `move`.

mod json;
mod options;

use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{HumanBytes, HumanDuration};

use self::{
    json::{EventJson, SummaryJson},
    options::{DeleteOptions, TransferOptions},
};
use super::{
    Globals,
    compare::Places,
    exit::{Exit, Failure, Subject},
    explain,
    memo::MemoOptions,
    output::{Output, note, printable},
    progress::Progress,
    session::{Granted, Session, in_our_words, join},
    threads::Threads,
};
use crate::{
    Error, Location,
    runtime::{Action, Activity, Event, Report, Stop, Storage, SyncJob, SyncOptions},
};

/// The reason for which a link is skipped.
const SYMBOLIC_LINK: &str = "symbolic link";

/// Transfer what differs from SOURCE to TARGET; delete nothing
///
/// The contents of the directory SOURCE go into the directory TARGET; if SOURCE is an object, it goes there itself.
#[derive(Args)]
pub(crate) struct Copy {
    #[command(flatten)]
    transfer: TransferOptions,
    #[command(flatten)]
    places: Places,
}

/// Make the directory TARGET equal to the directory SOURCE: transfer what differs, delete what is extra
///
/// Nothing is deleted before everything was transferred, unless you ask for it, and nothing after any error. An overlap
/// of the two, and an empty SOURCE, are refused.
#[derive(Args)]
pub(crate) struct Sync {
    #[command(flatten)]
    transfer: TransferOptions,
    #[command(flatten)]
    delete: DeleteOptions,
    #[command(flatten)]
    places: Places,
}

/// Transfer what differs from SOURCE to TARGET, then remove from SOURCE what is on TARGET
///
/// An object is removed from SOURCE only once it was transferred and verified, or if TARGET is proved to have the same;
/// what was skipped, failed or changed meanwhile stays.
#[derive(Args)]
pub(crate) struct Move {
    #[command(flatten)]
    transfer: TransferOptions,
    /// Remove directories of SOURCE that are empty afterwards
    #[arg(long)]
    delete_empty_src_dirs: bool,
    #[command(flatten)]
    places: Places,
}

impl Copy {
    pub(crate) fn threads(&self) -> Threads {
        self.transfer.recoding.threads()
    }

    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let Self { transfer, places } = self;
        carry_out(Kind::Copy, globals, &transfer, &places, |options| options).await
    }
}

impl Sync {
    pub(crate) fn threads(&self) -> Threads {
        self.transfer.recoding.threads()
    }

    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let Self { transfer, delete, places } = self;
        let with_deletes = |options| delete.add_to(options);
        carry_out(Kind::Sync, globals, &transfer, &places, with_deletes).await
    }
}

impl Move {
    pub(crate) fn threads(&self) -> Threads {
        self.transfer.recoding.threads()
    }

    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let Self { transfer, delete_empty_src_dirs: delete_empty_source_directories, places } = self;
        transfer.check_for_move()?;
        let with_directories = |options| SyncOptions { delete_empty_source_directories, ..options };
        carry_out(Kind::Move, globals, &transfer, &places, with_directories).await
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
    async fn start(
        self,
        storage: &Storage,
        source: &Location,
        target: &Location,
        options: &SyncOptions,
    ) -> Result<SyncJob, Error> {
        match self {
            Self::Copy => storage.copy(source, target, options).await,
            Self::Sync => storage.sync(source, target, options).await,
            Self::Move => storage.move_to(source, target, options).await,
        }
    }
}

/// Starts a run, and follows it to its end.
async fn carry_out(
    kind: Kind,
    globals: &Globals,
    transfer: &TransferOptions,
    places: &Places,
    complete: impl FnOnce(SyncOptions) -> SyncOptions,
) -> Result<(), Failure> {
    if let Some(decision) = transfer.comparison.decision().filter(|_| globals.is_verbose()) {
        note(decision);
    }
    let backup = transfer.backup_dir.as_ref();
    let directory = transfer.memo.directory(&places.source, &places.target, transfer.dry_run)?;
    let Places { source, target } = places;
    let Granted { session, source, target, third: backup, memo } =
        Session::with_backup(globals, source, target, backup, directory.as_ref(), transfer.files())?;
    if directory.is_some() && memo.is_none() && globals.is_verbose() {
        note("the memo would lie in one of the places: nothing is remembered");
    }
    let options = complete(transfer.options(backup, memo)?);
    if let Some(path) = &transfer.explain {
        let explanation = match kind {
            Kind::Move => session.storage.explain_move(&source, &target, path, &options).await,
            Kind::Copy | Kind::Sync => session.storage.explain(&source, &target, path, &options).await,
        };
        return explain::tell(&session, path, explanation, transfer.json);
    }
    let once = async || {
        let started = Instant::now();
        let job = kind.start(&session.storage, &source, &target, &options).await;
        let job = job.map_err(session.failure(Subject::Tree))?; // nothing of the places was looked at yet
        let outcome = Run::new(globals, transfer, places, &session, started).follow(job).await;
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
                tokio::time::sleep(pause).await;
            }
            outcome => return outcome,
        }
    }
    once().await
}

/// How long to wait for a store that was out of reach: twice as long each time, a minute at most.
fn pause_behind(run: u32) -> Duration {
    Duration::from_secs(1 << (run - 1).min(6)).min(Duration::from_secs(60))
}

/// A run as the user sees it.
struct Run<'a> {
    globals: &'a Globals,
    dry_run: bool,
    json: bool,
    places: &'a Places,
    session: &'a Session,
    started: Instant,
    progress: Progress,
    output: Output,
    transferred: u64,
    /// The path that was transferred last.
    last: String,
    /// Links that were skipped.
    links: u64,
    exit: Exit,
}

impl<'a> Run<'a> {
    fn new(
        globals: &'a Globals,
        transfer: &TransferOptions,
        places: &'a Places,
        session: &'a Session,
        started: Instant,
    ) -> Self {
        Self {
            globals,
            dry_run: transfer.dry_run,
            json: transfer.json,
            places,
            session,
            started,
            progress: Progress::new(
                !globals.quiet && (!transfer.json || transfer.progress),
                transfer.progress,
            ),
            output: Output::of_run(),
            transferred: 0,
            last: String::new(),
            links: 0,
            exit: Exit::Done,
        }
    }

    /// Reports each event as it comes, then the whole.
    async fn follow(mut self, mut job: SyncJob) -> Result<(), Failure> {
        let activity = job.activity();
        let mut moments = self.progress.moments();
        loop {
            tokio::select! {
                event = job.next() => match event {
                    Some(event) => self.report(&event)?,
                    None => break,
                },
                () = moments.next() => self.show_progress(&activity),
            }
        }
        let outcome = job.outcome().await;
        if self.json {
            let elapsed = self.started.elapsed();
            self.output.json(&SummaryJson::new(&outcome, &activity, self.dry_run, elapsed))?;
            self.output.flush()?;
        }
        let report = outcome.map_err(self.session.failure(Subject::Trees))?;
        if !self.json && !self.globals.quiet {
            self.progress.note(sentence(&report, self.dry_run, self.started.elapsed()));
        }
        if let Some(trouble) = report.memo.filter(|_| self.globals.is_verbose()) {
            self.progress.note(format_args!("the memo {}", trouble.as_str()));
        }
        if self.links > 0 {
            // Leaving something out on purpose is no error, but the copy is not complete: say so even with -q.
            self.progress.note(format_args!("skipped {}", links(self.links)));
        }
        match (report.errors, self.exit) {
            _ if report.stopped == Some(Stop::MaxTransfer) => Err(Failure::silent(Exit::MaxTransfer)),
            (0, _) => Ok(()),
            (_, Exit::Done) => Err(Failure::silent(Exit::Other)),
            (_, exit) => Err(Failure::silent(exit)),
        }
    }

    fn report(&mut self, event: &Event) -> Result<(), Failure> {
        if event.action == Action::Transferred {
            self.transferred += 1;
            if self.progress.is_shown() {
                self.last.clone_from(&event.path);
            }
        }
        if self.json {
            self.output.json(&EventJson::from(event))?;
            self.output.flush()?;
        }
        if event.action == Action::Skipped && event.reason.as_deref() == Some(SYMBOLIC_LINK) {
            self.links += 1;
        }
        if event.action == Action::Failed {
            self.report_failure(event);
        } else if self.globals.is_verbose() && !self.json {
            self.progress.note(line(event, self.dry_run));
        }
        Ok(())
    }

    /// How far it is; the bytes include those of unfinished transfers.
    fn show_progress(&self, activity: &Activity) {
        let bytes = activity.bytes_moved();
        self.progress.update(|| {
            let rate = bytes as f64 / self.started.elapsed().as_secs_f64().max(0.001);
            let (objects, rate) = (objects(self.transferred), HumanBytes(rate as u64));
            let last =
                if self.last.is_empty() { String::new() } else { format!(": {}", printable(&self.last)) };
            format!("{objects}, {}, {rate}/s{last}", HumanBytes(bytes))
        });
    }

    fn report_failure(&mut self, event: &Event) {
        let place = || format!("`{}`", printable(&join(&self.places.source.typed, &event.path)));
        let sentence = match &event.error {
            Some(error) if error.location().is_some() => self.session.describe(error),
            Some(error) => format!("{}: {}", place(), in_our_words(error.message())),
            None => format!("{}: {}", place(), event.reason.as_deref().unwrap_or("it failed")),
        };
        self.progress.note(format_args!("error: {sentence}"));
        let exit = event.error.as_ref().map_or(Exit::Other, |error| Exit::of(error.code(), Subject::Object));
        self.exit = self.exit.worse(exit);
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

/// The whole as a person reads it: what happened, not what did not.
fn sentence(report: &Report, dry_run: bool, elapsed: Duration) -> String {
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
        let why = if report.errors > 0 { "errors" } else { "the limit" };
        parts.push(format!("left {} undeleted because of {why}", objects(report.deletes_withheld)));
    }
    if let Some(stop) = report.stopped {
        parts.push(format!("ended early: --{} was reached", stop.as_str()));
    }
    let (done, checked) = (parts.join("; "), objects(report.checked));
    format!("{mode}{done}; checked {checked} in {}", seconds(elapsed))
}

/// A number of links, in words.
fn links(count: u64) -> String {
    if count == 1 { "1 symbolic link".to_owned() } else { format!("{count} symbolic links") }
}

/// A number of objects, in words.
pub(super) fn objects(count: u64) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

/// A duration to read: with fractions where they matter.
pub(super) fn seconds(elapsed: Duration) -> String {
    if elapsed < Duration::from_secs(60) {
        format!("{:.2} s", elapsed.as_secs_f64())
    } else {
        HumanDuration(elapsed).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_one_sentence() {
        let report = Report { checked: 7, ..Report::default() };
        let elapsed = Duration::from_millis(250);
        assert_eq!(sentence(&report, false, elapsed), "nothing to do; checked 7 objects in 0.25 s");
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
            sentence(&report, true, elapsed),
            "dry run: would have transferred 1 object, 2.00 KiB; skipped 2 objects; failed for 1 object; \
             left 4 objects undeleted because of errors; checked 3 objects in 0.25 s"
        );
    }
}
