//! Does what a message asks for: a range, a part of one, or all directories.

use std::{sync::PoisonError, time::Duration};

use super::{
    Opened,
    moving::Moving,
    part::{Asked, Part},
};
use crate::{
    KeyRange, Path, Result,
    cluster::{
        bounds::Bounds,
        entry::{Entry, Lines, Outcome as Came},
        grant::Grant,
        log::LogOf,
        queue::{Phase, Work},
        range::{Lease, Outcome, carry_out, follow},
    },
    ranges::{Counted, Counts, Course, Extra, Follow, Operation, Pass, Tiles, tidy},
    runtime::{CheckEntry, Event, Report, Storage, SyncJob, SyncOptions},
};

/// How long the places count as those of the client before a range is begun. What comes of it counts only if they are so
/// again.
const CONFIRMED: Duration = Duration::from_secs(5);

/// For how many leases a range is at work before it ends where it is, if it may: so much is done again after a kill, at most.
const BUDGET: u32 = 2;

/// The lease was lost.
struct Lost;

/// Follows jobs as long as a lease holds.
struct Leased<'a> {
    part: &'a Part,
    lease: &'a mut Lease,
    lines: &'a mut Lines,
}

impl Follow<Event> for Leased<'_> {
    type Left = Lost;

    async fn follow(
        &mut self,
        directory: &Path,
        job: Result<SyncJob>,
    ) -> std::result::Result<Result<Counts>, Lost> {
        let log = self.part.log(Phase::Tidy, &KeyRange { after: Some(directory.clone()), until: None });
        follow(job, self.lease, self.lines, log).await.map(|(counts, _)| counts).ok_or(Lost)
    }
}

impl Part {
    /// What comes of a range; or why this worker must not go on with the run.
    pub(super) async fn outcome(
        &self,
        work: &Work,
        asked: &Asked,
        lease: &mut Lease,
    ) -> std::result::Result<Outcome, String> {
        let confirmed = *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
        if confirmed.is_none_or(|confirmed| confirmed.elapsed() > CONFIRMED)
            && let Some(error) = self.witnesses().await?
        {
            return Ok(Outcome::Later(error));
        }
        let outcome = match asked {
            Asked::Tidy { tiles, deletes } => self.tidy(tiles, *deletes, lease).await,
            Asked::Merge { range, weight } => self.pass(work, range, Some(*weight), None, lease).await,
            Asked::Delete { range, extra } => self.pass(work, range, None, Some(*extra), lease).await,
        };
        let outcome = outcome.map_err(|error| error.message().to_owned())?;
        // What was seen meanwhile counts only if the places are still there.
        Ok(self.witnesses().await?.map_or(outcome, Outcome::Later))
    }

    /// Does a range, or goes on with it piece by piece if somebody had it before.
    async fn pass(
        &self,
        work: &Work,
        range: &KeyRange,
        weight: Option<f64>,
        extra: Option<Extra>,
        lease: &mut Lease,
    ) -> Result<Outcome> {
        let is_given_up = lease.is_given_up().is_some();
        if lease.is_again() && !is_given_up {
            return match self.in_pieces(work, range, extra, lease).await {
                Err(error) if error.may_pass() => Ok(Outcome::Later(error)),
                Err(error) => {
                    let name = &self.worker.0.name;
                    Ok(Outcome::Done(Box::new(Lines::default().entry(range, name, Err(error), None))))
                }
                outcome => outcome,
            };
        }
        match (&self.moving, weight) {
            (Some(moving), Some(weight)) => self.as_far_as_it_goes(moving, range, weight, lease).await,
            _ => self.over(range, extra, lease).await,
        }
    }

    /// Runs the component over a range, which may end before its border.
    async fn as_far_as_it_goes(
        &self,
        moving: &Moving,
        range: &KeyRange,
        weight: f64,
        lease: &mut Lease,
    ) -> Result<Outcome> {
        let begun = moving.begin(range, weight);
        let Opened { storage, source, target, .. } = &self.opened;
        let storage = begun.reach().around(storage, [source, target]);
        let outcome = tokio::select! {
            outcome = self.with(&storage, range, None, lease) => outcome?,
            never = begun.end_after(self.record.run.lease() * BUDGET) => match never {},
        };
        let reached = begun.end();
        Ok(match outcome {
            Outcome::Done(entry) => Outcome::Done(Box::new(Entry { bounds: (&reached).into(), ..*entry })),
            other => other,
        })
    }

    /// Runs the component over a range: first all deletes are held; then as many are allowed as were counted.
    pub(super) async fn over(
        &self,
        range: &KeyRange,
        extra: Option<Extra>,
        lease: &mut Lease,
    ) -> Result<Outcome> {
        self.with(&self.opened.storage, range, extra, lease).await
    }

    /// The same on a storage. Where there is a limit of bytes, what was granted may end it; then it is done once more with a
    /// larger grant, as long as there is one: what was transferred is the same by then.
    async fn with(
        &self,
        storage: &Storage,
        range: &KeyRange,
        extra: Option<Extra>,
        lease: &mut Lease,
    ) -> Result<Outcome> {
        let (run, pass) =
            (&self.record.run, extra.map_or(Pass::Merge, |extra| Pass::Delete { most: extra.extras }));
        let options = pass.options(&run.options.options(self.opened.backup.clone())?, range);
        let Some(limit) = run.options.max_transfer() else {
            return Ok(self.once(storage, range, &options, extra, lease).await);
        };
        let mut grant = Grant::of(&self.worker.0.cluster, &run.id, limit);
        let mut before = Report::default();
        loop {
            let options = SyncOptions {
                // A dry run says again what it said before.
                max_transfer: Some(if options.dry_run { grant.granted() } else { grant.left() }),
                ..options.clone()
            };
            let entry = match self.once(storage, range, &options, extra, lease).await {
                Outcome::Done(entry) => entry,
                other => return Ok(other),
            };
            let ended = entry.ended_by_limit();
            let moved = match &entry.outcome {
                Came::Counted(Counts::Sync(report)) => report.bytes,
                _ => grant.left(),
            };
            if !options.dry_run {
                grant.spend(moved);
            }
            if let Some(report) = ended {
                match grant.more().await {
                    Ok(true) => {
                        if !options.dry_run {
                            before = added(before, report);
                        }
                        continue;
                    }
                    Ok(false) => {}
                    // The cluster is out of reach for a while: that is no reason to leave the run alone.
                    Err(error) => return Ok(Outcome::Later(error)),
                }
            }
            if options.dry_run {
                grant.spend(moved);
            }
            // What does not go back counts as transferred.
            let _ = grant.end().await;
            return Ok(Outcome::Done(Box::new(entry.after(before)?)));
        }
    }

    /// Runs the component over a range once.
    async fn once(
        &self,
        storage: &Storage,
        range: &KeyRange,
        options: &SyncOptions,
        extra: Option<Extra>,
        lease: &mut Lease,
    ) -> Outcome {
        let (run, name) = (&self.record.run, &self.worker.0.name);
        let sides = [&self.opened.source, &self.opened.target];
        let operation = run.task.operation;
        let log = self.log(if extra.is_some() { Phase::Delete } else { Phase::Merge }, range);
        match operation {
            Operation::Transfer(_) => {
                let job = Event::begin(storage, operation, sides, options).await;
                carry_out(job, lease, range, name, extra, log).await
            }
            Operation::Check => {
                let job = CheckEntry::begin(storage, operation, sides, options).await;
                carry_out(job, lease, range, name, extra, log).await
            }
        }
    }

    /// Runs the component over each directory that a border parts from what is in it, one after the other.
    async fn tidy(&self, tiles: &Tiles, deletes: bool, lease: &mut Lease) -> Result<Outcome> {
        let (whole, name) = (tiles.whole(), &self.worker.0.name);
        if let Some(error) = lease.is_given_up() {
            return Ok(Outcome::Done(Box::new(Lines::default().entry(whole, name, Err(error), None))));
        }
        Ok(match self.tidied(tiles, deletes, lease).await? {
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
        let Opened { storage, source, target, backup, .. } = &self.opened;
        let (options, mut lines) = (run.options.options(backup.clone())?, Lines::default());
        let course = Course {
            storage,
            operation: run.task.operation,
            sides: [source, target],
            options: &options,
            tiles,
            tells_each: false,
        };
        let followed = tidy(&course, deletes, &mut Leased { part: self, lease, lines: &mut lines }).await;
        Ok(followed.ok().map(|counts| (lines, counts)))
    }

    /// The report of a range, if the run asks for it.
    fn log(&self, phase: Phase, range: &KeyRange) -> Option<LogOf> {
        let logs = self.opened.logs.as_ref()?;
        let (range, unused) = (Bounds::from(range).name(), self.worker.0.cluster.unused_id());
        let name = format!("{}/{}-{range}-{unused}", self.record.run.id, phase.as_str());
        Some(LogOf::new(logs, name))
    }
}

/// What attempts that a grant ended did, all together.
const fn added(before: Report, report: Report) -> Report {
    Report {
        transferred: before.transferred + report.transferred,
        bytes: before.bytes + report.bytes,
        updated_times: before.updated_times + report.updated_times,
        sources_removed: before.sources_removed + report.sources_removed,
        ..before
    }
}
