//! A run of `sync`, `copy` or `move`: the listings are merged, and what each step of the merge asks for is begun.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    pin::pin,
    rc::Rc,
};

use futures::{FutureExt, future::select};
use omnistorage_core::{
    entry::{Entry, ListingFailure, ObjectKind},
    sync::{
        compare::{CompareOptions, Evidence, Reason, Verdict},
        filter::Filter,
        merge::Side,
    },
};
use omnistorage_types::{
    Action, Deletion, Error, ErrorCode, Event, Location, Path, Report, Stop, SyncOptions,
};

mod finish;
mod room;
mod settle;
mod unsure;

use self::{
    room::{Rooms, Standing, Wanted},
    unsure::Unsure,
};
use super::{
    batch::Batch,
    delete::{Deleter, Extras},
    directories::Directories,
    fence::{Fences, LastSeen, Seen},
    flight::{Bound, Done, InFlight},
    journal::Journal,
    memo::{Memo, Met, Recalling},
    operation::Operation,
    pair::Pair,
    pairs::{Pairs, Step},
    place::Writing,
    removal::delete_unchanged,
    rename::Unmatched,
    returned::SecondLook,
    sides::{Sides, Unshown},
    transfer::Carrier,
    waiting::{Item, Waiting},
};
use crate::{
    job::Outlet,
    planted::{self, Bug},
    port::Storage,
};

/// Runs to the end. An error means that the run could not be completed.
pub(super) async fn run(
    port: Rc<dyn Storage>,
    operation: Operation,
    places: [Location; 2],
    mut options: SyncOptions,
    filter: Filter,
    events: Outlet<Event>,
) -> Result<Report, Error> {
    let mut sides = Sides::open(&port, places, filter, &options).await?;
    if operation != Operation::Sync || sides.single.is_some() {
        options.deletion = Deletion::None;
    }
    if options.deletion != Deletion::None {
        sides.unshown = Unshown::Kept;
    }
    let is_move = operation == Operation::Move;
    let contents_only = is_move && !planted::has(Bug::MoveTrustsTimes);
    let compare = CompareOptions { contents_only, ..sides.compare_options(&options) };
    let memo = match options.memo.clone() {
        Some(at) => Memo::open(at, &sides, compare, operation, &options).await?,
        None => None,
    };
    let writes = (!options.dry_run).then(|| Writing(sides.target.clone()));
    let deletes =
        (!options.dry_run || planted::has(Bug::DryRunDeletes)).then(|| Writing(sides.target.clone()));
    let remover = Writing(sides.source.clone());
    let tracks_renames = options.deletion != Deletion::None
        && !options.track_renames.is_empty()
        && Unmatched::can_rename(&sides.target);
    let run = Run {
        operation,
        compare,
        journal: Journal::new(events),
        carrier: writes.map(|target| Carrier {
            source: sides.source.clone(),
            target,
            remover: is_move.then_some(remover),
            backup: sides.backup.clone(),
            recoder: sides.recoder.clone(),
            ignore_size: options.ignore_size,
            remembers: memo.is_some(),
            fences: Fences::between(&sides.source, &sides.target).into(),
        }),
        deleter: deletes.map(|target| Deleter {
            target,
            backup: sides.backup.clone().filter(|_| !planted::has(Bug::ForgetsBackup)),
            second_look: SecondLook {
                source: sides.source.clone(),
                filter: sides.filter.clone(),
                recoder: sides.recoder.clone(),
            },
        }),
        waiting: Waiting::new(options.order, sides.batch(options.bandwidth)),
        unsure: sides.batch(options.bandwidth),
        leaving: Batch::default(),
        in_flight: InFlight::new(options.transfers, options.checkers),
        memo,
        extras: if tracks_renames { Extras::keeping_all() } else { Extras::default() },
        unmatched: tracks_renames.then(Unmatched::default),
        directories: Directories::default(),
        standing: Standing::default(),
        wanted: Wanted::default(),
        rooms: None,
        unlisted: BTreeSet::new(),
        overtaken: BTreeMap::new(),
        source_objects: 0,
        begun_bytes: 0,
        deletes_begun: 0,
        sides,
        options,
    };
    run.carry_out().await
}

pub(super) struct Run {
    operation: Operation,
    sides: Sides,
    options: SyncOptions,
    compare: CompareOptions,
    journal: Journal,
    /// The parts that write and delete. A dry run has neither.
    carrier: Option<Carrier>,
    deleter: Option<Deleter>,
    /// Objects that wait to be transferred, to be hashed, and to be removed from the source.
    waiting: Waiting,
    unsure: Batch<Unsure>,
    leaving: Batch<Entry>,
    in_flight: InFlight,
    memo: Option<Memo>,
    /// If renames are tracked: the objects that only one side has.
    unmatched: Option<Unmatched>,
    extras: Extras,
    directories: Directories,
    /// Where a sync makes room: what may be in the way, what waits for room, and what has got some.
    standing: Standing,
    wanted: Wanted,
    rooms: Option<Rooms>,
    /// Where the listings may be merged again: what they could not tell, on the target or not, by its name.
    unlisted: BTreeSet<(bool, String)>,
    /// Objects that others were faster with, and how often.
    overtaken: BTreeMap<Path, u32>,
    source_objects: u64,
    /// Bytes of the transfers started so far.
    begun_bytes: u64,
    /// Deletes started so far.
    deletes_begun: u64,
}

/// What happens next.
enum Next {
    /// The next step of the merge.
    Step(Box<Met>),
    /// A call ended.
    Done(Option<Done>),
    /// The pending events were delivered.
    Told,
}

impl Run {
    async fn carry_out(mut self) -> Result<Report, Error> {
        let outcome = if self.sides.is_onto_itself() { Ok(()) } else { self.make_equal().await };
        // What was done before it failed was done, and what is in flight may be: it is told of too.
        while let Some(done) = self.in_flight.next().await {
            if done.is_change() {
                self.settle(done);
            }
        }
        if let Some(memo) = self.memo.take() {
            self.journal.report.memo = match (&outcome, self.journal.report.stopped) {
                (Ok(()), None) => memo.finish().await,
                _ => memo.abandon().await,
            };
        }
        self.journal.events.flush().await;
        self.journal.report.source_objects = self.source_objects;
        outcome.map(|()| self.journal.report)
    }

    async fn make_equal(&mut self) -> Result<(), Error> {
        if self.options.deletion == Deletion::Before {
            self.delete_before().await?;
        }
        let recall = self.memo.as_mut().and_then(Memo::take_recall);
        let pairs = Recalling::new(Pairs::new(&self.sides).await?, recall);
        self.transfer_all(Some(pairs)).await?;
        self.rename_all().await?;
        self.foresee_room().await;
        let withheld = self.journal.report.errors > 0 && !self.options.ignore_errors;
        self.delete_extras().await?;
        self.make_room(withheld).await?;
        self.finish_directories().await;
        Ok(())
    }

    /// Merges the listings, and keeps as many calls in flight as are allowed. Without listings, it brings to an end
    /// what is waiting and in flight.
    pub(super) async fn transfer_all(&mut self, mut pairs: Option<Recalling>) -> Result<(), Error> {
        loop {
            if self.journal.events.is_full() {
                self.journal.events.flush().await;
            }
            if let Some(memo) = &mut self.memo {
                memo.flush().await;
            }
            if self.is_late() {
                self.stop(Stop::Deadline);
            }
            if self.journal.report.stopped.is_some() {
                pairs = None;
            }
            let has_room = self.in_flight.has_room();
            if let Some(listings) = pairs.as_mut().filter(|_| has_room) {
                match listings.next().now_or_never() {
                    Some(step) => {
                        if self.take(step?) {
                            pairs = None;
                        }
                        continue;
                    }
                    // While the listings are behind, what waits may go, if the backends have nothing else to do.
                    None if self.in_flight.is_empty() => drop(self.send_waiting()),
                    None => {}
                }
            } else if pairs.is_none() {
                while self.in_flight.has_room() && self.send_waiting() {}
            }
            let listings = pairs.as_mut().filter(|_| self.in_flight.has_room());
            if listings.is_none() && self.in_flight.is_empty() {
                return Ok(());
            }
            match self.next(listings).await? {
                Next::Step(step) => {
                    if self.take(*step) {
                        pairs = None;
                    }
                }
                Next::Done(done) => done.into_iter().for_each(|done| self.settle(done)),
                Next::Told => {}
            }
        }
    }

    /// Waits for what happens next, and delivers events meanwhile.
    async fn next(&mut self, listings: Option<&mut Recalling>) -> Result<Next, Error> {
        let Self { in_flight, journal, .. } = self;
        let step = pin!(async {
            match listings {
                Some(listings) => listings.next().await.map(|met| Next::Step(Box::new(met))),
                None => pending().await,
            }
        });
        let done = pin!(async {
            if in_flight.is_empty() {
                return pending().await;
            }
            Ok(Next::Done(in_flight.next().await))
        });
        let told = pin!(async {
            journal.events.flush_soon().await;
            Ok(Next::Told)
        });
        let work = select(step, done).map(|first| first.factor_first().0);
        select(work, told).await.factor_first().0
    }

    /// Decides on a step of the merge, and returns whether it was the last.
    fn take(&mut self, met: Met) -> bool {
        let Met { step, fact, passed, trouble } = met;
        if self.rooms.is_some() {
            return self.take_wanted(step);
        }
        let window = self.compare.window_ns;
        if let Some(memo) = &mut self.memo {
            memo.pass(passed, trouble);
        }
        match step {
            Step::SourceOnly(source) => {
                self.count(&source, None);
                if let Some(memo) = self.memo.as_mut().filter(|_| source.kind == ObjectKind::Object) {
                    memo.meet_new(&source, None);
                }
                match source.kind {
                    ObjectKind::Object if self.lacks_directory(&source) => {}
                    ObjectKind::Object => match &mut self.unmatched {
                        Some(unmatched) => unmatched.missing.push(source),
                        None => self.queue(source, Reason::MissingOnTarget, Seen::Nothing),
                    },
                    ObjectKind::Directory => self.directories.add_source(&source, None, window),
                    ObjectKind::Symlink => self.skip(&source, Reason::SymbolicLink),
                    ObjectKind::Special => self.skip(&source, Reason::SpecialFile),
                }
            }
            Step::TargetOnly(target) => self.take_extra(target),
            Step::Both { source, target } => match (source.kind, target.kind) {
                (ObjectKind::Directory, ObjectKind::Directory) => {
                    self.directories.add_source(&source, Some(&target), window);
                }
                (ObjectKind::Directory, ObjectKind::Object) => {
                    // As long as the object is there, its time is not the directory's to set.
                    self.directories.add_source(&source, None, None);
                    self.take_extra(target);
                }
                (ObjectKind::Object, ObjectKind::Directory) => {
                    self.count(&source, Some(&target));
                    self.want(&source);
                }
                _ => {
                    self.count(&source, Some(&target));
                    self.directories.hold(&target.path);
                    let remembered = self.memo.as_mut().is_some_and(|memo| memo.meet(&source, &target, fact));
                    self.decide(Pair::listed(source, target), CompareOptions { remembered, ..self.compare });
                }
            },
            Step::Failed { side, failure } => self.fail_listed(side, *failure),
            // Neither missing nor extra: it could not be looked up.
            Step::Unknown { side: Side::Source, entry } => {
                self.count(&entry, None);
                match entry.kind {
                    ObjectKind::Object => self.skip(&entry, Reason::Unlisted),
                    ObjectKind::Directory => {}
                    ObjectKind::Symlink => self.skip(&entry, Reason::SymbolicLink),
                    ObjectKind::Special => self.skip(&entry, Reason::SpecialFile),
                }
            }
            Step::Unknown { side: Side::Target, entry } => {
                self.journal.report.checked += u64::from(entry.kind == ObjectKind::Object);
            }
            Step::Need(_) => {}
            Step::End => return true,
        }
        false
    }

    /// Tells of what a listing could not tell, once, although a run that deletes may list more than once.
    pub(super) fn fail_listed(&mut self, side: Side, failure: ListingFailure) {
        let name = failure.what.name();
        let is_new = self.options.deletion == Deletion::None
            || self.unlisted.insert((side == Side::Target, name.to_owned()));
        if is_new {
            self.journal.fail_name(failure.what.name(), failure.error);
            self.stop_after_errors();
        }
    }

    fn take_extra(&mut self, target: Entry) {
        match target.kind {
            ObjectKind::Object if self.sides.is_backup(&target.path) => {}
            ObjectKind::Object => {
                self.journal.report.checked += 1;
                self.standing.add(&target.path);
                match (self.options.deletion, &mut self.unmatched) {
                    (Deletion::None | Deletion::Before, _) => {}
                    (_, Some(unmatched)) => unmatched.extra.push(target),
                    (_, None) => self.extras.add(target),
                }
                if self.options.deletion == Deletion::During {
                    self.delete_some();
                }
            }
            ObjectKind::Directory => self.directories.add_extra(target.path),
            // We cannot have put this there, so it is not ours to delete.
            ObjectKind::Symlink | ObjectKind::Special => {}
        }
    }

    fn count(&mut self, source: &Entry, target: Option<&Entry>) {
        let object = |entry: &Entry| entry.kind == ObjectKind::Object;
        self.source_objects += u64::from(object(source));
        self.journal.report.checked += u64::from(object(source) || target.is_some_and(object));
    }

    /// Carries out the verdict on an object.
    pub(super) fn act(&mut self, pair: Pair, verdict: Verdict) {
        let Pair { source, target, .. } = pair;
        let refuse = |run: &mut Self, code, message: &str| {
            let error = run.sides.target.error(code, &source.path, message);
            run.fail(&source.path, error);
        };
        match verdict {
            Verdict::Same(Evidence::Contents) if self.operation == Operation::Move => self.leave(source),
            Verdict::Same(_) if self.operation == Operation::Move && planted::has(Bug::MoveTrustsTimes) => {
                self.leave(source);
            }
            Verdict::Same(_) => {}
            Verdict::Refuse(reason) => {
                let message = format!("it is immutable and would have to change: {reason}");
                refuse(self, ErrorCode::AlreadyExists, &message);
            }
            Verdict::Skip(reason) => self.skip(&source, reason),
            Verdict::Transfer(reason) => self.queue(source, reason, Seen::of(&target)),
            Verdict::SetTime => self.set_time(source, target),
            // The missing details were asked for before: see `decide`.
            Verdict::NeedHash(_) | Verdict::NeedTimes => {}
        }
    }

    pub(super) fn skip(&mut self, source: &Entry, reason: Reason) {
        self.journal.tell(Action::Skipped, &source.path, source.size, reason);
    }

    /// Queues an object for its transfer. `seen`: what it takes the place of.
    pub(super) fn queue(&mut self, source: Entry, reason: Reason, seen: Seen) {
        if let Some(memo) = &mut self.memo {
            memo.reopen(&source.path);
        }
        if let Some(items) = self.waiting.add(Item { source, reason, seen: LastSeen::new(seen) }) {
            self.send(items);
        }
    }

    /// Removes an object from the source whose contents are on the target.
    pub(super) fn leave(&mut self, source: Entry) {
        if let Some(entries) = self.leaving.add(source, Some(0)) {
            self.remove(entries);
        }
    }

    /// Starts some of what waits, and returns whether there was anything.
    fn send_waiting(&mut self) -> bool {
        if let Some(entries) = self.unsure.take() {
            self.compare_contents(entries);
        } else if let Some(items) = self.waiting.take() {
            self.send(items);
        } else if let Some(entries) = self.leaving.take() {
            self.remove(entries);
        } else {
            return false;
        }
        true
    }

    fn send(&mut self, items: Vec<Item>) {
        let items = self.within_limit(items);
        if items.is_empty() {
            return;
        }
        match self.carrier.clone() {
            Some(carrier) => {
                self.in_flight
                    .start(Bound::Transfers, async move { Done::Carried(carrier.carry(items).await) });
            }
            None => {
                for Item { source, reason, .. } in items {
                    self.journal.tell(Action::Transferred, &source.path, source.size, reason);
                    if self.operation == Operation::Move {
                        self.journal.tell(
                            Action::SourceRemoved,
                            &source.path,
                            source.size,
                            Reason::Transferred,
                        );
                    }
                }
            }
        }
    }

    /// The objects that fit into the limit of bytes. The first one beyond it ends the run.
    fn within_limit(&mut self, mut items: Vec<Item>) -> Vec<Item> {
        let Some(limit) = self.options.max_transfer else { return items };
        let fits = |item: &Item| {
            self.begun_bytes = self.begun_bytes.saturating_add(item.source.size.unwrap_or(0));
            self.begun_bytes <= limit
        };
        let count = items.iter().map(fits).take_while(|fits| *fits).count();
        let beyond = items.split_off(count);
        if !beyond.is_empty() {
            for item in &beyond {
                self.skip(&item.source, Reason::LimitReached);
            }
            self.stop(Stop::MaxTransfer);
        }
        items
    }

    /// Whether the time for what is yet to begin is over.
    fn is_late(&self) -> bool {
        let deadline = self.options.deadline.filter(|_| self.journal.report.stopped.is_none());
        deadline.is_some_and(|deadline| self.sides.source.port().now() >= deadline)
    }

    /// Starts nothing more.
    pub(super) fn stop(&mut self, stop: Stop) {
        self.journal.report.stopped.get_or_insert(stop);
        while let Some(items) = self.waiting.take() {
            for item in &items {
                self.skip(&item.source, Reason::LimitReached);
            }
        }
        for Unsure { pair, .. } in self.unsure.take().into_iter().flatten() {
            self.skip(&pair.source, Reason::LimitReached);
        }
    }

    fn remove(&mut self, entries: Vec<Entry>) {
        let Some(remover) = self.carrier.as_ref().and_then(|carrier| carrier.remover.clone()) else {
            for source in entries {
                self.journal.tell(Action::SourceRemoved, &source.path, source.size, Reason::SameOnTarget);
            }
            return;
        };
        self.in_flight.start(Bound::Transfers, async move {
            let borrowed: Vec<_> = entries.iter().collect();
            let removed = delete_unchanged(&remover, &borrowed).await;
            Done::Removed(entries.into_iter().zip(removed).collect())
        });
    }

    /// Gives the target the time of the source, or the bytes again where it cannot take a time.
    fn set_time(&mut self, source: Entry, target: Entry) {
        // An unknown time cannot be set. The contents are the same, and that is all there is to report.
        let Some(modified) = source.modified else {
            return self.act(Pair::listed(source, target), Verdict::Same(Evidence::Contents));
        };
        if !self.sides.target.features().set_modified {
            return self.queue(source, Reason::TimeDiffers, Seen::of(&target));
        }
        let Some(carrier) = &self.carrier else {
            return self.settle(Done::TimeSet(Box::new(source), Ok(())));
        };
        let target = carrier.target.clone();
        self.in_flight.start(Bound::Checkers, async move {
            let result = target.set_modified(&source.path, modified).await;
            Done::TimeSet(Box::new(source), result)
        });
    }
}
