//! Variables of the environment that mean nothing here: most likely one was misspelt, and does not do what it should.

use std::env;

use clap::Command;

use super::{Globals, command_line, grammar, output};
use crate::{Registry, registry::KIND_VARIABLE};

/// Those of the project's own build and tests.
const OF_THE_BUILD: [&str; 8] = [
    "BLESS",
    "CODEC",
    "COMPONENT",
    "COMPONENT_SHA256",
    "COMPONENT_WASM",
    "DIFFERENTIAL_CASES",
    "RCLONE",
    "WITHOUT",
];

/// Names are near that are at least so alike, as clap counts for options.
const NEAR: f64 = 0.8;

/// Warns of each in a line of its own.
pub(super) fn warn_of_unknown(globals: &Globals) {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let ours: Vec<_> = names.filter(|name| name.starts_with(grammar::PREFIX)).collect();
    if globals.quiet || ours.is_empty() {
        return;
    }
    let known = Known::new();
    for name in ours {
        if !known.holds(&name) {
            let hint = known.nearest(&name).map_or_else(String::new, |near| format!("; there is `{near}`"));
            let name = output::printable(&name);
            output::note(format_args!("warning: the variable `{name}` means nothing here{hint}"));
        }
    }
}

/// The backends that the environment of a component describes: `OMNISTORAGE_LOGS_KIND=s3` is the kind of `LOGS`.
#[cfg(target_family = "wasm")]
fn described() -> impl Iterator<Item = String> {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter_map(|name| Some(name.strip_prefix(grammar::PREFIX)?.strip_suffix("_KIND")?.to_owned()))
}

#[cfg(not(target_family = "wasm"))]
fn described() -> impl Iterator<Item = String> {
    std::iter::empty()
}

struct Known {
    options: Vec<String>,
    /// What the settings of each kind of backend begin with.
    kinds: Vec<String>,
}

impl Known {
    fn new() -> Self {
        fn collect(command: &Command, options: &mut Vec<String>) {
            let long = command.get_arguments().filter_map(|argument| argument.get_long());
            options.extend(long.map(grammar::variable));
            command.get_subcommands().for_each(|command| collect(command, options));
        }
        let mut options = Vec::new();
        collect(&command_line(), &mut options);
        options.sort();
        options.dedup();
        let registry = Registry::with_builtin();
        // What this build does not know is refused by its own name.
        let kinds = registry.names().map(ToOwned::to_owned).chain(env::var(KIND_VARIABLE).ok());
        let kinds = kinds
            .chain(described())
            .filter(|kind| !kind.is_empty())
            .map(|kind| grammar::variable(&format!("{kind}_")));
        Self { options, kinds: kinds.collect() }
    }

    fn holds(&self, name: &str) -> bool {
        self.options.iter().any(|option| option == name)
            || self.kinds.iter().any(|kind| name.starts_with(kind))
            || name.strip_prefix(grammar::PREFIX).is_some_and(|name| OF_THE_BUILD.contains(&name))
    }

    /// The option that is spelt most like it, without what all begin with.
    fn nearest(&self, name: &str) -> Option<&str> {
        let bare = |name: &str| name.strip_prefix(grammar::PREFIX).unwrap_or(name).to_uppercase();
        let likeness = |option| (strsim::jaro(&bare(option), &bare(name)), option);
        let nearest = self
            .options
            .iter()
            .map(String::as_str)
            .map(likeness)
            .max_by(|one, other| one.0.total_cmp(&other.0));
        nearest.filter(|(likeness, _)| *likeness >= NEAR).map(|(_, option)| option)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_means_nothing_is_told_from_those_that_do() {
        let known = Known::new();
        for name in
            ["DRY_RUN", "MAX_WINDOW", "CONFIG", "S3_BUCKET", "FILE_ROOT", "GCS_RETRY__ATTEMPTS", "COMPONENT"]
        {
            assert!(known.holds(&format!("OMNISTORAGE_{name}")), "{name}");
        }
        for (name, near) in [
            ("DRYRUN", Some("OMNISTORAGE_DRY_RUN")),
            ("MAX_DELETES", Some("OMNISTORAGE_MAX_DELETE")),
            ("excludes", Some("OMNISTORAGE_EXCLUDE")),
            ("S3", None),
            ("QZJXW", None),
        ] {
            let name = format!("OMNISTORAGE_{name}");
            assert!(!known.holds(&name), "{name}");
            assert_eq!(known.nearest(&name), near, "{name}");
        }
    }
}
