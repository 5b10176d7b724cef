//! Leads a run: sees to it that all its ranges are done, has the sum judged, and lets the deletes follow. Any client of the
//! run may do so, and several at once; every step is a change of the record that one of them makes.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

use async_nats::Subscriber;
use futures::StreamExt;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use super::Say;
use crate::{
    Error, ErrorCode, Location, Result,
    cluster::{
        connection::Cluster,
        entry::{Entry, read},
        ledger::{Entries, lost},
        queue::Phase,
        record::{Recorded, Run, State},
        told::Told,
        worker::Alive,
    },
    ranges::{Course, Done, Extra, Tiles, waves},
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
    tiles: Tiles,
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
    All(BTreeMap<usize, Done>),
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
    ) -> Result<Self> {
        let (tiles, reached, workers) = (record.run.tiles()?, Instant::now(), Workers::default());
        Ok(Self { cluster, storage, sides, tiles, options, record, say, tell, activity, reached, workers })
    }

    pub(super) async fn drive(mut self) -> Result<E::Report> {
        loop {
            match self.record.run.state.clone() {
                State::Merging => {
                    let all = (0..self.record.run.ranges()).collect();
                    if let Collected::All(done) = self.collect(Phase::Merge, all).await? {
                        let stage = self.course().merged(&done).await?;
                        self.lead_on(stage.into()).await?;
                    }
                }
                State::Deleting { sum, ranges } => {
                    if let Collected::All(done) = self.delete(&ranges).await? {
                        let stage = self.course().deleted(sum, &ranges, &done).await?;
                        self.lead_on(stage.into()).await?;
                    }
                }
                State::Tidying { sum, .. } => {
                    let tidied = self.collect(Phase::Tidy, BTreeSet::from([0])).await?;
                    if let Collected::All(mut done) = tidied {
                        let now = done.remove(&0).ok_or_else(|| lost(&self.record.run.id))?.counts;
                        self.lead_on(Course::tidied(sum, now).into()).await?;
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
    fn course(&self) -> Course<'_> {
        let [source, target] = &self.sides;
        Course {
            storage: &self.storage,
            operation: self.record.run.task.operation,
            sides: [source, target],
            options: &self.options,
            tiles: &self.tiles,
            tells_each: false,
        }
    }

    /// Has ranges deleted, as many at once as may be.
    async fn delete(&mut self, ranges: &[Extra]) -> Result<Collected> {
        let mut all = BTreeMap::new();
        for wave in waves(ranges) {
            let indexes: Vec<_> = wave.iter().map(|extra| extra.index).collect();
            self.publish(Phase::Delete, &indexes, 0).await?;
            match self.collect(Phase::Delete, indexes.into_iter().collect()).await? {
                Collected::All(done) => all.extend(done),
                Collected::Changed => return Ok(Collected::Changed),
            }
        }
        Ok(Collected::All(all))
    }

    /// Takes the run to its next state, and lets directories wait if that asks for it.
    async fn lead_on(&mut self, state: State) -> Result<()> {
        let tidies = matches!(state, State::Tidying { .. });
        if self.advance(state).await? && tidies {
            self.publish(Phase::Tidy, &[0], 0).await?;
        }
        Ok(())
    }

    /// Changes the state of the run; whether this client did. If another one was faster, its state counts.
    async fn advance(&mut self, state: State) -> Result<bool> {
        loop {
            let run = Run { state: state.clone(), ..self.record.run.clone() };
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

    async fn publish(&mut self, phase: Phase, indexes: &[usize], attempt: u64) -> Result<()> {
        let published = self.cluster.publish(&self.record.run.id, phase, indexes, attempt).await;
        // Whatever did not arrive is missed later.
        self.patiently(published).map(drop)
    }

    /// Waits until all of these ranges are done, and gives those out again that got lost.
    async fn collect(&mut self, phase: Phase, wanted: BTreeSet<usize>) -> Result<Collected> {
        let before = self.record.run.state.clone();
        let run = self.record.run.id.clone();
        let mut missing = wanted;
        let mut done = BTreeMap::new();
        let mut entries: Option<Entries> = None;
        let mut alive = self.cluster.client.subscribe(Cluster::alive_subject(&run)).await.ok();
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (begun, mut last, mut idle) = (Instant::now(), Instant::now(), 0_u64);
        while !missing.is_empty() {
            if entries.is_none() {
                let begun = self.cluster.entries(&run, phase).await;
                entries = self.patiently(begun)?;
            }
            tokio::select! {
                entry = next(&mut entries) => match entry {
                    Ok((index, entry)) => {
                        self.reached = Instant::now();
                        (last, idle) = (Instant::now(), 0);
                        self.take(phase, index, entry, &mut missing, &mut done).await?;
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
                    self.ask(phase, &mut missing, &mut done).await?;
                    let is_idle = self.cluster.is_idle(&run, self.record.run.lease()).await;
                    idle = if self.patiently(is_idle)?.unwrap_or(false) { idle + 1 } else { 0 };
                    // Twice, since what was just done may not have been told yet.
                    if idle >= 2 && !missing.is_empty() {
                        let attempt = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                        let again: Vec<_> = missing.iter().copied().collect();
                        // Another client may do the same at the same time.
                        self.publish(phase, &again, attempt.wrapping_add(u64::from(std::process::id()) << 32)).await?;
                        idle = 0;
                    }
                }
            }
        }
        Ok(Collected::All(done))
    }

    /// Asks for some entries that did not come by themselves.
    async fn ask(
        &mut self,
        phase: Phase,
        missing: &mut BTreeSet<usize>,
        done: &mut BTreeMap<usize, Done>,
    ) -> Result<()> {
        let run = self.record.run.id.clone();
        for index in missing.iter().copied().take(ASKED).collect::<Vec<_>>() {
            let entry = self.cluster.entry(&run, phase, index).await;
            match self.patiently(entry)? {
                Some(Some(entry)) => self.take(phase, index, entry, missing, done).await?,
                Some(None) => {}
                None => break,
            }
        }
        Ok(())
    }

    /// Takes in that a range is done, if that is not known yet.
    async fn take(
        &mut self,
        phase: Phase,
        index: usize,
        entry: Entry,
        missing: &mut BTreeSet<usize>,
        done: &mut BTreeMap<usize, Done>,
    ) -> Result<()> {
        if !missing.contains(&index) {
            return Ok(());
        }
        let range = entry.range()?;
        let expected = match phase {
            Phase::Merge | Phase::Delete => self.tiles.range(index)?,
            Phase::Tidy => self.tiles.whole().clone(),
        };
        if range != expected {
            let message = format!("the ledger has another range {index} than the run {}", self.record.run.id);
            return Err(Error::new(ErrorCode::Corrupted, message));
        }
        self.activity.add(entry.calls.iter().map(|(call, count)| (call.as_str(), *count)), entry.bytes_moved);
        if entry.untold > 0 {
            (self.say)(format!("{} more of {} are not told one by one", entry.untold, entry.worker));
        }
        for line in entry.lines {
            // Who does not listen wants to know the outcome alone.
            let _ = self.tell.send(E::from_line(line)?).await;
        }
        missing.remove(&index);
        done.insert(index, Done { range, counts: entry.outcome.into(), waiting: entry.waiting });
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

async fn next(entries: &mut Option<Entries>) -> Result<(usize, Entry)> {
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
