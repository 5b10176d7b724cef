//! The options of `copy`, `sync` and `move`, with rclone's names and meaning.

use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};
use tokio::time::Instant;

use super::super::{
    compare::{ComparisonOptions, Concurrency},
    exit::Failure,
    explain::parse_path,
    filter::FilterOptions,
    memo::MemoOptions,
    metrics::MetricsOptions,
    place::Place,
    range::RangeOptions,
    recode::RecodingOptions,
    report_file::ReportOptions,
    session::{FileSettings, LinkOptions},
    size::{Bound, parse_count_bound, parse_rate, parse_size_bound},
    time::{behind, parse_duration, parse_window},
};
use crate::{
    Location, Path, Timestamp,
    backend::file::Links,
    runtime::{Backup, Comparison, Deletion, Filter, Order, OrderKey, RenameStrategy, SyncOptions},
};

/// What all three have in common.
#[derive(Args)]
pub(crate) struct TransferOptions {
    /// Tell what would be done, and do nothing
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) comparison: ComparisonOptions,
    /// Sizes neither decide nor are verified
    #[arg(long)]
    ignore_size: bool,
    /// Leave target objects alone that are newer than the source's
    #[arg(long, short)]
    update: bool,
    /// Take a target as the same if it was written no earlier than the source's time, and its listing does not tell the
    /// time that it was given, or it keeps none: a change that keeps the size goes unseen
    #[arg(long, requires = "update")]
    use_server_modtime: bool,
    /// Ignore differences of time below this [default: the coarser precision of both sides]
    #[arg(long, value_name = "DURATION", value_parser = parse_window)]
    modify_window: Option<Duration>,
    /// Add and delete, but fail where an object of TARGET would have to change
    #[arg(long)]
    immutable: bool,
    /// Keep what is replaced or deleted in the directory PLACE
    #[arg(long, value_name = "PLACE", value_parser = Place::parser())]
    pub(crate) backup_dir: Option<Place>,
    /// Put S behind the names of what is kept; without --backup-dir it is kept beside the objects
    #[arg(long, value_name = "S")]
    suffix: Option<String>,
    /// Put the suffix before the extension, if there is one
    #[arg(long)]
    suffix_keep_extension: bool,
    /// Make directories of SOURCE on TARGET that hold nothing
    #[arg(long)]
    create_empty_src_dirs: bool,
    /// Copy mode, owner and times of files, too, as metadata if TARGET is a store; content type and user metadata are
    /// always copied
    #[arg(long, short = 'M')]
    metadata: bool,
    #[command(flatten)]
    links: LinkOptions,
    #[command(flatten)]
    pub(crate) recoding: RecodingOptions,
    /// Transfer in this order: name, size or modtime; then `,asc` or `,desc`
    #[arg(long, value_name = "ORDER", value_parser = parse_order)]
    order_by: Option<Order>,
    /// Move at most RATE bytes a second, as in `1M`; a bare number is in KiB, `off` is no limit
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    bwlimit: Option<Bound<u64>>,
    /// Begin no transfer that would bring the bytes transferred above SIZE
    #[arg(long, value_name = "SIZE", value_parser = parse_size_bound)]
    max_transfer: Option<Bound<u64>>,
    /// Begin nothing more after so much time, as `8h` or `90m`
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    max_duration: Option<Duration>,
    /// When --max-duration is over: `soft` lets what is under way come to its end, `hard` gives it up, `cautious` is soft.
    /// Nothing is begun in any case that goes beyond --max-transfer
    #[arg(long, value_name = "MODE", default_value = "soft", ignore_case = true)]
    cutoff_mode: CutoffMode,
    /// Begin nothing more after N errors
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    max_errors: Option<u64>,
    #[command(flatten)]
    pub(crate) memo: MemoOptions,
    #[command(flatten)]
    concurrency: Concurrency,
    /// Run up to N times, as long as errors remain that may pass; with --json each run has its summary
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
    /// Print one JSON event a line, then a summary
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) report: ReportOptions,
    #[command(flatten)]
    pub(crate) metrics: MetricsOptions,
    /// Say every second how far it is, even if standard error is no terminal
    #[arg(long, short = 'P')]
    progress: bool,
    /// Say every so often how far it is, as for a log: `30s`; `0s` does not
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    stats: Option<Duration>,
    /// Say what would be done with the path PATH below both places and why, and do nothing
    #[arg(long, value_name = "PATH", value_parser = parse_path)]
    pub(crate) explain: Option<Path>,
    #[command(flatten)]
    range: RangeOptions,
    #[command(flatten)]
    filter: FilterOptions,
}

impl TransferOptions {
    /// Refuses what a run that removes from its source cannot do.
    pub(crate) fn check_for_move(&self) -> Result<(), Failure> {
        if self.links.links() == Links::Follow {
            let message = "--copy-links is for `copy` and `sync`: what a link leads to is at two places of SOURCE, and `move` \
                           cannot remove it from one of them alone";
            return Err(Failure::usage(message));
        }
        Ok(())
    }

    /// What a run over many machines cannot do, by the name of the option, and why.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn unshared(&self) -> [(bool, &'static str, &'static str); 3] {
        [
            (self.runs > 1, "runs", "give the same command again"),
            (self.explain.is_some(), "explain", "it is about one path: leave out --cluster"),
            (self.metrics.is_given(), "metrics-addr", "workers tell of failures alone"),
        ]
    }

    /// What ranges at once cannot do, by the name of the option, and why.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn not_in_ranges(&self) -> [(bool, &'static str, &'static str); 1] {
        [(self.explain.is_some(), "explain", "it is about one path: leave out --ranges")]
    }

    /// Bounds of age as they were given.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn ages(&self) -> String {
        self.filter.ages()
    }

    /// How often it is said how far it is, if not on a terminal.
    pub(crate) fn period(&self) -> Option<Duration> {
        let every_second = self.progress.then_some(Duration::from_secs(1));
        self.stats.or(every_second).filter(|period| !period.is_zero())
    }

    /// When what is under way is given up.
    pub(crate) fn cutoff(&self) -> Option<Instant> {
        let duration = self.max_duration.filter(|_| self.cutoff_mode == CutoffMode::Hard)?;
        Instant::now().checked_add(duration)
    }

    /// What is asked of places in the file system.
    pub(crate) fn files(&self) -> FileSettings {
        FileSettings { metadata: self.metadata, links: self.links.links() }
    }

    /// With the places of the backup and the memo as they were granted.
    pub(crate) fn options(
        &self,
        backup: Option<Location>,
        memo: Option<Location>,
    ) -> Result<SyncOptions, Failure> {
        let is_kept = backup.is_some() || self.suffix.is_some();
        self.range.add_to(SyncOptions {
            dry_run: self.dry_run,
            comparison: match self.comparison.comparison() {
                Comparison::Automatic if self.use_server_modtime => Comparison::WriteTimes,
                other => other,
            },
            ignore_size: self.ignore_size,
            update_only: self.update,
            modify_window: self.modify_window,
            immutable: self.immutable,
            deletion: Deletion::None,
            backup: is_kept.then(|| Backup {
                place: backup,
                suffix: self.suffix.clone().unwrap_or_default(),
                keep_extension: self.suffix_keep_extension,
            }),
            empty_directories: self.create_empty_src_dirs,
            recoding: self.recoding.recoding()?,
            max_window: self.recoding.max_window(),
            order: self.order_by,
            bandwidth: Bound::of(self.bwlimit),
            max_transfer: Bound::of(self.max_transfer),
            deadline: self.max_duration.map(|duration| behind(Timestamp::now(), duration)),
            max_errors: self.max_errors,
            memo,
            filter: self.filter.filter()?,
            ..self.concurrency.options()
        })
    }
}

/// What becomes of transfers under way when time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CutoffMode {
    Soft,
    Hard,
    Cautious,
}

/// What becomes of what only the target has.
#[derive(Args)]
pub(crate) struct DeleteOptions {
    /// Fail, and delete nothing, if more objects than N would go
    #[arg(long, value_name = "N", value_parser = parse_count_bound(0_u64))]
    max_delete: Option<Bound<u64>>,
    /// Delete from TARGET what the filters exclude, too
    #[arg(long)]
    delete_excluded: bool,
    /// Delete before all transfers
    #[arg(long, group = "delete_when")]
    delete_before: bool,
    /// Delete while transferring
    #[arg(long, group = "delete_when")]
    delete_during: bool,
    /// Delete after all transfers: what is done by default
    #[arg(long, group = "delete_when")]
    delete_after: bool,
    /// Count what is extra, and delete nothing: a later run does, once `report judge` allows it for all ranges
    #[arg(long, conflicts_with_all = ["delete_before", "delete_during", "max_delete", "track_renames"])]
    hold_deletes: bool,
    /// Delete even after errors
    #[arg(long)]
    ignore_errors: bool,
    /// Allow a SOURCE without any object to empty TARGET
    #[arg(long)]
    allow_empty_source: bool,
    /// Move objects on TARGET that were renamed on SOURCE, instead of transferring and deleting them
    #[arg(long, conflicts_with_all = ["start_after", "stop_at"])]
    track_renames: bool,
    /// What must agree beside the size: some of hash, modtime, leaf
    #[arg(long, value_name = "LIST", default_value = "hash", value_parser = parse_strategy)]
    track_renames_strategy: RenameStrategy,
}

impl DeleteOptions {
    pub(crate) fn add_to(&self, options: SyncOptions) -> SyncOptions {
        SyncOptions {
            deletion: match self {
                Self { delete_before: true, .. } => Deletion::Before,
                Self { delete_during: true, .. } => Deletion::During,
                _ => Deletion::After,
            },
            max_delete: Bound::of(self.max_delete),
            ignore_errors: self.ignore_errors,
            hold_deletes: self.hold_deletes,
            allow_empty_source: self.allow_empty_source,
            track_renames: if self.track_renames {
                self.track_renames_strategy
            } else {
                RenameStrategy::default()
            },
            filter: Filter { delete_excluded: self.delete_excluded, ..options.filter },
            ..options
        }
    }
}

fn parse_order(text: &str) -> Result<Order, String> {
    let (key, direction) = text.split_once(',').unwrap_or((text, "asc"));
    let key = match key {
        "name" => OrderKey::Name,
        "size" => OrderKey::Size,
        "modtime" => OrderKey::Modified,
        _ => return Err(format!("`{key}` is no order: there are name, size and modtime")),
    };
    let descending = match direction {
        "asc" | "ascending" => false,
        "desc" | "descending" => true,
        _ => return Err(format!("`{direction}` is no direction: there are asc and desc")),
    };
    Ok(Order { key, descending })
}

fn parse_strategy(text: &str) -> Result<RenameStrategy, String> {
    let mut strategy = RenameStrategy::default();
    for word in text.split(',').filter(|word| !word.is_empty()) {
        match word {
            "hash" => strategy.hash = true,
            "modtime" => strategy.modified = true,
            "leaf" => strategy.name = true,
            // It must agree anyway.
            "size" => {}
            _ => return Err(format!("`{word}` is no strategy: there are hash, modtime, leaf and size")),
        }
    }
    match strategy {
        RenameStrategy { hash: false, modified: false, name: false } => {
            Err("the size alone does not tell a renamed object: add hash, modtime or leaf".to_owned())
        }
        strategy => Ok(strategy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_strategies_are_words() {
        assert_eq!(parse_order("size,desc"), Ok(Order { key: OrderKey::Size, descending: true }));
        assert_eq!(parse_order("name"), Ok(Order { key: OrderKey::Name, descending: false }));
        for refused in ["", "colour", "size,mixed", "size,desc,50", "size,"] {
            assert!(parse_order(refused).is_err(), "{refused}");
        }
        let hash_and_leaf = RenameStrategy { hash: true, name: true, modified: false };
        assert_eq!(parse_strategy("hash,leaf"), Ok(hash_and_leaf));
        for refused in ["", "size", "hash,colour"] {
            assert!(parse_strategy(refused).is_err(), "{refused}");
        }
    }
}
