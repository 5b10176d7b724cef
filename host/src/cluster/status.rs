//! The runs that a cluster knows.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt, TryStreamExt};
use tokio::time::{Instant, timeout_at};

use super::{
    connection::{Cluster, unavailable},
    entry::read,
    queue::Phase,
    record::{Recorded, Run, State, Task},
    worker::Alive,
};
use crate::{Error, ErrorCode, Result};

/// How long workers are listened to: they say something each second.
const LISTENING: Duration = Duration::from_millis(1_500);

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStatus {
    /// Its name.
    pub id: String,
    /// What it is about.
    pub task: Task,
    /// `merging`, `deleting`, `tidying`, `done`, `failed` or `cancelled`.
    pub state: &'static str,
    /// Ranges of its phase. There may be more of them later, since what is left of one may be given to others.
    pub ranges: usize,
    /// Those that are done.
    pub done: usize,
    /// The workers that were heard of, and how many ranges each is at work on; or why it does not take part.
    pub workers: BTreeMap<String, std::result::Result<usize, String>>,
}

impl Cluster {
    /// The fingerprints of all runs.
    pub(super) async fn keys(&self) -> Result<Vec<String>> {
        let keys = self.runs.keys().await.map_err(|error| unavailable("tell of runs", &error))?;
        keys.try_collect().await.map_err(|error| unavailable("tell of runs", &error))
    }

    /// All runs.
    pub(super) async fn records(&self) -> Result<Vec<Recorded>> {
        let keys = self.keys().await?;
        let mut records = Vec::new();
        for key in keys {
            records.extend(self.run(&key).await?);
        }
        Ok(records)
    }
}

/// The runs of a cluster, those that are over too, until the same one is begun again. Open ones come first.
///
/// # Errors
/// [`ErrorCode::Unavailable`].
pub async fn runs(cluster: &Cluster) -> Result<Vec<RunStatus>> {
    let records = cluster.records().await?;
    let mut workers: BTreeMap<String, BTreeMap<String, std::result::Result<usize, String>>> = BTreeMap::new();
    if records.iter().any(|record| record.run.state.is_open()) {
        let heard = cluster.client.subscribe(Cluster::alive_subject("*")).await;
        let mut heard = heard.map_err(|error| unavailable("tell of workers", &error))?;
        let end = Instant::now() + LISTENING;
        while let Ok(Some(message)) = timeout_at(end, heard.next()).await {
            let run = message.subject.rsplit_once('.').map(|(_, run)| run.to_owned());
            if let (Some(run), Ok(alive)) = (run, read::<Alive>("what a worker says", &message.payload)) {
                let part = alive.refused.map_or(Ok(alive.ranges), Err);
                workers.entry(run).or_default().insert(alive.worker, part);
            }
        }
    }
    let mut statuses = Vec::new();
    for Recorded { run, .. } in records {
        let (ranges, done) = match &run.state {
            State::Merging => {
                let done = cluster.done(&run.id, Phase::Merge).await?;
                let unfinished = cluster.waiting(&run.id).await?.unwrap_or(0);
                (done.saturating_add(usize::try_from(unfinished).unwrap_or(usize::MAX)), done)
            }
            State::Deleting { ranges, .. } => (ranges.len(), cluster.done(&run.id, Phase::Delete).await?),
            State::Tidying { .. } => (1, cluster.done(&run.id, Phase::Tidy).await?),
            State::Ended(_) => (run.ranges(), run.ranges()),
            State::Cancelled => (run.ranges(), 0),
        };
        let state = run.state.as_str();
        let workers = workers.remove(&run.id).unwrap_or_default();
        statuses.push((
            !run.state.is_open(),
            RunStatus { id: run.id, task: run.task, state, ranges, done, workers },
        ));
    }
    statuses.sort_by(|(one, a), (other, b)| (one, &a.id).cmp(&(other, &b.id)));
    Ok(statuses.into_iter().map(|(_, status)| status).collect())
}

/// Ends a run: its workers give up what they are at work on, and nothing is left half written. Without a name, the only one
/// that is open. Gives its name.
///
/// # Errors
/// [`ErrorCode::NotFound`] if there is no such run, or none that is open; [`ErrorCode::InvalidArgument`] if there are several and
/// none is named; [`ErrorCode::PreconditionFailed`] if it is over.
pub async fn cancel(cluster: &Cluster, id: Option<&str>) -> Result<String> {
    let records = cluster.records().await?;
    let mut found: Vec<_> = match id {
        Some(id) => records.into_iter().filter(|record| record.run.id == id).collect(),
        None => records.into_iter().filter(|record| record.run.state.is_open()).collect(),
    };
    let missing = || {
        let message = id.map_or_else(|| "no run is open".to_owned(), |id| format!("there is no run `{id}`"));
        Error::new(ErrorCode::NotFound, message)
    };
    let record = found.pop().ok_or_else(missing)?;
    if !found.is_empty() {
        let message = "several runs are open: name one, as `cluster status` does";
        return Err(Error::new(ErrorCode::InvalidArgument, message));
    }
    let mut record = record;
    loop {
        if !record.run.state.is_open() {
            let message = format!("the run `{}` is over: {}", record.run.id, record.run.state.as_str());
            return Err(Error::new(ErrorCode::PreconditionFailed, message));
        }
        let run = Run { state: State::Cancelled, ..record.run.clone() };
        if cluster.replace(&record, run).await?.is_some() {
            break;
        }
        record = cluster.run(&record.key).await?.ok_or_else(missing)?;
    }
    cluster.forget(&record.run.id).await?;
    Ok(record.run.id)
}
