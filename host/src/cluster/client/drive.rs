//! Leads a run: sees to it that all its ranges are done, has the sum judged, and lets the deletes follow. Any client of the
//! run may do so, and several at once; every step is a change of the record that one of them makes.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use async_nats::Subscriber;
use futures::StreamExt;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

use super::{Say, collect::Collection, thin::thinned};
use crate::{
    Error, ErrorCode, Location, Result,
    cluster::{
        connection::Cluster,
        entry::{Entry, read},
        ledger::{Entries, lost},
        queue::{Phase, Work},
        record::{Recorded, State},
        told::Told,
        worker::Alive,
    },
    ranges::{Course, Done, Extra, Stage, Tiles, waves},
    runtime::{Activity, Storage, SyncOptions},
};

/// How often the record is looked at.
const PERIOD: Duration = Duration::from_millis(500);

/// How long the cluster may be out of reach.
const PATIENCE: Duration = Duration::from_secs(120);

/// When it is said that nobody works.
const LONELY: Duration = Duration::from_secs(5);

/// Entries that are asked for one by one, when none came for a while.
const ASKED: usize = 64;

/// Leads a run to its end.
pub(super) struct Driver<E> {
    cluster: Cluster,
    storage: Storage,
    sides: [Location; 2],
    options: SyncOptions,
    record: Recorded,
    say: Say,
    tell: mpsc::Sender<E>,
    activity: Activity,
    /// When the cluster last answered.
    reached: Instant,
    workers: Workers,
}

/// What is known of workers.
#[derive(Default)]
struct Workers {
    heard: bool,
    is_lonely: bool,
    refused: HashSet<(String, String)>,
}

/// What became of the ranges of a phase.
enum Collected {
    All(Tiles, BTreeMap<usize, Done>),
    /// Somebody else led the run on, or ended it.
    Changed,
}

impl<E: Told> Driver<E> {
    #[allow(clippy::too_many_arguments, reason = "each is one of the parts that a run is led with")]
    pub(super) fn new(
        cluster: Cluster,
        storage: Storage,
        sides: [Location; 2],
        options: SyncOptions,
        record: Recorded,
        say: Say,
        tell: mpsc::Sender<E>,
        activity: Activity,
    ) -> Self {
        let (reached, workers) = (Instant::now(), Workers::default());
        Self { cluster, storage, sides, options, record, say, tell, activity, reached, workers }
    }

    pub(super) async fn drive(mut self) -> Result<E::Report> {
        self.catch_up().await?;
        loop {
            let tiles = self.record.run.tiles()?;
            match self.record.run.state.clone() {
                State::Merging => {
                    if let Collected::All(tiles, done) = self.collect(Collection::merge(&tiles)).await? {
                        let stage = self.course(&tiles).merged(&done).await?;
                        let (stage, tiles) =
                            if self.record.run.moves { thinned(stage, tiles)? } else { (stage, tiles) };
                        self.lead_on(stage, Some(&tiles)).await?;
                    }
                }
                State::Deleting { sum, ranges } => {
                    if let Collected::All(tiles, done) = self.delete(&tiles, &ranges).await? {
                        let stage = self.course(&tiles).deleted(sum, &ranges, &done).await?;
                        self.lead_on(stage, None).await?;
                    }
                }
                State::Tidying { sum, .. } => {
                    if let Collected::All(_, mut done) = self.collect(Collection::tidy(&tiles)).await? {
                        let now = done.remove(&0).ok_or_else(|| lost(&self.record.run.id))?.counts;
                        self.lead_on(Course::tidied(sum, now), None).await?;
                    }
                }
                State::Ended(outcome) => {
                    // What is left there is in nobody's way.
                    let _ = self.cluster.forget(&self.record.run.id).await;
                    return E::report(Result::from(outcome)?);
                }
                State::Cancelled => {
                    let message = format!("the run {} was cancelled", self.record.run.id);
                    return Err(Error::new(ErrorCode::Cancelled, message));
                }
            }
        }
    }

    /// What comes next, and why.
    fn course<'a>(&'a self, tiles: &'a Tiles) -> Course<'a> {
        let [source, target] = &self.sides;
        Course {
            storage: &self.storage,
            operation: self.record.run.task.operation,
            sides: [source, target],
            options: &self.options,
            tiles,
            tells_each: false,
        }
    }

    /// Has ranges deleted, as many at once as may be.
    async fn delete(&mut self, tiles: &Tiles, ranges: &[Extra]) -> Result<Collected> {
        let mut all = BTreeMap::new();
        for wave in waves(ranges) {
            let works: Vec<_> = wave.iter().map(|extra| Work::Delete { index: extra.index }).collect();
            self.publish(&works, 0).await?;
            match self.collect(Collection::delete(tiles.clone(), &wave)).await? {
                Collected::All(_, done) => all.extend(done),
                Collected::Changed => return Ok(Collected::Changed),
            }
        }
        Ok(Collected::All(tiles.clone(), all))
    }

    /// Takes the run to its next stage, and lets directories wait if that asks for it. `tiles`: the ranges that were done.
    async fn lead_on(&mut self, stage: Stage, tiles: Option<&Tiles>) -> Result<()> {
        let tidies = matches!(stage, Stage::Tidying { .. });
        // A run that is over needs no borders.
        let tiles = tiles.filter(|_| !matches!(stage, Stage::Ended(_)));
        if self.advance(&stage.into(), tiles).await? && tidies {
            self.publish(&[Work::Tidy], 0).await?;
        }
        Ok(())
    }

    /// Changes the state of the run; whether this client did. If another one was faster, its state counts.
    async fn advance(&mut self, state: &State, tiles: Option<&Tiles>) -> Result<bool> {
        loop {
            let run = self.record.run.led_on(state.clone(), tiles);
            let replaced = self.cluster.replace(&self.record, run).await;
            match self.patiently(replaced)? {
                Some(Some(record)) => {
                    self.record = record;
                    return Ok(true);
                }
                Some(None) => {
                    let before = self.record.run.state.clone();
                    self.look_again().await?;
                    if self.record.run.state != before {
                        return Ok(false);
                    }
                }
                None => sleep(PERIOD).await,
            }
        }
    }

    /// Reads the record anew.
    async fn look_again(&mut self) -> Result<()> {
        let record = self.cluster.run(&self.record.key).await;
        let Some(record) = self.patiently(record)? else { return Ok(()) };
        match record {
            Some(record) if record.run.id == self.record.run.id => {
                self.record = record;
                Ok(())
            }
            Some(_) => {
                let message =
                    format!("the run {} is over, and another one took its place", self.record.run.id);
                Err(Error::new(ErrorCode::Unavailable, message))
            }
            None => Err(lost(&self.record.run.id)),
        }
    }

    /// Lets a while pass in which the cluster is out of reach.
    fn patiently<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => {
                self.reached = Instant::now();
                Ok(Some(value))
            }
            Err(error) if error.may_pass() && self.reached.elapsed() < PATIENCE => Ok(None),
            Err(error) => {
                let run = &self.record.run.id;
                Err(error
                    .with_note(format_args!("the run {run} goes on, and the same command attaches to it")))
            }
        }
    }

    async fn publish(&mut self, works: &[Work], attempt: u64) -> Result<()> {
        let published = self.cluster.publish(&self.record.run.id, works, attempt).await;
        // Whatever did not arrive is missed later.
        self.patiently(published).map(drop)
    }

    /// Waits until all of it is done, and gives out again what got lost.
    async fn collect(&mut self, mut collection: Collection) -> Result<Collected> {
        let before = self.record.run.state.clone();
        let (run, phase) = (self.record.run.id.clone(), collection.phase());
        let mut entries: Option<Entries> = None;
        let mut alive = self.cluster.client.subscribe(Cluster::alive_subject(&run)).await.ok();
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (begun, mut last, mut idle) = (Instant::now(), Instant::now(), 0_u64);
        while !collection.is_complete() {
            if entries.is_none() {
                let begun = self.cluster.entries(&run, phase).await;
                entries = self.patiently(begun)?;
            }
            tokio::select! {
                entry = next(&mut entries) => match entry {
                    Ok((name, entry)) => {
                        self.reached = Instant::now();
                        (last, idle) = (Instant::now(), 0);
                        self.take(&mut collection, &name, entry).await?;
                    }
                    Err(error) => {
                        entries = None;
                        self.patiently::<()>(Err(error))?;
                        sleep(PERIOD).await;
                    }
                },
                Some(message) = heard(&mut alive) => {
                    if let Ok(alive) = read::<Alive>("what a worker says", &message.payload) {
                        self.hear(alive);
                    }
                }
                _ = ticks.tick() => {
                    self.look_again().await?;
                    if self.record.run.state != before {
                        return Ok(Collected::Changed);
                    }
                    self.say_lonely(begun);
                    if last.elapsed() < PERIOD * 2 {
                        continue;
                    }
                    self.ask(&mut collection).await?;
                    let unfinished = self.cluster.unfinished(&run, self.record.run.lease()).await;
                    idle = if self.patiently(unfinished)? == Some(0) { idle + 1 } else { 0 };
                    // Twice, since what was just done may not have been told yet.
                    if idle >= 2 && !collection.is_complete() {
                        let attempt = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                        let again = collection.missing();
                        // Another client may do the same at the same time.
                        self.publish(&again, attempt.wrapping_add(u64::from(std::process::id()) << 32)).await?;
                        idle = 0;
                    }
                }
            }
        }
        let (tiles, done) = collection.into_done();
        Ok(Collected::All(tiles, done))
    }

    /// Asks for some entries that did not come by themselves.
    async fn ask(&mut self, collection: &mut Collection) -> Result<()> {
        let run = self.record.run.id.clone();
        for work in collection.missing().into_iter().take(ASKED) {
            let entry = self.cluster.entry(&run, &work).await;
            match self.patiently(entry)? {
                Some(Some(entry)) => self.take(collection, &work.name(), entry).await?,
                Some(None) => {}
                None => break,
            }
        }
        Ok(())
    }

    /// Takes in that a range is done, if that is not known yet.
    async fn take(&mut self, collection: &mut Collection, name: &str, entry: Entry) -> Result<()> {
        if collection.take(name, &entry)? { self.pass_on(entry).await } else { Ok(()) }
    }

    /// Tells what was done in phases that were over when this client attached to the run. If the cluster forgot some of it, that
    /// stays untold: it is in the sum.
    async fn catch_up(&mut self) -> Result<()> {
        let phases: &[Phase] = match self.record.run.state {
            State::Deleting { .. } => &[Phase::Merge],
            State::Tidying { .. } => &[Phase::Merge, Phase::Delete],
            State::Merging | State::Ended(_) | State::Cancelled => &[],
        };
        for phase in phases {
            let entries = self.cluster.entries(&self.record.run.id, *phase).await;
            let Some(mut entries) = self.patiently(entries)? else { continue };
            let mut told = HashSet::new();
            while let Ok(Ok((name, entry))) = timeout(PERIOD, entries.next()).await {
                if told.insert(name) {
                    self.pass_on(entry).await?;
                }
            }
        }
        Ok(())
    }

    /// Tells what was done in a range.
    async fn pass_on(&mut self, entry: Entry) -> Result<()> {
        self.activity.add(entry.calls.iter().map(|(call, count)| (call.as_str(), *count)), entry.bytes_moved);
        if entry.untold > 0 {
            (self.say)(format!("{} more of {} are not told one by one", entry.untold, entry.worker));
        }
        for line in entry.lines {
            // Who does not listen wants to know the outcome alone.
            let _ = self.tell.send(E::from_line(line)?).await;
        }
        Ok(())
    }

    fn hear(&mut self, alive: Alive) {
        match alive.refused {
            Some(why) => {
                let message = format!("the worker {} leaves the run alone: {why}", alive.worker);
                if self.workers.refused.insert((alive.worker, why)) {
                    (self.say)(message);
                }
            }
            None => self.workers.heard = true,
        }
    }

    fn say_lonely(&mut self, begun: Instant) {
        if !self.workers.heard && !self.workers.is_lonely && begun.elapsed() > LONELY {
            self.workers.is_lonely = true;
            (self.say)(
                "no worker takes part yet: start one by `omnistorage worker --cluster URL --allow PLACE...`"
                    .to_owned(),
            );
        }
    }
}

async fn next(entries: &mut Option<Entries>) -> Result<(String, Entry)> {
    match entries {
        Some(entries) => entries.next().await,
        None => std::future::pending().await,
    }
}

async fn heard(alive: &mut Option<Subscriber>) -> Option<async_nats::Message> {
    match alive {
        Some(alive) => alive.next().await,
        None => std::future::pending().await,
    }
}
