//! The interface `sync`: which objects are the same, what is to be done about the others, and doing it.
//!
//! The engine decides, the backends move the bytes: one call a large object, one call for many small ones. Memory
//! holds a page or two of each listing, the calls in flight, and a bounded number of paths to delete.

mod batch;
mod check;
mod contents;
mod delete;
mod explain;
mod filter;
mod job;
mod journal;
mod pages;
mod pairs;
mod run;
mod sides;
mod transfer;

use omnistorage_core::sync::filter::Filter;
use omnistorage_path::Path;

use crate::{
    error::error,
    exports::sync::{CheckJob, Deletion, Explanation, Guest, Job, SyncOptions},
    imports::types::{Error, ErrorCode, Location},
};

impl Guest for crate::Component {
    async fn sync(source: Location, target: Location, options: SyncOptions) -> Result<Job, Error> {
        let filter = check_options(&options)?;
        let (events, outcome) = job::start(move |events| run::run(source, target, options, filter, events));
        Ok(Job { events, outcome })
    }

    async fn copy(source: Location, target: Location, options: SyncOptions) -> Result<Job, Error> {
        Self::sync(source, target, SyncOptions { deletion: Deletion::None, ..options }).await
    }

    async fn explain(
        source: Location,
        target: Location,
        path: String,
        options: SyncOptions,
    ) -> Result<Explanation, Error> {
        let filter = check_options(&options)?;
        explain::explain(source, target, Path::parse(path)?, options, filter).await
    }

    async fn check(source: Location, target: Location, options: SyncOptions) -> Result<CheckJob, Error> {
        let filter = check_options(&options)?;
        let (entries, outcome) =
            job::start(move |entries| check::run(source, target, options, filter, entries));
        Ok(CheckJob { entries, outcome })
    }
}

/// Calls in flight that a caller may ask for.
const MAX_IN_FLIGHT: u32 = 256;

/// Refuses what cannot be run, and understands the filter.
fn check_options(options: &SyncOptions) -> Result<Filter, Error> {
    for (name, value) in [("transfers", options.transfers), ("checkers", options.checkers)] {
        if !(1..=MAX_IN_FLIGHT).contains(&value) {
            let message = format!("`{name}` must be from 1 to {MAX_IN_FLIGHT}, not {value}");
            return Err(error(ErrorCode::InvalidArgument, message));
        }
    }
    Ok(Filter::new((&options.filter).into())?)
}
