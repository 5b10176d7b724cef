//! The command line: places and options in, the typed API of [`runtime`](crate::runtime) in the middle, text, JSON and
//! exit codes out. Related commands share a file. None of them touches a backend itself.

mod bisync;
mod check;
#[cfg(not(target_family = "wasm"))]
mod cluster;
mod codec;
mod compare;
#[cfg(not(target_family = "wasm"))]
mod complete;
#[cfg(not(target_family = "wasm"))]
mod config;
#[cfg(not(target_family = "wasm"))]
mod configuration;
mod dictionary;
#[cfg(not(target_family = "wasm"))]
mod directory;
mod escape;
mod exit;
mod explain;
mod filter;
mod follow;
mod found;
mod grammar;
mod hash;
mod help;
mod hints;
mod information;
mod input;
#[cfg(not(target_family = "wasm"))]
mod interrupt;
mod last_words;
mod list;
mod local;
mod log;
mod memo;
mod metrics;
mod names;
mod object;
mod output;
mod pair;
mod place;
mod plan;
#[cfg(not(target_family = "wasm"))]
mod precompile;
mod progress;
mod range;
mod read;
mod recode;
mod records;
mod reference;
#[cfg(not(target_family = "wasm"))]
mod remotes;
mod remove;
mod report;
mod report_file;
mod session;
mod share;
mod size;
#[cfg(not(target_family = "wasm"))]
mod standard;
mod tee;
mod threads;
mod time;
mod trace;
mod train;
mod transfer;
mod tree;
mod units;
mod usage;
mod variables;
mod wildcard;
mod window;
#[cfg(not(target_family = "wasm"))]
mod worker;

#[cfg(not(target_family = "wasm"))]
use std::{env, fs, process::ExitCode};
use std::{ffi::OsString, path::PathBuf};

use clap::{
    ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind,
    parser::ValueSource,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

#[cfg(not(target_family = "wasm"))]
use self::configuration::Configuration;
use self::{
    exit::Failure,
    threads::{Threads, wait},
};

/// Stores, moves and compares data, one way for every backend.
#[derive(Parser)]
#[command(name = "omnistorage", version, after_help = help::FIRST_PAGE, max_term_width = 110)]
struct Arguments {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Args, Clone)]
pub(crate) struct Globals {
    /// The configuration file, instead of `omnistorage/config.toml` in the user's configuration directory
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The configuration of rclone, whose remotes count where a name is not ours, instead of rclone's own
    #[arg(long, global = true, value_name = "FILE")]
    rclone_config: Option<PathBuf>,
    /// Say more on standard error: -v each object, -vv what happens inside
    #[arg(long, short, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Write messages to FILE, behind what is in it, instead of to standard error
    #[arg(long, global = true, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// How messages are written: text, or json with time, level and message
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    log_format: log::LogFormat,
    #[cfg(not(target_family = "wasm"))]
    #[arg(skip)]
    traces: Option<trace::Traces>,
}

impl Globals {
    #[cfg(not(target_family = "wasm"))]
    fn configuration(&self) -> Result<Configuration, Failure> {
        let (configuration, warning) = Configuration::load(self.config.as_deref())?;
        if let Some(warning) = warning.filter(|_| !self.quiet) {
            output::note(format_args!("warning: {warning}"));
        }
        Ok(configuration)
    }

    /// Refuses a configuration file that is named but missing, even if the command does not need it.
    #[cfg(not(target_family = "wasm"))]
    #[allow(clippy::disallowed_methods, reason = "the configuration is a file")]
    fn require_configuration(&self) -> Result<(), Failure> {
        let Some(file) = &self.config else { return Ok(()) };
        fs::metadata(file).map(drop).map_err(|error| {
            Failure::usage(format!("cannot read the configuration file `{}`: {error}", file.display()))
        })
    }

    /// Refuses a configuration file: the backends of a component are there already.
    #[cfg(target_family = "wasm")]
    fn require_configuration(&self) -> Result<(), Failure> {
        if self.config.is_none() {
            return Ok(());
        }
        let message = "--config: a component has no configuration file; its environment describes its backends, as by \
                       `OMNISTORAGE_NAME_KIND=s3`";
        Err(Failure::usage(message))
    }

    /// Begins a run in the trace of this command, if there is one.
    #[cfg(not(target_family = "wasm"))]
    fn trace_run(&self) -> Option<trace::RunSpan> {
        self.traces.as_ref().map(trace::Traces::begin_run)
    }

    #[cfg(target_family = "wasm")]
    #[allow(clippy::unused_self, reason = "as where there are traces")]
    fn trace_run(&self) -> Option<trace::RunSpan> {
        None
    }

    fn is_verbose(&self) -> bool {
        self.verbose > 0
    }

    /// Between -v and -q, the command line takes precedence over the environment; giving both is an error.
    fn settle(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let is_typed = |option| matches.value_source(option) == Some(ValueSource::CommandLine);
        match (is_typed("verbose"), is_typed("quiet")) {
            (true, false) => self.quiet = false,
            (false, true) => self.verbose = 0,
            _ if self.quiet && self.verbose > 0 => {
                let message = "the argument '--verbose...' cannot be used with '--quiet'";
                return Err(command_line().error(ErrorKind::ArgumentConflict, message));
            }
            _ => {}
        }
        Ok(())
    }
}

#[derive(Subcommand)]
enum Command {
    Ls(list::Ls),
    Stat(object::Stat),
    Tree(tree::Tree),
    Size(usage::Size),
    Du(usage::Du),
    Cat(read::Cat),
    Head(read::Head),
    Tail(read::Tail),
    Put(object::Put),
    Tee(tee::Tee),
    Rm(remove::Rm),
    Mkdir(object::Mkdir),
    Rmdir(object::Rmdir),
    Sweep(object::Sweep),
    Copy(transfer::Copy),
    Copyto(transfer::CopyTo),
    Sync(transfer::Sync),
    Move(transfer::Move),
    Moveto(transfer::MoveTo),
    Check(check::Check),
    Bisync(bisync::Bisync),
    #[cfg(not(target_family = "wasm"))]
    Worker(worker::Worker),
    #[cfg(not(target_family = "wasm"))]
    Cluster(cluster::Cluster),
    Plan(plan::Plan),
    Report(report::Report),
    Hash(hash::Hash),
    Records(records::Records),
    Dictionary(train::Dictionaries),
    #[cfg(not(target_family = "wasm"))]
    Config(config::Config),
    Backends(information::Backends),
    Features(information::Features),
    #[cfg(not(target_family = "wasm"))]
    Completions(complete::Completions),
    #[cfg(not(target_family = "wasm"))]
    #[command(hide = true)]
    CompletePlace(complete::CompletePlace),
    #[command(hide = true)]
    Reference(reference::Reference),
    #[cfg(not(target_family = "wasm"))]
    #[command(hide = true)]
    Precompile(precompile::Precompile),
}

impl Command {
    fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self {
            Self::Ls(command) => wait(Threads::One, command.run(globals)),
            Self::Stat(command) => wait(Threads::One, command.run(globals)),
            Self::Tree(command) => wait(Threads::One, command.run(globals)),
            Self::Size(command) => wait(Threads::One, command.run(globals)),
            Self::Du(command) => wait(Threads::One, command.run(globals)),
            Self::Cat(command) => wait(Threads::Several, command.run(globals)),
            Self::Head(command) => wait(Threads::Several, command.run(globals)),
            Self::Tail(command) => wait(Threads::Several, command.run(globals)),
            Self::Put(command) => wait(Threads::Several, command.run(globals)),
            Self::Tee(command) => wait(Threads::Several, command.run(globals)),
            Self::Rm(command) => wait(Threads::One, command.run(globals)),
            Self::Mkdir(command) => wait(Threads::One, command.run(globals)),
            Self::Rmdir(command) => wait(Threads::One, command.run(globals)),
            Self::Sweep(command) => wait(Threads::One, command.run(globals)),
            Self::Copy(command) => wait(command.threads(), command.run(globals)),
            Self::Copyto(command) => wait(command.threads(), command.run(globals)),
            Self::Sync(command) => wait(command.threads(), command.run(globals)),
            Self::Move(command) => wait(command.threads(), command.run(globals)),
            Self::Moveto(command) => wait(command.threads(), command.run(globals)),
            Self::Check(command) => wait(command.threads(), command.run(globals)),
            Self::Bisync(command) => wait(Threads::One, command.run(globals)),
            Self::Report(command) => wait(Threads::One, command.run(globals)),
            #[cfg(not(target_family = "wasm"))]
            Self::Worker(command) => command.run(globals),
            #[cfg(not(target_family = "wasm"))]
            Self::Cluster(command) => wait(Threads::One, command.run()),
            Self::Plan(command) => wait(Threads::One, command.run(globals)),
            Self::Hash(command) => wait(Threads::One, command.run(globals)),
            Self::Records(command) => wait(Threads::Several, command.run(globals)),
            Self::Dictionary(command) => wait(Threads::Several, command.run(globals)),
            #[cfg(not(target_family = "wasm"))]
            Self::Config(command) => wait(Threads::One, command.run(globals)),
            Self::Features(command) => wait(Threads::One, command.run(globals)),
            Self::Backends(command) => command.run(globals),
            #[cfg(not(target_family = "wasm"))]
            Self::Completions(command) => command.run(command_line()),
            #[cfg(not(target_family = "wasm"))]
            Self::CompletePlace(command) => wait(Threads::One, command.run(globals)),
            Self::Reference(command) => command.run(command_line()),
            #[cfg(not(target_family = "wasm"))]
            Self::Precompile(command) => command.run(),
        }
    }
}

/// Runs the command line of this process.
#[cfg(not(target_family = "wasm"))]
pub fn main() -> ExitCode {
    run(env::args_os().collect()).into()
}

/// Runs a command line, of which the first is the name of the program; gives its exit code.
#[must_use]
pub fn run(arguments: Vec<OsString>) -> u8 {
    let arguments = names::in_our_words(&command_line(), arguments);
    if let Some(topic) = help::asked_for(&command_line(), &arguments) {
        return end(topic.print());
    }
    #[cfg_attr(target_family = "wasm", allow(unused_mut, unused_variables, reason = "there are no traces"))]
    let (Arguments { mut globals, command }, name) = match parse(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&error, &arguments),
    };
    if let Err(failure) = log::start(globals.log_file.as_deref(), globals.log_format) {
        return end(Err(failure));
    }
    start_log(&globals);
    variables::warn_of_unknown(&globals);

    #[cfg(not(target_family = "wasm"))]
    {
        globals.traces = name.and_then(|name| trace::Traces::begin(&name, &globals));
    }
    let exit = end(globals.require_configuration().and_then(|()| command.run(&globals)));
    #[cfg(not(target_family = "wasm"))]
    if let Some(traces) = &globals.traces {
        traces.end(exit, &globals);
    }
    exit
}

/// Says why a command failed, if it did and that was not said yet; gives the exit code.
fn end(outcome: Result<(), Failure>) -> u8 {
    match outcome {
        Ok(()) => 0,
        Err(Failure { exit, message }) => {
            if let Some(message) = message {
                log::last_word(&format!("error: {message}"));
            }
            exit as u8
        }
    }
}

/// The arguments, and what the command is called, unless it is for programs alone.
fn parse(arguments: &[OsString]) -> Result<(Arguments, Option<String>), clap::Error> {
    grammar::forgotten_value(&command_line(), arguments)?;
    let matches = grammar::read(&Arguments::command(), arguments)?;
    let mut arguments = Arguments::from_arg_matches(&matches)?;
    arguments.globals.settle(&matches)?;
    Ok((arguments, name_of(&matches)))
}

fn name_of(matches: &ArgMatches) -> Option<String> {
    let (name, below) = matches.subcommand()?;
    let is_hidden = Arguments::command().find_subcommand(name).is_some_and(clap::Command::is_hide_set);
    let name = below.subcommand_name().map_or_else(|| name.to_owned(), |inner| format!("{name} {inner}"));
    (!is_hidden).then_some(name)
}

/// Prints what was not understood, or the help that was asked for.
fn refuse(error: &clap::Error, arguments: &[OsString]) -> u8 {
    match hints::hint(error, &command_line()).or_else(|| names::answer(error, arguments)) {
        // Suggesting an option with similar letters would only mislead.
        Some(hint) => output::note(format_args!("error: {hint}")),
        None if error.use_stderr() => {
            let refusal = error.render().to_string();
            place::masked(&refusal).lines().for_each(output::note);
        }
        None => drop(error.print()),
    }
    u8::try_from(error.exit_code()).unwrap_or(1)
}

/// The grammar, in which every option also has its environment variable.
fn command_line() -> clap::Command {
    grammar::complete(Arguments::command())
}

fn start_log(globals: &Globals) {
    let level = match (globals.quiet, globals.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let format = tracing_subscriber::fmt::layer()
        .with_writer(|| output::Log)
        .with_ansi(false)
        .without_time()
        .with_target(false);
    // An error means that there is a log already, which will do.
    let _ = tracing_subscriber::registry()
        .with(format)
        .with(Targets::new().with_target(env!("CARGO_CRATE_NAME"), level))
        .try_init();
}
