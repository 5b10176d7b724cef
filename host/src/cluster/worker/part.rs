//! The part of a worker in one run.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::{Message, consumer::PullConsumer};
use futures::StreamExt;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{
    Inner, Opened, PAUSE, Worker, bandwidth,
    moving::{self, Moving},
    tell,
};
use crate::{
    Error, KeyRange, Result,
    backend::limit::Limit,
    cluster::{
        entry::read,
        queue::Work,
        range::{Lease, Outcome},
        record::{Recorded, Run, State, component},
    },
    ranges::{Extra, Tiles},
};

/// How long a worker waits for a range, before it looks for another run.
const WAIT: Duration = Duration::from_secs(2);

/// How long it is tried to write down what is done; then the range is left to whoever gets it next.
const WRITING: Duration = Duration::from_secs(60);

/// What is asked for.
pub(super) enum Asked {
    /// To transfer what differs, and to count what is extra.
    Merge { range: KeyRange, weight: f64 },
    /// To delete as many as were counted.
    Delete { range: KeyRange, extra: Extra },
    /// To look at directories once more.
    Tidy { tiles: Tiles, deletes: bool },
}

/// Opens the places of a run, beside the ranges that are at work: it may compile the component.
async fn open(worker: &Worker, record: &Recorded) -> std::result::Result<Opened, String> {
    let (worker, task) = (worker.clone(), record.run.task.clone());
    let opened = tokio::task::spawn_blocking(move || worker.0.places.open(&task)).await;
    opened.unwrap_or_else(|error| Err(error.to_string()))
}

/// The part of a worker in one run.
pub(super) struct Part {
    pub(super) worker: Worker,
    pub(super) record: Recorded,
    pub(super) opened: Opened,
    /// Gives parts of its ranges away, if the run lets it.
    pub(super) moving: Option<Moving>,
    /// Ranges at work.
    at_work: Arc<AtomicUsize>,
    refused: watch::Sender<Option<String>>,
    stopped: watch::Receiver<bool>,
    /// When the places were last seen to be those of the client.
    pub(super) confirmed: Mutex<Option<Instant>>,
}

impl Part {
    pub(super) async fn take(worker: Worker, record: Recorded, stopped: watch::Receiver<bool>) {
        let mut stopped_later = stopped.clone();
        let at_work = Arc::new(AtomicUsize::new(0));
        let (refused, why) = watch::channel(None);
        let alive = tell(worker.clone(), record.run.id.clone(), Arc::clone(&at_work), why.clone());
        let work = async {
            if record.run.component != component() {
                let message = "its component is another one: all machines of a run need the same version";
                refused.send_replace(Some(message.to_owned()));
                return;
            }
            match open(&worker, &record).await {
                Ok(mut opened) => {
                    let limit = Arc::new(Limit::given_later());
                    opened.storage = opened.storage.limited_by(Arc::clone(&limit));
                    let part = Arc::new(Self {
                        worker: worker.clone(),
                        moving: record.run.moves.then(Moving::default),
                        record,
                        opened,
                        at_work,
                        refused,
                        stopped: stopped.clone(),
                        confirmed: Mutex::default(),
                    });
                    tokio::select! {
                        () = Arc::clone(&part).work() => {}
                        never = part.hold(&limit) => match never {},
                        never = part.give() => match never {},
                    }
                }
                Err(message) => drop(refused.send_replace(Some(message))),
            }
        };
        tokio::select! {
            // Who does not take part says so until the run is over.
            () = async { work.await; is_set(&mut stopped_later).await; } => {}
            () = alive => {}
        }
    }

    /// Holds a limit to the part of this worker.
    async fn hold(&self, limit: &Arc<Limit>) -> Infallible {
        let (run, Inner { cluster, id, .. }) = (&self.record.run, &*self.worker.0);
        match run.options.bandwidth() {
            Some(all) => bandwidth::follow(cluster, &run.id, id, all, limit).await,
            None => std::future::pending().await,
        }
    }

    /// Gives parts of its ranges away to those who ask.
    async fn give(&self) -> Infallible {
        match &self.moving {
            Some(moving) => moving.serve(&self.worker.0, &self.record.run.id, &self.opened).await,
            None => std::future::pending().await,
        }
    }

    /// Takes one range after another, as many at once as there is room for, and until it is refused.
    async fn work(self: Arc<Self>) {
        let mut ranges = JoinSet::new();
        let mut refused = self.refused.subscribe();
        let mut stopped = self.stopped.clone();
        let (run, cluster) = (&self.record.run, &self.worker.0.cluster);
        tokio::select! {
            () = self.confirm() => {}
            () = is_set(&mut stopped) => return,
        }
        let mut queue: Option<PullConsumer> = None;
        loop {
            while ranges.try_join_next().is_some() {}
            let next = async {
                if queue.is_none() {
                    queue = cluster.queue(&run.id, run.lease()).await.ok();
                }
                self.next(queue.as_ref()?).await
            };
            let next = tokio::select! {
                next = next => next,
                () = is_refused(&mut refused) => break,
                () = is_set(&mut stopped) => break,
            };
            match next {
                Some((message, since, permit)) => {
                    let this = Arc::clone(&self);
                    ranges.spawn(async move {
                        this.at_work.fetch_add(1, Ordering::Relaxed);
                        this.range(message, since).await;
                        this.at_work.fetch_sub(1, Ordering::Relaxed);
                        drop(permit);
                    });
                }
                None => {
                    // The server may have forgotten it.
                    queue = None;
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
        while ranges.join_next().await.is_some() {}
    }

    /// Waits until the places are seen to be those of the client, or not. Who sees others takes no range from anybody.
    async fn confirm(&self) {
        loop {
            match self.witnesses().await {
                Ok(None) => return,
                Ok(Some(error)) => {
                    (self.worker.0.say)(format!("run {}: {}", self.record.run.id, error.message()));
                    sleep(PAUSE * 4).await;
                }
                Err(message) => {
                    self.refused.send_replace(Some(message));
                    return;
                }
            }
        }
    }

    /// The next message, when there is room for what it asks, and when it was asked for.
    async fn next(&self, queue: &PullConsumer) -> Option<(Message, Instant, OwnedSemaphorePermit)> {
        let permit = Arc::clone(&self.worker.0.room).acquire_owned().await.ok()?;
        let since = Instant::now();
        let mut batch = match queue.batch().max_messages(1).expires(WAIT).messages().await {
            Ok(batch) => batch,
            Err(_) => {
                sleep(PAUSE).await;
                return None;
            }
        };
        // Where the connection is lost, nothing comes.
        let message = timeout(WAIT * 2, batch.next());
        let message = tokio::select! {
            message = message => message,
            never = self.want() => match never {},
        };
        match message {
            Ok(Some(Ok(message))) => {
                // It came no earlier than it was asked for, and its lease began then or later.
                let waited = since.elapsed();
                let since = if waited > WAIT { since } else { Instant::now() };
                Some((message, since, permit))
            }
            _ => None,
        }
    }

    /// Asks others for a part of what they have, as long as nothing waits.
    async fn want(&self) -> Infallible {
        match &self.moving {
            Some(_) => moving::want(&self.worker.0.cluster, &self.record.run.id).await,
            None => std::future::pending().await,
        }
    }

    /// What a message asks for, if the run still asks for it.
    async fn asked(&self, message: &Message) -> Result<Option<(Work, Asked)>> {
        let cluster = &self.worker.0.cluster;
        let work: Work = read("a range that waits", &message.payload)?;
        let (record, done) =
            tokio::try_join!(cluster.run(&self.record.key), cluster.entry(&self.record.run.id, &work))?;
        let Some(run) = record.map(|record| record.run).filter(|run| run.id == self.record.run.id) else {
            return Ok(None);
        };
        if done.is_some() {
            return Ok(None);
        }
        let asked = match (&work, &run.state) {
            (Work::Merge { bounds, weight }, State::Merging) => {
                let is_again = message.info().map_or(true, |info| info.delivered > 1);
                let end = if is_again { cluster.end(&run.id, bounds).await? } else { None };
                Asked::Merge { range: end.as_ref().unwrap_or(bounds).range()?, weight: *weight }
            }
            (Work::Delete { index }, State::Deleting { ranges, .. }) => {
                match ranges.iter().find(|extra| extra.index == *index) {
                    Some(extra) => Asked::Delete { range: run.tiles()?.range(*index)?, extra: *extra },
                    None => return Ok(None),
                }
            }
            (Work::Tidy, State::Tidying { deletes, .. }) => {
                Asked::Tidy { tiles: run.tiles()?, deletes: *deletes }
            }
            _ => return Ok(None),
        };
        Ok(Some((work, asked)))
    }

    /// Does what a message asks for.
    async fn range(&self, message: Message, since: Instant) {
        let run = &self.record.run;
        let asked = self.asked(&message).await;
        let mut lease = Lease::new(message, run.lease(), since);
        match asked {
            Ok(Some((work, asked))) => self.do_it(&work, &asked, &mut lease).await,
            Ok(None) => lease.release().await,
            Err(error) => {
                (self.worker.0.say)(format!("run {}: {}", run.id, error.message()));
                lease.give_back(PAUSE * 4).await;
            }
        }
    }

    async fn do_it(&self, work: &Work, asked: &Asked, lease: &mut Lease) {
        let run = &self.record.run;
        let mut stopped = self.stopped.clone();
        let outcome = tokio::select! {
            outcome = self.outcome(work, asked, lease) => outcome,
            () = is_set(&mut stopped) => {
                self.give_back(work, asked, lease, Duration::ZERO).await;
                return;
            }
        };
        match outcome {
            Ok(Outcome::Done(entry)) => {
                let until = Instant::now() + WRITING;
                while let Err(error) = self.worker.0.cluster.write_down(&run.id, work, &entry).await {
                    if Instant::now() > until {
                        (self.worker.0.say)(format!("run {}: {}", run.id, error.message()));
                        return;
                    }
                    sleep(PAUSE).await;
                }
                lease.release().await;
            }
            Ok(Outcome::Lost) => {
                let message =
                    format!("run {}: gave up a range, since the cluster did not hear of it in time", run.id);
                (self.worker.0.say)(message);
            }
            Ok(Outcome::Later(error)) => {
                (self.worker.0.say)(format!("run {}: a range is tried again: {}", run.id, error.message()));
                self.give_back(work, asked, lease, PAUSE * 2).await;
            }
            Err(message) => {
                self.refused.send_replace(Some(message));
                self.give_back(work, asked, lease, PAUSE * 2).await;
            }
        }
    }

    /// Lets somebody else have a range after a while, who finds that it is not to blame.
    async fn give_back(&self, work: &Work, asked: &Asked, lease: &mut Lease, after: Duration) {
        if let Asked::Merge { range, .. } | Asked::Delete { range, .. } = asked
            && let Err(error) = self.leave(work, range).await
        {
            // Then it is cut in halves for nothing.
            (self.worker.0.say)(format!("run {}: {}", self.record.run.id, error.message()));
        }
        lease.give_back(after).await;
    }

    /// Whether this machine sees what the client saw; for now it may not be known.
    pub(super) async fn witnesses(&self) -> std::result::Result<Option<Error>, String> {
        let Opened { storage, source, target, .. } = &self.opened;
        let Run { witnesses, task, .. } = &self.record.run;
        match witnesses.confirm(storage, task.operation, [source, target]).await {
            Ok(None) => {
                *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                Ok(None)
            }
            Ok(Some(message)) => Err(message),
            Err(error) if error.may_pass() => Ok(Some(error)),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Waits for the end.
async fn is_set(stopped: &mut watch::Receiver<bool>) {
    // Whoever would set it is gone only at the end.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn is_refused(refused: &mut watch::Receiver<Option<String>>) {
    let _ = refused.wait_for(Option::is_some).await;
}
