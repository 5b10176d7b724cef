//! Carries out what was decided for one object.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc};

use omnistorage_core::{
    entry::Entry,
    sync::{
        bisync::{Decision, Known, Record, Trio, conflict::Winner},
        compare::Reason,
        merge::Side,
    },
};
use omnistorage_types::{BisyncAction, BisyncEvent, CopyRequest, Error, ErrorCode, Path, WriteOptions};

use super::{
    ends::Ends,
    journal::{done, failed},
};
use crate::sync::{
    copying::{as_it_is, copy_many, verify},
    fence::{Fences, Seen},
    likeness::Likeness,
    place::Writing,
    removal::{delete_unchanged, is_unchanged},
    retry::retrying,
};

/// How conflicts are settled.
pub(super) struct Conflicts {
    pub(super) winner: Winner,
    pub(super) keep_loser: bool,
    pub(super) suffix: String,
    /// Times that differ by no more than this are equal.
    pub(super) window_ns: u64,
}

/// Works on objects, one per call, many calls at once.
pub(super) struct Actor {
    pub(super) ends: Ends,
    pub(super) conflicts: Conflicts,
    pub(super) dry_run: bool,
    /// Names that this run gave to losing versions. A listing may show them already.
    pub(super) given: Rc<RefCell<BTreeSet<Path>>>,
}

/// What became of a path.
pub(super) struct Settled {
    pub(super) path: Path,
    /// What the new state says of it: if it was not settled, what the old one said.
    pub(super) record: Option<Record>,
    /// The same for the losing version of a conflict, whose name sorts later.
    pub(super) loser: Option<Record>,
    pub(super) events: Vec<BisyncEvent>,
}

/// The other side.
pub(super) const fn other(side: Side) -> Side {
    match side {
        Side::Source => Side::Target,
        Side::Target => Side::Source,
    }
}

impl Settled {
    /// Nothing was done.
    pub(super) const fn unchanged(path: Path, record: Option<Record>) -> Self {
        Self { path, record, loser: None, events: Vec::new() }
    }
}

const fn only_on(side: Side) -> &'static str {
    match side {
        Side::Source => "only the first has it",
        Side::Target => "only the second has it",
    }
}

/// What both sides have now.
pub(super) fn agreed(path: &Path, of_side: Side, entry: &Entry, of_other: &Entry) -> Record {
    let (first, second) = match of_side {
        Side::Source => (entry, of_other),
        Side::Target => (of_other, entry),
    };
    Record { path: path.clone(), first: Known::from(first), second: Known::from(second) }
}

impl Actor {
    /// Carries out a decision. An object that fails keeps its place in the state.
    pub(super) async fn act(&self, trio: Trio, decision: Decision) -> Settled {
        let Trio { path, first, second, record, .. } = trio;
        let mut settled = Settled::unchanged(path, record);
        let outcome = match (decision, first, second) {
            (Decision::Create { from: Side::Source }, Some(entry), _) => {
                self.bring(&mut settled, Side::Source, &entry, None, only_on(Side::Source)).await
            }
            (Decision::Create { from: Side::Target }, _, Some(entry)) => {
                self.bring(&mut settled, Side::Target, &entry, None, only_on(Side::Target)).await
            }
            (Decision::Update { from }, Some(first), Some(second)) => {
                self.update(&mut settled, from, &first, &second).await
            }
            (Decision::Reconcile, Some(first), Some(second)) => {
                self.reconcile(&mut settled, &first, &second).await
            }
            (Decision::Delete { on: Side::Source }, Some(entry), _) => {
                self.delete(&mut settled, Side::Source, &entry).await
            }
            (Decision::Delete { on: Side::Target }, _, Some(entry)) => {
                self.delete(&mut settled, Side::Target, &entry).await
            }
            (Decision::Forget, ..) => {
                settled.record = None;
                Ok(())
            }
            (Decision::Skip(reason), first, _) => {
                let side = if first.is_some() { Side::Source } else { Side::Target };
                let event = done(BisyncAction::Skipped, side, &settled.path, None, reason.as_str());
                settled.events.push(event);
                Ok(())
            }
            (Decision::Clash, ..) => {
                let message = Reason::KindDiffers.as_str();
                let error = self.ends.first.error(ErrorCode::IsDirectory, &settled.path, message);
                Err((Side::Source, error))
            }
            _ => Ok(()),
        };
        if let Err((side, error)) = outcome {
            settled.events.push(failed(side, settled.path.as_str(), error));
        }
        settled
    }

    /// Brings an object to the other side.
    pub(super) async fn bring(
        &self,
        settled: &mut Settled,
        from: Side,
        entry: &Entry,
        replaced: Option<&Entry>,
        reason: &str,
    ) -> Result<(), (Side, Error)> {
        let to = other(from);
        if !self.dry_run {
            let written = self.transfer(from, entry, replaced).await.map_err(|error| (to, error))?;
            settled.record = Some(agreed(&settled.path, from, entry, &written));
        }
        settled.events.push(done(BisyncAction::Transferred, to, &entry.path, entry.size, reason));
        Ok(())
    }

    async fn update(
        &self,
        settled: &mut Settled,
        from: Side,
        first: &Entry,
        second: &Entry,
    ) -> Result<(), (Side, Error)> {
        let known = settled.record.as_ref();
        if self.ends.are_same(first, second, known).await.map_err(|error| (from, error))? {
            settled.record = Some(agreed(&settled.path, Side::Source, first, second));
            return Ok(());
        }
        let (changed, replaced, reason) = match from {
            Side::Source => (first, second, "changed on the first"),
            Side::Target => (second, first, "changed on the second"),
        };
        self.bring(settled, from, changed, Some(replaced), reason).await
    }

    async fn reconcile(
        &self,
        settled: &mut Settled,
        first: &Entry,
        second: &Entry,
    ) -> Result<(), (Side, Error)> {
        let known = settled.record.as_ref();
        if self.ends.are_same(first, second, known).await.map_err(|error| (Side::Source, error))? {
            settled.record = Some(agreed(&settled.path, Side::Source, first, second));
            return Ok(());
        }
        self.resolve(settled, first, second).await
    }

    async fn delete(&self, settled: &mut Settled, on: Side, entry: &Entry) -> Result<(), (Side, Error)> {
        if !self.dry_run {
            let place = Writing(self.ends.place(on).clone());
            let deleted = delete_unchanged(&place, &[entry]).await;
            deleted.into_iter().collect::<Result<(), _>>().map_err(|error| (on, error))?;
            settled.record = None;
        }
        let reason = match on {
            Side::Source => "deleted on the second",
            Side::Target => "deleted on the first",
        };
        settled.events.push(done(BisyncAction::Deleted, on, &entry.path, entry.size, reason));
        Ok(())
    }

    /// Transfers an object to the other side, replaces what is there, and returns the new object.
    pub(super) async fn transfer(
        &self,
        from: Side,
        entry: &Entry,
        replaced: Option<&Entry>,
    ) -> Result<Entry, Error> {
        let (source, target) = (self.ends.place(from), self.ends.place(other(from)));
        // What appeared or changed since it was listed is left to the next run.
        let unchanged = match replaced {
            Some(replaced) => is_unchanged(target, replaced).await?,
            None => target.stat(&entry.path).await?.is_none(),
        };
        let changed = || {
            let message = "it changed on both sides meanwhile: the next run will see it";
            target.error(ErrorCode::Unavailable, &entry.path, message)
        };
        if !unchanged {
            return Err(changed());
        }
        let fences = Fences::between(source, target);
        let condition = fences.condition(replaced.map_or(Seen::Nothing, Seen::of));
        let copy = async |condition| {
            let options = WriteOptions {
                condition,
                expected_size: entry.size,
                expected_hash: entry.hashes.first().cloned(),
                ..as_it_is()
            };
            let request =
                CopyRequest { source: source.full(&entry.path)?, target: target.full(&entry.path)?, options };
            let copied = copy_many(source, target, vec![request]).await.pop();
            let message = "the backend gave no result for it";
            copied.unwrap_or_else(|| Err(target.error(ErrorCode::Other, &entry.path, message)))
        };
        let step = async || fences.conditionally(condition.clone(), copy).await;
        let written = match retrying(&source.attempts, step).await {
            Err(error) if error.code() == ErrorCode::PreconditionFailed => {
                let likeness =
                    Likeness { source, target, recoder: None, ignore_size: false, contents_only: true };
                // An earlier attempt succeeded, and its answer was lost; or somebody else was faster.
                return match target.stat(&entry.path).await? {
                    Some(there) if likeness.holds(entry, &there).await? => Ok(there),
                    _ => Err(changed()),
                };
            }
            written => written?,
        };
        verify(target, entry, &written, false)?;
        target.entry(written)
    }
}
