//! What all options of the command line have in common: each can also be set by an environment variable, and its value
//! may begin with a hyphen. A variable is for all commands: where a command does not do what it is about, it is ignored.

use std::{
    env,
    ffi::{OsStr, OsString},
};

use clap::{Arg, ArgAction, ArgMatches, Command, Error, builder::BoolishValueParser, error::ErrorKind};

/// The options that need another one beside them, as they are called.
const DEPENDENT: [&str; 7] =
    ["cores", "dictionary", "full", "lease", "max-window", "shared-paths", "use-server-modtime"];

/// The grammar, in which every option has its variable and takes every value.
pub(super) fn complete(command: Command) -> Command {
    complete_but(command, &[])
}

/// The same, where some options have no variable.
fn complete_but(command: Command, without: &[&str]) -> Command {
    command
        .mut_args(|argument| with_any_value(with_variable(argument, without)))
        .mut_subcommands(|command| complete_but(command, without))
}

/// Reads a command line. A variable of what needs another option does not count where that is not given.
pub(super) fn read(grammar: &Command, arguments: &[OsString]) -> Result<ArgMatches, Error> {
    let read = |without: &[&str]| complete_but(grammar.clone(), without).try_get_matches_from(arguments);
    let lacks = |read: &Result<_, Error>| {
        read.as_ref().is_err_and(|error: &Error| error.kind() == ErrorKind::MissingRequiredArgument)
    };
    let first = read(&[]);
    if !lacks(&first) {
        return first;
    }
    // What is lacking may be lacking to one of them alone.
    let is_idle = |option: &&str| {
        let others: Vec<_> = DEPENDENT.into_iter().filter(|other| other != option).collect();
        lacks(&read(&others))
    };
    let idle: Vec<_> = DEPENDENT.into_iter().filter(is_idle).collect();
    read(&idle)
}

/// The variable of an option.
pub(super) fn variable(option: &str) -> String {
    format!("{PREFIX}{}", option.replace('-', "_").to_uppercase())
}

/// What all variables begin with.
pub(super) const PREFIX: &str = "OMNISTORAGE_";

fn with_variable(argument: Arg, without: &[&str]) -> Arg {
    let is_named = |option: &&str| !without.contains(option) && !is_help(&argument);
    let Some(option) = argument.get_long().filter(is_named) else {
        return argument;
    };
    let variable = variable(option);
    let argument = match argument.get_action() {
        // A variable that says no counts as unset: it contradicts no other option.
        ArgAction::SetTrue | ArgAction::Count
            if env::var_os(&variable).is_some_and(|value| is_no(&value)) =>
        {
            return argument;
        }
        ArgAction::SetTrue => argument.value_parser(BoolishValueParser::new()),
        ArgAction::Count => argument.value_parser(parse_count),
        _ => argument,
    };
    argument.env(variable).hide_env(true)
}

/// What asks for help asks for nothing else.
pub(super) fn is_help(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong)
}

fn is_no(value: &OsStr) -> bool {
    let words = ["", "0", "f", "false", "n", "no", "off"];
    words.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// How often a flag is given: a number, or a word that says whether it is.
fn parse_count(text: &str) -> Result<u8, String> {
    match text.to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "on" => Ok(1),
        number => number.parse().map_err(|_| "give a number, or true or false".to_owned()),
    }
}

fn with_any_value(argument: Arg) -> Arg {
    if is_option_with_value(&argument) { argument.allow_hyphen_values(true) } else { argument }
}

fn is_option_with_value(argument: &Arg) -> bool {
    !argument.is_positional() && matches!(argument.get_action(), ArgAction::Set | ArgAction::Append)
}

/// The error for a command line that has an option where the value of another one should be: the value was forgotten.
/// With `=` between the two it is intended.
pub(super) fn forgotten_value(grammar: &Command, arguments: &[OsString]) -> Result<(), Error> {
    let mut commands = vec![grammar];
    let mut words = arguments.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next().filter(|word| word != "--") {
        if let Some(option) = takes_next(&commands, &word) {
            let Some(value) = words.next() else { break };
            if is_option(&commands, &value) {
                let named = option
                    .get_value_names()
                    .and_then(|names| names.first())
                    .map_or("VALUE", |name| name.as_str());
                let equals = if word.starts_with("--") { "=" } else { "" };
                let message = format!(
                    "a value is required for '{word} <{named}>' but none was supplied: `{value}` is an option; if it is \
                     meant as the value, write `{word}{equals}{value}`",
                );
                let command = commands.last().copied().unwrap_or(grammar).clone();
                return Err(command.bin_name(name(&commands)).error(ErrorKind::InvalidValue, message));
            }
        } else if let Some(command) = commands.last().and_then(|command| command.find_subcommand(&*word)) {
            commands.push(command);
        }
    }
    Ok(())
}

/// Where the command stands among the words of a command line: behind the options of all commands.
pub(super) fn position_of_command(grammar: &Command, arguments: &[OsString]) -> Option<usize> {
    let mut words = arguments.iter().enumerate().skip(1);
    while let Some((at, word)) = words.next() {
        let word = word.to_string_lossy();
        if takes_next(&[grammar], &word).is_some() {
            words.next();
        } else if !word.starts_with('-') {
            return Some(at);
        }
    }
    None
}

/// As it is typed.
fn name(commands: &[&Command]) -> String {
    commands.iter().map(|command| command.get_name()).collect::<Vec<_>>().join(" ")
}

/// The option whose value is the word behind this one.
fn takes_next<'a>(commands: &[&'a Command], word: &str) -> Option<&'a Arg> {
    let option = match word.strip_prefix("--") {
        Some(long) => option(commands, |option| option.get_long() == Some(long)),
        None => {
            let mut letters = word.strip_prefix('-')?.chars();
            let first = letters.find(|letter| flag(commands, *letter).is_none())?;
            // What follows directly is the value.
            letters.next().is_none().then(|| option_of_letter(commands, first))?
        }
    };
    option.filter(|option| is_option_with_value(option))
}

/// Whether the word is an option, or flags alone: `-draft` is none because `-d` is none.
fn is_option(commands: &[&Command], word: &str) -> bool {
    match (word.strip_prefix("--"), word.strip_prefix('-')) {
        (Some(long), _) => {
            let name = long.split_once('=').map_or(long, |(name, _)| name);
            matches!(name, "help" | "version")
                || option(commands, |option| option.get_long() == Some(name)).is_some()
        }
        (None, Some(letters)) => {
            let mut letters = letters.chars();
            match (letters.next(), letters.next()) {
                (None, _) => false,
                (Some(only), None) => only == 'h' || option_of_letter(commands, only).is_some(),
                (Some(first), Some(second)) => {
                    [first, second].into_iter().chain(letters).all(|letter| flag(commands, letter).is_some())
                }
            }
        }
        (None, None) => false,
    }
}

fn option<'a>(commands: &[&'a Command], is_meant: impl Fn(&Arg) -> bool) -> Option<&'a Arg> {
    commands.iter().flat_map(|command| command.get_arguments()).find(|argument| is_meant(argument))
}

fn option_of_letter<'a>(commands: &[&'a Command], letter: char) -> Option<&'a Arg> {
    option(commands, |option| option.get_short() == Some(letter))
}

fn flag<'a>(commands: &[&'a Command], letter: char) -> Option<&'a Arg> {
    option_of_letter(commands, letter).filter(|option| !is_option_with_value(option))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command_line;

    #[test]
    fn the_grammar_is_consistent() {
        command_line().debug_assert();
    }

    #[test]
    fn every_option_has_its_variable() {
        fn check(command: &Command) {
            for argument in
                command.get_arguments().filter(|argument| argument.get_long().is_some() && !is_help(argument))
            {
                let variable = argument.get_env().and_then(|name| name.to_str());
                assert!(variable.is_some_and(|name| name.starts_with("OMNISTORAGE_")), "{argument:?}");
            }
            command.get_subcommands().for_each(check);
        }
        check(&command_line());
    }

    /// clap tells what an option needs in no other way.
    #[test]
    fn options_that_need_others_are_known() {
        fn check(command: &Command, found: &mut Vec<String>) {
            let needs = |argument: &&Arg| !format!("{argument:?}").contains("requires: []");
            let options = command.get_arguments().filter(needs).filter_map(|argument| argument.get_long());
            found.extend(options.map(ToOwned::to_owned));
            command.get_subcommands().for_each(|command| check(command, found));
        }
        let mut found = Vec::new();
        check(&command_line(), &mut found);
        found.sort();
        found.dedup();
        assert_eq!(found, DEPENDENT);
    }

    #[test]
    fn a_forgotten_value_is_told_from_one_with_a_hyphen() {
        let read = |line: &[&str]| {
            let words: Vec<_> = ["omnistorage", "sync"].iter().chain(line).map(OsString::from).collect();
            forgotten_value(&command_line(), &words)
        };
        for line in [
            &["--include", "-draft.txt", "a", "b"][..],
            &["--exclude", "- x", "a", "b"],
            &["--exclude", "-", "a", "b"],
            &["--exclude=--include", "a", "b"],
            &["-f", "- *.tmp", "a", "b"],
            &["-f-n", "a", "b"],
            &["-nf", "- x", "a", "b"],
            &["-nv", "--suffix", "-1", "a", "b"],
            &["--suffix", "--of-nobody", "a", "b"],
            &["a", "b", "--", "--include", "--exclude"],
            &["a", "b", "--include"], // clap tells
        ] {
            assert!(read(line).is_ok(), "{line:?}");
        }
        for line in [
            &["--include", "--exclude", "x", "a", "b"][..],
            &["--include", "--exclude=x", "a", "b"],
            &["a", "b", "--include", "-v"],
            &["--include", "-nv", "a", "b"],
            &["-f", "--dry-run", "a", "b"],
            &["-nf", "-v", "a", "b"],
            &["--include", "-f", "a", "b"],
            &["--suffix", "--help"],
            &["--config", "--verbose"],
        ] {
            let error = read(line).unwrap_err();
            assert_eq!((error.kind(), error.exit_code()), (ErrorKind::InvalidValue, 2), "{line:?}");
            assert!(error.to_string().contains("none was supplied"), "{error}");
        }
    }

    #[test]
    fn a_count_is_a_number_or_a_word() {
        assert_eq!(["true", "YES", "2"].map(parse_count), [Ok(1), Ok(1), Ok(2)]);
        assert!(parse_count("much").is_err());
    }
}
