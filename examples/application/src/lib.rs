//! Packs every object of the backend `logs` into the backend `archive`.

use omnistorage_application::{
    Checked, Error, ListOptions, Location, ReadOptions, WriteOptions,
    compression::Codec,
    objects::{self, CompressionOptions},
    types::{Listed, ObjectKind},
};
use wasip3::cli::command;

struct Pack;

command::export!(Pack);

impl wasip3::exports::cli::run::Guest for Pack {
    async fn run() -> Result<(), ()> {
        match pack().await {
            Ok(packed) => println!("{packed} objects packed"),
            Err(error) => {
                eprintln!("{}", error.message);
                return Err(());
            }
        }
        Ok(())
    }
}

async fn pack() -> Result<u32, Error> {
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let mut entries = Checked::from(objects::list("logs".into(), options).await?);
    let mut packed = 0;
    while let Some(page) = entries.next().await? {
        for listed in page {
            let entry = match listed {
                Listed::Entry(entry) => entry,
                Listed::Failure(failure) => return Err(failure.error),
            };
            if entry.kind == ObjectKind::Object {
                pack_one(&entry.path).await?;
                packed += 1;
            }
        }
    }
    Ok(packed)
}

async fn pack_one(path: &str) -> Result<(), Error> {
    let opened = objects::read(Location::new("logs", path), ReadOptions::default(), None).await?;
    let zstd = CompressionOptions { codec: Codec::Zstd, level: None, dictionary: None };
    let target = Location::new("archive", format!("{path}.zst"));
    // A body that goes from the library back into it is relayed.
    objects::write(target, opened.contents.relay(), WriteOptions::default(), Some(zstd)).await?;
    Ok(())
}
