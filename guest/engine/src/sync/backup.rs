//! Keeps copies of what a run replaces or deletes on the target.

use omnistorage_core::sync::backup::BackupNames;
use omnistorage_types::{CopyRequest, Error, ErrorCode, Path};

use super::{
    copying::{as_it_is, copy_many, fill_in, is_unsupported, move_many},
    place::{Reading, Writing},
    removal::{Doomed, delete_seen},
};

/// Where the copies are kept, and under which names.
#[derive(Clone)]
pub(super) struct Backup {
    pub(super) place: Reading,
    pub(super) names: BackupNames,
    /// Beside the objects themselves.
    pub(super) in_place: bool,
}

impl Backup {
    /// Whether a path on the target belongs to a kept copy.
    pub(super) fn holds(&self, path: &Path) -> bool {
        self.in_place && self.names.is_backup(path)
    }

    /// Copies objects that are about to be replaced. The old object stays whole until the new one is complete.
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

    /// Moves objects away that are to be deleted.
    pub(super) async fn take_away(&self, target: &Writing, doomed: &[&Doomed]) -> Vec<Result<(), Error>> {
        let requests: Result<Vec<_>, Error> =
            doomed.iter().map(|doomed| self.request(target, &doomed.path)).collect();
        let mut results = match requests {
            Ok(requests) => move_many(&target.0, &self.place, requests).await,
            Err(error) => return doomed.iter().map(|_| Err(error.clone())).collect(),
        };
        let in_two_steps = || results.iter().enumerate().filter(|(_, moved)| is_unsupported(moved));
        let positions: Vec<_> = in_two_steps().map(|(position, _)| position).collect();
        let doomed: Vec<_> = positions.iter().filter_map(|&position| doomed.get(position).copied()).collect();
        for (position, taken) in positions.into_iter().zip(self.keep_and_delete(target, &doomed).await) {
            if let Some(result) = results.get_mut(position) {
                *result = taken;
            }
        }
        results
    }

    async fn keep_and_delete(&self, target: &Writing, doomed: &[&Doomed]) -> Vec<Result<(), Error>> {
        let paths: Vec<_> = doomed.iter().map(|doomed| &doomed.path).collect();
        let mut results = self.keep(target, &paths).await;
        let kept = doomed.iter().zip(&results).filter(|(_, kept)| kept.is_ok());
        let kept: Vec<_> = kept.map(|(doomed, _)| *doomed).collect();
        fill_in(&mut results, delete_seen(target, &kept).await);
        results
    }

    fn request(&self, target: &Writing, path: &Path) -> Result<CopyRequest, Error> {
        let refused = |why| {
            let message = format!("the name of its backup is refused: {why}");
            target.0.error(ErrorCode::InvalidPath, path, &message)
        };
        let kept = self.names.path(target.0.name_there(path)).map_err(refused)?;
        Ok(CopyRequest { source: target.0.full(path)?, target: self.place.full(&kept)?, options: as_it_is() })
    }
}
