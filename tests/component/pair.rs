//! Two memories, and a run of the sync engine from one to the other.

use std::sync::Arc;

use omnistorage::{
    Backend,
    runtime::{Report, Storage, SyncOptions},
};

use crate::setup::{at, memory, storage};

pub(crate) struct Pair {
    pub(crate) source: Arc<dyn Backend>,
    pub(crate) target: Arc<dyn Backend>,
    pub(crate) storage: Storage,
}

pub(crate) fn pair() -> Pair {
    let (source, target) = (memory(), memory());
    let storage = storage([("source", source.clone()), ("target", target.clone())]);
    Pair { source, target, storage }
}

/// The events in the order in which they came, and the report.
pub(crate) async fn sync(
    storage: &Storage,
    options: &SyncOptions,
) -> omnistorage::Result<(Vec<String>, Report)> {
    let mut job = storage.sync(&at("source", ""), &at("target", ""), options).await?;
    let mut events = Vec::new();
    while let Some(event) = job.next().await {
        events.push(format!("{} {}", event.action.as_str(), event.path));
    }
    Ok((events, job.outcome().await?))
}
