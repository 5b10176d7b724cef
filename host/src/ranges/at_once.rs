//! All ranges of a run at once in this process, each in a sandbox of its own.

mod merge;
mod parts;

use std::{collections::BTreeMap, convert::Infallible};

use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;

use self::{merge::Merged, parts::Parts};
use crate::{
    Location, Path, Result,
    ranges::{
        counts::{Counted, Counts},
        course::{Course, Stage},
        extra::{Extra, waves},
        operation::{Operation, Transfer},
        pass::Pass,
        refused::Unsplittable,
        sum::Done,
        tidy::{Follow, tidy},
        tiles::{Tiles, require_sorted},
        told::{Telling, Tells},
    },
    runtime::{CheckEntry, CheckJob, Event, Job, Storage, SyncJob, SyncOptions},
};

/// Items that wait for whoever follows the run.
const ITEMS: usize = 256;

/// A sync, a copy or a move with so many ranges at once. Target, events, report and errors are those of one run. A source
/// that is one object is left to one run.
///
/// Where names are flat on both sides, whoever is free takes over a part of what is left of another range; otherwise some twice
/// as many ranges are cut beforehand. There is one limit of bandwidth for all ranges. Numbers of transfers and comparisons in flight are those of each range.
///
/// # Errors
/// [`ErrorCode::Unsupported`](crate::ErrorCode::Unsupported) for what ranges cannot share (see [`Unsplittable`]), and for
/// places that do not list in byte order; as [`Storage::plan`] and [`Storage::sync`].
pub async fn transfer(
    storage: &Storage,
    transfer: Transfer,
    sides: &[Location; 2],
    options: &SyncOptions,
    ranges: u32,
) -> Result<SyncJob> {
    begin::<Event>(storage, Operation::Transfer(transfer), sides, options, ranges).await
}

/// A check with so many ranges at once: see [`transfer`].
///
/// # Errors
/// As [`transfer`].
pub async fn check(
    storage: &Storage,
    sides: &[Location; 2],
    options: &SyncOptions,
    ranges: u32,
) -> Result<CheckJob> {
    begin::<CheckEntry>(storage, Operation::Check, sides, options, ranges).await
}

async fn begin<E: Counted + Tells>(
    storage: &Storage,
    operation: Operation,
    sides: &[Location; 2],
    options: &SyncOptions,
    ranges: u32,
) -> Result<Job<E, E::Report>> {
    if let Some(refused) = Unsplittable::of(options) {
        return Err(refused.into());
    }
    let (storage, activity) = storage.in_common();
    let [source, target] = sides;
    require_sorted(&storage, [source, target]).await?;
    let Some(parts) = Parts::of(&storage, [source, target], options, ranges).await? else {
        return E::begin(&storage, operation, [source, target], options).await;
    };
    let (tell, told) = mpsc::channel(ITEMS);
    let at_work = usize::try_from(ranges).unwrap_or(usize::MAX).max(1);
    let run =
        AtOnce { storage, operation, sides: sides.clone(), options: options.clone(), parts, at_work, tell };
    let told = stream::unfold(told, |mut told| async { Some((told.recv().await?, told)) });
    Ok(Job::led(told, run.lead(), activity))
}

/// A run whose ranges are at work in this process.
struct AtOnce<E> {
    storage: Storage,
    operation: Operation,
    sides: [Location; 2],
    options: SyncOptions,
    parts: Parts,
    /// How many ranges are at work at a time, at least one.
    at_work: usize,
    tell: mpsc::Sender<E>,
}

impl<E: Counted + Tells> AtOnce<E> {
    async fn lead(self) -> Result<E::Report> {
        let [source, target] = &self.sides;
        let Merged { tiles, mut told, done } = self.merge().await;
        let course = Course {
            storage: &self.storage,
            operation: self.operation,
            sides: [source, target],
            options: &self.options,
            tiles: &tiles,
            tells_each: true,
        };
        let mut stage = course.merged(&done).await?;
        loop {
            stage = match stage {
                Stage::Deleting { sum, ranges } => {
                    let done = self.delete(&course, &ranges, &mut told).await?;
                    course.deleted(sum, &ranges, &done).await?
                }
                Stage::Tidying { sum, deletes } => {
                    Course::tidied(sum, self.tidy(&course, deletes, &mut told).await)
                }
                Stage::Ended(outcome) => {
                    for waiting in told.into_iter().flat_map(E::given_up) {
                        self.tell(waiting).await;
                    }
                    return E::report(outcome?);
                }
            }
        }
    }

    async fn tell(&self, item: E) {
        // Who does not listen wants to know the outcome alone.
        let _ = self.tell.send(item).await;
    }

    /// A pass over several ranges.
    async fn all(
        &self,
        course: &Course<'_>,
        wanted: BTreeMap<usize, Pass>,
        told: &mut [E::Told],
    ) -> Result<BTreeMap<usize, Done>> {
        let mut passes = Vec::new();
        for (index, told) in told.iter_mut().enumerate() {
            if let Some(pass) = wanted.get(&index) {
                passes.push(self.one(course, index, *pass, told));
            }
        }
        stream::iter(passes).buffer_unordered(self.at_work).try_collect().await
    }

    /// Deletes in ranges.
    async fn delete(
        &self,
        course: &Course<'_>,
        ranges: &[Extra],
        told: &mut [E::Told],
    ) -> Result<BTreeMap<usize, Done>> {
        let mut done = BTreeMap::new();
        for wave in waves(ranges) {
            let wanted = wave.iter().map(|extra| (extra.index, Pass::Delete { most: extra.extras }));
            done.extend(self.all(course, wanted.collect(), told).await?);
        }
        Ok(done)
    }

    /// A pass over one range.
    async fn one(
        &self,
        course: &Course<'_>,
        index: usize,
        pass: Pass,
        told: &mut E::Told,
    ) -> Result<(usize, Done)> {
        let range = course.tiles.range(index)?;
        let options = pass.options(&self.options, &range);
        let job = E::begin(&self.storage, self.operation, course.sides, &options).await;
        let counts = self.follow(job, told, Telling::of(pass, self.options.dry_run)).await;
        Ok((index, Done { range, counts, waiting: E::waiting(told) }))
    }

    /// Looks once more at the directories that a border parts from what is in them.
    async fn tidy(&self, course: &Course<'_>, deletes: bool, told: &mut [E::Told]) -> Result<Counts> {
        match tidy(course, deletes, &mut Tidying { run: self, tiles: course.tiles, told }).await {
            Ok(counts) => counts,
        }
    }

    /// Follows a job to its end.
    async fn follow(
        &self,
        job: Result<Job<E, E::Report>>,
        told: &mut E::Told,
        telling: Telling,
    ) -> Result<Counts> {
        let mut job = job?;
        while let Some(item) = job.next().await {
            if let Some(item) = item.told(told, telling) {
                self.tell(item).await;
            }
        }
        let counts = E::counts(job.outcome().await?);
        Ok(match telling {
            Telling::First => counts,
            _ => E::told_counts(told, counts, telling),
        })
    }
}

/// The directories at the end of a run.
struct Tidying<'a, E: Tells> {
    run: &'a AtOnce<E>,
    tiles: &'a Tiles,
    told: &'a mut [E::Told],
}

impl<E: Counted + Tells> Follow<E> for Tidying<'_, E> {
    type Left = Infallible;

    async fn follow(
        &mut self,
        directory: &Path,
        job: Result<Job<E, E::Report>>,
    ) -> std::result::Result<Result<Counts>, Infallible> {
        let Self { run, tiles, told } = self;
        let index = tiles.index_of(directory);
        // There is one for each range.
        let Some(told) = told.get_mut(index) else {
            return Ok(tiles.range(index).map(|_| E::counts(E::Report::default())));
        };
        Ok(run.follow(job, told, Telling::Last).await)
    }
}
