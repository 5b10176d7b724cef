//! How much there is: `size`, `du`.

use std::{collections::BTreeMap, io::IsTerminal};

use clap::Args;
use indicatif::HumanBytes;
use serde::Serialize;

use super::{
    Globals,
    exit::{Exit, Failure},
    filter::FilterOptions,
    follow::objects,
    found::{self, Found},
    local::Need,
    output::Output,
    place::Place,
    session::Session,
    units::Units,
    wildcard,
};
use crate::{ObjectInfo, ObjectKind, backend::ListOptions};

/// Objects and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Total {
    count: u64,
    bytes: u64,
    /// Objects whose size nobody tells.
    sizeless: u64,
}

impl Total {
    fn add(&mut self, entry: &ObjectInfo) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(entry.size.unwrap_or(0));
        self.sizeless += u64::from(entry.size.is_none());
    }
}

/// A total as JSON.
#[derive(Serialize)]
struct TotalJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    count: u64,
    bytes: u64,
    sizeless: u64,
    /// False if something could not be listed: then there is more.
    complete: bool,
}

impl<'a> TotalJson<'a> {
    fn new(path: Option<&'a str>, total: Total, exit: Exit) -> Self {
        let Total { count, bytes, sizeless } = total;
        Self { path, count, bytes, sizeless, complete: exit == Exit::Done }
    }
}

/// Count the objects at a place, and their bytes
#[derive(Args)]
#[command(after_help = SIZE_EXAMPLES)]
pub(crate) struct Size {
    /// Print a JSON object: count, bytes, sizeless, complete
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filter: FilterOptions,
    /// A directory or an object; a `*` in it is a wildcard
    #[arg(value_parser = Place::parser())]
    place: Place,
}

const SIZE_EXAMPLES: &str = "\
Examples:
  omnistorage size s3://bucket/logs
  omnistorage size --include '*.jpg' --json ./photos";

impl Size {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let mut total = Total::default();
        let exit = objects_of(globals, &self.place, &self.filter, |_, entry| total.add(&entry)).await?;
        let mut output = Output::new();
        if self.json {
            output.json(&TotalJson::new(None, total, exit))?;
        } else {
            let least = if exit == Exit::Done { "" } else { "at least " };
            let unknown = match total.sizeless {
                0 => String::new(),
                count => format!("; of {} the size is not known", objects(count)),
            };
            let Total { count, bytes, .. } = total;
            let line = format!("{least}{}, {} ({bytes} bytes){unknown}", objects(count), HumanBytes(bytes));
            output.line(&line)?;
        }
        output.flush()?;
        Failure::told(exit)
    }
}

/// Add up how much is in each directory
///
/// A line a directory, size first, then that of PLACE itself as `.`; on a terminal with bars. A directory counts with all
/// that is below it, and as many lines as there are directories of that depth are held in memory.
#[derive(Args)]
#[command(disable_help_flag = true, after_help = DU_EXAMPLES)]
pub(crate) struct Du {
    /// Levels of directories to tell apart
    #[arg(long, short, value_name = "N", default_value_t = 1)]
    depth: usize,
    /// The whole alone, as --depth 0
    #[arg(long, short, conflicts_with = "depth")]
    summarize: bool,
    #[command(flatten)]
    units: Units,
    /// The largest first
    #[arg(long)]
    largest: bool,
    /// Print one JSON object a line: path, count, bytes, sizeless, complete
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filter: FilterOptions,
    /// A directory or an object; a `*` in it is a wildcard
    #[arg(value_parser = Place::parser())]
    place: Place,
}

const DU_EXAMPLES: &str = "\
Examples:
  omnistorage du -h s3://bucket
  omnistorage du -h --largest --depth 2 ./photos";

/// Columns of the longest bar.
const BAR: u64 = 20;

impl Du {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let depth = if self.summarize { 0 } else { self.depth };
        let (mut whole, mut directories) = (Total::default(), BTreeMap::<String, Total>::new());
        let exit = objects_of(globals, &self.place, &self.filter, |path, entry| {
            whole.add(&entry);
            for (at, _) in path.match_indices('/').take(depth) {
                let directory = path.get(..=at).unwrap_or(path);
                match directories.get_mut(directory) {
                    Some(total) => total.add(&entry),
                    None => directories.entry(directory.to_owned()).or_default().add(&entry),
                }
            }
        })
        .await?;
        let mut lines: Vec<_> = directories.into_iter().collect();
        if self.largest {
            lines.sort_by_key(|(_, total)| std::cmp::Reverse(total.bytes));
        }
        lines.push((".".to_owned(), whole));
        let mut output = Output::new();
        let has_bars = std::io::stdout().is_terminal();
        for (path, total) in lines {
            if self.json {
                output.json(&TotalJson::new(Some(&path), total, exit))?;
            } else if has_bars {
                let size = self.units.size(total.bytes);
                output.line(&format!("{size:>12}  {}  {path}", bar(total.bytes, whole.bytes)))?;
            } else {
                output.line(&format!("{}\t{path}", self.units.size(total.bytes)))?;
            }
        }
        output.flush()?;
        Failure::told(exit)
    }
}

/// A share of the whole, as a bar and in percent.
fn bar(part: u64, whole: u64) -> String {
    let share = |of: u64| u128::from(part) * u128::from(of) / u128::from(whole.max(1));
    let filled = usize::try_from(share(BAR)).unwrap_or_default();
    let width = usize::try_from(BAR).unwrap_or_default();
    format!("{:<width$} {:>3}%", "█".repeat(filled), share(100))
}

/// Hands over every object of a place.
async fn objects_of(
    globals: &Globals,
    place: &Place,
    filter: &FilterOptions,
    mut take: impl FnMut(&str, ObjectInfo),
) -> Result<Exit, Failure> {
    let (place, pattern) = wildcard::split(place)?;
    // What is counted below a directory that matches belongs to it.
    let filter = filter.filter_within(pattern.map(wildcard::Pattern::deep).as_ref())?;
    let (session, at) = Session::one(globals, &place, Need::Contents)?;
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    found::each(&session, &at, &filter, &options, false, |found| {
        if let Found::Entry(path, entry) = found
            && entry.kind == ObjectKind::Object
        {
            take(path, entry);
        }
        Ok(())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_a_share() {
        assert_eq!(bar(0, 0), format!("{}   0%", " ".repeat(20)));
        assert_eq!(bar(1, 4), format!("{}{}  25%", "█".repeat(5), " ".repeat(15)));
        assert_eq!(bar(u64::MAX, u64::MAX), format!("{} 100%", "█".repeat(20)));
    }
}
