//! Keeps three replicas of an object: writes them at once, does with two when one cannot be written, and reads from
//! whichever is there.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use omnistorage::{
    Config, Location, MemoryBackend, Registry,
    runtime::{Mode, Outcome, Runtime, RuntimeOptions, Storage},
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run().await
}

pub(crate) async fn run() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path().to_string_lossy();
    let runtime = Runtime::new(&RuntimeOptions::default())?;
    let storage = Storage::builder(&runtime)
        .mount("disk", Registry::with_builtin().open("file", Config::from([("root", &*root)]))?)
        .mount("memory", Arc::new(MemoryBackend::new()))
        .mount("spare", Arc::new(MemoryBackend::new()))
        .build();
    let replicas = [
        Location::new("disk", "state.json")?,
        Location::new("memory", "state.json")?,
        Location::new("spare", "state.json")?,
    ];
    let body = |text: &'static str| stream::iter([Ok(text.into())]).boxed();
    let options = Default::default();

    // All or none: nothing is visible before every target has the whole body.
    let written = storage.tee(&replicas, body("one"), &options, None, Mode::All).await?;
    anyhow::ensure!(written.iter().all(|result| result.outcome.written().is_some()));

    // A directory stands in the way on the disk: a majority is enough, and the result names the one that failed.
    std::fs::remove_file(directory.path().join("state.json"))?;
    std::fs::create_dir(directory.path().join("state.json"))?;
    let written = storage.tee(&replicas, body("two"), &options, None, Mode::Quorum).await?;
    anyhow::ensure!(matches!(&written[0].outcome, Outcome::Failed(error) if error.location().is_some()));

    // With all or none, the same leaves the two others as they were.
    let failed = storage.tee(&replicas, body("three"), &options, None, Mode::All).await.err();
    let failed = failed.ok_or_else(|| anyhow::anyhow!("the directory is not an object"))?;
    let outcomes: Vec<_> = failed.targets.iter().map(|result| result.outcome.as_str()).collect();
    anyhow::ensure!(outcomes[0] == "failed", "{outcomes:?}");
    for (replica, outcome) in replicas.iter().zip(&outcomes).skip(1) {
        // The body is short: it may have been there as a whole before the disk refused it.
        anyhow::ensure!(matches!(*outcome, "withheld" | "undone"), "{outcomes:?}");
        let reader = storage.read(replica, &Default::default(), None).await?;
        anyhow::ensure!(reader.contents.try_collect::<Vec<_>>().await?.concat() == b"two");
    }

    // Whichever can be read: the first one cannot.
    let reader = storage.read_any(&replicas, &Default::default(), None).await?;
    let chunks: Vec<_> = reader.contents.try_collect().await?;
    anyhow::ensure!(chunks.concat() == b"two");
    Ok(())
}
