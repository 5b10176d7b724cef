//! The options of `bisync`, with rclone's names where rclone has them.

use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};

use super::super::{
    exit::Failure,
    filter::FilterOptions,
    size::{Bound, parse_rate},
    time::parse_window,
};
use crate::runtime::{BisyncOptions, Comparison, DeleteLimit, Winner};

/// How to run.
#[derive(Args)]
pub(super) struct BisyncArguments {
    /// Tell what would be done, and do nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
    /// Begin, or begin again, without a state: delete nothing, and bring what only one side has to the other
    #[arg(long)]
    resync: bool,
    /// Compare versions by size and checksum, not by the modification time
    #[arg(long, short)]
    checksum: bool,
    /// Compare versions by size alone, also beside --checksum
    #[arg(long)]
    size_only: bool,
    /// Ignore differences of time below this [default: the coarser precision of both sides]
    #[arg(long, value_name = "DURATION", value_parser = parse_window)]
    modify_window: Option<Duration>,
    /// Which version of an object that changed on both sides takes the name; where that cannot be told, FIRST's
    #[arg(long, value_name = "VERSION", value_enum, default_value_t = Resolve::None)]
    conflict_resolve: Resolve,
    /// What becomes of the other version: it is kept on both sides under a name with a number, or replaced. It is
    /// always kept if nobody can tell which should win
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Loser::Num)]
    conflict_loser: Loser,
    /// What stands between the name and the number of a version that is kept
    #[arg(long, value_name = "S", default_value = ".conflict")]
    conflict_suffix: String,
    /// Do nothing if more objects would be deleted on a side than N, or than P% of those that both sides had
    #[arg(long, value_name = "N|P%", default_value = "50%", value_parser = parse_limit)]
    max_delete: DeleteLimit,
    /// Allow a side that has become empty to empty the other
    #[arg(long)]
    allow_empty: bool,
    /// Move at most RATE bytes a second, as in `1M`; a bare number is in KiB, `off` is no limit
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    bwlimit: Option<Bound<u64>>,
    /// How many objects are worked on at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u32).range(1..=256))]
    transfers: u32,
    /// How often an object is tried in all, if its error may pass
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=100))]
    retries: u32,
    #[command(flatten)]
    filter: FilterOptions,
}

/// rclone's words for the winner.
#[derive(Clone, Copy, ValueEnum)]
enum Resolve {
    /// Both are kept: the newer takes the name
    None,
    /// The one modified last
    Newer,
    /// The one modified first
    Older,
    /// The one of more bytes
    Larger,
    /// The one of fewer bytes
    Smaller,
    /// That of FIRST
    #[value(alias = "first", alias = "source")]
    Path1,
    /// That of SECOND
    #[value(alias = "second", alias = "target")]
    Path2,
}

/// rclone's words for what becomes of the other.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Loser {
    /// Kept under a name with a number
    Num,
    /// Replaced
    Delete,
}

impl BisyncArguments {
    /// For places that are called so.
    pub(super) fn options(&self, names: (String, String)) -> Result<BisyncOptions, Failure> {
        if matches!(self.conflict_resolve, Resolve::None) && self.conflict_loser == Loser::Delete {
            return Err(Failure::usage(
                "--conflict-loser delete needs --conflict-resolve, which says what wins",
            ));
        }
        Ok(BisyncOptions {
            dry_run: self.dry_run,
            resync: self.resync,
            comparison: match self {
                Self { size_only: true, .. } => Comparison::SizeOnly,
                Self { checksum: true, .. } => Comparison::Checksum,
                _ => Comparison::Automatic,
            },
            modify_window: self.modify_window,
            winner: match self.conflict_resolve {
                Resolve::None | Resolve::Newer => Winner::Newer,
                Resolve::Older => Winner::Older,
                Resolve::Larger => Winner::Larger,
                Resolve::Smaller => Winner::Smaller,
                Resolve::Path1 => Winner::First,
                Resolve::Path2 => Winner::Second,
            },
            keep_loser: self.conflict_loser == Loser::Num,
            conflict_suffix: self.conflict_suffix.clone(),
            max_delete: self.max_delete,
            allow_empty: self.allow_empty,
            names: Some(names),
            transfers: self.transfers,
            retries: self.retries,
            bandwidth: Bound::of(self.bwlimit),
            filter: self.filter.filter()?,
        })
    }
}

fn parse_limit(text: &str) -> Result<DeleteLimit, String> {
    let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number"));
    match text.strip_suffix('%') {
        None => number(text).map(DeleteLimit::Count),
        Some(percent) => match number(percent)? {
            percent @ 0..=100 => Ok(DeleteLimit::Percent(u32::try_from(percent).unwrap_or(100))),
            _ => Err(format!("`{text}` is more than all")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_a_share() {
        assert_eq!(parse_limit("7"), Ok(DeleteLimit::Count(7)));
        assert_eq!(parse_limit("0%"), Ok(DeleteLimit::Percent(0)));
        assert_eq!(parse_limit("100%"), Ok(DeleteLimit::Percent(100)));
        for refused in ["", "%", "101%", "-1", "half"] {
            assert!(parse_limit(refused).is_err(), "{refused}");
        }
    }
}
