//! Mirrors a directory into memory, with events as they happen; then shows that a second run has nothing to do, and
//! what happens when the source vanishes.

use std::sync::Arc;

use omnistorage::{
    Config, ErrorCode, Location, MemoryBackend, Registry,
    runtime::{Runtime, RuntimeOptions, Storage, SyncOptions},
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run().await
}

pub(crate) async fn run() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    std::fs::create_dir(directory.path().join("2026"))?;
    std::fs::write(directory.path().join("2026/notes.txt"), "hello")?;
    std::fs::write(directory.path().join("empty"), "")?;

    // Backends come from code, or by name from a configuration.
    let root = directory.path().to_string_lossy();
    let documents = Registry::with_builtin().open("file", Config::from([("root", &*root)]))?;

    // The component is compiled once; its sandboxes can touch these two backends and nothing else.
    let runtime = Runtime::new(&RuntimeOptions::default())?;
    let storage = Storage::builder(&runtime)
        .mount("documents", documents)
        .mount("copy", Arc::new(MemoryBackend::new()))
        .build();
    let (source, target) = (Location::new("documents", "")?, Location::new("copy", "")?);

    let mut job = storage.sync(&source, &target, &SyncOptions::default()).await?;
    let mut events = Vec::new();
    while let Some(event) = job.next().await {
        events.push((event.action.as_str(), event.path));
    }
    let report = job.outcome().await?;
    anyhow::ensure!(events.len() == 2 && report.transferred == 2 && report.bytes == 5);

    let again = storage.sync(&source, &target, &SyncOptions::default()).await?.outcome().await?;
    anyhow::ensure!(again.checked == 2 && again.transferred == 0);

    // A source that lost everything is more often a mistake than a wish.
    std::fs::remove_dir_all(directory.path().join("2026"))?;
    std::fs::remove_file(directory.path().join("empty"))?;
    let refused = storage.sync(&source, &target, &SyncOptions::default()).await?.outcome().await;
    anyhow::ensure!(refused.is_err_and(|error| error.code() == ErrorCode::PreconditionFailed));
    Ok(())
}
