//! The interfaces `sync` and `bisync`: which objects are the same, what is to be done about the others, and doing it.
//!
//! The engine decides, the backends move the bytes: one call a large object, one call for many small ones. Memory
//! holds a page or two of each listing, the calls in flight, and a bounded number of paths to delete.

mod arrived;
mod backup;
mod batch;
mod bisync;
mod check;
mod contents;
mod copying;
mod delete;
mod directories;
mod explain;
mod fence;
mod flight;
mod journal;
mod judge;
mod likeness;
mod memo;
mod operation;
mod options;
mod pages;
mod pair;
mod pairs;
mod place;
mod plan;
mod probe;
mod recode;
mod removal;
mod rename;
mod retry;
mod returned;
mod run;
mod seen;
mod share;
mod sides;
mod transfer;
mod unshown;
mod waiting;

use omnistorage_core::sync::filter::Filter;
use omnistorage_types::{
    BisyncEvent, BisyncOptions, BisyncReport, CheckEntry, CheckReport, Comparison, Error, ErrorCode, Event,
    Explanation, KeyRange, Location, Path, Report, Result, SyncOptions,
};

pub use self::operation::Operation;
use crate::{Engine, Job};

#[expect(clippy::missing_errors_doc, reason = "they are those of the WIT interface")]
impl Engine {
    /// Makes the target like the source: a sync, a copy or a move.
    pub fn sync(
        &self,
        operation: Operation,
        source: Location,
        target: Location,
        options: SyncOptions,
    ) -> Result<Job<Event, Report>> {
        let filter = check(operation, &options)?;
        let port = self.port.clone();
        Ok(Job::new(move |events| run::run(port, operation, [source, target], options, filter, events)))
    }

    /// What a run would make of one path, and why.
    pub async fn explain(
        &self,
        operation: Operation,
        source: Location,
        target: Location,
        path: Path,
        options: SyncOptions,
    ) -> Result<Explanation> {
        let filter = check(operation, &options)?;
        explain::explain(&self.port, operation, [source, target], path, options, filter).await
    }

    /// Compares, and changes nothing.
    pub fn check(
        &self,
        source: Location,
        target: Location,
        options: SyncOptions,
    ) -> Result<Job<CheckEntry, CheckReport>> {
        let filter = options::check(&options)?;
        let port = self.port.clone();
        Ok(Job::new(move |entries| check::run(port, [source, target], options, filter, entries)))
    }

    /// Whether deletes that runs over ranges held may follow, by the sum of their reports.
    pub fn judge(&self, sum: &Report, options: &SyncOptions) -> Result<()> {
        options::check(options)?;
        judge::judge(sum, options)
    }

    /// Paths that cut a range of what is below a place into so many ranges, or fewer.
    pub async fn plan(&self, at: Location, range: KeyRange, ranges: u32) -> Result<Vec<Path>> {
        plan::plan(&self.port, at, range, ranges).await
    }

    /// Some paths at which a range of what is below a place may be cut, at most so many.
    pub async fn cut(&self, at: Location, range: KeyRange, most: u32) -> Result<Vec<Path>> {
        plan::cut(&self.port, at, range, most).await
    }

    /// Brings the changes of each of two places to the other.
    pub fn bisync(
        &self,
        places: [Location; 2],
        state: Location,
        options: BisyncOptions,
    ) -> Result<Job<BisyncEvent, BisyncReport>> {
        let filter = bisync::check(&options)?;
        let port = self.port.clone();
        Ok(Job::new(move |events| bisync::run(port, places, state, options, filter, events)))
    }
}

/// The filter of a run, if its options are such that there can be one.
fn check(operation: Operation, options: &SyncOptions) -> Result<Filter> {
    let filter = options::check(options)?;
    if operation == Operation::Move && options.comparison == Comparison::WriteTimes {
        let message =
            "when a target was written says nothing of its contents: not enough to let an object go";
        return Err(Error::new(ErrorCode::InvalidArgument, message));
    }
    Ok(filter)
}
