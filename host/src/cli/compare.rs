//! The options of the commands that compare two places, with rclone's names and meaning.

use clap::{Args, value_parser};

use super::place::Place;
use crate::runtime::{Comparison, SyncOptions};

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
    /// Compare size and modification time; where a side keeps no times, size and checksum
    #[arg(long)]
    exact_times: bool,
}

impl ComparisonOptions {
    pub(crate) const fn comparison(&self) -> Comparison {
        match self {
            Self { checksum: true, .. } => Comparison::Checksum,
            Self { size_only: true, .. } => Comparison::SizeOnly,
            Self { ignore_existing: true, .. } => Comparison::IgnoreExisting,
            Self { ignore_times: true, .. } => Comparison::Always,
            Self { exact_times: true, .. } => Comparison::ExactTimes,
            _ => Comparison::Automatic,
        }
    }
}

/// How many calls of the backends may be in flight, and how often each is tried.
#[derive(Args)]
pub(crate) struct Concurrency {
    /// Transfers in flight
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u32).range(1..=256))]
    transfers: u32,
    /// Comparisons in flight
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = value_parser!(u32).range(1..=256))]
    checkers: u32,
    /// Attempts at an object, in all, where what failed may pass
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=100))]
    retries: u32,
}

impl Concurrency {
    pub(crate) fn options(&self) -> SyncOptions {
        SyncOptions {
            transfers: self.transfers,
            checkers: self.checkers,
            retries: self.retries,
            ..SyncOptions::default()
        }
    }
}
