//! What embedding costs, within one process: instances, calls on them, the memory that they take, and jobs at once. These
//! are rows of the table of [`inside`](crate::inside), which says what each is.

use std::{process::Command, sync::Arc};

use anyhow::{Context, Result, ensure};
use omnistorage::{
    MemoryBackend,
    runtime::{Runtime, RuntimeOptions, Storage},
};

use crate::{
    Options,
    inside::{Comparison, Scale, Times, each},
    instance::Instances,
    jobs, live,
};

/// Sandboxes made one after the other.
const SANDBOXES: u32 = 100;

/// What an instance may take of memory at most.
const MEMORY: u64 = 100 << 10;

/// Measures every row.
///
/// # Errors
/// The first work that fails.
pub(crate) async fn measure(scale: &Scale, options: &Options) -> Result<Vec<Comparison>> {
    let mut rows = vec![instances(scale).await?, live::measure(scale.rounds).await?, sandbox(scale).await?];
    let served = "an instance that served a read of 4 KiB";
    for (what, layer) in [(served, "memory-served"), ("an open object", "memory-open")] {
        rows.extend(memory(what, layer, scale.open, options)?);
    }
    let (bytes_of_a_job, rounds) = (scale.job, scale.rounds.min(5));
    rows.push(tokio::task::spawn_blocking(move || jobs::measure(bytes_of_a_job, rounds)).await??);
    Ok(rows)
}

/// What so many of something take of memory, each, in a process of their own: what another row gave back, and is taken
/// again, would not be seen. `None` where the system does not tell.
fn memory(what: &str, layer: &str, count: u32, options: &Options) -> Result<Option<Comparison>> {
    let told = Command::new(&options.this).arg(layer).arg(count.to_string()).output()?;
    ensure!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told = String::from_utf8(told.stdout)?;
    if told.trim().is_empty() {
        return Ok(None);
    }
    let (own, resident) = told.trim().split_once(' ').context("two numbers are told")?;
    let each = |bytes: &str| Ok::<_, anyhow::Error>(bytes.parse::<u64>()? / u64::from(count));
    let (own, resident) = (each(own)?, each(resident)?);
    let say = |bytes: u64| format!("{:.1} KiB", bytes as f64 / 1024.0);
    Ok(Some(Comparison {
        what: format!("memory of {what}, {count} at once"),
        yardstick: "what it may take",
        ours: format!("{} ({} with what they share)", say(own), say(resident)),
        theirs: say(MEMORY),
        ratio: own as f64 / MEMORY as f64,
    }))
}

async fn instances(scale: &Scale) -> Result<Comparison> {
    let (instances, backend) = (Instances::new()?, Arc::new(MemoryBackend::new()));
    let make = async || {
        for _ in 0..SANDBOXES {
            instances.make(&backend).await?;
        }
        Ok(())
    };
    let processes = async || (0..SANDBOXES).try_for_each(|_| run_true());
    let times = Times::on_the_wall(scale.sandboxes, make, processes).await?;
    Ok(times.cost("instance alone", "a process", each(SANDBOXES)))
}

async fn sandbox(scale: &Scale) -> Result<Comparison> {
    let runtime = Runtime::new(&RuntimeOptions::default())?;
    let storage = Storage::builder(&runtime).mount("memory", Arc::new(MemoryBackend::new())).build();
    let calls = async || {
        for _ in 0..SANDBOXES {
            storage.features("memory").await?;
        }
        Ok(())
    };
    let processes = async || (0..SANDBOXES).try_for_each(|_| run_true());
    let times = Times::on_the_wall(scale.sandboxes, calls, processes).await?;
    Ok(times.cost("sandbox and first call", "a process", each(SANDBOXES)))
}

/// A process, from start to end.
///
/// # Errors
/// If it does not run.
pub(crate) fn run_true() -> Result<()> {
    ensure!(Command::new("true").status()?.success());
    Ok(())
}
