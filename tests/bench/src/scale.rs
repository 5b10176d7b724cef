//! The table of scale: a dry sync of listings that are computed and never kept, whole and in ranges at once. Each run is a
//! process of its own, so that its peak of memory is its own.
//!
//! With a latency, each page of a listing comes so long after it was asked for, as from a store far away. Then the time tells
//! what ranges at once are worth; without it, processor time and memory tell what they cost.

use std::{any::Any, io::Write, ops::Range, process::Command, sync::Arc, time::Duration};

use anyhow::{Context, Result as Outcome, ensure};
use async_trait::async_trait;
use omnistorage::{
    Backend, Error, ErrorCode, Location, ObjectInfo, ObjectKind, Path, Result, Timestamp,
    backend::{
        Capabilities, Features, ListOptions, Listed, Listing, ReadOptions, Reader, Upload, WriteOptions,
    },
    ranges::{Transfer, transfer},
    runtime::{Deletion, Report, Runtime, RuntimeOptions, Storage, SyncOptions},
};

use crate::{
    Options,
    measure::{self, Cost},
};

/// Entries of a page, as those of S3.
const PAGE: u64 = 1_000;

/// Objects named by their numbers. Nothing of them is anywhere.
#[derive(Debug)]
struct Numbered {
    objects: u64,
    latency: Duration,
}

/// The name of an object: of several levels, in the order of the numbers.
fn name(number: u64) -> String {
    format!("{:04}/{:03}/{:05}", number / 100_000_000, number / 100_000 % 1_000, number % 100_000)
}

/// What is known of an object.
fn entry(number: u64) -> Result<ObjectInfo> {
    Ok(ObjectInfo {
        size: Some(number % 1_000),
        modified: Some(Timestamp { seconds: 1_700_000_000, nanoseconds: 0 }),
        ..ObjectInfo::new(Path::parse(name(number))?, ObjectKind::Object)
    })
}

impl Numbered {
    /// The number of the first object of which this does not hold, where it holds for those before.
    fn first(&self, is_before: impl Fn(&str) -> bool) -> u64 {
        let Range { mut start, mut end } = 0..self.objects;
        while start < end {
            let middle = start.midpoint(end);
            if is_before(&name(middle)) { start = middle + 1 } else { end = middle }
        }
        start
    }

    fn refused<T>(&self, what: &str, path: &Path) -> Result<T> {
        Err(Error::unsupported(self.kind(), what).at(self.kind(), path))
    }
}

#[async_trait]
impl Backend for Numbered {
    fn kind(&self) -> &str {
        "numbered"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            features: Features { sorted_list: true, listed_times: true, ..Features::default() },
            modified_precision: Some(Duration::from_secs(1)),
            ..Capabilities::default()
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, _: &ReadOptions) -> Result<Reader> {
        self.refused("read", path)
    }

    async fn write(&self, path: &Path, _: &WriteOptions) -> Result<Box<dyn Upload>> {
        self.refused("write", path)
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        if path.is_root() {
            return Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory));
        }
        let number = self.first(|name| name < path.as_str());
        if number < self.objects && name(number) == path.as_str() {
            return entry(number);
        }
        Err(Error::new(ErrorCode::NotFound, "there is no such object").at(self.kind(), path))
    }

    async fn list(&self, _: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        let start = match &options.start_after {
            Some(after) => self.first(|name| name <= after.as_str()),
            None => 0,
        };
        let end = match &options.until {
            Some(until) => self.first(|name| name <= until.as_str()),
            None => self.objects,
        };
        let end = options.limit.map_or(end, |limit| end.min(start.saturating_add(limit)));
        Ok(Box::new(Numbers { left: start..end.max(start), of_page: 0, latency: self.latency }))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        paths.iter().map(|path| self.refused("delete", path)).collect()
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

/// A listing, and what is left of its page.
struct Numbers {
    left: Range<u64>,
    of_page: u64,
    latency: Duration,
}

#[async_trait]
impl Listing for Numbers {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        if self.of_page == 0 {
            self.of_page = PAGE;
            if !self.latency.is_zero() {
                tokio::time::sleep(self.latency).await;
            }
        }
        let count = self.of_page.min(max as u64).min(self.left.end - self.left.start);
        let numbers = self.left.start..self.left.start + count;
        self.left.start += count;
        self.of_page -= count;
        numbers.map(|number| entry(number).map(Listed::from)).collect()
    }
}

/// Two such places.
///
/// # Errors
/// If the component cannot be compiled.
pub(crate) fn places(objects: u64, latency: Duration) -> Outcome<(Storage, [Location; 2])> {
    let numbered = || Arc::new(Numbered { objects, latency });
    let runtime = Runtime::new(&RuntimeOptions::default())?;
    let storage = Storage::builder(&runtime).mount("here", numbered()).mount("there", numbered()).build();
    Ok((storage, [Location::new("here", "")?, Location::new("there", "")?]))
}

/// A sync that would delete, dry.
pub(crate) fn options() -> SyncOptions {
    SyncOptions { dry_run: true, deletion: Deletion::After, ..SyncOptions::default() }
}

/// Makes sure that all was compared.
///
/// # Errors
/// If it was not, or if there was anything to do.
pub(crate) fn require_nothing_to_do(report: &Report, objects: u64) -> Outcome<()> {
    ensure!(report.checked == objects, "{} of {objects} objects were compared", report.checked);
    ensure!(report.transferred + report.extras + report.errors == 0, "there was something to do: {report:?}");
    Ok(())
}

/// Syncs one such place to another in so many ranges at once.
///
/// # Errors
/// If anything is found to do.
pub(crate) fn sync(objects: u64, ranges: u32, latency: Duration) -> Outcome<()> {
    let threads = usize::try_from(ranges)?.min(std::thread::available_parallelism()?.get());
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let ((storage, sides), options) = (places(objects, latency)?, options());
    let run = async {
        let job = match ranges {
            1 => storage.sync(&sides[0], &sides[1], &options).await?,
            _ => transfer(&storage, Transfer::Sync, &sides, &options, ranges).await?,
        };
        job.outcome().await
    };
    require_nothing_to_do(&threads.block_on(run)?, objects)
}

/// What one row is about.
#[derive(Clone, Copy)]
struct Row {
    objects: u64,
    ranges: u32,
    latency: u64,
}

impl Row {
    fn run(self, options: &Options) -> Outcome<Cost> {
        let mut command = Command::new(&options.this);
        command.arg("scale-sync");
        command.args([self.objects, u64::from(self.ranges), self.latency].map(|number| number.to_string()));
        measure::run(&mut command, &options.data.join("log"))
    }
}

/// Runs all sizes up to `objects`, whole and in ranges, and writes the table; each ratio is beside the whole.
///
/// # Errors
/// If a run fails, or it cannot be written.
pub(crate) fn write_table(output: &mut impl Write, options: &Options, objects: u64) -> Outcome<()> {
    writeln!(
        output,
        "\n| objects | a page takes | ranges | wall s | of the whole's speed, a range | CPU us an object | / whole | RSS MiB | / whole |"
    )?;
    writeln!(output, "|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
    let sizes =
        std::iter::successors(Some(1_000_000), |size| Some(size * 10)).take_while(|size| *size <= objects);
    let sizes: Vec<u64> = if objects < 1_000_000 { vec![objects] } else { sizes.collect() };
    // A latency for each page of a hundred million objects would take hours.
    let first = sizes.first().copied().context("no size")?;
    let rows = sizes.into_iter().map(|size| (size, 0)).chain([(first, 100)]);
    for (objects, latency) in rows {
        let mut whole: Option<Cost> = None;
        for ranges in [1, 4, 8] {
            let mut costs = Vec::new();
            for _ in 0..if latency == 0 { options.rounds } else { 1 } {
                costs.push(Row { objects, ranges, latency }.run(options)?);
            }
            let cost = measure::median_cost(&costs).context("no round")?;
            let whole = *whole.get_or_insert(cost);
            let cpu = |cost: Cost| (cost.user + cost.system).as_secs_f64();
            writeln!(
                output,
                "| {objects} | {latency} ms | {ranges} | {:.2} | {:.2} | {:.2} | {:.2} | {:.1} | {:.2} |",
                cost.wall.as_secs_f64(),
                whole.wall.as_secs_f64() / cost.wall.as_secs_f64() / f64::from(ranges),
                cpu(cost) * 1e6 / objects as f64,
                cpu(cost) / cpu(whole),
                cost.memory as f64 / f64::from(1 << 20),
                cost.memory as f64 / whole.memory as f64,
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_their_names() -> Outcome<()> {
        let numbered = Numbered { objects: 250_000, latency: Duration::ZERO };
        assert_eq!(numbered.first(|found| found <= name(100_000).as_str()), 100_001);
        assert_eq!(numbered.first(|found| found <= "0000/001"), 100_000);
        assert_eq!(numbered.first(|_| true), 250_000);
        sync(5_000, 4, Duration::from_millis(1))
    }
}
