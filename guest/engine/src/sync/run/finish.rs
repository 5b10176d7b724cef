//! Everything a run does besides transfers: renames, deletes, directories.

use omnistorage_core::{
    entry::ObjectKind,
    sync::{
        compare::Reason,
        guard::{DeletePlan, DeleteRefusal, deletes_allowed},
        merge::Side,
        rename::Renames,
    },
};
use omnistorage_types::{Deletion, Error, ErrorCode, Path};

use super::Run;
use crate::{
    planted::{self, Bug},
    sync::{
        delete::extra,
        fence::{Fences, Seen},
        flight::{Bound, Done},
        judge,
        operation::Operation,
        options::{delete_limits, rename_strategy},
        pairs::{Pairs, Step},
        place::Writing,
        rename::{Renamed, rename},
    },
};

impl Run {
    /// Moves renamed objects, and transfers the others that the target lacks.
    pub(super) async fn rename_all(&mut self) -> Result<(), Error> {
        let Some(unmatched) = self.unmatched.take() else { return Ok(()) };
        if self.journal.report.stopped.is_some() {
            unmatched.extra.into_iter().for_each(|extra| self.extras.add(extra));
            return Ok(());
        }
        let strategy = rename_strategy(self.options.track_renames, self.compare.window_ns);
        let Renames { renamed, missing, extra } = unmatched.sort_out(&self.sides, strategy).await;
        extra.into_iter().for_each(|extra| self.extras.add(extra));
        let renames_over = Fences::between(&self.sides.target, &self.sides.target);
        for (source, from) in renamed {
            let Some(carrier) = &self.carrier else {
                self.settle(Done::Renamed(Box::new(source), Box::new(from), Renamed::Moved));
                continue;
            };
            let target = carrier.target.clone();
            let condition = renames_over.condition(Seen::Nothing);
            // The time of the last write is not the modification time.
            let modified = source.modified.filter(|_| !self.sides.source.lists_writes);
            self.in_flight.start(Bound::Transfers, async move {
                let result = rename(&target, &source, modified, &from, condition).await;
                Done::Renamed(Box::new(source), Box::new(from), result)
            });
            while !self.in_flight.has_room() {
                if let Some(done) = self.in_flight.next().await {
                    self.settle(done);
                }
            }
        }
        for source in missing {
            self.queue(source, Reason::MissingOnTarget, Seen::Nothing);
            while !self.in_flight.has_room() {
                if let Some(done) = self.in_flight.next().await {
                    self.settle(done);
                }
            }
        }
        self.transfer_all(None).await
    }

    /// Finds extra objects in a separate merge, and deletes them.
    pub(super) async fn delete_before(&mut self) -> Result<(), Error> {
        let mut pairs = Pairs::new(&self.sides).await?;
        let mut source_objects = 0;
        loop {
            let step = match pairs.next().await? {
                Step::End => break,
                Step::Failed { side, failure } => {
                    self.fail_listed(side, *failure);
                    continue;
                }
                step => step,
            };
            if let Step::SourceOnly(source)
            | Step::Both { source, .. }
            | Step::Unknown { side: Side::Source, entry: source } = &step
            {
                source_objects += u64::from(source.kind == ObjectKind::Object);
            }
            if let Some(extra) = extra(step, &self.sides) {
                self.extras.add(extra);
            }
        }
        self.source_objects = source_objects;
        self.delete_extras().await?;
        self.source_objects = 0;
        Ok(())
    }

    /// Deletes extra objects while the listings are still merged, as far as that is already known to be allowed.
    pub(super) fn delete_some(&mut self) {
        let Some(deleter) = self.deleter.clone() else { return };
        if self.deletes_allowed().is_err() {
            return;
        }
        if let Some(extras) = self.extras.take_some() {
            self.deletes_begun += extras.len() as u64;
            self.journal.report.extras += extras.len() as u64;
            self.in_flight
                .start(Bound::Transfers, async move { Done::Deleted(deleter.delete(extras).await) });
        }
    }

    fn deletes_allowed(&self) -> Result<(), DeleteRefusal> {
        let plan = DeletePlan {
            errors: if planted::has(Bug::DeletesAfterErrors) { 0 } else { self.journal.report.errors },
            source_objects: self.source_objects,
            extras: self.extras.count(),
        };
        deletes_allowed(plan, delete_limits(&self.options, self.deletes_begun))
    }

    /// Deletes extra objects, unless a guard forbids it.
    pub(super) async fn delete_extras(&mut self) -> Result<(), Error> {
        if self.options.deletion == Deletion::None {
            return Ok(());
        }
        self.journal.report.extras += self.extras.count();
        if self.journal.report.stopped.is_some() || self.options.hold_deletes {
            self.journal.report.deletes_withheld = self.extras.count();
            return Ok(());
        }
        match self.deletes_allowed() {
            Ok(()) => {}
            Err(DeleteRefusal::Withheld { extras, .. }) => {
                self.journal.report.deletes_withheld = extras;
                return Ok(());
            }
            Err(refusal) => {
                let code = judge::code(refusal);
                let message = match refusal {
                    DeleteRefusal::EmptySource { extras } if !self.sides.range.is_whole() => format!(
                        "the source has nothing in this range, and the sync would delete all {extras} objects that the \
                         target has there: allow an empty source (`allow-empty-source`) if that is meant"
                    ),
                    refusal => refusal.to_string(),
                };
                return Err(self.sides.target.error(code, &Path::root(), &message));
            }
        }
        let extras = std::mem::take(&mut self.extras);
        self.deletes_begun += extras.count();
        let (deleter, options) = (self.deleter.clone(), &self.options);
        let (sides, journal, directories) = (&self.sides, &mut self.journal, &mut self.directories);
        let deleting = extras.delete(sides, deleter.as_ref(), options, async |path, deleted| {
            journal.deleted(&path, deleted);
            directories.touch(&path);
            if journal.events.is_full() {
                journal.events.flush().await;
            }
        });
        let left = deleting.await?;
        if left > 0 {
            self.journal.report.deletes_withheld = left;
            let message = format!("{left} objects are left that the source does not have: run it again");
            let error = self.sides.target.error(ErrorCode::Unavailable, &Path::root(), &message);
            self.fail(&Path::root(), error);
        }
        Ok(())
    }

    /// Removes and creates directories and sets their times, now that nothing in them changes any more.
    pub(super) async fn finish_directories(&mut self) {
        let Some(target) = self.carrier.as_ref().map(|carrier| carrier.target.clone()) else { return };
        if self.journal.report.stopped.is_some() {
            return;
        }
        let may_delete = self.journal.report.errors == 0 || self.options.ignore_errors;
        if self.options.deletion != Deletion::None && may_delete && !self.options.hold_deletes {
            self.directories.remove_extra(&target).await;
        }
        let mut failed = Vec::new();
        if self.options.empty_directories {
            failed.extend(self.directories.make(&target).await);
        }
        failed.extend(self.directories.set_times(&target).await);
        for (path, error) in failed {
            self.fail(&path, error);
        }
        if self.operation == Operation::Move && self.options.delete_empty_source_directories {
            self.directories.remove_source(&Writing(self.sides.source.clone())).await;
        }
    }
}
