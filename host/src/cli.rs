//! The command line: places and options in, the typed API of [`runtime`](crate::runtime) in the middle, text, JSON and
//! exit codes out. Each command has its own file; none of them touches a backend by itself.

mod bisync;
mod check;
mod compare;
mod configuration;
mod exit;
mod explain;
mod filter;
mod hash;
mod information;
mod input;
mod interrupt;
mod list;
mod local;
mod object;
mod output;
mod place;
mod progress;
mod rclone;
mod recode;
mod records;
mod session;
mod size;
mod standard;
mod tee;
mod threads;
mod time;
mod transfer;

use std::{path::PathBuf, process::ExitCode};

use clap::{
    ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, builder::BoolishValueParser,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use self::{
    configuration::Configuration,
    exit::Failure,
    threads::{Threads, wait},
};

const AFTER_HELP: &str = "\
A PLACE is a path (./dir, /abs/file), a URL (file:///abs/dir), memory:PATH, or NAME:PATH, where NAME is a backend of \
the configuration file, or `env` for the one that STORAGE_BACKEND and OMNISTORAGE_<KIND>_<SETTING> describe. Every \
option can also be set by the environment: --dry-run by OMNISTORAGE_DRY_RUN=true.

Exit codes: 0 done; 1 differences or another error; 2 usage; 3 directory not found; 4 object not found; \
5 an error remained that may pass; 6 an error that no retry mends; 7 refused or stopped to keep data safe \
(overlap, empty source, --max-delete); 8 --max-transfer was reached.";

/// Stores, moves and compares data, one way for every backend.
#[derive(Parser)]
#[command(name = "omnistorage", version, after_help = AFTER_HELP, max_term_width = 110)]
struct Arguments {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Args)]
pub(crate) struct Globals {
    /// The configuration file, instead of `omnistorage/config.toml` in the user's configuration directory
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say more on standard error: -v each object, -vv what happens inside
    #[arg(long, short, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    quiet: bool,
}

impl Globals {
    fn configuration(&self) -> Result<Configuration, Failure> {
        Configuration::load(self.config.as_deref())
    }

    fn is_verbose(&self) -> bool {
        self.verbose > 0
    }
}

#[derive(Subcommand)]
enum Command {
    Ls(list::Ls),
    Stat(object::Stat),
    Cat(object::Cat),
    Put(object::Put),
    Tee(tee::Tee),
    Rm(object::Rm),
    Mkdir(object::Mkdir),
    Rmdir(object::Rmdir),
    Sweep(object::Sweep),
    Copy(transfer::Copy),
    Sync(transfer::Sync),
    Move(transfer::Move),
    Check(check::Check),
    Bisync(bisync::Bisync),
    Hash(hash::Hash),
    Records(records::Records),
    Backends(information::Backends),
    Features(information::Features),
    Completions(information::Completions),
}

impl Command {
    fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self {
            Self::Ls(command) => wait(Threads::One, command.run(globals)),
            Self::Stat(command) => wait(Threads::One, command.run(globals)),
            Self::Cat(command) => wait(Threads::Several, command.run(globals)),
            Self::Put(command) => wait(Threads::Several, command.run(globals)),
            Self::Tee(command) => wait(Threads::Several, command.run(globals)),
            Self::Rm(command) => wait(Threads::One, command.run(globals)),
            Self::Mkdir(command) => wait(Threads::One, command.run(globals)),
            Self::Rmdir(command) => wait(Threads::One, command.run(globals)),
            Self::Sweep(command) => wait(Threads::One, command.run(globals)),
            Self::Copy(command) => wait(command.threads(), command.run(globals)),
            Self::Sync(command) => wait(command.threads(), command.run(globals)),
            Self::Move(command) => wait(command.threads(), command.run(globals)),
            Self::Check(command) => wait(command.threads(), command.run(globals)),
            Self::Bisync(command) => wait(Threads::One, command.run(globals)),
            Self::Hash(command) => wait(Threads::One, command.run(globals)),
            Self::Records(command) => wait(Threads::Several, command.run(globals)),
            Self::Features(command) => wait(Threads::One, command.run(globals)),
            Self::Backends(command) => command.run(globals),
            Self::Completions(command) => command.run(command_line()),
        }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let parsed = command_line().try_get_matches().and_then(|matches| Arguments::from_arg_matches(&matches));
    let Arguments { globals, command } = match parsed {
        Ok(arguments) => arguments,
        Err(error) => {
            match rclone::hint(&error) {
                // What is like it in the letters would only lead astray.
                Some(hint) => output::note(format_args!("error: {hint}")),
                None => drop(error.print()),
            }
            return u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    start_log(&globals);

    match command.run(&globals) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { exit, message }) => {
            if let Some(message) = message {
                output::note(format_args!("error: {message}"));
            }
            exit.into()
        }
    }
}

/// The grammar, in which every option also has its environment variable.
fn command_line() -> clap::Command {
    with_environment(Arguments::command())
}

fn with_environment(command: clap::Command) -> clap::Command {
    let with_variable = |argument: clap::Arg| {
        let Some(option) = argument.get_long() else { return argument };
        let variable = format!("OMNISTORAGE_{}", option.replace('-', "_").to_uppercase());
        let argument = argument.env(variable).hide_env(true);
        match argument.get_action() {
            ArgAction::SetTrue => argument.value_parser(BoolishValueParser::new()),
            _ => argument,
        }
    };
    command.mut_args(with_variable).mut_subcommands(with_environment)
}

fn start_log(globals: &Globals) {
    let level = match (globals.quiet, globals.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let format =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).without_time().with_target(false);
    // An error says that there is a log already, which then serves.
    let _ = tracing_subscriber::registry()
        .with(format)
        .with(Targets::new().with_target(env!("CARGO_CRATE_NAME"), level))
        .try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_consistent() {
        command_line().debug_assert();
    }

    #[test]
    fn every_option_has_its_variable() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments().filter(|argument| argument.get_long().is_some()) {
                let variable = argument.get_env().and_then(|name| name.to_str());
                assert!(variable.is_some_and(|name| name.starts_with("OMNISTORAGE_")), "{argument:?}");
            }
            command.get_subcommands().for_each(check);
        }
        check(&command_line());
    }
}
