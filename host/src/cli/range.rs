//! Which paths a run looks at.

use clap::Args;

use super::{exit::Failure, explain::parse_path};
use crate::{KeyRange, Path, runtime::SyncOptions};

/// A range of paths, in byte order of the whole paths.
#[derive(Args)]
pub(crate) struct RangeOptions {
    /// Leave alone, on both sides, all paths up to KEY, in byte order of the whole paths
    #[arg(long, value_name = "KEY", value_parser = parse_path, conflicts_with = "recoded")]
    start_after: Option<Path>,
    /// Leave alone, on both sides, all paths behind KEY, in byte order of the whole paths
    #[arg(long, value_name = "KEY", value_parser = parse_path, conflicts_with = "recoded")]
    stop_at: Option<Path>,
}

impl RangeOptions {
    /// With the range, if there can be anything in it.
    pub(crate) fn add_to(&self, options: SyncOptions) -> Result<SyncOptions, Failure> {
        let (start_after, stop_at) = (self.start_after.clone(), self.stop_at.clone());
        let options = SyncOptions { start_after, stop_at, ..options };
        require_room(&options.range())?;
        Ok(options)
    }
}

/// Refuses a range in which no path can lie.
pub(super) fn require_room(range: &KeyRange) -> Result<(), Failure> {
    if range.is_empty() {
        return Err(Failure::usage(
            "--start-after must sort before --stop-at: there is nothing between them",
        ));
    }
    Ok(())
}
