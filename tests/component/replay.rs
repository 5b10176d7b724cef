//! The events of a run, replayed on what was listed of the target before, tell what is listed of it afterwards.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;
use omnistorage::{
    ErrorCode, Location, ObjectKind,
    backend::ListOptions,
    runtime::{Action, Event, Storage, SyncOptions},
};

/// The sizes of the objects below a place.
type Listing = BTreeMap<String, Option<u64>>;

/// What a target should be.
pub(crate) struct Replay {
    target: Location,
    listing: Listing,
    /// Nobody knows what became of those.
    failed: BTreeSet<String>,
    dry_run: bool,
    /// Behind the names of what is kept beside the objects: no event tells of these.
    suffix: Option<String>,
}

impl Replay {
    /// Before a run with these options.
    pub(crate) async fn new(storage: &Storage, target: &Location, options: &SyncOptions) -> Self {
        let beside = options.backup.as_ref().filter(|backup| backup.place.is_none());
        Self {
            listing: list(storage, target).await,
            target: target.clone(),
            failed: BTreeSet::new(),
            dry_run: options.dry_run,
            suffix: beside.map(|backup| backup.suffix.clone()),
        }
    }

    pub(crate) fn event(&mut self, event: &Event) {
        if event.action == Action::Failed {
            self.failed.insert(event.path.clone());
        }
        if self.dry_run {
            return;
        }
        match event.action {
            Action::Transferred => _ = self.listing.insert(event.path.clone(), event.size),
            Action::Deleted => _ = self.listing.remove(&event.path),
            Action::Renamed => {
                let from = event.reason.as_deref().unwrap();
                let size = self.listing.remove(from).unwrap();
                self.listing.insert(event.path.clone(), size);
            }
            Action::UpdatedTime | Action::SourceRemoved | Action::Skipped | Action::Failed => {}
        }
    }

    /// After the run.
    pub(crate) async fn assert_holds(self, storage: &Storage) {
        let Self { target, mut listing, failed, suffix, .. } = self;
        let mut found = list(storage, &target).await;
        for listing in [&mut listing, &mut found] {
            listing.retain(|path, _| {
                !failed.contains(path) && suffix.as_ref().is_none_or(|suffix| !path.contains(suffix))
            });
        }
        assert_eq!(found, listing, "the events tell something else than what became of the target");
    }
}

async fn list(storage: &Storage, place: &Location) -> Listing {
    let options = ListOptions { recursive: true, ..Default::default() };
    let entries = match storage.list(place, &options).await {
        Err(error) if error.code() == ErrorCode::NotFound => return Listing::new(),
        listing => listing.unwrap().try_collect::<Vec<_>>().await.unwrap(),
    };
    let objects = entries
        .into_iter()
        .filter_map(|listed| listed.into_entry().ok())
        .filter(|entry| entry.kind == ObjectKind::Object);
    objects.map(|entry| (entry.path.strip_prefix(&place.path).unwrap().into(), entry.size)).collect()
}
