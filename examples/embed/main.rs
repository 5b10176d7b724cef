//! A directory of a program, kept in a bucket: synced there, compressed on the way, and read back as records.

use std::{path::Path, sync::Arc};

use omnistorage::{
    Backend, Config, Location, Registry,
    runtime::{Codec, Compression, Encoding, Recoding, Runtime, RuntimeOptions, Storage, SyncOptions},
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // The bucket as every tool of S3 finds it: AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.
    let bucket = std::env::args().nth(1).ok_or_else(|| anyhow::anyhow!("usage: embed BUCKET"))?;
    run(Config::from([("bucket", &*bucket), ("prefix", "omnistorage-example")])).await
}

/// Does it with the bucket that the settings describe.
pub(crate) async fn run(bucket: Config) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    for day in 1..=3 {
        let log = format!("{{\"day\":{day},\"level\":\"info\"}}\n{{\"day\":{day},\"level\":\"warn\"}}\n");
        std::fs::write(directory.path().join(format!("{day}.ndjson")), log)?;
    }

    let registry = Registry::with_builtin();
    let storage = Storage::builder(&Runtime::new(&RuntimeOptions::default())?)
        .mount("logs", files(&registry, directory.path())?)
        .mount("bucket", registry.open("s3", bucket)?)
        .build();
    let (logs, bucket) = (Location::new("logs", "")?, Location::new("bucket", "")?);

    // Whatever the bucket has beside them goes.
    let zstd = Recoding::Compress(Compression { codec: Codec::Zstd, level: None, dictionary: None });
    let options = SyncOptions { recoding: Some(zstd), ..SyncOptions::default() };
    let report = storage.sync(&logs, &bucket, &options).await?.outcome().await?;
    anyhow::ensure!(report.errors == 0 && report.transferred == 3);

    // The name says what it is: records of NDJSON, compressed.
    let mut warnings = 0;
    for day in 1..=3 {
        let log = Location::new("bucket", &format!("{day}.ndjson.zst"))?;
        let mut records = storage.read_records(&log, &Encoding::default()).await?;
        while let Some(record) = records.read().await? {
            warnings += usize::from(record.ends_with(b"\"warn\"}"));
        }
    }
    anyhow::ensure!(warnings == 3);

    // What is equal costs two listings.
    let again = storage.sync(&logs, &bucket, &options).await?.outcome().await?;
    anyhow::ensure!(again.transferred == 0 && again.checked == 3);
    Ok(())
}

fn files(registry: &Registry, directory: &Path) -> anyhow::Result<Arc<dyn Backend>> {
    let root = directory.to_str().ok_or_else(|| anyhow::anyhow!("the directory has a name of UTF-8"))?;
    Ok(registry.open("file", Config::from([("root", root)]))?)
}
