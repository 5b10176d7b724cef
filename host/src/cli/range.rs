//! Which paths a run looks at.

use clap::{Args, value_parser};

use super::{exit::Failure, explain::parse_path, threads::Threads};
use crate::{Path, runtime::SyncOptions};

/// A range of paths, in byte order of the whole paths.
#[derive(Args)]
pub(crate) struct RangeOptions {
    /// Leave alone, on both sides, all paths up to KEY, in byte order of the whole paths
    #[arg(long, value_name = "KEY", value_parser = parse_path, conflicts_with = "recoded")]
    start_after: Option<Path>,
    /// Leave alone, on both sides, all paths behind KEY, in byte order of the whole paths
    #[arg(long, value_name = "KEY", value_parser = parse_path, conflicts_with = "recoded")]
    stop_at: Option<Path>,
    /// List N ranges of both sides at once, which are found by probes, and remember nothing: for many objects behind a
    /// slow listing
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=64), conflicts_with = "recoded")]
    ranges: u32,
}

impl RangeOptions {
    /// What a run over these ranges computes on, if it needs those at least.
    pub(crate) const fn threads(&self, least: Threads) -> Threads {
        if self.are_several() { Threads::Several } else { least }
    }

    /// Whether several ranges are listed at once.
    pub(crate) const fn are_several(&self) -> bool {
        self.ranges > 1
    }

    /// With the range, if there can be anything in it.
    pub(crate) fn add_to(&self, options: SyncOptions) -> Result<SyncOptions, Failure> {
        let (start_after, stop_at) = (self.start_after.clone(), self.stop_at.clone());
        let options = SyncOptions { start_after, stop_at, ranges: self.ranges, ..options };
        if options.range().is_empty() {
            let message = "--start-after must sort before --stop-at: there is nothing between them";
            return Err(Failure::usage(message));
        }
        Ok(options)
    }
}
