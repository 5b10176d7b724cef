//! `tee`.

use clap::{Args, ValueEnum};
use serde::Serialize;
use tokio::time::Instant;

use super::{
    Globals,
    exit::{Exit, Failure, Subject},
    input::{StoredWith, refuse_directory, standard_input},
    output::{ErrorJson, Output, note, printable},
    place::Place,
    session::Session,
};
use crate::{
    Error,
    runtime::{Mode, Outcome, TargetResult, TeeError},
};

/// Write standard input to several objects at once
///
/// They appear, or change, once all of the input was read, each whole or not at all. If too few of them can be written,
/// none is: what was committed before that was known is put back as it was.
#[derive(Args)]
#[command(after_help = "Examples:\n  omnistorage tee --mode quorum ./a/state /mnt/b/state nas:state < state")]
pub(crate) struct Tee {
    /// How many must be written
    #[arg(long, value_enum, default_value_t = ModeName::All)]
    mode: ModeName,
    /// Print one JSON event for every target, then a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stored_with: StoredWith,
    /// The objects
    #[arg(required = true, value_name = "TARGET", value_parser = Place::parser())]
    targets: Vec<Place>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ModeName {
    /// Every one
    All,
    /// At least one; those that failed are reported
    BestEffort,
    /// More than half of those given
    Quorum,
}

impl ModeName {
    const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::BestEffort => "best-effort",
            Self::Quorum => "quorum",
        }
    }
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::All => Self::All,
            ModeName::BestEffort => Self::BestEffort,
            ModeName::Quorum => Self::Quorum,
        }
    }
}

#[derive(Serialize)]
struct EventJson<'a> {
    event: &'static str,
    path: &'a str,
    size: Option<u64>,
    error: Option<ErrorJson<'a>>,
}

/// `error` is null if as many targets hold the object as the mode asks for.
#[derive(Serialize)]
struct SummaryJson<'a> {
    event: &'static str,
    mode: &'static str,
    written: usize,
    failed: usize,
    withheld: usize,
    undone: usize,
    stranded: usize,
    error: Option<ErrorJson<'a>>,
    elapsed_ms: u128,
}

impl Tee {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        self.targets.iter().try_for_each(refuse_directory)?;
        let (options, compress) = self.stored_with.options()?;
        let (session, targets) = Session::many(globals, &self.targets)?;
        let started = Instant::now();
        let (contents, compress) = compress.apply(&session.storage, standard_input()?);
        let done = session.storage.tee(&targets, contents, &options, compress, self.mode.into()).await;
        let (results, error) = match done {
            Ok(results) => (results, None),
            Err(TeeError { error, targets }) => (targets, Some(error)),
        };

        let mut output = Output::of_run();
        for (place, TargetResult { outcome, .. }) in self.targets.iter().zip(&results) {
            if self.json {
                output.json(&EventJson {
                    event: outcome.as_str(),
                    path: &place.typed,
                    size: outcome.written().and_then(|info| info.size),
                    error: outcome.error().map(Into::into),
                })?;
            }
            report(globals, &session, place, outcome);
        }
        if self.json {
            let count = |word| results.iter().filter(|result| result.outcome.as_str() == word).count();
            output.json(&SummaryJson {
                event: "summary",
                mode: self.mode.as_str(),
                written: count("written"),
                failed: count("failed"),
                withheld: count("withheld"),
                undone: count("undone"),
                stranded: count("stranded"),
                error: error.as_ref().map(Into::into),
                elapsed_ms: started.elapsed().as_millis(),
            })?;
        }
        output.flush()?;
        error.map_or(Ok(()), |error| Err(failure(&session, &error, &results)))
    }
}

/// What a person should know of one target.
fn report(globals: &Globals, session: &Session, place: &Place, outcome: &Outcome) {
    let name = printable(&place.typed);
    match outcome {
        Outcome::Failed(error) => note(format_args!("error: {}", session.describe(error))),
        Outcome::Stranded(error) => {
            note(format_args!("error: {}; it is left with what was written", session.describe(error)));
        }
        Outcome::Undone if !globals.quiet => {
            note(format_args!("`{name}` was written, and is as it was again"))
        }
        Outcome::Written(_) if globals.is_verbose() => note(format_args!("written `{name}`")),
        Outcome::Withheld if globals.is_verbose() => note(format_args!("withheld `{name}`")),
        Outcome::Written(_) | Outcome::Withheld | Outcome::Undone => {}
    }
}

/// Why the whole failed: the targets that did, or else the input or the call.
fn failure(session: &Session, error: &Error, results: &[TargetResult]) -> Failure {
    let failed: Vec<_> = results.iter().filter_map(|result| result.outcome.error()).collect();
    if !failed.contains(&error) {
        return session.failure(Subject::Object)(error.clone());
    }
    let exits = failed.iter().map(|error| Exit::of(error.code(), Subject::Object));
    let stranded = results.iter().filter(|result| matches!(result.outcome, Outcome::Stranded(_))).count();
    let left = match stranded {
        0 => "nothing was written".to_owned(),
        stranded => format!("{stranded} could not be put back as they were"),
    };
    let message = format!("{} of {} targets failed: {left}", failed.len(), results.len());
    Failure::new(exits.fold(Exit::Done, Exit::worse), message)
}
