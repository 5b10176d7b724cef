//! Checks the options of a run, and turns them into those of the core.

use omnistorage_core::sync::{compare::CompareOptions, filter::Filter, guard::DeleteLimits, rename};
use omnistorage_types::{Deletion, Error, ErrorCode, KeyRange, OrderKey, Path, RenameStrategy, SyncOptions};

use super::recode::Recoder;

/// The range of calls in flight that a caller may ask for.
const MAX_IN_FLIGHT: u32 = 256;

/// The range of attempts that a caller may ask for.
const MAX_RETRIES: u32 = 100;

/// Refuses numbers of calls in flight and of attempts that are out of their range.
pub(super) fn check_calls(transfers: u32, checkers: u32, retries: u32) -> Result<(), Error> {
    for (name, value, most) in [
        ("transfers", transfers, MAX_IN_FLIGHT),
        ("checkers", checkers, MAX_IN_FLIGHT),
        ("retries", retries, MAX_RETRIES),
    ] {
        if !(1..=most).contains(&value) {
            let message = format!("`{name}` must be from 1 to {most}, not {value}");
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
    }
    Ok(())
}

/// Refuses options that make no sense, by name, and parses the filter.
pub(super) fn check(options: &SyncOptions) -> Result<Filter, Error> {
    let refused = |message: String| Err(Error::new(ErrorCode::InvalidArgument, message));
    check_calls(options.transfers, options.checkers, options.retries)?;
    if options.bandwidth == Some(0) {
        return refused("`bandwidth` must be at least 1 byte a second".to_owned());
    }
    if options.max_errors == Some(0) {
        return refused("`max-errors` must be at least 1".to_owned());
    }
    if options.deletion == Deletion::Before && !options.track_renames.is_empty() {
        let message =
            "`track-renames` needs what is deleted, and cannot go with deletes before the transfers";
        return refused(message.to_owned());
    }
    if options.hold_deletes && matches!(options.deletion, Deletion::Before | Deletion::During) {
        return refused("`hold-deletes` goes with deletes after the transfers alone".to_owned());
    }
    if options.hold_deletes && !options.track_renames.is_empty() {
        return refused("`hold-deletes` holds renames, too: `track-renames` cannot go with it".to_owned());
    }
    target_name(options)?;
    check_range(options)?;
    match &options.backup {
        Some(backup) if backup.suffix.contains(['/', '\0']) => {
            refused("the suffix of the backup holds a `/` or a NUL".to_owned())
        }
        Some(backup) if backup.place.is_none() && backup.suffix.is_empty() => {
            refused("a backup beside the objects needs a suffix".to_owned())
        }
        _ => {
            Recoder::new(options)?;
            Ok(Filter::new(options.filter.clone())?)
        }
    }
}

/// The name that the source object gets on the target, if it changes.
pub(super) fn target_name(options: &SyncOptions) -> Result<Option<Path>, Error> {
    let Some(name) = &options.target_name else { return Ok(None) };
    let refused = |why: &str| Error::new(ErrorCode::InvalidArgument, format!("`target-name`: {why}"));
    let path = Path::parse(name.as_str()).map_err(|why| refused(&why.to_string()))?;
    match path.segments().count() {
        1 => Ok(Some(path)),
        _ => Err(refused("it must be the name of an object, without a `/`")),
    }
}

/// Refuses options that need all paths when only a range is given.
fn check_range(options: &SyncOptions) -> Result<(), Error> {
    let range = options.range();
    let refused = |message: &str| Err(Error::new(ErrorCode::InvalidArgument, message));
    if range.is_whole() {
        return Ok(());
    }
    require_room(&range)?;
    if !options.track_renames.is_empty() {
        return refused("`track-renames` needs all paths: what was renamed may be in another range");
    }
    if options.recoding.is_some() {
        return refused(
            "a range of paths cannot go with `recoding`: an object has another path on each side",
        );
    }
    Ok(())
}

/// Refuses a range in which no path can lie.
pub(super) fn require_room(range: &KeyRange) -> Result<(), Error> {
    if range.is_empty() {
        let message = "`start-after` must sort before `stop-at`: there is nothing between them";
        return Err(Error::new(ErrorCode::InvalidArgument, message));
    }
    Ok(())
}

/// How to compare two places, from the options alone.
pub(super) fn compare_options(options: &SyncOptions, window_ns: Option<u64>) -> CompareOptions {
    CompareOptions {
        comparison: options.comparison,
        update_only: options.update_only,
        ignore_size: options.ignore_size,
        immutable: options.immutable,
        window_ns,
        ..CompareOptions::default()
    }
}

/// Whether times matter for objects that only one side has.
pub(super) fn asks_for_times(options: &SyncOptions, filter: &Filter) -> bool {
    let is_ordered = options.order.is_some_and(|order| order.key == OrderKey::Modified);
    filter.asks_for_times() || is_ordered || options.track_renames.modified
}

/// The limit of deletes, after so many were deleted already.
pub(super) fn delete_limits(options: &SyncOptions, deleted: u64) -> DeleteLimits {
    DeleteLimits {
        max_delete: options.max_delete.map(|max_delete| max_delete.saturating_sub(deleted)),
        allow_empty_source: options.allow_empty_source,
        ignore_errors: options.ignore_errors,
    }
}

pub(super) fn rename_strategy(strategy: RenameStrategy, window_ns: Option<u64>) -> rename::RenameStrategy {
    rename::RenameStrategy {
        hash: strategy.hash,
        modified_within_ns: strategy.modified.then(|| window_ns.unwrap_or(0)),
        name: strategy.name,
    }
}
