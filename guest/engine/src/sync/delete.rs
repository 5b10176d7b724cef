//! What only the target has: collected while the listings are merged, deleted when all else is done.

use futures::{StreamExt, stream};
use omnistorage_core::entry::ObjectKind;
use omnistorage_core::sync::merge::Step;
use omnistorage_path::Path;

use super::{
    pairs::Pairs,
    sides::{Sides, Writing},
};
use crate::imports::{
    backend::Features,
    types::{Error, ErrorCode},
};

/// Paths kept; of more only the number, and the listings are merged once more to find them again.
const KEPT: usize = 10_000;

/// Objects deleted by one call.
const MANY: usize = 500;

/// What only the target has.
#[derive(Default)]
pub(super) struct Extras {
    objects: Vec<Path>,
    count: u64,
    /// In listing order: a directory before those in it. Of too many, the rest stay until the next run.
    directories: Vec<Path>,
}

impl Extras {
    pub(super) fn add_object(&mut self, path: Path) {
        self.count += 1;
        if self.objects.len() < KEPT {
            self.objects.push(path);
        }
    }

    pub(super) fn add_directory(&mut self, path: Path) {
        if self.directories.len() < KEPT {
            self.directories.push(path);
        }
    }

    /// How many objects.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Deletes the objects, then the directories that are empty now. Tells of each object. Without a place to write
    /// to, it tells alone.
    pub(super) async fn delete(
        self,
        sides: &Sides,
        target: Option<&Writing>,
        in_flight: usize,
        mut tell: impl AsyncFnMut(Path, Result<(), Error>),
    ) -> Result<(), Error> {
        if self.count == self.objects.len() as u64 {
            delete_objects(target, self.objects, in_flight, &mut tell).await;
        } else {
            delete_again(sides, target, in_flight, &mut tell).await?;
        }
        remove_directories(target, self.directories).await;
        Ok(())
    }
}

/// Finds the extra objects by a second merge. What the source has got in the meantime stays.
async fn delete_again(
    sides: &Sides,
    target: Option<&Writing>,
    in_flight: usize,
    tell: &mut impl AsyncFnMut(Path, Result<(), Error>),
) -> Result<(), Error> {
    let mut pairs = Pairs::new(sides).await?;
    let mut objects = Vec::new();
    loop {
        let step = pairs.next().await?;
        let ended = step == Step::End;
        if let Step::TargetOnly(entry) = step
            && entry.kind == ObjectKind::Object
        {
            objects.push(entry.path);
        }
        if ended || objects.len() >= KEPT {
            delete_objects(target, std::mem::take(&mut objects), in_flight, tell).await;
        }
        if ended {
            return Ok(());
        }
    }
}

async fn delete_objects(
    target: Option<&Writing>,
    objects: Vec<Path>,
    in_flight: usize,
    tell: &mut impl AsyncFnMut(Path, Result<(), Error>),
) {
    let Some(target) = target else {
        for path in objects {
            tell(path, Ok(())).await;
        }
        return;
    };
    let calls = stream::iter(objects.chunks(MANY)).map(|paths| delete_many(target, paths));
    let mut calls = std::pin::pin!(calls.buffer_unordered(in_flight));
    while let Some(results) = calls.next().await {
        for (path, result) in results {
            tell(path, result).await;
        }
    }
}

async fn delete_many(target: &Writing, paths: &[Path]) -> Vec<(Path, Result<(), Error>)> {
    let full: Result<Vec<_>, _> = paths.iter().map(|path| target.0.full(path)).collect();
    let mut results = match full {
        Ok(full) => target.0.backend().delete(full).await,
        Err(error) => paths.iter().map(|_| Err(error.clone())).collect(),
    }
    .into_iter();
    let result = |path: &Path| {
        results.next().unwrap_or_else(|| {
            let message = "the backend gave no result for it";
            Err(target.0.error(ErrorCode::Other, path, message))
        })
    };
    let results: Vec<_> = paths.iter().map(result).collect();
    paths.iter().cloned().zip(results).collect()
}

/// Removes directories, deepest first. One that is not empty holds what was left alone, and stays.
async fn remove_directories(target: Option<&Writing>, directories: Vec<Path>) {
    let Some(target) = target.filter(|target| target.0.has(Features::DIRECTORIES)) else { return };
    for directory in directories.iter().rev() {
        if let Ok(full) = target.0.full(directory) {
            let _ = target.0.backend().rmdir(full).await;
        }
    }
}
