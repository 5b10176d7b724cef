//! A run in three passes: count everything, transfer, delete. Each merges both listings and the state.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    rc::Rc,
};

use futures::{
    future::{Either, select},
    join,
};
use omnistorage_core::{
    entry::{Entry, ListingFailure, ObjectKind},
    sync::{
        bisync::{
            Decision, Record, Trio, decide,
            guard::{Plan, Refusal},
        },
        compare::Reason,
        counted::Counted,
        filter::Filter,
        merge::Side,
    },
};
use omnistorage_types::{BisyncEvent, BisyncOptions, BisyncReport, Error, ErrorCode, Location, Path};

use super::{
    act::{Actor, Conflicts, Settled},
    ends::Ends,
    journal::{Journal, failed},
    options,
    slots::Slots,
    state::{Known, NewState, StateFile},
    trios::{Found, Trios},
};
use crate::{job::Outlet, port::Storage};

/// Runs to the end. An error means that the run could not be carried through.
pub(in crate::sync) async fn run(
    port: Rc<dyn Storage>,
    places: [Location; 2],
    state: Location,
    options: BisyncOptions,
    filter: Filter,
    events: Outlet<BisyncEvent>,
) -> Result<BisyncReport, Error> {
    let (ends, file) = Ends::open(&port, places, state, &options, filter).await?;
    let known = if options.resync { None } else { Some(file.check(&ends.header).await?) };
    let conflicts = Conflicts {
        winner: options.winner,
        keep_loser: options.keep_loser,
        suffix: options.conflict_suffix.clone(),
        window_ns: ends.compare.window_ns.unwrap_or(0),
    };
    let actor = Actor { ends, conflicts, dry_run: options.dry_run, given: Rc::default() };
    let mut run = Run {
        actor: &actor,
        file: &file,
        journal: Journal::new(events),
        plan: Plan::default(),
        due: [Counted::default(), Counted::default()],
        unlisted: BTreeSet::new(),
    };
    let outcome = run.carry_out(known, &options).await;
    // What was done before the failure still counts.
    run.journal.flush().await;
    outcome.map(|()| run.journal.report)
}

/// The purpose of a merge.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Transfers,
    Deletes,
}

struct Run<'a> {
    actor: &'a Actor,
    file: &'a StateFile,
    journal: Journal,
    plan: Plan,
    /// Deletes that the first pass counted, on each side.
    due: [Counted; 2],
    /// Failures of listings that were reported already: whether on the second side, and the name.
    unlisted: BTreeSet<(bool, String)>,
}

impl Run<'_> {
    async fn carry_out(&mut self, known: Option<Known>, options: &BisyncOptions) -> Result<(), Error> {
        self.look(known.as_ref()).await?;
        self.plan.check(options::limits(options)).map_err(|refusal| self.refused(refusal))?;
        let mut known = known;
        if self.plan.others > 0 || options.resync {
            known = self.go_through(Pass::Transfers, known).await?;
        }
        if self.plan.deletes() == 0 {
            return Ok(());
        }
        if self.journal.report.errors > 0 {
            self.journal.report.deletes_withheld = self.plan.deletes();
            return Ok(());
        }
        self.go_through(Pass::Deletes, known).await?;
        Ok(())
    }

    fn refused(&self, refusal: Refusal) -> Error {
        let (code, side) = match refusal {
            Refusal::Emptied { side, .. } => (ErrorCode::PreconditionFailed, side),
            Refusal::TooMany { side, .. } => (ErrorCode::LimitExceeded, side),
        };
        self.actor.ends.place(side).error(code, &Path::root(), &refusal.to_string())
    }

    fn decide(&self, trio: &Trio) -> Decision {
        let Trio { first, second, record, is_uncertain, .. } = trio;
        // What could not be listed is not a deletion.
        if *is_uncertain {
            let is_listed = first.is_some() || second.is_some();
            return if is_listed { Decision::Skip(Reason::Unlisted) } else { Decision::Keep };
        }
        decide(first.as_ref(), second.as_ref(), record.as_ref(), self.actor.ends.precisions())
    }

    /// Counts what there is to do.
    async fn look(&mut self, known: Option<&Known>) -> Result<(), Error> {
        let mut trios = self.trios(known).await?;
        let mut plan = Plan { records: known.map_or(0, |known| known.records), ..Plan::default() };
        let is_object =
            |entry: &Option<Entry>| entry.as_ref().is_some_and(|entry| entry.kind == ObjectKind::Object);
        while let Some(found) = trios.next().await? {
            let trio = match found {
                Found::Trio(trio) => trio,
                Found::Failed { side, failure } => {
                    self.tell_unlisted(side, *failure).await;
                    continue;
                }
            };
            let (on_first, on_second) = (is_object(&trio.first), is_object(&trio.second));
            plan.on_first += u64::from(on_first);
            plan.on_second += u64::from(on_second);
            self.journal.report.checked += u64::from(on_first || on_second);
            let decision = self.decide(&trio);
            plan.count(decision);
            if let Decision::Delete { on } = decision {
                self.due_on(on).add(&trio.path);
            }
        }
        self.plan = plan;
        Ok(())
    }

    async fn trios<'b>(&self, known: Option<&Known>) -> Result<Trios<'b>, Error>
    where
        Self: 'b,
    {
        let records = match known {
            Some(known) => Some(self.file.known_records(known).await?),
            None => None,
        };
        Ok(Trios::new(&self.actor.ends, records))
    }

    /// Runs a pass that changes things, and writes the new state; returns what the state holds then.
    async fn go_through(&mut self, pass: Pass, known: Option<Known>) -> Result<Option<Known>, Error> {
        let trios = self.trios(known.as_ref()).await?;
        if self.actor.dry_run {
            self.work(pass, trios, &mut State::default()).await?;
            return Ok(known);
        }
        let (new, stored) = self.file.replace(&self.actor.ends.header);
        let mut state = State { new: Some(new), ..State::default() };
        let work = async {
            let done = self.work(pass, trios, &mut state).await;
            let State { new: Some(new), records, .. } = state else { return done.map(|()| 0) };
            match done {
                Ok(()) => new.finish().await.map(|()| records),
                Err(error) => {
                    new.abandon().await;
                    Err(error)
                }
            }
        };
        match join!(work, stored) {
            (Ok(records), Ok(info)) => Ok(Some(Known { records, etag: info.etag })),
            // The state's end was dropped because of this error, not the other way round.
            (Err(error), Err(why)) if error.code() == ErrorCode::Cancelled => Err(why),
            (Err(error), _) | (Ok(_), Err(error)) => Err(error),
        }
    }

    async fn work(&mut self, pass: Pass, mut trios: Trios<'_>, state: &mut State) -> Result<(), Error> {
        let actor = self.actor;
        let mut slots = Slots::new(actor.ends.transfers);
        loop {
            while let Some(settled) = slots.next().await {
                self.take(settled, state).await?;
            }
            let trio = match self.next(&mut trios, &mut slots, state).await? {
                Some(Found::Trio(trio)) => trio,
                Some(Found::Failed { side, failure }) => {
                    self.tell_unlisted(side, *failure).await;
                    continue;
                }
                None => break,
            };
            if self.was_given(&trio.path) {
                continue;
            }
            let decision = self.decide(&trio);
            if self.is_due(pass, decision, &trio.path) {
                slots.start(actor.act(*trio, decision));
                continue;
            }
            let Trio { path, record, .. } = *trio;
            let unchanged = Settled::unchanged(path, record);
            if slots.is_empty() {
                self.take(unchanged, state).await?;
            } else {
                slots.put(unchanged);
            }
        }
        while let Some(settled) = slots.finish().await {
            self.take(settled, state).await?;
        }
        state.write_before(None).await
    }

    /// The next path, while the work goes on.
    async fn next(
        &mut self,
        trios: &mut Trios<'_>,
        slots: &mut Slots<'_, Settled>,
        state: &mut State,
    ) -> Result<Option<Found>, Error> {
        let mut next = pin!(trios.next());
        while !slots.is_empty() {
            let settled = match select(next.as_mut(), pin!(slots.finish())).await {
                Either::Left((found, _)) => return found,
                Either::Right((settled, _)) => settled,
            };
            if let Some(settled) = settled {
                self.take(settled, state).await?;
            }
        }
        next.await
    }

    /// Whether this run gave the name to a losing version.
    fn was_given(&self, path: &Path) -> bool {
        let mut given = self.actor.given.borrow_mut();
        // The merge will not come across what it has passed.
        while given.first().is_some_and(|first| first < path) {
            given.pop_first();
        }
        given.contains(path)
    }

    /// Deletes come last. Only as many as were counted are made, even if there are more by now; none after a failed
    /// listing.
    fn is_due(&mut self, pass: Pass, decision: Decision, path: &Path) -> bool {
        match (pass, decision) {
            (_, Decision::Keep) => false,
            (Pass::Deletes, Decision::Delete { on }) => {
                self.unlisted.is_empty() && self.due_on(on).holds(path)
            }
            (Pass::Transfers, Decision::Delete { .. }) => false,
            (pass, _) => pass == Pass::Transfers,
        }
    }

    const fn due_on(&mut self, side: Side) -> &mut Counted {
        let [first, second] = &mut self.due;
        match side {
            Side::Source => first,
            Side::Target => second,
        }
    }

    /// Reports what a side could not list, once, although each pass lists again.
    async fn tell_unlisted(&mut self, side: Side, failure: ListingFailure) {
        let name = failure.what.name().to_owned();
        if self.unlisted.insert((side == Side::Target, name.clone())) {
            self.journal.tell(failed(side, &name, failure.error)).await;
        }
    }

    async fn take(&mut self, settled: Settled, state: &mut State) -> Result<(), Error> {
        let Settled { path, record, loser, events } = settled;
        for event in events {
            self.journal.tell(event).await;
        }
        state.write_before(Some(&path)).await?;
        if let Some(loser) = loser {
            state.losers.insert(loser.path.clone(), loser);
        }
        match record {
            Some(record) => state.write(&record).await,
            None => Ok(()),
        }
    }
}

/// The state while it is written. A dry run writes none.
#[derive(Default)]
struct State {
    new: Option<NewState>,
    records: u64,
    /// Records that come between the paths of the merge.
    losers: BTreeMap<Path, Record>,
}

impl State {
    async fn write(&mut self, record: &Record) -> Result<(), Error> {
        self.records += 1;
        match &mut self.new {
            Some(new) => new.write(record).await,
            None => Ok(()),
        }
    }

    /// Writes the records that come before a path, or all of them.
    async fn write_before(&mut self, path: Option<&Path>) -> Result<(), Error> {
        while let Some(first) = self.losers.first_entry() {
            if path.is_some_and(|path| first.key() >= path) {
                break;
            }
            let record = first.remove();
            self.write(&record).await?;
        }
        Ok(())
    }
}
