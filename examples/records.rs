//! Streams records through compression, and converts them: NDJSON in gzip to CSV, told from the names of the objects.

use std::sync::Arc;

use omnistorage::{
    Location, MemoryBackend,
    runtime::{Encoding, Runtime, RuntimeOptions, Storage, Validation},
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run().await
}

pub(crate) async fn run() -> anyhow::Result<()> {
    let runtime = Runtime::new(&RuntimeOptions::default())?;
    let storage = Storage::builder(&runtime).mount("logs", Arc::new(MemoryBackend::new())).build();
    let (packed, plain) = (Location::new("logs", "today.ndjson.gz")?, Location::new("logs", "today.ndjson")?);

    let mut writer = storage.write_records(&packed, &Encoding::default()).await?;
    for number in 0..1000 {
        writer.write(format!("{{\"number\":{number},\"level\":\"info\"}}").as_bytes()).await?;
    }
    // Nothing is visible before this; a writer that is dropped leaves nothing behind.
    let info = writer.finish().await?;
    anyhow::ensure!(info.size.is_some_and(|size| size < 10_000));

    let mut reader = storage.read_records(&packed, &Encoding::default()).await?;
    let mut count = 0;
    while let Some(record) = reader.read().await? {
        anyhow::ensure!(record.starts_with(format!("{{\"number\":{count},").as_bytes()));
        count += 1;
    }
    anyhow::ensure!(count == 1000);

    // From one form to another, with every record checked on the way.
    let checked = Encoding { validation: Validation::Syntax, ..Encoding::default() };
    let report = storage.convert(&packed, &checked, &plain, &Encoding::default()).await?;
    anyhow::ensure!(report.records == 1000);

    // The columns of a table are the keys of the records.
    let table = Location::new("logs", "today.csv")?;
    storage.convert(&plain, &Encoding::default(), &table, &Encoding::default()).await?;
    let mut rows = storage.read_records(&table, &Encoding::default()).await?;
    anyhow::ensure!(rows.header().await? == Some(b"number,level".as_slice()));
    anyhow::ensure!(rows.read().await? == Some(b"0,info".as_slice()));
    Ok(())
}
