//! What follows what in a run over ranges. Whoever carries out its ranges, in this process or elsewhere, asks here what comes
//! next.

use std::collections::BTreeMap;

use crate::{
    Error, ErrorCode, Location, Result,
    ranges::{
        counts::Counts,
        extra::Extra,
        operation::{Operation, Transfer},
        sum::{Done, deleted, summed, tidied},
        tiles::Tiles,
    },
    runtime::{Report, Storage, SyncOptions},
};

/// How far a run is.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// The sum was judged: what is extra may go, in the ranges that have some.
    Deleting {
        /// Of all ranges.
        sum: Counts,
        ranges: Vec<Extra>,
    },
    /// All objects are done; directories follow that lie in another range than what is in them.
    Tidying {
        /// Of all ranges.
        sum: Counts,
        /// Those that are extra go.
        deletes: bool,
    },
    /// What was counted, or why the run could not be carried through.
    Ended(Result<Counts>),
}

/// What a run over ranges is about.
#[derive(Clone, Debug)]
pub(crate) struct Course<'a> {
    pub(crate) storage: &'a Storage,
    pub(crate) operation: Operation,
    pub(crate) sides: [&'a Location; 2],
    pub(crate) options: &'a SyncOptions,
    pub(crate) tiles: &'a Tiles,
    /// Whether each object that a dry run would delete is told, or how many there are.
    pub(crate) tells_each: bool,
}

impl Course<'_> {
    /// What follows when all ranges were compared.
    ///
    /// # Errors
    /// A fault of this machine; a verdict is a stage.
    pub(crate) async fn merged(&self, done: &BTreeMap<usize, Done>) -> Result<Stage> {
        let sum = match summed(self.tiles.whole(), done) {
            Ok(sum) => sum,
            Err(error) => return Ok(Stage::Ended(Err(error))),
        };
        match (self.operation, sum) {
            (Operation::Transfer(Transfer::Sync), Counts::Sync(report)) => self.judged(report, done).await,
            (Operation::Transfer(_), sum) => self.finished(sum, false).await,
            (Operation::Check, sum) => Ok(Stage::Ended(Ok(sum))),
        }
    }

    /// What follows when what is extra was deleted.
    ///
    /// # Errors
    /// A fault of this machine.
    pub(crate) async fn deleted(
        &self,
        sum: Counts,
        ranges: &[Extra],
        done: &BTreeMap<usize, Done>,
    ) -> Result<Stage> {
        match deleted(sum, ranges, done) {
            Ok(sum) => self.finished(sum, true).await,
            Err(error) => Ok(Stage::Ended(Err(error))),
        }
    }

    /// What follows when the directories were looked at once more.
    pub(crate) fn tidied(sum: Counts, now: Result<Counts>) -> Stage {
        Stage::Ended(now.and_then(|now| tidied(sum, now)))
    }

    /// What follows when all objects are done: the directories, where there are any and a border may part them from what is
    /// in them.
    async fn finished(&self, sum: Counts, deletes: bool) -> Result<Stage> {
        let is_over = self.options.dry_run
            || self.tiles.borders().is_empty()
            || sum.report().is_ok_and(|sum| sum.stopped.is_some());
        if is_over || !self.has_directories().await? {
            return Ok(Stage::Ended(Ok(sum)));
        }
        Ok(Stage::Tidying { sum, deletes })
    }

    /// Whether a side has directories that the run may change.
    async fn has_directories(&self) -> Result<bool> {
        let [source, target] = self.sides;
        let has = async |side: &Location| {
            Ok::<_, Error>(self.storage.features(&side.backend).await?.features.directories)
        };
        Ok(has(target).await?
            || self.options.delete_empty_source_directories
                && self.operation == Operation::Transfer(Transfer::Move)
                && has(source).await?)
    }

    /// What follows by the judgement of the component on the sum.
    async fn judged(&self, sum: Report, done: &BTreeMap<usize, Done>) -> Result<Stage> {
        let options = self.options;
        if options.hold_deletes {
            return self.finished(Counts::Sync(sum), false).await;
        }
        match self.storage.judge(&sum, options).await {
            Ok(()) if options.dry_run && !self.tells_each => {
                let sum = Report { deleted: sum.extras, deletes_withheld: 0, ..sum };
                self.finished(Counts::Sync(sum), true).await
            }
            Ok(()) => {
                let deletes = sum.errors == 0 || options.ignore_errors;
                let ranges = if deletes && sum.stopped.is_none() { extras(done)? } else { Vec::new() };
                if ranges.is_empty() {
                    // Nothing is extra but for directories, which go if there was no error.
                    return self.finished(Counts::Sync(sum), deletes).await;
                }
                Ok(Stage::Deleting { sum: Counts::Sync(sum), ranges })
            }
            // As one run does it: it goes to its end, and tells that the deletes were withheld.
            Err(error)
                if error.code() == ErrorCode::PreconditionFailed
                    && (sum.stopped.is_some() || sum.errors > 0 && !options.ignore_errors) =>
            {
                self.finished(Counts::Sync(sum), false).await
            }
            // A verdict, and no fault of this machine.
            Err(error)
                if matches!(error.code(), ErrorCode::PreconditionFailed | ErrorCode::LimitExceeded) =>
            {
                let [_, target] = self.sides;
                Ok(Stage::Ended(Err(error.at(&target.backend, &target.path))))
            }
            Err(error) => Err(error),
        }
    }
}

/// The ranges that have something extra, or in which something waits for that.
fn extras(done: &BTreeMap<usize, Done>) -> Result<Vec<Extra>> {
    let mut ranges = Vec::new();
    for (index, done) in done {
        let Report { extras, errors, .. } = done.counts.clone()?.report()?;
        if extras > 0 || done.waiting > 0 {
            ranges.push(Extra { index: *index, extras, waiting: done.waiting, errors });
        }
    }
    Ok(ranges)
}
