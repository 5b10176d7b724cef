//! A worker: takes ranges of all runs that it may work on, and writes down what came of them.

mod bandwidth;
mod doing;
mod moving;
mod part;
mod pieces;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Semaphore, watch},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, timeout, timeout_at},
};

use self::part::Part;
use super::{connection::Cluster, entry::written, log::Logs, record::Task};
use crate::{Location, runtime::Storage};

/// How long to wait for the server when it does not answer, before asking it again.
const PAUSE: Duration = Duration::from_millis(500);

/// For how long nothing is believed to have changed that the server does not tell.
const TRUST: Duration = Duration::from_secs(30);

/// How long after its last range a worker still counts as one that moves bytes: mostly it begins another one.
const LINGER: Duration = Duration::from_secs(3);

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
    /// Where the reports of ranges go, if the run asks for them.
    pub logs: Option<Arc<dyn Logs>>,
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
    id: String,
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
    /// That of no other worker, whatever they are called.
    pub(super) id: String,
    /// Ranges at work.
    pub(super) ranges: usize,
    /// Whether some were at work a moment ago, and so may move bytes.
    pub(super) moves: bool,
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
        let id = cluster.unused_id();
        Self(Arc::new(Inner { cluster, name, id, room, places: Box::new(places), say: Box::new(say) }))
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

    /// Follows the records of all runs, and takes part in those that are open. A server that lost what it had acknowledged
    /// says nothing of it, so from time to time all records are read anew.
    async fn follow(
        &self,
        runs: &mut JoinSet<()>,
        stopped: &watch::Receiver<bool>,
    ) -> std::convert::Infallible {
        let mut parts = Parts::new();
        loop {
            // Begun before the records are read, so that no change is missed.
            let changes = self.0.cluster.runs.watch(">").await;
            let keys = self.0.cluster.keys().await;
            let (Ok(mut changes), Ok(keys)) = (changes, keys) else {
                sleep(PAUSE).await;
                continue;
            };
            parts.retain(|key, part| {
                let is_known = keys.contains(key);
                if !is_known {
                    part.task.abort();
                }
                is_known
            });
            for key in keys {
                self.look_at(&key, &mut parts, runs, stopped).await;
            }
            let end = Instant::now() + TRUST;
            while let Ok(Some(Ok(change))) = timeout_at(end, changes.next()).await {
                self.look_at(&change.key, &mut parts, runs, stopped).await;
            }
            sleep(PAUSE).await;
        }
    }

    /// Begins to take part in a run, or ends that, as its record says.
    async fn look_at(
        &self,
        key: &str,
        parts: &mut Parts,
        runs: &mut JoinSet<()>,
        stopped: &watch::Receiver<bool>,
    ) {
        while runs.try_join_next().is_some() {}
        let record = match self.0.cluster.run(key).await {
            Ok(record) => record.filter(|record| record.run.state.is_open()),
            Err(error) if error.may_pass() => return,
            Err(error) => {
                (self.0.say)(format!("left a run alone: {}", error.message()));
                None
            }
        };
        let is_the_same = |part: &Running| {
            record.as_ref().is_some_and(|record| record.run.id == part.run) && !part.task.is_finished()
        };
        if parts.get(key).is_some_and(is_the_same) {
            return;
        }
        if let Some(part) = parts.remove(key) {
            part.task.abort();
        }
        if let Some(record) = record {
            let run = record.run.id.clone();
            let task = runs.spawn(Part::take(self.clone(), record, stopped.clone()));
            parts.insert(key.to_owned(), Running { run, task });
        }
    }
}

/// The runs in which a worker takes part, by their fingerprints.
type Parts = BTreeMap<String, Running>;

/// A part in a run.
struct Running {
    run: String,
    task: AbortHandle,
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
    let mut moved: Option<Instant> = None;
    loop {
        let why = refused.borrow_and_update().clone();
        if let Some(why) = why.as_ref().filter(|_| !is_said) {
            (worker.0.say)(format!("left the run {run} alone: {why}"));
            is_said = true;
        }
        let ranges = at_work.load(Ordering::Relaxed);
        if ranges > 0 {
            moved = Some(Instant::now());
        }
        let moves = moved.is_some_and(|moved| moved.elapsed() < LINGER);
        let (name, id) = (worker.0.name.clone(), worker.0.id.clone());
        let alive = Alive { worker: name, id, ranges, moves, refused: why };
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
