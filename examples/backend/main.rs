//! A backend of your own, in less than a hundred lines (`key_value.rs`): opened by name beside those of the crate, and as
//! good as they are for whoever uses it. What it does not claim is done without it; `omnistorage-conformance` holds it
//! to what it claims, in the tests of the examples (`lib.rs`).

/// The backend: what is mandatory, and nothing else.
pub(crate) mod key_value;

use std::sync::Arc;

use omnistorage::{
    Config, Location, Registry,
    runtime::{Comparison, Runtime, RuntimeOptions, Storage, SyncOptions},
};

use self::key_value::KeyValue;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run().await
}

pub(crate) async fn run() -> anyhow::Result<()> {
    let mut registry = Registry::with_builtin();
    registry.register("key-value", |config| {
        config.finish("key-value")?; // it has no settings of its own
        Ok(Arc::new(KeyValue::new()))
    })?;
    let values = registry.open("key-value", Config::from([("prefix", "backup"), ("retry.attempts", "3")]))?;
    let memory = registry.open("memory", Config::new())?;

    let runtime = Runtime::new(&RuntimeOptions::default())?;
    let storage = Storage::builder(&runtime).mount("memory", memory).mount("values", values).build();
    for (name, text) in [("a", "one"), ("b/c", "two")] {
        storage.write_all(&Location::new("memory", name)?, text.into(), &Default::default()).await?;
    }
    let (source, target) = (Location::new("memory", "")?, Location::new("values", "")?);
    // The store keeps no times: contents are compared by a checksum, which is computed where there is none.
    let options = SyncOptions { comparison: Comparison::Checksum, ..SyncOptions::default() };
    for expected in [2, 0] {
        let report = storage.sync(&source, &target, &options).await?.outcome().await?;
        anyhow::ensure!(report.transferred == expected);
    }
    Ok(())
}
