//! What an open object takes of memory: many are opened at once by [`Storage`], each in a sandbox of its own, and none of
//! them is read. Told is the process's share of memory by itself (`Pss`): what all sandboxes share, as the pages of the
//! compiled component, counts once.

use std::{fs, io, sync::Arc};

use anyhow::{Context, Result};
use omnistorage::{
    Backend, Location, MemoryBackend, Path as ObjectPath,
    backend::{ReadOptions, Reader, WriteOptions},
    runtime::{Runtime, RuntimeOptions, Storage},
};

use crate::inside::Comparison;

/// Bytes of the object.
const SIZE: usize = 1 << 20;

/// Opens an object so many times, and as often without a sandbox. `None` where the system does not tell.
///
/// # Errors
/// If the object cannot be opened.
pub(crate) async fn measure(count: u32) -> Result<Option<Comparison>> {
    let backend: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    let path = ObjectPath::parse("object")?;
    backend.write_all(&path, vec![1; SIZE].into(), &WriteOptions::default()).await?;
    let whole = ReadOptions::default();
    let alone = opened(count, async || Ok(backend.read(&path, &whole).await?)).await?;

    let mut options = RuntimeOptions::default();
    options.sandboxes = count + 1;
    let builder = Storage::builder(&Runtime::new(&options)?);
    let storage = builder.mount("memory", backend.clone()).build();
    let object = Location::new("memory", path.as_str())?;
    let ours = opened(count, async || Ok(storage.read(&object, &whole, None).await?)).await?;
    let (Some(alone), Some(ours)) = (alone, ours) else { return Ok(None) };

    let each = |bytes: u64| bytes as f64 / f64::from(count);
    let say = |bytes: u64| format!("{:.1} KiB", each(bytes) / 1024.0);
    Ok(Some(Comparison {
        what: format!("memory of an open object, {count} at once"),
        yardstick: "the backend",
        ours: say(ours),
        theirs: say(alone),
        // A page is the least that can be told.
        ratio: ours as f64 / alone.max(4096) as f64,
    }))
}

/// How much more memory the process has with so many open than with one: what is needed but once is there by then.
async fn opened(count: u32, open: impl AsyncFn() -> Result<Reader>) -> Result<Option<u64>> {
    let mut readers = vec![open().await?];
    let before = share()?;
    for _ in 0..count {
        readers.push(open().await?);
    }
    let after = share()?;
    drop(readers);
    Ok(before.zip(after).map(|(before, after)| after.saturating_sub(before)))
}

/// Bytes of memory that are this process's, its part of what it shares with others included.
fn share() -> Result<Option<u64>> {
    let told = match fs::read_to_string("/proc/self/smaps_rollup") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        told => told?,
    };
    let line = told.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss is told")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(Some(kibibytes * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sandbox_takes_more_than_a_reader() -> Result<()> {
        let Some(found) = measure(20).await? else { return Ok(()) };
        assert!(found.ratio > 1.0, "{} and {}", found.ours, found.theirs);
        Ok(())
    }
}
