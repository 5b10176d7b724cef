//! Commands of other tools, by the names that they have there: in this one place. One that means the same as a command
//! here is that command; of any other, the answer says which command here does it.

use std::ffi::OsString;

use clap::{
    Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::grammar;

/// What a name means here.
enum Means {
    /// These words.
    Words(&'static [&'static str]),
    /// Not the same as anything: the sentence says what there is.
    Instead(&'static str),
}

use Means::{Instead, Words};

const SETTINGS_OF_BUCKETS: &str = "settings of buckets are made with the tool of the store itself";
const NO_SERVER: &str = "nothing is served or mounted: the library is the interface for programs";
const NO_LINKS: &str = "no links for others are signed: the tool of the store itself makes them";
const PLACE_TELLS: &str =
    "the place says which store it is: `omnistorage ls s3://bucket`, and so for every other command";
const COPY: &str = "`omnistorage copy SOURCE DIRECTORY` copies a directory, or an object into one, and `omnistorage copyto \
                    SOURCE TARGET` an object to another name";
const MOVE: &str = "`omnistorage move SOURCE DIRECTORY` moves what is in a directory, or an object into one, and \
                    `omnistorage moveto SOURCE TARGET` gives an object another name";

/// Names of rclone, aws, gsutil, s5cmd and mc that are not those of commands here.
const NAMES: &[(&str, Means)] = &[
    ("cleanup", Words(&["sweep"])),
    ("completion", Words(&["completions"])),
    ("deletefile", Words(&["rm"])),
    ("genautocomplete", Words(&["completions"])),
    ("hashsum", Words(&["hash"])),
    ("listremotes", Words(&["backends"])),
    ("lsd", Words(&["ls", "--long", "--dirs-only"])),
    ("lsl", Words(&["ls", "--long", "--recursive"])),
    ("mb", Words(&["mkdir"])),
    ("md5sum", Words(&["hash", "md5"])),
    ("ncdu", Words(&["du", "--human-readable", "--largest"])),
    ("pipe", Words(&["put"])),
    ("purge", Words(&["rm", "--recursive"])),
    ("rb", Words(&["rmdir"])),
    ("rcat", Words(&["put"])),
    ("sha1sum", Words(&["hash", "sha1"])),
    ("sha256sum", Words(&["hash", "sha256"])),
    ("version", Words(&["--version"])),
    (
        "about",
        Instead("`omnistorage size` counts what is at a place; how much room a store has is not asked"),
    ),
    ("acl", Instead(SETTINGS_OF_BUCKETS)),
    ("anonymous", Instead(SETTINGS_OF_BUCKETS)),
    (
        "authorize",
        Instead("credentials stand in the configuration, or in the environment: `omnistorage help places`"),
    ),
    ("bucket-version", Instead(SETTINGS_OF_BUCKETS)),
    (
        "compose",
        Instead("`omnistorage cat PLACE... | omnistorage put PLACE` puts objects one behind the other"),
    ),
    ("copyurl", Instead("`curl URL | omnistorage put PLACE` stores what a URL gives")),
    ("cors", Instead(SETTINGS_OF_BUCKETS)),
    ("cp", Instead(COPY)),
    ("cryptcheck", Instead("nothing is encrypted here; `omnistorage check` compares two places")),
    ("dedupe", Instead("no store here has two objects of one name")),
    (
        "delete",
        Instead(
            "`omnistorage rm -r PLACE` deletes what is below a directory, with filters what they include",
        ),
    ),
    ("diff", Instead("`omnistorage check SOURCE TARGET` compares two places")),
    ("encrypt", Instead("nothing is encrypted here")),
    ("find", Instead("`omnistorage ls -r PLACE` lists everything below, with filters what they include")),
    (
        "get",
        Instead(
            "`omnistorage copy SOURCE DIRECTORY` fetches an object, and `omnistorage cat` writes it to standard output",
        ),
    ),
    ("iam", Instead(SETTINGS_OF_BUCKETS)),
    ("ilm", Instead(SETTINGS_OF_BUCKETS)),
    ("lifecycle", Instead(SETTINGS_OF_BUCKETS)),
    ("link", Instead(NO_LINKS)),
    (
        "lsjson",
        Instead("`omnistorage ls --json PLACE` prints an object of JSON a line, with other names in it"),
    ),
    (
        "mirror",
        Instead(
            "`omnistorage copy SOURCE TARGET` adds what differs, and `omnistorage sync SOURCE TARGET` also deletes what is \
             extra on TARGET (mirror --remove)",
        ),
    ),
    ("mount", Instead(NO_SERVER)),
    ("mv", Instead(MOVE)),
    ("presign", Instead(NO_LINKS)),
    ("rc", Instead(NO_SERVER)),
    ("rcd", Instead(NO_SERVER)),
    ("rewrite", Instead(SETTINGS_OF_BUCKETS)),
    (
        "rmdirs",
        Instead(
            "`omnistorage rmdir PLACE` removes an empty directory, `omnistorage rm -r PLACE` one with all below it",
        ),
    ),
    (
        "rsync",
        Instead(
            "`omnistorage copy SOURCE TARGET` adds what differs, and `omnistorage sync SOURCE TARGET` also deletes what is \
             extra on TARGET (rsync -d)",
        ),
    ),
    ("run", Instead("a shell runs the commands of a file, one after another: `sh FILE`")),
    ("s3", Instead(PLACE_TELLS)),
    ("s3api", Instead(PLACE_TELLS)),
    (
        "select",
        Instead("`omnistorage records convert PLACE -` reads records, for a program that chooses among them"),
    ),
    ("selfupdate", Instead("whatever installed it also brings it up to date")),
    ("serve", Instead(NO_SERVER)),
    (
        "setmeta",
        Instead(
            "what goes with an object is given when it is written: `omnistorage put --content-type TYPE PLACE`",
        ),
    ),
    ("settier", Instead(SETTINGS_OF_BUCKETS)),
    ("share", Instead(NO_LINKS)),
    ("signurl", Instead(NO_LINKS)),
    ("storage", Instead(PLACE_TELLS)),
    ("touch", Instead("`omnistorage put PLACE < /dev/null` makes an empty object")),
    ("versioning", Instead(SETTINGS_OF_BUCKETS)),
    ("website", Instead(SETTINGS_OF_BUCKETS)),
];

/// The command line, with the name of another tool's command replaced by the words that mean the same here.
pub(super) fn in_our_words(grammar: &Command, arguments: Vec<OsString>) -> Vec<OsString> {
    let Some(at) = grammar::position_of_command(grammar, &arguments) else { return arguments };
    let name = arguments.get(at).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match NAMES.iter().find(|(other, _)| *other == name) {
        Some((_, Words(words))) => {
            let mut arguments = arguments;
            arguments.splice(at..=at, words.iter().map(OsString::from));
            arguments
        }
        _ => arguments,
    }
}

/// A sentence for somebody who tried a command of another tool.
pub(super) fn answer(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(tried)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    let (_, means) = NAMES.iter().find(|(name, _)| name == tried)?;
    let Instead(instead) = means else { return None };
    let here = copied(tried, arguments).map_or_else(String::new, |line| format!("; here: `{line}`"));
    Some(format!("`{tried}` is not here: {instead}{here}"))
}

/// The very command that does what `cp` or `mv` would, where it is plain.
fn copied(tried: &str, arguments: &[OsString]) -> Option<String> {
    let (of_trees, of_one) = match tried {
        "cp" => ("copy", "copyto"),
        "mv" => ("move", "moveto"),
        _ => return None,
    };
    let words: Option<Vec<_>> = arguments.iter().map(|word| word.to_str()).collect();
    let words = words?;
    let behind = words.get(words.iter().position(|word| *word == tried)? + 1..)?;
    let (flags, places): (Vec<_>, Vec<_>) = behind.iter().copied().partition(|word| word.starts_with('-'));
    let is_recursive = |flag: &&str| matches!(*flag, "-r" | "-R" | "--recursive");
    let is_plain = |place: &&str| {
        place.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-./:=@%+,".contains(letter))
    };
    let [source, target] = places.as_slice() else { return None };
    if !flags.iter().all(is_recursive) || !places.iter().all(is_plain) {
        return None;
    }
    let command = if !flags.is_empty() || target.ends_with(['/', ':']) { of_trees } else { of_one };
    Some(format!("omnistorage {command} {source} {target}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command_line;

    fn words(line: &[&str]) -> Vec<OsString> {
        line.iter().map(OsString::from).collect()
    }

    /// A name is in the table once, is no command here, and what it means is one.
    #[test]
    fn names_of_others_are_told_from_ours() {
        let grammar = command_line();
        for (index, (name, means)) in NAMES.iter().enumerate() {
            assert!(grammar.find_subcommand(name).is_none(), "{name} is here");
            assert!(NAMES[..index].iter().all(|(other, _)| other != name), "{name} twice");
            if let Words([command, ..]) = means {
                assert!(command.starts_with("--") || grammar.find_subcommand(command).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn a_name_is_replaced_where_the_command_stands() {
        let replaced = |line: &[&str]| in_our_words(&command_line(), words(line));
        for (line, ours) in [
            (&["x", "lsd", "lsl"][..], &["x", "ls", "--long", "--dirs-only", "lsl"][..]),
            (
                &["x", "--config", "purge", "-v", "md5sum", "a"],
                &["x", "--config", "purge", "-v", "hash", "md5", "a"],
            ),
            (&["x", "ls", "purge"], &["x", "ls", "purge"]),
            (&["x"], &["x"]),
            (&["x", "--version"], &["x", "--version"]),
        ] {
            assert_eq!(replaced(line), words(ours), "{line:?}");
        }
    }

    #[test]
    fn an_answer_is_a_command_that_can_be_typed() {
        let told = |line: &[&str]| {
            let line = words(line);
            answer(&command_line().try_get_matches_from(&line).unwrap_err(), &line)
        };
        for (line, ours) in [
            (&["x", "cp", "a", "s3://b/c"][..], "omnistorage copyto a s3://b/c"),
            (&["x", "cp", "a", "s3://b/c/"], "omnistorage copy a s3://b/c/"),
            (&["x", "mv", "-r", "a", "s3://b/c"], "omnistorage move a s3://b/c"),
        ] {
            assert!(told(line).unwrap().ends_with(&format!("here: `{ours}`")), "{line:?}");
        }
        assert!(told(&["x", "cp", "a b", "c"]).unwrap().contains("copyto"));
        assert!(!told(&["x", "cp", "--sse", "a", "c"]).unwrap().contains("here: `omnistorage copyto a"));
        assert_eq!(told(&["x", "rename", "a", "b"]), None);
    }
}
