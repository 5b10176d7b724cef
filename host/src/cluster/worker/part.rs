//! The part of a worker in one run.

use std::{
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

use super::{Opened, PAUSE, Worker, bandwidth, tell};
use crate::{
    Error, KeyRange, Path, Result,
    backend::limit::Limit,
    cluster::{
        entry::{Lines, read},
        queue::{Phase, Work},
        range::{Lease, Outcome, carry_out, follow},
        record::{Recorded, Run, State, component},
    },
    ranges::{Counted, Counts, Course, Extra, Follow, Operation, Pass, Tiles, tidy},
    runtime::{CheckEntry, Event, SyncJob},
};

/// How long a worker waits for a range, before it looks for another run.
const WAIT: Duration = Duration::from_secs(2);

/// How long the places count as those of the client before a range is begun. What comes of it counts only if they are so
/// again.
const CONFIRMED: Duration = Duration::from_secs(5);

/// How long it is tried to write down what is done; then the range is left to whoever gets it next.
const WRITING: Duration = Duration::from_secs(60);

/// What is asked for.
#[derive(Clone, Copy)]
enum Asked {
    /// To transfer what differs, and to count what is extra.
    Merge,
    /// To delete as many as were counted.
    Delete(Extra),
    /// To look at directories once more.
    Tidy { deletes: bool },
}

/// The lease was lost.
struct Lost;

/// Follows jobs as long as a lease holds.
struct Leased<'a> {
    lease: &'a mut Lease,
    lines: &'a mut Lines,
}

impl Follow<Event> for Leased<'_> {
    type Left = Lost;

    async fn follow(&mut self, _: &Path, job: Result<SyncJob>) -> std::result::Result<Result<Counts>, Lost> {
        follow(job, self.lease, self.lines).await.map(|(counts, _)| counts).ok_or(Lost)
    }
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
    pub(super) tiles: Tiles,
    pub(super) opened: Opened,
    /// Ranges at work.
    at_work: Arc<AtomicUsize>,
    refused: watch::Sender<Option<String>>,
    stopped: watch::Receiver<bool>,
    /// When the places were last seen to be those of the client.
    confirmed: Mutex<Option<Instant>>,
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
            let opened = match record.run.tiles() {
                Ok(tiles) => open(&worker, &record).await.map(|opened| (tiles, opened)),
                Err(error) => Err(error.to_string()),
            };
            match opened {
                Ok((tiles, mut opened)) => {
                    let limit = Arc::new(Limit::given_later());
                    opened.storage = opened.storage.limited_by(Arc::clone(&limit));
                    let (run, all) = (record.run.id.clone(), record.run.options.bandwidth());
                    let part = Self {
                        worker: worker.clone(),
                        record,
                        tiles,
                        opened,
                        at_work,
                        refused,
                        stopped: stopped.clone(),
                        confirmed: Mutex::default(),
                    };
                    let held = async {
                        match all {
                            Some(all) => {
                                let (cluster, id) = (&worker.0.cluster, &worker.0.id);
                                bandwidth::follow(cluster, &run, id, all, &limit).await
                            }
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        () = Arc::new(part).work() => {}
                        never = held => match never {},
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
        loop {
            while ranges.try_join_next().is_some() {}
            let next = async {
                let queue = cluster.queue(&run.id, run.lease()).await.ok()?;
                self.next(&queue).await
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
                None => sleep(Duration::from_millis(50)).await,
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
        match timeout(WAIT * 2, batch.next()).await {
            Ok(Some(Ok(message))) => {
                // It came no earlier than it was asked for, and its lease began then or later.
                let waited = since.elapsed();
                let since = if waited > WAIT { since } else { Instant::now() };
                Some((message, since, permit))
            }
            _ => None,
        }
    }

    /// What a message asks for, if the run still asks for it.
    async fn asked(&self, message: &Message) -> Result<Option<(Work, Asked)>> {
        let cluster = &self.worker.0.cluster;
        let work: Work = read("a range that waits", &message.payload)?;
        let record = cluster.run(&self.record.key).await?;
        let Some(run) = record.map(|record| record.run).filter(|run| run.id == self.record.run.id) else {
            return Ok(None);
        };
        let asked = match (work.phase, &run.state) {
            (Phase::Merge, State::Merging) if work.index < run.ranges() => Asked::Merge,
            (Phase::Delete, State::Deleting { ranges, .. }) => {
                match ranges.iter().find(|extra| extra.index == work.index) {
                    Some(extra) => Asked::Delete(*extra),
                    None => return Ok(None),
                }
            }
            (Phase::Tidy, State::Tidying { deletes, .. }) if work.index == 0 => {
                Asked::Tidy { deletes: *deletes }
            }
            _ => return Ok(None),
        };
        let done = cluster.entry(&run.id, work.phase, work.index).await?;
        Ok(if done.is_some() { None } else { Some((work, asked)) })
    }

    /// Does what a message asks for.
    async fn range(&self, message: Message, since: Instant) {
        let run = &self.record.run;
        let asked = self.asked(&message).await;
        let mut lease = Lease::new(message, run.lease(), since);
        match asked {
            Ok(Some((work, asked))) => self.do_it(work, asked, &mut lease).await,
            Ok(None) => lease.release().await,
            Err(error) => {
                (self.worker.0.say)(format!("run {}: {}", run.id, error.message()));
                lease.give_back(PAUSE * 4).await;
            }
        }
    }

    async fn do_it(&self, work: Work, asked: Asked, lease: &mut Lease) {
        let run = &self.record.run;
        let mut stopped = self.stopped.clone();
        let outcome = tokio::select! {
            outcome = self.outcome(work, asked, lease) => outcome,
            () = is_set(&mut stopped) => {
                self.give_back(work, lease, Duration::ZERO).await;
                return;
            }
        };
        match outcome {
            Ok(Outcome::Done(entry)) => {
                let until = Instant::now() + WRITING;
                while let Err(error) =
                    self.worker.0.cluster.write_down(&run.id, work.phase, work.index, &entry).await
                {
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
                self.give_back(work, lease, PAUSE * 2).await;
            }
            Err(message) => {
                self.refused.send_replace(Some(message));
                self.give_back(work, lease, PAUSE * 2).await;
            }
        }
    }

    /// Lets somebody else have a range after a while, who finds that it is not to blame.
    async fn give_back(&self, work: Work, lease: &mut Lease, after: Duration) {
        if work.phase != Phase::Tidy
            && let Err(error) = self.leave(work).await
        {
            // Then it is cut in halves for nothing.
            (self.worker.0.say)(format!("run {}: {}", self.record.run.id, error.message()));
        }
        lease.give_back(after).await;
    }

    /// What comes of a range; or why this worker must not go on with the run.
    async fn outcome(
        &self,
        work: Work,
        asked: Asked,
        lease: &mut Lease,
    ) -> std::result::Result<Outcome, String> {
        let confirmed = *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
        if confirmed.is_none_or(|confirmed| confirmed.elapsed() > CONFIRMED)
            && let Some(error) = self.witnesses().await?
        {
            return Ok(Outcome::Later(error));
        }
        let outcome = match asked {
            Asked::Tidy { deletes } => self.tidy(deletes, lease).await,
            Asked::Merge => self.pass(work, None, lease).await,
            Asked::Delete(extra) => self.pass(work, Some(extra), lease).await,
        };
        let outcome = outcome.map_err(|error| error.message().to_owned())?;
        // What was seen meanwhile counts only if the places are still there.
        Ok(self.witnesses().await?.map_or(outcome, Outcome::Later))
    }

    /// Does a range, or goes on with it piece by piece if somebody had it before.
    async fn pass(&self, work: Work, extra: Option<Extra>, lease: &mut Lease) -> Result<Outcome> {
        let is_given_up = lease.is_given_up().is_some();
        if lease.is_again() && !is_given_up {
            return match self.in_pieces(work, extra, lease).await {
                Err(error) if error.may_pass() => Ok(Outcome::Later(error)),
                Err(error) => {
                    let (range, name) = (self.tiles.range(work.index)?, &self.worker.0.name);
                    Ok(Outcome::Done(Box::new(Lines::default().entry(&range, name, Err(error), None))))
                }
                outcome => outcome,
            };
        }
        self.over(&self.tiles.range(work.index)?, extra, lease).await
    }

    /// Runs the component over a range: first all deletes are held; then as many are allowed as were counted.
    pub(super) async fn over(
        &self,
        range: &KeyRange,
        extra: Option<Extra>,
        lease: &mut Lease,
    ) -> Result<Outcome> {
        let (run, name) = (&self.record.run, &self.worker.0.name);
        let Opened { storage, source, target, backup } = &self.opened;
        let pass = extra.map_or(Pass::Merge, |extra| Pass::Delete { most: extra.extras });
        let options = pass.options(&run.options.options(backup.clone())?, range);
        let (operation, sides) = (run.task.operation, [source, target]);
        Ok(match operation {
            Operation::Transfer(_) => {
                let job = Event::begin(storage, operation, sides, &options).await;
                carry_out(job, lease, range, name, extra).await
            }
            Operation::Check => {
                let job = CheckEntry::begin(storage, operation, sides, &options).await;
                carry_out(job, lease, range, name, extra).await
            }
        })
    }

    /// Runs the component over each directory that a border parts from what is in it, one after the other.
    async fn tidy(&self, deletes: bool, lease: &mut Lease) -> Result<Outcome> {
        let (whole, name) = (self.tiles.whole(), &self.worker.0.name);
        if let Some(error) = lease.is_given_up() {
            return Ok(Outcome::Done(Box::new(Lines::default().entry(whole, name, Err(error), None))));
        }
        Ok(match self.tidied(&self.tiles, deletes, lease).await? {
            None => Outcome::Lost,
            Some((_, Err(error))) if lease.may_be_tried_again(&error) => Outcome::Later(error),
            Some((lines, counts)) => Outcome::Done(Box::new(lines.entry(whole, name, counts, None))),
        })
    }

    /// The same for the borders of any ranges; `None` if the lease was lost.
    pub(super) async fn tidied(
        &self,
        tiles: &Tiles,
        deletes: bool,
        lease: &mut Lease,
    ) -> Result<Option<(Lines, Result<Counts>)>> {
        let run = &self.record.run;
        let Opened { storage, source, target, backup } = &self.opened;
        let (options, mut lines) = (run.options.options(backup.clone())?, Lines::default());
        let course = Course {
            storage,
            operation: run.task.operation,
            sides: [source, target],
            options: &options,
            tiles,
            tells_each: false,
        };
        let followed = tidy(&course, deletes, &mut Leased { lease, lines: &mut lines }).await;
        Ok(followed.ok().map(|counts| (lines, counts)))
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
