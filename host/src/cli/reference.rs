//! The reference of the command line, as a page of Markdown or as manual pages. It is made from the grammar itself, so it
//! cannot say anything but what the binary takes.

#![allow(clippy::disallowed_methods, reason = "manual pages are files")]

use std::{fmt::Write as _, fs, path::PathBuf};

use clap::{Arg, ArgAction, Args, Command, builder::StyledStr};

use super::{exit::Failure, grammar::is_help, help::TOPICS, output::Output};

/// Print the reference of all commands as a page of Markdown
#[derive(Args)]
pub(crate) struct Reference {
    /// Write manual pages to DIRECTORY instead, one for each command
    #[arg(long, value_name = "DIRECTORY")]
    man: Option<PathBuf>,
}

impl Reference {
    pub(crate) fn run(self, mut command: Command) -> Result<(), Failure> {
        if let Some(directory) = self.man {
            let write = || {
                fs::create_dir_all(&directory)?;
                clap_mangen::generate_to(command, &directory)
            };
            return write().map_err(|error| Failure::system("cannot write the manual pages", error));
        }
        // Names the commands below in full, and gives them the options of all.
        command.build();
        let mut output = Output::new();
        output.bytes(page(&command).as_bytes())?;
        output.flush()
    }
}

/// What no single command says.
const INTRODUCTION: &str = "\
# Command line

`omnistorage reference` prints this page, `omnistorage reference --man DIRECTORY` writes it as manual pages, and `omnistorage
help COMMAND` tells the same in a terminal. The configuration file and its settings are in the [cookbook].

";

const CONVENTIONS: &str = "\
Where one object is read or written, `-` is standard input or output. A value may begin with a hyphen \
(`--exclude '- x'`), and a bound that is not wanted is `off`. Zstd windows of up to 128 MiB are read, as zstd(1) does \
(`--max-window`); the library takes 8 MiB unless it is told otherwise.

`--json` prints one event a line, whose schema is `host/src/cli/transfer/events.schema.json`, and then a summary, which \
counts the calls of the backends by kind. Which error has which exit code is a table in `host/src/cli/exit.rs`.

";

const LINKS: &str = "\n[cookbook]: cookbook.md\n";

fn page(command: &Command) -> String {
    let mut page = INTRODUCTION.to_owned();
    command.get_about().into_iter().for_each(|text| paragraphs(&mut page, text));
    page.push_str(CONVENTIONS);
    for topic in &TOPICS {
        let _ = write!(page, "## {}\n\n```text\n{}\n```\n\n", topic.title, topic.text);
    }
    page.push_str("## Options of every command\n\n");
    command.get_arguments().for_each(|argument| item(&mut page, argument));
    commands(&mut page, command);
    page.push_str(LINKS);
    page
}

/// The commands below this one, each with those below itself behind it.
fn commands(page: &mut String, command: &Command) {
    for command in command.get_subcommands().filter(|command| !is_hidden(command)) {
        section(page, command);
        commands(page, command);
    }
}

/// `help` explains the others, and is in every command that has some.
fn is_hidden(command: &Command) -> bool {
    command.is_hide_set() || command.get_name() == "help"
}

fn section(page: &mut String, command: &Command) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let name = name.strip_prefix("omnistorage ").unwrap_or(name);
    let usage = command.clone().render_usage().to_string();
    // To write to a string does not fail.
    let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n\n", usage.trim_start_matches("Usage: "));
    let about = command.get_long_about().or_else(|| command.get_about());
    about.into_iter().for_each(|text| paragraphs(page, text));
    let own = |argument: &&Arg| !argument.is_global_set() && !argument.is_hide_set() && !is_help(argument);
    let (places, options): (Vec<_>, Vec<_>) =
        command.get_arguments().filter(own).partition(|argument| argument.is_positional());
    places.into_iter().filter(|place| place.get_help().is_some()).for_each(|place| item(page, place));
    options.into_iter().for_each(|option| item(page, option));
    if let Some(examples) = command.get_after_help() {
        let _ = write!(page, "\n```text\n{examples}\n```\n");
    }
}

/// An option or a place, what it means, and which values there are.
fn item(page: &mut String, argument: &Arg) {
    let value = argument.get_value_names().and_then(|names| names.first());
    let takes_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let value = value.filter(|_| takes_value && !argument.is_positional());
    let value = value.map(|value| format!(" {value}")).unwrap_or_default();
    let name = match (argument.get_short(), argument.get_long(), argument.get_value_names()) {
        (Some(short), Some(long), _) => format!("`-{short}`, `--{long}{value}`"),
        (None, Some(long), _) => format!("`--{long}{value}`"),
        (Some(short), None, _) => format!("`-{short}{value}`"),
        (None, None, Some([name, ..])) => format!("`{name}`"),
        (None, None, _) => format!("`{}`", argument.get_id()),
    };
    let help = argument.get_long_help().or_else(|| argument.get_help()).map(ToString::to_string);
    let help = escaped(&help.unwrap_or_default().replace('\n', " "));
    let _ = write!(page, "- {name}: {help}");
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes_value && !argument.is_hide_default_value_set() && !defaults.is_empty() {
        let _ = write!(page, ". Default: `{}`", defaults.join(" "));
    }
    page.push('\n');
    for value in argument.get_possible_values().iter().filter(|value| takes_value && !value.is_hide_set()) {
        let help = value.get_help().map(|help| format!(": {}", escaped(&help.to_string())));
        let _ = writeln!(page, "  - `{}`{}", value.get_name(), help.unwrap_or_default());
    }
}

fn paragraphs(page: &mut String, text: &StyledStr) {
    let _ = writeln!(page, "{}\n", escaped(&text.to_string()));
}

/// What would be markup outside of code.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut is_code = false;
    for letter in text.chars() {
        is_code ^= letter == '`';
        if !is_code && matches!(letter, '<' | '>' | '[' | ']' | '*' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
