//! Follows a job to its end: says each event as it comes, and then the whole.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::{
    Globals,
    exit::{Exit, Failure, Subject},
    last_words::LastWords,
    metrics::Metrics,
    output::{Output, bytes_moved, printable, under_way},
    progress::Progress,
    report_file::{End, Entry, ReportFile},
    session::{Session, in_our_words},
    time::seconds,
    trace::RunSpan,
};
use crate::{
    Error, ErrorCode, Path,
    runtime::{Activity, Job},
};

/// What is said of one kind of job.
pub(super) trait Story {
    type Event;
    type Report: Send + 'static;

    /// Takes note of an event, before anything is said of it.
    ///
    /// # Errors
    /// What cannot be written.
    fn note(&mut self, event: &Self::Event, output: &mut Output) -> Result<(), Failure>;

    /// An event as JSON.
    fn json<'e>(event: &'e Self::Event) -> impl Serialize + 'e;

    /// An event for a report.
    fn entry<'e>(event: &'e Self::Event) -> Entry<'e>;

    /// What failed, if the event tells of a failure.
    fn failed<'e>(&self, event: &'e Self::Event) -> Option<Failed<'e>>;

    /// Any other event as a person reads it; `None` if it is not worth a line.
    fn line(&self, event: &Self::Event, is_verbose: bool) -> Option<String>;

    /// How far the job is.
    fn so_far(&self, activity: &Activity, elapsed: Duration) -> String;

    /// What was done and what was not, as a person reads it when a signal ends the job.
    fn interrupted(&self) -> String;

    /// Ends what [`note`](Self::note) began.
    ///
    /// # Errors
    /// What cannot be written.
    fn end(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// The end of the job as JSON.
    fn summary<'o>(
        &self,
        outcome: &'o Result<Self::Report, Error>,
        activity: &Activity,
        elapsed: Duration,
    ) -> impl Serialize + 'o;

    /// The end of the job as a person reads it.
    fn sentence(&self, report: &Self::Report) -> String;

    /// What is to be said behind it.
    fn afterwards(&self, _report: &Self::Report, _is_verbose: bool) -> Vec<String> {
        Vec::new()
    }

    /// How many events were failures.
    fn errors(report: &Self::Report) -> u64;

    /// How the command ends, if neither with success nor with the worst of the failures.
    fn exit(report: &Self::Report) -> Option<Exit>;
}

/// A failure of which an event tells.
pub(super) struct Failed<'e> {
    /// What the user calls the object.
    pub(super) place: String,
    pub(super) error: Option<&'e Error>,
    /// Why, if there is no error.
    pub(super) reason: &'e str,
}

/// Why a job is not followed to its end.
enum GivenUp {
    Cutoff,
    Signal(Exit),
}

/// A job as the user sees it.
pub(super) struct Follower<'a, S> {
    globals: &'a Globals,
    session: &'a Session,
    json: bool,
    progress: Progress,
    output: Output,
    started: Instant,
    /// The worst of the failures.
    worst: Exit,
    /// When what is under way is given up.
    cutoff: Option<Instant>,
    report: Option<&'a mut ReportFile>,
    metrics: Option<&'a Metrics>,
    traced: Option<RunSpan>,
    /// What the names of objects are shown without.
    below: Path,
    /// Whether others go on when this process ends.
    is_shared: bool,
    story: S,
}

impl<'a, S: Story> Follower<'a, S> {
    /// From now on. Progress is shown on a terminal, or every so often `anywhere`; JSON takes its place, unless it is wanted
    /// anywhere.
    pub(super) fn new(
        globals: &'a Globals,
        session: &'a Session,
        json: bool,
        anywhere: Option<Duration>,
        story: S,
    ) -> Self {
        Self {
            globals,
            session,
            json,
            progress: Progress::new(!globals.quiet && (!json || anywhere.is_some()), anywhere),
            output: Output::of_run(),
            started: Instant::now(),
            worst: Exit::Done,
            cutoff: None,
            report: None,
            metrics: None,
            // Before the job begins: its first calls belong to it.
            traced: globals.trace_run(),
            below: Path::root(),
            is_shared: false,
            story,
        }
    }

    /// Gives up at that time whatever is under way.
    pub(super) fn until(self, cutoff: Option<Instant>) -> Self {
        Self { cutoff, ..self }
    }

    /// Writes it down in a report, too.
    pub(super) fn with_report(self, report: Option<&'a mut ReportFile>) -> Self {
        Self { report, ..self }
    }

    /// The job is that of workers elsewhere, who go on when a signal ends this process.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn shared(self) -> Self {
        Self { is_shared: true, ..self }
    }

    /// Shows the objects under way by their names below that path of the target.
    pub(super) fn below(self, below: &Path) -> Self {
        Self { below: below.clone(), ..self }
    }

    /// Counts what is done, too.
    pub(super) fn with_metrics(self, metrics: Option<&'a Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// To the end of a job that was started: nothing of its places was looked at yet.
    pub(super) async fn follow(
        mut self,
        started: Result<Job<S::Event, S::Report>, Error>,
    ) -> Result<(), Failure> {
        let mut job = started.map_err(self.session.failure(Subject::Tree))?;
        let activity = job.activity();
        if let Some(metrics) = self.metrics {
            metrics.begin(&activity);
        }
        let (mut moments, mut given_up, mut last_words) = (self.progress.moments(), None, LastWords::new());
        loop {
            tokio::select! {
                event = job.next() => match event {
                    Some(event) => self.report(&event).await?,
                    None => break,
                },
                () = moments.next() => {
                    let whole = || self.story.so_far(&activity, self.started.elapsed());
                    self.progress.update(whole, || under_way(&activity, &self.below));
                }
                () = reached(self.cutoff) => {
                    given_up = Some(GivenUp::Cutoff);
                    break;
                }
                exit = last_words.asked() => {
                    given_up = Some(GivenUp::Signal(exit));
                    break;
                }
            }
        }
        let why = given_up.as_ref().map(|given_up| match given_up {
            GivenUp::Cutoff => {
                "--max-duration was reached, and what was under way given up: run it again to go on"
                    .to_owned()
            }
            GivenUp::Signal(_) if self.is_shared => {
                "interrupted: the workers go on with what was given out, and the same command attaches to the run again"
                    .to_owned()
            }
            GivenUp::Signal(_) => format!("interrupted: {}", self.story.interrupted()),
        });
        let outcome = match why {
            None => job.outcome().await,
            Some(why) => {
                // What was being written disappears.
                drop(job);
                Err(Error::new(ErrorCode::Cancelled, why))
            }
        };
        if let Some(run) = self.traced.take() {
            run.end(outcome.as_ref().map_or(1, S::errors), bytes_moved(&activity));
        }
        self.story.end()?;
        let elapsed = self.started.elapsed();
        {
            let summary = self.story.summary(&outcome, &activity, elapsed);
            if self.json {
                self.output.json(&summary)?;
            }
            if let Some(report) = self.report {
                let (sentence, is_success) = match &outcome {
                    Ok(report) => (self.story.sentence(report), S::errors(report) == 0),
                    Err(error) => (self.session.describe(error), false),
                };
                report.end(&summary, End { sentence, is_success, elapsed }).await;
            }
        }
        self.output.flush()?;
        match (given_up, &outcome) {
            (Some(GivenUp::Cutoff), Err(error)) => {
                return Err(Failure::new(Exit::MaxDuration, error.message()));
            }
            (Some(GivenUp::Signal(exit)), Err(error)) => {
                if !self.globals.quiet {
                    self.progress.note(error.message());
                }
                return Failure::told(exit);
            }
            _ => {}
        }
        let report = outcome.map_err(self.session.failure(Subject::Trees))?;
        if !self.json && !self.globals.quiet {
            let elapsed = seconds(elapsed);
            self.progress.note(format_args!("{} in {elapsed}", self.story.sentence(&report)));
        }
        for line in self.story.afterwards(&report, self.globals.is_verbose()) {
            self.progress.note(line);
        }
        Failure::told(match (S::exit(&report), S::errors(&report), self.worst) {
            (Some(exit), ..) => exit,
            (None, 0, _) => Exit::Done,
            (None, _, Exit::Done) => Exit::Other,
            (None, _, worst) => worst,
        })
    }

    async fn report(&mut self, event: &S::Event) -> Result<(), Failure> {
        self.story.note(event, &mut self.output)?;
        if let Some(metrics) = self.metrics {
            metrics.count(S::entry(event).event);
        }
        if let Some(report) = &mut self.report {
            report.event(&S::json(event), &S::entry(event), self.started.elapsed()).await;
        }
        if self.json {
            self.output.json(&S::json(event))?;
            self.output.flush()?;
        }
        if let Some(failed) = self.story.failed(event) {
            if let Some(run) = &self.traced {
                run.failed(S::entry(event).path, failed.error);
            }
            self.report_failure(&failed);
        } else if !self.json
            && !self.globals.quiet
            && let Some(line) = self.story.line(event, self.globals.is_verbose())
        {
            self.progress.note(line);
        }
        Ok(())
    }

    fn report_failure(&mut self, failed: &Failed<'_>) {
        let place = printable(&failed.place);
        let sentence = match failed.error {
            Some(error) if error.location().is_some() => self.session.describe(error),
            Some(error) => format!("`{place}`: {}", in_our_words(error.message())),
            None => format!("`{place}`: {}", failed.reason),
        };
        self.progress.note(format_args!("error: {sentence}"));
        let exit = failed.error.map_or(Exit::Other, |error| Exit::of(error.code(), Subject::Object));
        self.worst = self.worst.worse(exit);
    }
}

/// That time, which may never come.
async fn reached(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// A number of objects, in words.
pub(super) fn objects(count: u64) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

/// What would have been done, or what was, behind a word that says which.
pub(super) fn summed_up(dry_run: bool, mut parts: Vec<String>, errors: u64) -> Vec<String> {
    let mode = match (dry_run, parts.is_empty()) {
        (false, _) => "",
        (true, true) => "dry run: ",
        (true, false) => "dry run: would have ",
    };
    if parts.is_empty() {
        parts.push("nothing to do".to_owned());
    }
    if let Some(first) = parts.first_mut() {
        first.insert_str(0, mode);
    }
    if errors > 0 {
        parts.push(format!("failed for {}", objects(errors)));
    }
    parts
}
