//! `plan`.

use clap::{Args, value_parser};
use serde::Serialize;

use super::{
    Globals,
    exit::{Failure, Subject},
    explain::parse_path,
    local::Need,
    output::{Output, note},
    place::Place,
    range::require_room,
    session::Session,
};
use crate::{KeyRange, Path};

/// Find paths that cut a place into N ranges, to share a run among machines
///
/// One border a line, sorted: give each machine a range by --start-after and --stop-at of `sync`, `copy`, `move` and
/// `check`. The borders are paths of PLACE, found by some requests and not by a listing, so the shares are as even as the
/// paths are; `report add` makes one report of theirs. Fewer are printed where there is not enough to cut at; an empty PLACE has none.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Plan {
    /// Cut PLACE into N ranges: N - 1 borders
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=10_000))]
    ranges: u32,
    /// Cut only what comes after KEY, in byte order of the whole paths
    #[arg(long, value_name = "KEY", value_parser = parse_path)]
    start_after: Option<Path>,
    /// Cut only what comes up to KEY, in byte order of the whole paths
    #[arg(long, value_name = "KEY", value_parser = parse_path)]
    stop_at: Option<Path>,
    /// Print one JSON object a range, with the border that it starts after and the one that it stops at; null is none
    #[arg(long)]
    json: bool,
    /// The directory or bucket to cut
    #[arg(value_parser = Place::parser())]
    place: Place,
}

const EXAMPLES: &str = "\
Examples:
  omnistorage plan --ranges 8 s3://bucket/logs > borders
  omnistorage plan --ranges 8 --json ./photos";

#[derive(Serialize)]
struct RangeJson<'a> {
    start_after: Option<&'a str>,
    stop_at: Option<&'a str>,
}

impl Plan {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let range = KeyRange { after: self.start_after, until: self.stop_at };
        require_room(&range)?;
        let (session, at) = Session::one(globals, &self.place, Need::Contents)?;
        let borders =
            session.storage.plan(&at, &range, self.ranges).await.map_err(session.failure(Subject::Tree))?;
        let mut output = Output::new();
        if self.json {
            let [after, until] = [&range.after, &range.until].map(|end| end.as_ref().map(Path::as_str));
            let borders: Vec<_> = borders.iter().map(|border| Some(border.as_str())).collect();
            let starts = std::iter::once(after).chain(borders.iter().copied());
            let stops = borders.iter().copied().chain([until]);
            for (start_after, stop_at) in starts.zip(stops) {
                output.json(&RangeJson { start_after, stop_at })?;
            }
        } else {
            for border in &borders {
                output.line(border.as_str())?;
            }
        }
        output.flush()?;
        let ranges = borders.len() + 1;
        if ranges < self.ranges as usize && !globals.quiet {
            note(format_args!("{ranges} of {} ranges: there is not enough to cut at", self.ranges));
        }
        Ok(())
    }
}
