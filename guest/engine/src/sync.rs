//! The interface `sync`: which objects are the same, what is to be done about the others, and doing it.
//!
//! The engine decides, the backends move the bytes: one call a large object, one call for many small ones. Memory
//! holds a page or two of each listing, the calls in flight, and a bounded number of paths to delete.

mod backup;
mod batch;
mod bisync;
mod check;
mod contents;
mod delete;
mod directories;
mod explain;
mod filter;
mod finish;
mod flight;
mod job;
mod journal;
mod memo;
mod options;
mod pages;
mod pairs;
mod recode;
mod removal;
mod rename;
mod retry;
mod room;
mod run;
mod seen;
mod settle;
mod share;
mod sides;
mod transfer;
mod unsure;
mod waiting;

use omnistorage_core::sync::filter::Filter;
use omnistorage_path::Path;

use self::run::Operation;
use crate::{
    error::error,
    exports::sync::{CheckJob, Comparison, Explanation, Guest, Job, SyncOptions},
    imports::types::{Error, ErrorCode, Location},
};

impl Guest for crate::Component {
    async fn sync(source: Location, target: Location, options: SyncOptions) -> Result<Job, Error> {
        start(Operation::Sync, source, target, options)
    }

    async fn copy(source: Location, target: Location, options: SyncOptions) -> Result<Job, Error> {
        start(Operation::Copy, source, target, options)
    }

    async fn move_to(source: Location, target: Location, options: SyncOptions) -> Result<Job, Error> {
        start(Operation::Move, source, target, options)
    }

    async fn explain(
        source: Location,
        target: Location,
        path: String,
        options: SyncOptions,
    ) -> Result<Explanation, Error> {
        let filter = check(Operation::Sync, &options)?;
        explain::explain(Operation::Sync, source, target, Path::parse(path)?, options, filter).await
    }

    async fn explain_move(
        source: Location,
        target: Location,
        path: String,
        options: SyncOptions,
    ) -> Result<Explanation, Error> {
        let filter = check(Operation::Move, &options)?;
        explain::explain(Operation::Move, source, target, Path::parse(path)?, options, filter).await
    }

    async fn check(source: Location, target: Location, options: SyncOptions) -> Result<CheckJob, Error> {
        let filter = options::check(&options)?;
        let (entries, outcome) =
            job::start(move |entries| check::run(source, target, options, filter, entries));
        Ok(CheckJob { entries, outcome })
    }
}

fn start(
    operation: Operation,
    source: Location,
    target: Location,
    options: SyncOptions,
) -> Result<Job, Error> {
    let filter = check(operation, &options)?;
    let (events, outcome) =
        job::start(move |events| run::run(operation, source, target, options, filter, events));
    Ok(Job { events, outcome })
}

/// The filter of a run, if its options are such that there can be one.
fn check(operation: Operation, options: &SyncOptions) -> Result<Filter, Error> {
    let filter = options::check(options)?;
    if operation == Operation::Move && options.comparison == Comparison::WriteTimes {
        let message =
            "when a target was written says nothing of its contents: not enough to let an object go";
        return Err(error(ErrorCode::InvalidArgument, message));
    }
    Ok(filter)
}
