//! The options of the commands that compare two places, with rclone's names and meaning.

use std::time::Duration;

use clap::{Args, value_parser};

use super::{exit::Failure, explain::parse_path, filter::FilterOptions, place::Place, time::parse_duration};
use crate::{
    Path,
    runtime::{Comparison, SyncOptions},
};

/// The two places.
#[derive(Args)]
pub(crate) struct Places {
    /// The directory whose contents are meant, or one object
    #[arg(value_name = "SOURCE", value_parser = Place::parser())]
    pub(crate) source: Place,
    /// The directory
    #[arg(value_name = "TARGET", value_parser = Place::parser())]
    pub(crate) target: Place,
}

/// When an object of both sides needs no transfer. Without any: size and modification time are equal.
#[derive(Args)]
#[group(multiple = false)]
pub(crate) struct ComparisonOptions {
    /// Compare size and checksum, not the modification time
    #[arg(long, short)]
    checksum: bool,
    /// Compare the size alone
    #[arg(long)]
    size_only: bool,
    /// Leave whatever is on the target
    #[arg(long)]
    ignore_existing: bool,
    /// Transfer all
    #[arg(long, short = 'I')]
    ignore_times: bool,
}

impl ComparisonOptions {
    pub(crate) const fn comparison(&self) -> Comparison {
        match self {
            Self { checksum: true, .. } => Comparison::Checksum,
            Self { size_only: true, .. } => Comparison::SizeOnly,
            Self { ignore_existing: true, .. } => Comparison::IgnoreExisting,
            Self { ignore_times: true, .. } => Comparison::Always,
            _ => Comparison::Automatic,
        }
    }
}

/// How many calls of the backends may be in flight.
#[derive(Args)]
pub(crate) struct Concurrency {
    /// Transfers in flight
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u32).range(1..=256))]
    transfers: u32,
    /// Comparisons in flight
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = value_parser!(u32).range(1..=256))]
    checkers: u32,
}

/// What `copy` and `sync` have in common.
#[derive(Args)]
pub(crate) struct TransferOptions {
    /// Tell what would be done, and do nothing
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    comparison: ComparisonOptions,
    /// Leave target objects alone that are newer than the source's
    #[arg(long, short)]
    update: bool,
    /// Differences of time up to this are none [default: the coarser precision of both sides]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    modify_window: Option<Duration>,
    #[command(flatten)]
    concurrency: Concurrency,
    /// Print one JSON event a line, then a summary
    #[arg(long)]
    pub(crate) json: bool,
    /// Say what would be made of the path PATH below both places and why, and do nothing
    #[arg(long, value_name = "PATH", value_parser = parse_path)]
    pub(crate) explain: Option<Path>,
    #[command(flatten)]
    filter: FilterOptions,
}

impl TransferOptions {
    pub(crate) fn options(&self) -> Result<SyncOptions, Failure> {
        Ok(SyncOptions {
            dry_run: self.dry_run,
            comparison: self.comparison.comparison(),
            update_only: self.update,
            modify_window: self.modify_window,
            filter: self.filter.filter()?,
            ..self.concurrency.options()
        })
    }
}

impl Concurrency {
    pub(crate) fn options(&self) -> SyncOptions {
        SyncOptions { transfers: self.transfers, checkers: self.checkers, ..SyncOptions::default() }
    }
}
