//! What only the target has: collected while the listings are merged, deleted when it is time.

use std::rc::Rc;

use futures::{StreamExt, stream};
use omnistorage_core::{entry::ObjectKind, sync::merge::Step};
use omnistorage_path::Path;

use super::{
    backup::Backup,
    pairs::Pairs,
    removal::delete,
    retry::retrying_many,
    sides::{Sides, Writing},
};
use crate::imports::types::Error;

/// Paths kept; of more only the number, and the listings are merged once more to find them again.
const KEPT: usize = 10_000;

/// Objects deleted by one call.
const MANY: usize = 500;

/// Deletes objects of the target, or puts them aside.
#[derive(Clone)]
pub(super) struct Deleter {
    pub(super) target: Writing,
    pub(super) backup: Option<Rc<Backup>>,
}

impl Deleter {
    /// One result a path.
    pub(super) async fn delete(&self, paths: Vec<Path>) -> Vec<(Path, Result<(), Error>)> {
        let borrowed: Vec<_> = paths.iter().collect();
        let results = match &self.backup {
            Some(backup) => {
                retrying_many(self.target.0.attempts, &borrowed, async |paths| {
                    backup.take_away(&self.target, &paths).await
                })
                .await
            }
            None => delete(&self.target, &borrowed).await,
        };
        paths.into_iter().zip(results).collect()
    }
}

/// What only the target has.
#[derive(Default)]
pub(super) struct Extras {
    objects: Vec<Path>,
    count: u64,
}

impl Extras {
    pub(super) fn add(&mut self, path: Path) {
        self.count += 1;
        if self.objects.len() < KEPT {
            self.objects.push(path);
        }
    }

    /// How many objects.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// As many as one call deletes, if there are so many.
    pub(super) fn take_some(&mut self) -> Option<Vec<Path>> {
        if self.objects.len() < MANY || self.count > self.objects.len() as u64 {
            return None;
        }
        self.count = 0;
        Some(std::mem::take(&mut self.objects))
    }

    /// Deletes the objects, and tells of each. Without a deleter, it tells alone.
    pub(super) async fn delete(
        self,
        sides: &Sides,
        deleter: Option<&Deleter>,
        in_flight: usize,
        mut tell: impl AsyncFnMut(Path, Result<(), Error>),
    ) -> Result<(), Error> {
        if self.count == self.objects.len() as u64 {
            delete_objects(deleter, self.objects, in_flight, &mut tell).await;
            return Ok(());
        }
        // A second merge finds them again. What the source has got in the meantime stays.
        let mut pairs = Pairs::new(sides).await?;
        let mut objects = Vec::new();
        loop {
            let step = pairs.next().await?;
            let ended = step == Step::End;
            if let Step::TargetOnly(entry) = step
                && entry.kind == ObjectKind::Object
                && !sides.is_backup(&entry.path)
            {
                objects.push(entry.path);
            }
            if ended || objects.len() >= KEPT {
                delete_objects(deleter, std::mem::take(&mut objects), in_flight, &mut tell).await;
            }
            if ended {
                return Ok(());
            }
        }
    }
}

async fn delete_objects(
    deleter: Option<&Deleter>,
    objects: Vec<Path>,
    in_flight: usize,
    tell: &mut impl AsyncFnMut(Path, Result<(), Error>),
) {
    let Some(deleter) = deleter else {
        for path in objects {
            tell(path, Ok(())).await;
        }
        return;
    };
    let calls = stream::iter(objects.chunks(MANY)).map(|paths| deleter.delete(paths.to_vec()));
    let mut calls = std::pin::pin!(calls.buffer_unordered(in_flight));
    while let Some(results) = calls.next().await {
        for (path, result) in results {
            tell(path, result).await;
        }
    }
}
