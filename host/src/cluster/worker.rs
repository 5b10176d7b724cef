//! A worker: takes ranges of all runs that it may work on, and writes down what came of them.

mod part;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::kv;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Semaphore, watch},
    task::{AbortHandle, JoinSet},
    time::{sleep, timeout},
};

use self::part::Part;
use super::{
    connection::Cluster,
    entry::{read, written},
    record::{Recorded, Run, Task},
};
use crate::{Location, runtime::Storage};

/// How long to wait for the server when it does not answer, before asking it again.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a worker that is asked to end may take to give its ranges back.
const FAREWELL: Duration = Duration::from_secs(4);

/// The places of a run, opened.
#[derive(Clone)]
pub struct Opened {
    /// Of the component.
    pub storage: Storage,
    /// In it.
    pub source: Location,
    /// In it.
    pub target: Location,
    /// In it, if the run has one.
    pub backup: Option<Location>,
}

/// Opens the places of runs that this machine grants.
pub trait Places: Send + Sync + 'static {
    /// The places of a run.
    ///
    /// # Errors
    /// A sentence on why this machine does not take part.
    fn open(&self, task: &Task) -> std::result::Result<Opened, String>;
}

/// A worker. Clones are the same one.
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

struct Inner {
    cluster: Cluster,
    name: String,
    /// Ranges at work at once.
    room: Arc<Semaphore>,
    places: Box<dyn Places>,
    say: Box<dyn Fn(String) + Send + Sync>,
}

/// What a worker says of itself each second.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Alive {
    pub(super) worker: String,
    /// Ranges at work.
    pub(super) ranges: usize,
    /// Why it does not take part.
    pub(super) refused: Option<String>,
}

impl Worker {
    /// One that works on so many ranges at once. `say` gets a sentence on whatever a person should know.
    pub fn new(
        cluster: Cluster,
        name: String,
        ranges: u32,
        places: impl Places,
        say: impl Fn(String) + Send + Sync + 'static,
    ) -> Self {
        let room = Arc::new(Semaphore::new(ranges as usize));
        Self(Arc::new(Inner { cluster, name, room, places: Box::new(places), say: Box::new(say) }))
    }

    /// Works until `end`; then gives back the ranges that it is at work on, unfinished.
    pub async fn serve(&self, end: impl Future<Output = ()>) {
        let (stop, stopped) = watch::channel(false);
        let mut runs = JoinSet::new();
        tokio::select! {
            () = end => {}
            never = self.follow(&mut runs, &stopped) => match never {},
        }
        let _ = stop.send(true);
        let ended = async { while runs.join_next().await.is_some() {} };
        let _ = timeout(FAREWELL, ended).await;
    }

    /// Follows the records of all runs, and takes part in those that are open.
    async fn follow(
        &self,
        runs: &mut JoinSet<()>,
        stopped: &watch::Receiver<bool>,
    ) -> std::convert::Infallible {
        let mut parts: BTreeMap<String, (String, AbortHandle)> = BTreeMap::new();
        loop {
            let Ok(mut records) = self.0.cluster.runs.watch_with_history(">").await else {
                sleep(PAUSE).await;
                continue;
            };
            while let Some(Ok(entry)) = records.next().await {
                while runs.try_join_next().is_some() {}
                let run = match entry.operation {
                    kv::Operation::Put => read::<Run>("the record of a run", &entry.value),
                    kv::Operation::Delete | kv::Operation::Purge => {
                        if let Some((_, part)) = parts.remove(&entry.key) {
                            part.abort();
                        }
                        continue;
                    }
                };
                let run = match run {
                    Ok(run) => run,
                    Err(error) => {
                        (self.0.say)(format!("left a run alone: {}", error.message()));
                        continue;
                    }
                };
                match parts.get(&entry.key) {
                    Some((id, part)) if *id == run.id && run.state.is_open() && !part.is_finished() => {
                        continue;
                    }
                    // Its record was replaced, it was cancelled, or it is done.
                    Some((_, part)) => part.abort(),
                    None => {}
                }
                parts.remove(&entry.key);
                if run.state.is_open() {
                    let record = Recorded { key: entry.key.clone(), revision: entry.revision, run };
                    let id = record.run.id.clone();
                    let part = Part::take(self.clone(), record, stopped.clone());
                    parts.insert(entry.key, (id, runs.spawn(part)));
                }
            }
            sleep(PAUSE).await;
        }
    }
}

/// Says each second that a worker is there, and for how long it is refused; and that once for people.
async fn tell(
    worker: Worker,
    run: String,
    at_work: Arc<AtomicUsize>,
    mut refused: watch::Receiver<Option<String>>,
) {
    let subject = Cluster::alive_subject(&run);
    let mut is_said = false;
    loop {
        let why = refused.borrow_and_update().clone();
        if let Some(why) = why.as_ref().filter(|_| !is_said) {
            (worker.0.say)(format!("left the run {run} alone: {why}"));
            is_said = true;
        }
        let alive =
            Alive { worker: worker.0.name.clone(), ranges: at_work.load(Ordering::Relaxed), refused: why };
        if let Ok(alive) = written(&alive) {
            let _ = worker.0.cluster.client.publish(subject.clone(), alive).await;
        }
        tokio::select! {
            () = sleep(Duration::from_secs(1)) => {}
            changed = refused.changed() => if changed.is_err() {
                sleep(Duration::from_secs(1)).await;
            },
        }
    }
}
