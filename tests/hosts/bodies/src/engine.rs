//! Ways between backends that the library goes by itself.

use omnistorage_application::{
    Error, ErrorCode, Location, ReadOptions,
    compression::Codec,
    multi,
    objects::CompressionOptions,
    sync::{self, Recoding, SyncOptions},
};

use crate::{SIZE, holds, on, put};

/// All of them; gives their number.
pub(crate) async fn ways(one: &str, two: &str) -> Result<usize, String> {
    let zstd =
        || Recoding::Compress(CompressionOptions { codec: Codec::Zstd, level: None, dictionary: None });
    let mut ways = 0;
    for (from, to) in [(one, one), (one, two), (two, one)] {
        for (name, is_coded, recoding, arrives) in [
            ("plain", false, None, "object"),
            ("compressed", false, Some(zstd()), "object.zst"),
            ("decompressed", true, Some(Recoding::Decompress(None)), "object"),
        ] {
            let way = format!("copy from {from} to {to}, {name}");
            let source = Location::new(from, format!("engine/{name}-source"));
            let target = Location::new(to, format!("engine/{name}-target"));
            on(&way, run(&source, is_coded, &target, recoding, arrives).await)?;
            ways += 1;
        }
        on(&format!("any of {from} and {to}"), any(from, to).await)?;
        ways += 1;
    }
    Ok(ways)
}

async fn run(
    source: &Location,
    is_coded: bool,
    target: &Location,
    recoding: Option<Recoding>,
    arrives: &str,
) -> Result<(), Error> {
    let name = if is_coded { "object.zst" } else { "object" };
    put(&Location::new(source.backend.clone(), format!("{}/{name}", source.path)), is_coded).await?;
    let options = SyncOptions { recoding, comparison: sync::Comparison::Always, ..SyncOptions::default() };
    let job = sync::copy(source.clone(), target.clone(), options).await?;
    drop(job.events);
    let report = job.outcome.await?;
    if report.transferred != 1 || report.errors != 0 {
        let told = format!("{} transferred, {} errors", report.transferred, report.errors);
        return Err(Error::new(ErrorCode::Other, told));
    }
    let arrived = Location::new(target.backend.clone(), format!("{}/{arrives}", target.path));
    holds(&arrived, arrives.ends_with(".zst")).await
}

/// A replica that is missing, then one that is there.
async fn any(missing: &str, there: &str) -> Result<(), Error> {
    let replica = Location::new(there, "engine/replica");
    put(&replica, false).await?;
    let replicas = vec![Location::new(missing, "engine/no-replica"), replica];
    let opened = multi::read_any(replicas, ReadOptions::default(), None).await?;
    let length = opened.contents.read_to_end(2 * SIZE).await?.len();
    if length / 8 == SIZE / 8 { Ok(()) } else { Err(Error::new(ErrorCode::Corrupted, "the length differs")) }
}
