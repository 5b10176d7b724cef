//! The client of a shared run: begins it or attaches to it, and leads it to its end.

mod collect;
mod drive;
mod thin;

use std::{sync::Arc, time::Duration};

use futures::stream;
use tokio::sync::mpsc;

use self::drive::Driver;
use super::{
    connection::Cluster,
    options::SharedOptions,
    queue::Work,
    record::{Recorded, Run, Task, fingerprint},
    told::Told,
    witness::Witnesses,
};
use crate::{
    Error, ErrorCode, Location, Result,
    ranges::{Operation, Tiles, Transfer, are_flat, require_sorted},
    runtime::{Activity, Job, Storage, SyncOptions},
};

/// How to share a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it is about.
    pub task: Task,
    /// How. The place of a backup is that of the task.
    pub options: SyncOptions,
    /// Bounds of age as they were given: times that are made from them differ from call to call. What is equal in all
    /// of this is the same run.
    pub times: String,
    /// How many ranges to cut, about: several for each worker, since some take longer than others.
    pub ranges: u32,
    /// How long a worker that says nothing keeps its ranges.
    pub lease: Duration,
}

/// What gets a sentence on whatever a person should know.
type Say = Arc<dyn Fn(String) + Send + Sync>;

/// Begins a run over the workers of a cluster, or attaches to the one that the same plan has begun and that is not over.
/// The job ends like one on this machine; dropped, it leaves the run as it is. Of objects it tells failures and what was
/// skipped, up to 1,000 a range; its activity is the sum of what the workers did.
///
/// # Errors
/// [`ErrorCode::Unsupported`] for what cannot be shared (see [`Unsplittable`](super::Unsplittable)), and for places that do
/// not list in byte order; [`ErrorCode::Unavailable`] while another run is at work on the same target, or if the cluster is out
/// of reach; and those of [`Storage::plan`](crate::runtime::Storage::plan).
pub async fn share<E: Told>(
    cluster: Cluster,
    storage: Storage,
    sides: [Location; 2],
    plan: Plan,
    say: impl Fn(String) + Send + Sync + 'static,
) -> Result<Job<E, E::Report>> {
    let options = SharedOptions::new(&plan.options)?;
    let [source, target] = &sides;
    require_sorted(&storage, [source, target]).await?;
    let key = fingerprint(&plan.task, &options, &plan.times)?;
    let say: Say = Arc::new(say);
    let record = match cluster.run(&key).await? {
        Some(record) if record.run.state.is_open() => attach(record, &say)?,
        old => {
            require_free(&cluster, &key, &plan.task).await?;
            let moves = are_flat(&storage, [source, target]).await?;
            let tiles = Tiles::cut(&storage, [source, target], &plan.options, plan.ranges).await?;
            let borders = tiles.borders();
            let witnesses = Witnesses::of(&storage, [source, target], &plan.options, borders).await?;
            let run = Run::new(
                cluster.unused_id(),
                plan.task.clone(),
                options,
                plan.lease,
                moves,
                borders,
                witnesses,
            );
            begin(&cluster, key, old, run, &say).await?
        }
    };
    let (tell, told) = mpsc::channel(256);
    let activity = Activity::default();
    let driver = Driver::<E>::new(cluster, storage, sides, plan.options, record, say, tell, activity.clone());
    let told = stream::unfold(told, |mut told| async { Some((told.recv().await?, told)) });
    Ok(Job::led(told, driver.drive(), activity))
}

fn attach(record: Recorded, say: &Say) -> Result<Recorded> {
    let run = &record.run;
    if run.component != super::record::component() {
        let message = format!(
            "the run {} was begun by another version of this program: go on with that one, or end it by `cluster cancel`",
            run.id
        );
        return Err(Error::new(ErrorCode::PreconditionFailed, message));
    }
    say(format!("attached to the run {}, which goes on", run.id));
    Ok(record)
}

/// Keeps the record of a run, and lets its ranges wait for workers.
async fn begin(
    cluster: &Cluster,
    key: String,
    old: Option<Recorded>,
    run: Run,
    say: &Say,
) -> Result<Recorded> {
    let task = run.task.clone();
    let begun = match &old {
        Some(old) => cluster.replace(old, run).await?,
        None => cluster.create(&key, &run).await?,
    };
    let Some(record) = begun else {
        // Somebody gave the same command at the same time.
        let other = cluster.run(&key).await?.filter(|other| other.run.state.is_open());
        return attach(other.ok_or_else(|| super::ledger::lost(&key))?, say);
    };
    if let Some(old) = old {
        cluster.forget(&old.run.id).await?;
    }
    // Two that began at the same time see each other now: the earlier one stays.
    if let Err(refused) = require_free_before(cluster, &key, &task, record.revision).await {
        let cancelled = Run { state: super::record::State::Cancelled, ..record.run.clone() };
        cluster.replace(&record, cancelled).await?;
        return Err(refused);
    }
    let run = &record.run;
    cluster.queue(&run.id, run.lease()).await?;
    let all: Vec<_> = run.tiles()?.ranges().map(|range| Work::merge(&range, 1.0)).collect();
    cluster.publish(&run.id, &all, 0).await?;
    say(format!("began the run {} of {} ranges", run.id, run.ranges()));
    Ok(record)
}

/// Refuses to begin a run while another one writes to the same target.
async fn require_free(cluster: &Cluster, key: &str, task: &Task) -> Result<()> {
    require_free_before(cluster, key, task, u64::MAX).await
}

async fn require_free_before(cluster: &Cluster, key: &str, task: &Task, revision: u64) -> Result<()> {
    for other in cluster.records().await? {
        let is_open = other.run.state.is_open() && other.key != key && other.revision < revision;
        if is_open && is_in_the_way(task, &other.run.task) {
            let message = format!(
                "the run {} from `{}` to `{}` is at work there: wait for its end, or end it by `cluster cancel {}`",
                other.run.id, other.run.task.source, other.run.task.target, other.run.id
            );
            return Err(Error::new(ErrorCode::Unavailable, message));
        }
    }
    Ok(())
}

/// Whether one of two runs writes where the other one looks. Two names for one store are beyond what can be told here.
fn is_in_the_way(one: &Task, other: &Task) -> bool {
    let contains = |outer: &str, inner: &str| {
        let outer = outer.trim_end_matches('/');
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || outer.ends_with(':'))
    };
    let overlap = |one: &str, other: &str| contains(one, other) || contains(other, one);
    let touches = |place: &str, other: &Task| overlap(place, &other.target) || overlap(place, &other.source);
    let writes = |writer: &Task, other: &Task| match writer.operation {
        Operation::Check => false,
        Operation::Transfer(Transfer::Copy | Transfer::Sync) => touches(&writer.target, other),
        Operation::Transfer(Transfer::Move) => {
            touches(&writer.target, other) || touches(&writer.source, other)
        }
    };
    writes(one, other) || writes(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_in_each_others_way_where_one_writes() {
        let task = |operation, source: &str, target: &str| Task {
            operation,
            source: source.into(),
            target: target.into(),
            backup: None,
            report: None,
            metadata: false,
            links: "skip".into(),
        };
        let sync = |source, target| task(Operation::Transfer(Transfer::Sync), source, target);
        let moves = |source, target| task(Operation::Transfer(Transfer::Move), source, target);
        let check = |source, target| task(Operation::Check, source, target);
        for (one, other, expected) in [
            (sync("s3://a", "s3://b"), sync("s3://c", "s3://b"), true),
            (sync("s3://a", "s3://b"), sync("s3://c", "s3://b/x"), true),
            (sync("s3://a", "s3://b"), sync("s3://c", "s3://bb"), false),
            (sync("s3://a", "s3://b"), sync("s3://a", "s3://c"), false),
            (sync("s3://a", "s3://b"), sync("s3://b/", "s3://c"), true),
            (sync("nas:", "nas2:"), sync("x:", "nas:y"), true),
            (moves("s3://a", "s3://b"), sync("s3://a", "s3://c"), true),
            (check("s3://a", "s3://b"), check("s3://a", "s3://b"), false),
            (check("s3://a", "s3://b"), sync("s3://c", "s3://b"), true),
        ] {
            assert_eq!(is_in_the_way(&one, &other), expected, "{one:?} {other:?}");
            assert_eq!(is_in_the_way(&other, &one), expected, "{other:?} {one:?}");
        }
    }
}
