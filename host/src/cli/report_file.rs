//! `--report`: what a run did, written to an object: a page to look at, or events for machines.

mod gathered;
mod lines;
mod page;

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use futures::{StreamExt, stream};
use omnistorage_types::encoding_from_path;
use serde::Serialize;

pub(super) use self::lines::Lines;
use self::{gathered::Gathered, page::Heading};
use super::{
    Globals,
    escape::printable_json,
    exit::{Exit, Failure, Subject},
    input::refuse_directory,
    local::Need,
    output::{note, printable},
    place::Place,
    session::Session,
    time::to_the_second,
};
use crate::{
    Error, Location, Timestamp,
    backend::WriteOptions,
    runtime::{Compression, Format, Storage},
};

/// Where to write down what a run did.
#[derive(Args)]
pub(crate) struct ReportOptions {
    /// Write what was done to the object PLACE: as a page to look at (`.html`), or as the events of --json (`.ndjson`, or
    /// compressed, as `.ndjson.zst`). It appears at the end of the run. With --cluster, each range writes its events to an object
    /// `RUN/RANGE.ndjson.zst` below PLACE
    #[arg(long, value_name = "PLACE", value_parser = Place::parser())]
    report: Option<Place>,
}

impl ReportOptions {
    /// Where the ranges of a shared run write theirs.
    ///
    /// # Errors
    /// What looks like one object.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn of_ranges(&self) -> Result<Option<&Place>, Failure> {
        let Some(place) = &self.report else { return Ok(None) };
        let typed = printable(&place.typed);
        if [".html", ".ndjson", ".zst", ".gz"].iter().any(|extension| typed.ends_with(extension)) {
            let message = format!(
                "--report `{typed}`: with --cluster each range has an object of its own: give a place for all of them"
            );
            return Err(Failure::usage(message));
        }
        Ok(Some(place))
    }

    /// Opens the report of a command over these places, if one is wanted.
    ///
    /// # Errors
    /// An extension that is neither; a place that cannot be opened.
    pub(super) fn open(
        &self,
        globals: &Globals,
        command: &'static str,
        places: [&Place; 2],
        dry_run: bool,
    ) -> Result<Option<ReportFile>, Failure> {
        let Some(place) = &self.report else { return Ok(None) };
        refuse_directory(place)?;
        let (session, target) = Session::one(globals, place, Need::Contents)?;
        let form = match (encoding_from_path(&target.path), target.path.as_str()) {
            ((Some(Format::Ndjson), codec), _) => {
                let compress = codec.map(|codec| Compression { codec, level: None, dictionary: None });
                Form::Lines(Lines::start(&session.storage, target, compress))
            }
            (_, path) if path.ends_with(".html") => {
                let places = places.map(|place| place.typed.clone());
                let heading = Heading { command, places, dry_run, started: to_the_second(Timestamp::now()) };
                Form::Page { heading, gathered: Gathered::default(), target }
            }
            _ => {
                let typed = printable(&place.typed);
                let message = format!(
                    "--report `{typed}`: its name must end in `.html`, or in `.ndjson` with the extension of a codec or none"
                );
                return Err(Failure::usage(message));
            }
        };
        Ok(Some(ReportFile { session, typed: place.typed.clone(), form, end: None }))
    }
}

/// What happened to one path, in the same words for every kind of run.
pub(super) struct Entry<'e> {
    /// As in the events of `--json`.
    pub(super) event: &'static str,
    pub(super) path: &'e str,
    /// Of the object, where it is known.
    pub(super) size: Option<u64>,
    /// Transferred for it.
    pub(super) bytes: u64,
    pub(super) reason: Option<&'e str>,
    pub(super) error: Option<&'e Error>,
    /// Whether a person wants to see the path, or only how many there are.
    pub(super) is_listed: bool,
    /// Whether something could not be done, or not be found out.
    pub(super) is_failure: bool,
}

/// How a run ended.
pub(super) struct End {
    /// For a person.
    pub(super) sentence: String,
    pub(super) is_success: bool,
    pub(super) elapsed: Duration,
}

/// A report that is being made. Nothing of it is there before [`finish`](Self::finish).
pub(super) struct ReportFile {
    session: Session,
    typed: String,
    form: Form,
    /// `None` until a run has come to an end.
    end: Option<End>,
}

enum Form {
    Lines(Lines),
    Page { heading: Heading, gathered: Gathered, target: Location },
}

impl ReportFile {
    /// Takes in an event, as JSON and for a person, so long after the start of the run.
    pub(super) async fn event(&mut self, json: &impl Serialize, entry: &Entry<'_>, elapsed: Duration) {
        match &mut self.form {
            Form::Lines(lines) => lines.add(&printable_json(json)).await,
            Form::Page { gathered, .. } => gathered.add(entry, elapsed),
        }
    }

    /// Takes in the end of a run.
    pub(super) async fn end(&mut self, json: &impl Serialize, end: End) {
        if let Form::Lines(lines) = &mut self.form {
            lines.add(&printable_json(json)).await;
        }
        self.end = Some(end);
    }

    /// Writes what was taken in, and gives the outcome of the run. Of a run that did not start there is no report.
    ///
    /// # Errors
    /// That of the run; of one that went well, that of the report.
    pub(super) async fn finish(self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        let Some(end) = self.end else { return outcome };
        let written = match self.form {
            Form::Lines(lines) => lines.finish().await,
            Form::Page { heading, gathered, target } => {
                let page = Bytes::from(page::render(&heading, &gathered, &end));
                write_page(&self.session.storage, &target, page).await
            }
        };
        match (written, outcome) {
            (Ok(()), outcome) => outcome,
            (Err(error), outcome) => {
                let failure = self.session.failure(Subject::Object)(error);
                let why = failure.message.unwrap_or_default();
                let message = format!("the report `{}` was not written: {why}", printable(&self.typed));
                match outcome {
                    // The worse news comes last.
                    Err(of_run) => {
                        note(format_args!("error: {message}"));
                        Err(of_run)
                    }
                    Ok(()) => Err(Failure::new(Exit::Other, message)),
                }
            }
        }
    }
}

/// Writes a page as what it is, where the backend keeps that.
async fn write_page(storage: &Storage, target: &Location, page: Bytes) -> Result<(), Error> {
    let keeps_types = storage.features(&target.backend).await?.features.content_type;
    let content_type = keeps_types.then(|| "text/html; charset=utf-8".to_owned());
    let options = WriteOptions { content_type, ..WriteOptions::default() };
    storage.write(target, stream::iter([Ok(page)]).boxed(), &options, None).await.map(drop)
}

/// Writes the report of a run, if one is wanted, and gives the outcome of the run: see [`ReportFile::finish`].
///
/// # Errors
/// As there.
pub(super) async fn finish(report: Option<ReportFile>, outcome: Result<(), Failure>) -> Result<(), Failure> {
    match report {
        Some(report) => report.finish(outcome).await,
        None => outcome,
    }
}
