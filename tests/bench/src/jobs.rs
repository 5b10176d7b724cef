//! What several cores are worth to jobs that compute: as many as there are cores, one after the other and then all at once,
//! each in a sandbox of its own of one [`Storage`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use bytes::Bytes;
use futures::future::try_join_all;
use omnistorage::{
    Location, MemoryBackend,
    backend::WriteOptions,
    runtime::{Encoding, Runtime, RuntimeOptions, Storage},
};

use crate::{inside::Comparison, measure::median, text::Text};

/// Converts log lines from memory to memory, as CSV in gzip, so many bytes a job. Runs on threads of its own, one a core.
///
/// # Errors
/// What a job fails of.
pub(crate) fn measure(bytes: usize, rounds: u32) -> Result<Comparison> {
    let cores = std::thread::available_parallelism()?.get();
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(cores).enable_all().build()?;
    let storage = Storage::builder(&Runtime::new(&RuntimeOptions::default())?)
        .mount("memory", Arc::new(MemoryBackend::new()))
        .build();
    let lines = Bytes::from(Text::Logs.generate(bytes));
    let write = async { storage.write_all(&lines_of_all()?, lines, &WriteOptions::default()).await };
    threads.block_on(write)?;

    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        alone.push(threads.block_on(async {
            let started = Instant::now();
            for job in 0..cores {
                convert(storage.clone(), job).await?;
            }
            anyhow::Ok(started.elapsed())
        })?);
        together.push(threads.block_on(async {
            let started = Instant::now();
            let jobs = (0..cores).map(|job| tokio::spawn(convert(storage.clone(), job)));
            try_join_all(jobs).await?.into_iter().collect::<Result<()>>()?;
            anyhow::Ok(started.elapsed())
        })?);
    }
    let alone = median(alone).context("no round")?;
    let together = median(together).context("no round")?;
    let say = |time: Duration| format!("{:.0} ms", time.as_secs_f64() * 1000.0);
    Ok(Comparison {
        what: format!("{cores} jobs that compute, on {cores} cores"),
        yardstick: "one after the other",
        ours: say(together),
        theirs: say(alone),
        ratio: together.as_secs_f64() / alone.as_secs_f64(),
    })
}

fn lines_of_all() -> omnistorage::Result<Location> {
    Location::new("memory", "lines.ndjson")
}

async fn convert(storage: Storage, job: usize) -> Result<()> {
    let target = Location::new("memory", &format!("{job}.csv.gz"))?;
    let detected = Encoding::default();
    storage.convert(&lines_of_all()?, &detected, &target, &detected).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_run_at_once() -> Result<()> {
        let found = measure(100_000, 1)?;
        assert!(found.ratio > 0.0 && found.what.contains("cores"));
        Ok(())
    }
}
