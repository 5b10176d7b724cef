//! Which objects a command is about: options with rclone's names. Their files are read here; the component parses them.

#![allow(clippy::disallowed_methods, reason = "rules are read from files that the user names")]

use std::{
    fs,
    io::{self, Read},
};

use clap::Args;

use super::{
    exit::Failure,
    input::require_input,
    output::printable,
    size::{Bound, parse_count_bound, parse_size_bound},
    time::{Age, parse_age_bound},
    wildcard::Pattern,
};
use crate::{
    Timestamp,
    runtime::{Filter, RuleKind, RuleSource},
};

/// Which objects are meant
#[derive(Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterOptions {
    /// Include objects that match; exclude those that no rule matches
    ///
    /// In a PATTERN `*` and `?` match within a segment of a path, `**` across segments, `[a-z]` one character, `{a,b}`
    /// either, `{{regexp}}` a regular expression. `/` in front starts at SOURCE; `/` at the end means a directory.
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// Patterns to include, one a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    include_from: Vec<String>,
    /// Exclude objects that match
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Patterns to exclude, one a line
    #[arg(long, value_name = "FILE")]
    exclude_from: Vec<String>,
    /// A rule, `+ PATTERN` or `- PATTERN`: the first that matches decides
    #[arg(long, short = 'f', value_name = "RULE")]
    filter: Vec<String>,
    /// Rules, one a line; `!` forgets those before it, `#` and `;` start comments
    #[arg(long, value_name = "FILE")]
    filter_from: Vec<String>,
    /// Only the objects listed, one path a line
    #[arg(long, value_name = "FILE")]
    files_from: Vec<String>,
    /// The same, without comments, each line taken to the byte
    #[arg(long, value_name = "FILE")]
    files_from_raw: Vec<String>,
    /// Only objects of at least this size, in KiB or with a unit: B, K, M, G, T, P; `off` is no bound, here and below
    #[arg(long, value_name = "SIZE", value_parser = parse_size_bound)]
    min_size: Option<Bound<u64>>,
    /// Only objects of at most this size
    #[arg(long, value_name = "SIZE", value_parser = parse_size_bound)]
    max_size: Option<Bound<u64>>,
    /// Only objects that are at least this old, in seconds or with a unit (ms, s, m, h, d, w, M, y), or from before a
    /// date (2026-02-28, 2026-02-28T12:00:00Z)
    #[arg(long, value_name = "AGE", value_parser = parse_age_bound)]
    min_age: Option<Bound<Age>>,
    /// Only objects that are at most this old, or from after a date
    #[arg(long, value_name = "AGE", value_parser = parse_age_bound)]
    max_age: Option<Bound<Age>>,
    /// Only this many levels: 1 is the directory itself
    #[arg(long, value_name = "N", value_parser = parse_count_bound(1_u32))]
    max_depth: Option<Bound<u32>>,
    /// Match patterns in either case
    #[arg(long)]
    ignore_case: bool,
}

impl FilterOptions {
    /// The filter for a place with a wildcard. See [`within`].
    ///
    /// # Errors
    /// As [`filter`](Self::filter) and [`within`].
    pub(crate) fn filter_within(&self, pattern: Option<&Pattern>) -> Result<Filter, Failure> {
        within(self.filter()?, pattern)
    }

    /// Whether anything is asked for.
    pub(crate) fn is_given(&self) -> bool {
        let texts = [&self.include, &self.include_from, &self.exclude, &self.exclude_from, &self.filter];
        let files = [&self.filter_from, &self.files_from, &self.files_from_raw];
        texts.into_iter().chain(files).any(|texts| !texts.is_empty())
            || self.min_size.or(self.max_size).is_some()
            || self.min_age.or(self.max_age).is_some()
            || self.max_depth.is_some()
    }

    /// The bounds of age as they were given, which are other times in each call.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn ages(&self) -> String {
        format!("{:?} {:?}", self.min_age, self.max_age)
    }

    /// Reads the files that are named.
    pub(crate) fn filter(&self) -> Result<Filter, Failure> {
        let mut rules = Vec::new();
        let given = [
            (RuleKind::Include, &self.include),
            (RuleKind::Exclude, &self.exclude),
            (RuleKind::Filter, &self.filter),
        ];
        for (kind, texts) in given {
            rules.extend(texts.iter().map(|text| RuleSource { kind, text: text.clone(), file: None }));
        }
        let named = [
            (RuleKind::Include, &self.include_from),
            (RuleKind::Exclude, &self.exclude_from),
            (RuleKind::Filter, &self.filter_from),
            (RuleKind::Files, &self.files_from),
            (RuleKind::FilesRaw, &self.files_from_raw),
        ];
        if named.iter().flat_map(|(_, files)| files.iter()).filter(|file| *file == "-").count() > 1 {
            return Err(Failure::usage("standard input can be read once: name one file only as `-`"));
        }
        for (kind, files) in named {
            for file in files {
                let (text, name) = read(file)?;
                rules.push(RuleSource { kind, text, file: Some(name) });
            }
        }
        let now = Timestamp::now();
        Ok(Filter {
            rules,
            min_size: Bound::of(self.min_size),
            max_size: Bound::of(self.max_size),
            modified_from: Bound::of(self.max_age).map(|age| age.before(now)),
            modified_until: Bound::of(self.min_age).map(|age| age.before(now)),
            max_depth: Bound::of(self.max_depth),
            ignore_case: self.ignore_case,
            delete_excluded: false,
        })
    }
}

/// The filter for a place with a wildcard: both must include an object.
///
/// # Errors
/// A filter that says as well which objects are included.
pub(crate) fn within(mut filter: Filter, pattern: Option<&Pattern>) -> Result<Filter, Failure> {
    let Some(pattern) = pattern else { return Ok(filter) };
    if filter.rules.iter().any(|rule| rule.kind != RuleKind::Exclude) {
        let message = "a wildcard in a place says which objects are meant, and so do --include, --filter and --files-from: \
                       use one of them";
        return Err(Failure::usage(message));
    }
    let rule = |text| RuleSource { kind: RuleKind::Filter, text, file: None };
    filter.rules.extend(pattern.rules().into_iter().map(rule));
    filter.max_depth = match (filter.max_depth, pattern.depth()) {
        (Some(given), Some(reached)) => Some(given.min(reached)),
        (given, reached) => given.or(reached),
    };
    Ok(filter)
}

/// A file of rules, and what to call it.
fn read(file: &str) -> Result<(String, String), Failure> {
    let (text, name) = if file == "-" {
        require_input()?;
        let mut text = String::new();
        (io::stdin().read_to_string(&mut text).map(|_| text), "standard input".to_owned())
    } else {
        (fs::read_to_string(file), printable(file).to_string())
    };
    match text {
        Ok(text) => Ok((text, name)),
        Err(error) => Err(Failure::usage(format!("cannot read the rules of `{name}`: {error}"))),
    }
}
