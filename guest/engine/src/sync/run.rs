//! A run of `sync` or `copy`.

use std::pin::pin;

use futures::{
    FutureExt, StreamExt,
    future::{Either, LocalBoxFuture, select},
    stream::FuturesUnordered,
};
use omnistorage_core::{
    entry::{Entry, ObjectKind},
    sync::{
        compare::{self, CompareOptions, IfEqual, Reason, Verdict, after_hashing, compare},
        filter::Filter,
        guard::{DeleteLimits, DeletePlan, DeleteRefusal, deletes_allowed},
        merge::Step,
    },
};
use omnistorage_path::Path;

use super::{
    batch::Batch,
    contents::hash_both,
    delete::Extras,
    job::Outlet,
    journal::Journal,
    pairs::Pairs,
    sides::{Sides, Writing},
    transfer::{Item, transfer},
};
use crate::{
    exports::sync::{Action, Comparison, Deletion, Event, Report, SyncOptions},
    imports::{
        backend::Features,
        types::{Error, ErrorCode, Location},
    },
};

/// Runs to the end. An error is what kept the run from being carried through.
pub(super) async fn run(
    source: Location,
    target: Location,
    options: SyncOptions,
    filter: Filter,
    events: Outlet<Event>,
) -> Result<Report, Error> {
    let sides = Sides::open(source, target, filter).await?;
    let writer = (!options.dry_run).then(|| Writing(sides.target.clone()));
    let compare = compare_options(&options, sides.window(&options));
    let journal = Journal::new(events);
    let run = Run {
        sides,
        writer,
        options,
        compare,
        journal,
        waiting: Batch::default(),
        unsure: Batch::default(),
        in_flight: InFlight::default(),
        extras: Extras::default(),
        source_objects: 0,
    };
    run.carry_out().await
}

/// How to compare, by the options and the window of [`Sides::window`].
pub(super) fn compare_options(options: &SyncOptions, window_ns: Option<u64>) -> CompareOptions {
    CompareOptions { comparison: options.comparison.into(), update_only: options.update_only, window_ns }
}

/// What a call that was in flight came to.
enum Done {
    Transferred(Vec<(Item, Result<(), Error>)>),
    Compared(Vec<(Entry, Result<Verdict, Error>)>),
    TimeSet(Box<Entry>, Result<(), Error>),
}

/// Calls in flight, by what bounds their number.
#[derive(Default)]
struct InFlight {
    calls: FuturesUnordered<LocalBoxFuture<'static, Done>>,
    transfers: u32,
    checks: u32,
}

struct Run {
    sides: Sides,
    /// A dry run has none.
    writer: Option<Writing>,
    options: SyncOptions,
    compare: CompareOptions,
    journal: Journal,
    /// What waits to be transferred, and to be hashed.
    waiting: Batch<Item>,
    unsure: Batch<(Entry, IfEqual)>,
    in_flight: InFlight,
    extras: Extras,
    source_objects: u64,
}

impl Run {
    async fn carry_out(mut self) -> Result<Report, Error> {
        let outcome = self.make_equal().await;
        // What was done before it failed was done.
        self.journal.events.flush().await;
        outcome.map(|()| self.journal.report)
    }

    async fn make_equal(&mut self) -> Result<(), Error> {
        self.transfer_all().await?;
        if self.options.deletion == Deletion::After && self.sides.single.is_none() {
            self.delete_extras().await?;
        }
        Ok(())
    }

    /// Merges the listings, and keeps as many calls in flight as are allowed.
    async fn transfer_all(&mut self) -> Result<(), Error> {
        let mut pairs = Pairs::new(&self.sides).await?;
        let mut ended = false;
        loop {
            if self.journal.events.is_full() {
                self.journal.events.flush().await;
            }
            if !ended && self.has_room() {
                match pairs.next().now_or_never() {
                    Some(step) => {
                        ended = self.take(step?);
                        continue;
                    }
                    // While the listings are behind, what waits may go, if the backends have nothing else to do.
                    None if self.in_flight.calls.is_empty() => self.send_waiting(),
                    None => {}
                }
            } else if ended {
                self.send_waiting();
            }
            let listing = !ended && self.has_room();
            let calls = &mut self.in_flight.calls;
            let done = match (listing, calls.is_empty()) {
                (false, true) => return Ok(()),
                (false, false) => calls.next().await,
                (true, true) => {
                    ended = self.take(pairs.next().await?);
                    None
                }
                (true, false) => match select(pin!(pairs.next()), calls.next()).await {
                    Either::Left((step, _)) => {
                        ended = self.take(step?);
                        None
                    }
                    Either::Right((done, _)) => done,
                },
            };
            if let Some(done) = done {
                self.settle(done);
            }
        }
    }

    fn has_room(&self) -> bool {
        self.in_flight.transfers < self.options.transfers && self.in_flight.checks < self.options.checkers
    }

    /// Decides on a step of the merge; says whether it was the last.
    fn take(&mut self, step: Step) -> bool {
        match step {
            Step::SourceOnly(source) => {
                self.count(&source, None);
                match source.kind {
                    ObjectKind::Object => self.queue(source, Reason::MissingOnTarget),
                    ObjectKind::Directory => {}
                    ObjectKind::Symlink => self.skip(&source, Reason::SymbolicLink),
                    ObjectKind::Special => self.skip(&source, Reason::SpecialFile),
                }
            }
            Step::TargetOnly(target) => match target.kind {
                ObjectKind::Object => {
                    self.journal.report.checked += 1;
                    self.extras.add_object(target.path);
                }
                ObjectKind::Directory => self.extras.add_directory(target.path),
                // Nothing that we could have put there, so nothing for us to delete.
                ObjectKind::Symlink | ObjectKind::Special => {}
            },
            Step::Both { source, target } => {
                self.count(&source, Some(&target));
                let verdict = compare(&source, &target, self.compare);
                self.act(source, verdict);
            }
            Step::Need(_) => {}
            Step::End => return true,
        }
        false
    }

    fn count(&mut self, source: &Entry, target: Option<&Entry>) {
        let object = |entry: &Entry| entry.kind == ObjectKind::Object;
        self.source_objects += u64::from(object(source));
        self.journal.report.checked += u64::from(object(source) || target.is_some_and(object));
    }

    /// Does what the verdict on an object says.
    fn act(&mut self, source: Entry, verdict: Verdict) {
        match verdict {
            Verdict::Same => {}
            // What is there cannot make room: an error, so that nothing is deleted and the run does not look done.
            Verdict::Skip(Reason::KindDiffers) => {
                let (code, message) = match source.kind {
                    ObjectKind::Directory => {
                        (ErrorCode::NotDirectory, "an object stands where a directory should")
                    }
                    _ => (ErrorCode::IsDirectory, "a directory stands where an object should"),
                };
                let error = self.sides.target.error(code, &source.path, message);
                self.journal.fail(&source.path, error);
            }
            Verdict::Skip(reason) => self.skip(&source, reason),
            Verdict::Transfer(reason) => self.queue(source, reason),
            Verdict::NeedHash(if_equal) => {
                let size = source.size;
                if let Some(entries) = self.unsure.add((source, if_equal), size) {
                    self.compare(entries);
                }
            }
            Verdict::SetTime => self.set_time(source),
        }
    }

    fn skip(&mut self, source: &Entry, reason: Reason) {
        self.journal.tell(Action::Skipped, &source.path, source.size, Some(reason));
    }

    /// Lets an object wait for its turn.
    fn queue(&mut self, source: Entry, reason: Reason) {
        let size = source.size;
        if let Some(items) = self.waiting.add((source, reason), size) {
            self.send(items);
        }
    }

    /// Lets what waits go.
    fn send_waiting(&mut self) {
        if let Some(items) = self.waiting.take() {
            self.send(items);
        }
        if let Some(entries) = self.unsure.take() {
            self.compare(entries);
        }
    }

    fn compare(&mut self, entries: Vec<(Entry, IfEqual)>) {
        let algorithm = self.sides.hash_algorithm();
        let (source, target) = (self.sides.source.clone(), self.sides.target.clone());
        self.in_flight.checks += 1;
        self.in_flight.calls.push(Box::pin(async move {
            let paths: Vec<_> = entries.iter().map(|(entry, _)| &entry.path).collect();
            let hashes = hash_both(&source, &target, &paths, algorithm).await;
            let verdict = |((entry, if_equal), hashes): ((Entry, IfEqual), Result<_, _>)| {
                let (source, target) = match hashes {
                    Ok(hashes) => hashes,
                    Err(error) => return (entry, Err(error)),
                };
                (entry, Ok(after_hashing(if_equal, Some(&source), Some(&target))))
            };
            Done::Compared(entries.into_iter().zip(hashes).map(verdict).collect())
        }));
    }

    fn send(&mut self, items: Vec<Item>) {
        let Some(writer) = self.writer.clone() else {
            for (entry, reason) in items {
                self.journal.tell(Action::Transferred, &entry.path, entry.size, Some(reason));
            }
            return;
        };
        let source = self.sides.source.clone();
        self.in_flight.transfers += 1;
        self.in_flight
            .calls
            .push(Box::pin(async move { Done::Transferred(transfer(source, writer, items).await) }));
    }

    /// Gives the target the time of the source, or the bytes again where it cannot take a time.
    fn set_time(&mut self, source: Entry) {
        let Some(modified) = source.modified else { return };
        if !self.sides.target.has(Features::SET_MODIFIED) {
            return self.queue(source, Reason::TimeDiffers);
        }
        let Some(writer) = self.writer.clone() else {
            return self.journal.tell(
                Action::UpdatedTime,
                &source.path,
                source.size,
                Some(Reason::TimeDiffers),
            );
        };
        self.in_flight.checks += 1;
        self.in_flight.calls.push(Box::pin(async move {
            let result = match writer.0.full(&source.path) {
                Ok(path) => writer.0.backend().set_modified(path, modified.into()).await,
                Err(error) => Err(error),
            };
            Done::TimeSet(Box::new(source), result)
        }));
    }

    /// Takes in what a call came to.
    fn settle(&mut self, done: Done) {
        match done {
            Done::Transferred(items) => {
                self.in_flight.transfers -= 1;
                for ((entry, reason), result) in items {
                    match result {
                        Ok(()) => {
                            self.journal.tell(Action::Transferred, &entry.path, entry.size, Some(reason));
                        }
                        Err(error) => self.journal.fail(&entry.path, error),
                    }
                }
            }
            Done::Compared(entries) => {
                self.in_flight.checks -= 1;
                for (source, verdict) in entries {
                    match verdict {
                        Ok(verdict) => self.act(source, verdict),
                        Err(error) => self.journal.fail(&source.path, error),
                    }
                }
            }
            Done::TimeSet(source, result) => {
                self.in_flight.checks -= 1;
                match result {
                    Ok(()) => {
                        let reason = Some(Reason::TimeDiffers);
                        self.journal.tell(Action::UpdatedTime, &source.path, source.size, reason);
                    }
                    Err(error) => self.journal.fail(&source.path, error),
                }
            }
        }
    }

    async fn delete_extras(&mut self) -> Result<(), Error> {
        let plan = DeletePlan {
            errors: self.journal.report.errors,
            source_objects: self.source_objects,
            extras: self.extras.count(),
        };
        let limits = DeleteLimits {
            max_delete: self.options.max_delete,
            allow_empty_source: self.options.allow_empty_source,
        };
        match deletes_allowed(plan, limits) {
            Ok(()) => {}
            Err(DeleteRefusal::Withheld { extras, .. }) => {
                self.journal.report.deletes_withheld = extras;
                return Ok(());
            }
            Err(refusal) => {
                let code = match refusal {
                    DeleteRefusal::TooMany { .. } => ErrorCode::LimitExceeded,
                    _ => ErrorCode::PreconditionFailed,
                };
                return Err(self.sides.target.error(code, &Path::root(), &refusal.to_string()));
            }
        }
        let (extras, journal) = (std::mem::take(&mut self.extras), &mut self.journal);
        let in_flight = self.options.transfers as usize;
        let writer = self.writer.as_ref();
        extras
            .delete(&self.sides, writer, in_flight, async |path, result| {
                match result {
                    Ok(()) => journal.tell(Action::Deleted, &path, None, Some(Reason::MissingOnSource)),
                    Err(error) => journal.fail(&path, error),
                }
                if journal.events.is_full() {
                    journal.events.flush().await;
                }
            })
            .await
    }
}

impl From<Comparison> for compare::Comparison {
    fn from(comparison: Comparison) -> Self {
        match comparison {
            Comparison::Automatic => Self::Automatic,
            Comparison::Checksum => Self::Checksum,
            Comparison::SizeOnly => Self::SizeOnly,
            Comparison::Always => Self::Always,
            Comparison::IgnoreExisting => Self::IgnoreExisting,
        }
    }
}
