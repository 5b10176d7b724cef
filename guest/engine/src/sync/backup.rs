//! Keeping what a run replaces or deletes on the target.

use omnistorage_core::sync::backup::BackupNames;
use omnistorage_path::Path;

use super::{
    removal::delete,
    sides::{Reading, Writing},
    transfer::copy_many,
};
use crate::imports::{
    backend::{CopyRequest, Features, WriteCondition, WriteOptions},
    types::{Error, ErrorCode, ObjectInfo},
};

/// Where it is kept, and under which names.
#[derive(Clone)]
pub(super) struct Backup {
    pub(super) place: Reading,
    pub(super) names: BackupNames,
    /// Beside the objects.
    pub(super) in_place: bool,
}

impl Backup {
    /// Whether the path of the target is that of a kept object.
    pub(super) fn holds(&self, path: &Path) -> bool {
        self.in_place && self.names.is_backup(path)
    }

    /// Copies objects that are about to be replaced: what is replaced stays whole until the new object is.
    pub(super) async fn keep(&self, target: &Writing, paths: &[&Path]) -> Vec<Result<(), Error>> {
        let requests: Result<Vec<_>, Error> = paths.iter().map(|path| self.request(target, path)).collect();
        match requests {
            Ok(requests) => {
                let kept = copy_many(&target.0, &self.place, requests).await;
                kept.into_iter().map(|kept| kept.map(drop)).collect()
            }
            Err(error) => paths.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// Takes objects away that are to be deleted.
    pub(super) async fn take_away(&self, target: &Writing, paths: &[&Path]) -> Vec<Result<(), Error>> {
        if target.0.shares_backend(&self.place) && target.0.has(Features::MOVE) {
            let mut taken = Vec::with_capacity(paths.len());
            for path in paths {
                taken.push(self.relocate(target, path).await.map(drop));
            }
            return taken;
        }
        let mut results = self.keep(target, paths).await;
        let kept = paths.iter().zip(&results).filter(|(_, kept)| kept.is_ok());
        let kept: Vec<_> = kept.map(|(path, _)| *path).collect();
        let mut deleted = delete(target, &kept).await.into_iter();
        for result in &mut results {
            if result.is_ok()
                && let Some(deleted) = deleted.next()
            {
                *result = deleted;
            }
        }
        results
    }

    async fn relocate(&self, target: &Writing, path: &Path) -> Result<ObjectInfo, Error> {
        let CopyRequest { source, target: to, options } = self.request(target, path)?;
        target.0.backend().move_(source, to, options).await
    }

    fn request(&self, target: &Writing, path: &Path) -> Result<CopyRequest, Error> {
        let refused = |why| {
            let message = format!("the name of its backup is refused: {why}");
            target.0.error(ErrorCode::InvalidPath, path, &message)
        };
        let kept = self.names.path(path).map_err(refused)?;
        Ok(CopyRequest { source: target.0.full(path)?, target: self.place.full(&kept)?, options: as_it_is() })
    }
}

/// Everything comes along.
pub(super) fn as_it_is() -> WriteOptions {
    WriteOptions {
        condition: WriteCondition::Always,
        content_type: None,
        modified: None,
        metadata: Vec::new(),
        expected_size: None,
        expected_hash: None,
    }
}
