//! Checks the options of a two-way sync, and turns them into those of the core.

use omnistorage_core::sync::{
    bisync::{guard::Limits, state::fingerprint},
    compare::CompareOptions,
    filter::Filter,
};
use omnistorage_types::{BisyncOptions, Comparison, Error, ErrorCode, RuleKind};

use crate::sync::options::check_calls;

/// Refuses options that make no sense, by name, and parses the filter.
pub(in crate::sync) fn check(options: &BisyncOptions) -> Result<Filter, Error> {
    let refused = |message: &str| Err(Error::new(ErrorCode::InvalidArgument, message));
    check_calls(options.transfers, 1, options.retries)?;
    if options.bandwidth == Some(0) {
        return refused("`bandwidth` must be at least 1 byte a second");
    }
    if options.conflict_suffix.is_empty() || options.conflict_suffix.contains(['/', '\0']) {
        return refused("the suffix of conflicts is empty, or holds a `/` or a NUL");
    }
    if matches!(options.comparison, Comparison::Always | Comparison::IgnoreExisting | Comparison::WriteTimes)
    {
        return refused("a two-way sync compares by times, by checksums or by sizes");
    }
    let filter = &options.filter;
    if filter.min_size.or(filter.max_size).is_some()
        || filter.modified_from.or(filter.modified_until).is_some()
    {
        return refused(
            "bounds of size or time cannot go with a two-way sync: an object that outgrows them would look deleted",
        );
    }
    if filter.delete_excluded {
        return refused("what is excluded has no side that decides on it: a two-way sync leaves it alone");
    }
    Ok(Filter::new(filter.clone())?)
}

/// How to tell whether two versions are the same. A time alone is never enough if a side keeps none.
pub(super) fn compare_options(options: &BisyncOptions, window_ns: Option<u64>) -> CompareOptions {
    let comparison = match options.comparison {
        Comparison::Automatic => Comparison::ExactTimes,
        other => other,
    };
    CompareOptions { comparison, window_ns, ..CompareOptions::default() }
}

pub(super) fn limits(options: &BisyncOptions) -> Limits {
    Limits { max_delete: options.max_delete, allow_empty: options.allow_empty }
}

/// The parts of a filter that decide which objects are included. The names of its files do not.
pub(super) fn filter_fingerprint(filter: &omnistorage_types::Filter) -> String {
    let depth = filter.max_depth.map_or_else(String::new, |depth| depth.to_string());
    let ignore_case = if filter.ignore_case { "ignore-case" } else { "" };
    let mut parts = vec![depth.as_str(), ignore_case];
    for rule in &filter.rules {
        // A rule to the byte and the lines of a file are read in different ways.
        parts.push(match (rule.kind, rule.file.is_some()) {
            (RuleKind::Filter, false) => "filter",
            (RuleKind::Filter, true) => "filters",
            (RuleKind::Include, false) => "include",
            (RuleKind::Include, true) => "includes",
            (RuleKind::Exclude, false) => "exclude",
            (RuleKind::Exclude, true) => "excludes",
            (RuleKind::Files, _) => "files",
            (RuleKind::FilesRaw, _) => "files-raw",
        });
        parts.push(&rule.text);
    }
    fingerprint(parts)
}
