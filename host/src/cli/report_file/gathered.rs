//! What a page shows of a run: gathered in bounded memory, however many events there are.

use std::{collections::BTreeMap, time::Duration};

use super::Entry;

/// Paths that are shown of each kind of event.
const SHOWN: usize = 200;

/// Failures that are shown.
const FAILURES_SHOWN: usize = 1000;

/// Directories that are told apart.
const DIRECTORIES: usize = 400;

/// How deep they are told apart at first.
const DEPTH: usize = 6;

/// Spans of time that are told apart.
const SPANS: usize = 120;

/// The length of a span at first.
const SHORTEST: Duration = Duration::from_millis(100);

/// Events, and bytes: of a kind, those of its objects as far as they are known; elsewhere, those transferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) objects: u64,
    pub(super) bytes: u64,
    pub(super) failed: u64,
}

impl Total {
    fn add(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.failed += other.failed;
    }
}

/// A path, and what is said of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) path: String,
    pub(super) size: Option<u64>,
    pub(super) why: Option<String>,
}

/// All events of one name.
#[derive(Debug, Default)]
pub(super) struct Kind {
    pub(super) total: Total,
    pub(super) is_failure: bool,
    /// The first ones.
    pub(super) lines: Vec<Line>,
}

/// Everything that a page shows.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) kinds: BTreeMap<&'static str, Kind>,
    pub(super) directories: Directories,
    pub(super) times: Times,
}

impl Gathered {
    pub(super) fn add(&mut self, entry: &Entry<'_>, elapsed: Duration) {
        let total = Total { objects: 1, bytes: entry.bytes, failed: u64::from(entry.is_failure) };
        let kind = self.kinds.entry(entry.event).or_default();
        kind.total.add(Total { bytes: entry.size.unwrap_or(0), ..total });
        kind.is_failure = entry.is_failure;
        if entry.is_listed && kind.lines.len() < if entry.is_failure { FAILURES_SHOWN } else { SHOWN } {
            let why = entry.error.map(|error| error.message()).or(entry.reason);
            kind.lines.push(Line {
                path: entry.path.to_owned(),
                size: entry.size,
                why: why.map(ToOwned::to_owned),
            });
        }
        self.directories.add(entry.path, total);
        self.times.add(elapsed, total);
    }

    /// The bytes transferred.
    pub(super) fn transferred(&self) -> u64 {
        sum(self.times.totals()).bytes
    }
}

/// Totals by directory, as deep as there is room for.
#[derive(Debug)]
pub(super) struct Directories {
    depth: usize,
    totals: BTreeMap<String, Total>,
    /// Those of directories for which there was no room.
    others: Total,
}

impl Default for Directories {
    fn default() -> Self {
        Self { depth: DEPTH, totals: BTreeMap::new(), others: Total::default() }
    }
}

impl Directories {
    fn add(&mut self, path: &str, total: Total) {
        let directory = cut(path.rsplit_once('/').map_or("", |(directory, _)| directory), self.depth);
        if let Some(known) = self.totals.get_mut(directory) {
            known.add(total);
            return;
        }
        if self.totals.len() >= DIRECTORIES && self.depth == 1 {
            self.others.add(total);
            return;
        }
        self.totals.insert(directory.to_owned(), total);
        while self.totals.len() > DIRECTORIES && self.depth > 1 {
            self.depth -= 1;
            for (directory, total) in std::mem::take(&mut self.totals) {
                let above = cut(&directory, self.depth);
                self.totals.entry(above.to_owned()).or_default().add(total);
            }
        }
    }

    /// The largest first: by bytes, then by objects; at most so many, and the total of the rest.
    pub(super) fn largest(&self, most: usize) -> (Vec<(&str, Total)>, Total) {
        let mut totals: Vec<_> =
            self.totals.iter().map(|(directory, total)| (directory.as_str(), *total)).collect();
        totals.sort_by_key(|(_, total)| std::cmp::Reverse((total.bytes, total.objects)));
        let mut others = self.others;
        totals.drain(most.min(totals.len())..).for_each(|(_, total)| others.add(total));
        (totals, others)
    }
}

/// The first segments of a path.
fn cut(path: &str, depth: usize) -> &str {
    path.match_indices('/').nth(depth - 1).map_or(path, |(end, _)| &path[..end])
}

/// Totals over time, in spans of equal length.
#[derive(Debug)]
pub(super) struct Times {
    span: Duration,
    totals: Vec<Total>,
}

impl Default for Times {
    fn default() -> Self {
        Self { span: SHORTEST, totals: Vec::new() }
    }
}

impl Times {
    fn add(&mut self, elapsed: Duration, total: Total) {
        let mut index = self.index(elapsed);
        while index >= SPANS {
            self.span *= 2;
            self.totals = self.totals.chunks(2).map(sum).collect();
            index = self.index(elapsed);
        }
        if index >= self.totals.len() {
            self.totals.resize(index + 1, Total::default());
        }
        self.totals[index].add(total);
    }

    fn index(&self, elapsed: Duration) -> usize {
        usize::try_from(elapsed.as_millis() / self.span.as_millis().max(1)).unwrap_or(usize::MAX)
    }

    pub(super) const fn span(&self) -> Duration {
        self.span
    }

    pub(super) fn totals(&self) -> &[Total] {
        &self.totals
    }
}

fn sum(totals: &[Total]) -> Total {
    totals.iter().fold(Total::default(), |mut sum, total| {
        sum.add(*total);
        sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(bytes: u64) -> Total {
        Total { objects: 1, bytes, failed: 0 }
    }

    #[test]
    fn directories_are_bounded_and_nothing_is_lost() {
        let mut directories = Directories::default();
        for top in 0..1000 {
            for below in 0..3 {
                directories.add(&format!("{top}/{below}/deep/object"), one(top));
            }
        }
        assert_eq!((directories.totals.len(), directories.depth), (DIRECTORIES, 1));
        let (largest, others) = directories.largest(10);
        assert_eq!(largest.len(), 10);
        let shown: u64 = largest.iter().map(|(_, total)| total.objects).sum();
        assert_eq!(shown + others.objects, 3000);
        let bytes: u64 = largest.iter().map(|(_, total)| total.bytes).sum();
        assert_eq!(bytes + others.bytes, 3 * (0..1000).sum::<u64>());
        assert!(largest.windows(2).all(|pair| pair[0].1.bytes >= pair[1].1.bytes));
    }

    #[test]
    fn few_directories_are_told_apart_as_deep_as_they_go() {
        let mut directories = Directories::default();
        for path in ["a", "x/a", "x/y/a", "x/y/b", "1/2/3/4/5/6/7/8"] {
            directories.add(path, one(1));
        }
        let names: Vec<_> = directories.totals.keys().map(String::as_str).collect();
        assert_eq!(names, ["", "1/2/3/4/5/6", "x", "x/y"]);
    }

    #[test]
    fn time_is_told_in_so_many_spans() {
        let mut times = Times::default();
        for second in 0..3600 {
            times.add(Duration::from_secs(second), one(1));
        }
        assert!(times.totals.len() <= SPANS && times.totals.len() > SPANS / 2);
        assert_eq!(sum(&times.totals), Total { objects: 3600, bytes: 3600, failed: 0 });
        assert!(times.span * SPANS as u32 >= Duration::from_secs(3600));
        times.add(Duration::MAX, one(1));
        assert_eq!(sum(&times.totals).objects, 3601);
    }
}
