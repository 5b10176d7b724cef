//! Objects that only the target has: collected while the listings are merged, deleted at the end.

use std::rc::Rc;

use futures::{StreamExt, stream};
use omnistorage_core::{
    entry::{Entry, ObjectKind},
    sync::counted::Counted,
};
use omnistorage_types::{Error, ErrorCode, Path, SyncOptions};

use super::{
    backup::Backup,
    pairs::{Pairs, Step},
    place::Writing,
    removal::{Doomed, delete_seen},
    retry::retrying_many,
    returned::SecondLook,
    sides::Sides,
};

/// Paths kept; of more only which they were, and the listings are merged once more to find them again.
const KEPT: usize = 10_000;

/// How many objects one call deletes.
const MANY: usize = 500;

/// Deletes objects of the target, or moves them to the backup.
#[derive(Clone)]
pub(super) struct Deleter {
    pub(super) target: Writing,
    pub(super) backup: Option<Rc<Backup>>,
    pub(super) second_look: SecondLook,
}

impl Deleter {
    /// Deletes what the source still lacks; one result a path. What the source has got since the listing stays, and
    /// nothing is told of it.
    pub(super) async fn delete(&self, doomed: Vec<Doomed>) -> Vec<(Path, Result<(), Error>)> {
        let (mut results, mut lacking) = (Vec::new(), Vec::new());
        let returned = self.second_look.returned(&doomed).await;
        for (doomed, returned) in doomed.into_iter().zip(returned) {
            match returned {
                Ok(false) => lacking.push(doomed),
                Ok(true) => {}
                Err(error) => results.push((doomed.path, Err(error))),
            }
        }
        results.extend(self.delete_now(lacking).await);
        results
    }

    /// Deletes what the source lacks, as was just seen.
    async fn delete_now(&self, doomed: Vec<Doomed>) -> Vec<(Path, Result<(), Error>)> {
        let borrowed: Vec<_> = doomed.iter().collect();
        let results = match &self.backup {
            Some(backup) => {
                retrying_many(&self.target.0.attempts, &borrowed, async |doomed| {
                    backup.take_away(&self.target, &doomed).await
                })
                .await
            }
            None => delete_seen(&self.target, &borrowed).await,
        };
        doomed.into_iter().map(|doomed| doomed.path).zip(results).collect()
    }
}

/// The objects that only the target has.
pub(super) struct Extras {
    /// Their paths, as long as there are few.
    objects: Vec<Doomed>,
    /// If there are many: a hash of each, so that a second merge finds them again.
    counted: Option<Counted>,
    count: u64,
    most: usize,
}

impl Default for Extras {
    fn default() -> Self {
        Self { objects: Vec::new(), counted: None, count: 0, most: KEPT }
    }
}

impl Extras {
    /// Keeps all of them: for a run that holds them in memory anyway.
    pub(super) fn keeping_all() -> Self {
        Self { most: usize::MAX, ..Self::default() }
    }

    pub(super) fn add(&mut self, extra: Entry) {
        self.count += 1;
        if let Some(counted) = &mut self.counted {
            return counted.add(&extra.path);
        }
        self.objects.push(extra.into());
        if self.objects.len() > self.most {
            let mut counted = Counted::default();
            std::mem::take(&mut self.objects).iter().for_each(|extra| counted.add(&extra.path));
            self.counted = Some(counted);
        }
    }

    /// How many objects.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// A full batch for one call, if there is one.
    pub(super) fn take_some(&mut self) -> Option<Vec<Doomed>> {
        if self.objects.len() < MANY {
            return None;
        }
        self.count = 0;
        Some(std::mem::take(&mut self.objects))
    }

    /// Deletes the objects, and tells of each; without a deleter, it tells alone. Gives the number of those that are
    /// left for another run.
    pub(super) async fn delete(
        self,
        sides: &Sides,
        deleter: Option<&Deleter>,
        options: &SyncOptions,
        mut tell: impl AsyncFnMut(Path, Result<(), Error>),
    ) -> Result<u64, Error> {
        let in_flight = options.transfers as usize;
        let Some(mut counted) = self.counted else {
            let delete = async |deleter: &Deleter, some| deleter.delete(some).await;
            delete_objects(deleter, self.objects, in_flight, delete, &mut tell).await;
            return Ok(0);
        };
        let mut left = self.count.saturating_sub(counted.len() as u64);
        // A second merge finds them again. What the source has got in the meantime stays, as does what has become
        // extra: it was not counted. And a source that shows no object any more is gone.
        let mut pairs = Pairs::new(sides).await?;
        let mut due = Vec::new();
        loop {
            let step = pairs.next().await?;
            let ended = matches!(step, Step::End);
            let step = match step {
                // The first merge found none.
                Step::Failed { failure, .. } if !options.ignore_errors => return Err(failure.error),
                step => step,
            };
            due.extend(extra(step, sides).filter(|extra| counted.holds(&extra.path)).map(Doomed::from));
            if !ended && due.len() < KEPT {
                continue;
            }
            let due = std::mem::take(&mut due);
            if pairs.source_has_objects() || options.allow_empty_source {
                let delete = async |deleter: &Deleter, some| deleter.delete_now(some).await;
                delete_objects(deleter, due, in_flight, delete, &mut tell).await;
            } else if ended && !due.is_empty() {
                let message =
                    "it had objects when this run began, and has none any more: nothing more is deleted";
                return Err(sides.source.error(ErrorCode::PreconditionFailed, &Path::root(), message));
            } else {
                left += due.len() as u64;
            }
            if ended {
                return Ok(left);
            }
        }
    }
}

/// The object of the target that a step shows to be extra. Where the source has a directory, an object is.
pub(super) fn extra(step: Step, sides: &Sides) -> Option<Entry> {
    let target = match step {
        Step::TargetOnly(target) => target,
        Step::Both { source, target } if source.kind == ObjectKind::Directory => target,
        _ => return None,
    };
    (target.kind == ObjectKind::Object && !sides.is_backup(&target.path)).then_some(target)
}

async fn delete_objects(
    deleter: Option<&Deleter>,
    objects: Vec<Doomed>,
    in_flight: usize,
    delete: impl AsyncFn(&Deleter, Vec<Doomed>) -> Vec<(Path, Result<(), Error>)>,
    tell: &mut impl AsyncFnMut(Path, Result<(), Error>),
) {
    let Some(deleter) = deleter else {
        for extra in objects {
            tell(extra.path, Ok(())).await;
        }
        return;
    };
    let calls = stream::iter(objects.chunks(MANY)).map(|some| delete(deleter, some.to_vec()));
    let mut calls = std::pin::pin!(calls.buffer_unordered(in_flight));
    while let Some(results) = calls.next().await {
        for (path, result) in results {
            tell(path, result).await;
        }
    }
}
