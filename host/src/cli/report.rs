//! `report`: the reports of several runs as one.

mod file;
mod sum;

use clap::{Args, Subcommand};

use self::{file::Ran, sum::add};
use super::{
    Globals,
    exit::{Exit, Failure, Subject},
    explain::parse_path,
    follow::objects,
    output::{Output, note},
    session::Session,
    size::{Bound, parse_count_bound},
};
use crate::{
    KeyRange, Path,
    runtime::{Deletion, Report as Counters, SyncOptions},
};

/// Add up the reports of several runs, and judge deletes that they held
#[derive(Args)]
pub(crate) struct Report {
    #[command(subcommand)]
    command: ReportCommand,
}

#[derive(Subcommand)]
enum ReportCommand {
    Add(Add),
    Judge(Judge),
}

/// Add up the reports of several runs into one
///
/// A FILE holds what `sync`, `copy` or `move` printed with --json, to its last line; of several runs (--runs) the last one counts. The
/// sum is printed as the summary of one run is, with the longest time that any of them took, and the command ends with the
/// worst of their exit codes. Ranges (--start-after, --stop-at) must be those of one tree, without a gap and without an
/// overlap, or all the same.
#[derive(Args)]
#[command(after_help = ADD_EXAMPLES)]
struct Add {
    /// Files of reports; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
}

const ADD_EXAMPLES: &str = "\
Examples:
  omnistorage report add range-*.json
  omnistorage sync --json --stop-at m A B > 1; omnistorage sync --json --start-after m A B > 2; omnistorage report add 1 2";

/// Say whether runs over ranges that held their deletes may delete now
///
/// A FILE holds what `sync --hold-deletes` printed with --json. The guards of one run over all ranges look at the sum: no error, no
/// limit that ended a run, a SOURCE that is not empty, no more than --max-delete. The ranges must leave no gap. The
/// command ends with 0 if the deletes are allowed, and with 7 if not. Then run each range once more without --hold-deletes, and
/// with the `extras` of its own report as --max-delete.
#[derive(Args)]
#[command(after_help = JUDGE_EXAMPLES)]
struct Judge {
    /// Refuse if more objects than N would go in all
    #[arg(long, value_name = "N", value_parser = parse_count_bound(0_u64))]
    max_delete: Option<Bound<u64>>,
    /// Let what was held be deleted even after errors
    #[arg(long)]
    ignore_errors: bool,
    /// Allow a SOURCE without any object to empty TARGET
    #[arg(long)]
    allow_empty_source: bool,
    /// The ranges begin after this path, and not at the first one
    #[arg(long, value_name = "KEY", value_parser = parse_path)]
    start_after: Option<Path>,
    /// The ranges end with this path, and not with the last one
    #[arg(long, value_name = "KEY", value_parser = parse_path)]
    stop_at: Option<Path>,
    /// Files of reports; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
}

const JUDGE_EXAMPLES: &str = "\
Examples:
  omnistorage report judge --max-delete 1000 range-*.json";

impl Report {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            ReportCommand::Add(add) => add.run(),
            ReportCommand::Judge(judge) => judge.run(globals).await,
        }
    }
}

impl Add {
    fn run(self) -> Result<(), Failure> {
        let ran = Ran::read_all(&self.files)?;
        let sum = add(&ran)?;
        let mut output = Output::new();
        output.json(&sum)?;
        output.flush()?;
        Failure::told(ran.iter().map(|ran| ran.exit).fold(Exit::Done, Exit::worse))
    }
}

impl Judge {
    async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let ran = Ran::read_all(&self.files)?;
        for Ran { name, summary, .. } in &ran {
            let refused = if let Some(error) = &summary.error {
                format!("it could not be carried through: {}", error.message)
            } else if summary.dry_run {
                "it was a dry run".to_owned()
            } else if summary.extras != summary.deletes_withheld {
                "it ran without --hold-deletes".to_owned()
            } else {
                continue;
            };
            return Err(Failure::new(Exit::Fatal, format!("`{name}`: {refused}: nothing may be deleted")));
        }
        let sum = add(&ran)?;
        sum::require_range(&ran, &KeyRange { after: self.start_after, until: self.stop_at })?;
        let counted = |counter: Option<u64>| counter.ok_or_else(|| Failure::usage("a report counts nothing"));
        let counters = Counters {
            errors: counted(sum.errors)?,
            source_objects: counted(sum.source_objects)?,
            extras: counted(sum.extras)?,
            stopped: ran.iter().find_map(|ran| ran.stopped),
            ..Counters::default()
        };
        let options = SyncOptions {
            deletion: Deletion::After,
            max_delete: Bound::of(self.max_delete),
            ignore_errors: self.ignore_errors,
            allow_empty_source: self.allow_empty_source,
            ..SyncOptions::default()
        };
        let (session, _) = Session::many(globals, &[])?;
        session.storage.judge(&counters, &options).await.map_err(session.failure(Subject::Trees))?;
        if !globals.quiet {
            note(format_args!("{} may be deleted", objects(counters.extras)));
        }
        Ok(())
    }
}
