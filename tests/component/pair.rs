//! Two memories, and a run of the sync engine from one to the other.

use std::sync::Arc;

use omnistorage::{
    Backend,
    runtime::{Report, Storage, SyncOptions},
};

use crate::{
    replay::Replay,
    setup::{at, memory, storage},
};

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

/// The events in the order in which they came, and the report. The events tell what became of the target.
pub(crate) async fn sync(
    storage: &Storage,
    options: &SyncOptions,
) -> omnistorage::Result<(Vec<String>, Report)> {
    let target = at("target", "");
    let mut replay = Replay::new(storage, &target, options).await;
    let mut job = storage.sync(&at("source", ""), &target, options).await?;
    let mut events = Vec::new();
    while let Some(event) = job.next().await {
        replay.event(&event);
        events.push(format!("{} {}", event.action.as_str(), event.path));
    }
    let outcome = job.outcome().await;
    replay.assert_holds(storage).await;
    Ok((events, outcome?))
}
