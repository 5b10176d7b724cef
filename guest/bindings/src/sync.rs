//! The interfaces `sync` and `bisync`.

use omnistorage_engine::Operation;
use omnistorage_types::{KeyRange, Location, Path, wit::FromWit};

use crate::{
    answer, bisync_exports, engine,
    job::start,
    sync_exports::{CheckJob, Explanation, Guest, Job, Report, SyncOptions},
    types::{self, Error},
};

impl Guest for crate::Component {
    async fn sync(
        source: types::Location,
        target: types::Location,
        options: SyncOptions,
    ) -> Result<Job, Error> {
        run(Operation::Sync, source, target, options)
    }

    async fn copy(
        source: types::Location,
        target: types::Location,
        options: SyncOptions,
    ) -> Result<Job, Error> {
        run(Operation::Copy, source, target, options)
    }

    async fn move_to(
        source: types::Location,
        target: types::Location,
        options: SyncOptions,
    ) -> Result<Job, Error> {
        run(Operation::Move, source, target, options)
    }

    async fn explain(
        source: types::Location,
        target: types::Location,
        path: String,
        options: SyncOptions,
    ) -> Result<Explanation, Error> {
        explain(Operation::Sync, source, target, path, options).await
    }

    async fn explain_move(
        source: types::Location,
        target: types::Location,
        path: String,
        options: SyncOptions,
    ) -> Result<Explanation, Error> {
        explain(Operation::Move, source, target, path, options).await
    }

    async fn judge(sum: Report, options: SyncOptions) -> Result<(), Error> {
        Ok(engine().judge(&FromWit::from_wit(sum)?, &FromWit::from_wit(options)?)?)
    }

    async fn plan(
        at: types::Location,
        start_after: Option<String>,
        stop_at: Option<String>,
        ranges: u32,
    ) -> Result<Vec<String>, Error> {
        let range = range(start_after, stop_at)?;
        let borders = engine().plan(Location::from_wit(at)?, range, ranges).await?;
        Ok(borders.into_iter().map(String::from).collect())
    }

    async fn cut(
        at: types::Location,
        start_after: Option<String>,
        stop_at: Option<String>,
        most: u32,
    ) -> Result<Vec<String>, Error> {
        let range = range(start_after, stop_at)?;
        let borders = engine().cut(Location::from_wit(at)?, range, most).await?;
        Ok(borders.into_iter().map(String::from).collect())
    }

    async fn check(
        source: types::Location,
        target: types::Location,
        options: SyncOptions,
    ) -> Result<CheckJob, Error> {
        let (source, target) = (Location::from_wit(source)?, Location::from_wit(target)?);
        let (entries, outcome) = start(engine().check(source, target, FromWit::from_wit(options)?)?);
        Ok(CheckJob { entries, outcome })
    }
}

fn range(after: Option<String>, until: Option<String>) -> Result<KeyRange, Error> {
    let end = |path: Option<String>| path.map(Path::from_wit).transpose();
    Ok(KeyRange { after: end(after)?, until: end(until)? })
}

async fn explain(
    operation: Operation,
    source: types::Location,
    target: types::Location,
    path: String,
    options: SyncOptions,
) -> Result<Explanation, Error> {
    let (source, target) = (Location::from_wit(source)?, Location::from_wit(target)?);
    let (path, options) = (Path::from_wit(path)?, FromWit::from_wit(options)?);
    answer(engine().explain(operation, source, target, path, options).await)
}

fn run(
    operation: Operation,
    source: types::Location,
    target: types::Location,
    options: SyncOptions,
) -> Result<Job, Error> {
    let (source, target) = (Location::from_wit(source)?, Location::from_wit(target)?);
    let (events, outcome) = start(engine().sync(operation, source, target, FromWit::from_wit(options)?)?);
    Ok(Job { events, outcome })
}

impl bisync_exports::Guest for crate::Component {
    async fn bisync(
        first: types::Location,
        second: types::Location,
        state: types::Location,
        options: bisync_exports::BisyncOptions,
    ) -> Result<bisync_exports::BisyncJob, Error> {
        let places = [Location::from_wit(first)?, Location::from_wit(second)?];
        let (state, options) = (Location::from_wit(state)?, FromWit::from_wit(options)?);
        let (events, outcome) = start(engine().bisync(places, state, options)?);
        Ok(bisync_exports::BisyncJob { events, outcome })
    }
}
