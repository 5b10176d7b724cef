//! Where the time of a file goes: the same sync, with one layer more each time.
//!
//! 1. the *floor* (`floor`): the system calls and nothing else;
//! 2. the *file backend* alone: its listing, and batches of copies on two threads;
//! 3. the *component*: the sync engine in its sandbox over that backend, loaded from the cache;
//! 4. the *command line*, as a user starts it.
//!
//! Each is a process of its own, so that user time, system time and memory are its own too.

use std::{io::Write, path::Path, sync::Arc, time::Duration};

use anyhow::{Result, bail, ensure};
use futures::{TryStreamExt, stream};
use omnistorage::{
    Backend, FileBackend, Location, ObjectKind, Path as ObjectPath,
    backend::{CopyRequest, ListOptions, WriteOptions, file::FileOptions},
    runtime::{Runtime, RuntimeOptions, Storage, SyncOptions},
};

use crate::{Row, contender::Contender, data::DataSet, measure};

/// Small files a call, as the sync engine sends them.
const BATCH: usize = 128;

/// Copies every file of a tree into an empty directory by the file backend alone, as it is listed.
///
/// # Errors
/// The first file that is not copied.
pub(crate) async fn copy_by_backend(source: &Path, destination: &Path) -> Result<()> {
    let (source, target) = open(source, destination)?;
    let options = ListOptions { recursive: true, ..Default::default() };
    let listing = source.list(&ObjectPath::root(), &options).await?;
    let batches = stream::try_unfold(listing, async |mut listing| {
        let page = listing.next_entries(BATCH).await?;
        Ok::<_, omnistorage::Error>((!page.is_empty()).then_some((page, listing)))
    });
    let copies =
        batches.map_ok(|page| {
            let files = page.into_iter().filter(|entry| entry.kind == ObjectKind::Object);
            let requests: Vec<_> = files
                .map(|entry| CopyRequest {
                    source: entry.path.clone(),
                    target: entry.path,
                    options: WriteOptions { expected_size: entry.size, ..Default::default() },
                })
                .collect();
            let (source, target) = (&source, &target);
            async move {
                source.copy_many(&requests, target).await.into_iter().try_for_each(|copy| copy.map(drop))
            }
        });
    copies.try_buffer_unordered(2).try_collect::<()>().await?;
    Ok(())
}

/// Makes one tree equal to the other by the sync engine of the component.
///
/// # Errors
/// What kept it from that.
pub(crate) async fn sync_by_component(source: &Path, destination: &Path) -> Result<()> {
    let (source, target) = open(source, destination)?;
    let storage = Storage::builder(&Runtime::new(&RuntimeOptions::default())?)
        .mount("source", Arc::new(source))
        .mount("target", Arc::new(target))
        .build();
    let (from, to) = (Location::new("source", "")?, Location::new("target", "")?);
    let mut job = storage.sync(&from, &to, &SyncOptions::default()).await?;
    while let Some(event) = job.next().await {
        if let Some(error) = event.error {
            bail!("{}: {error}", event.path);
        }
    }
    ensure!(job.outcome().await?.errors == 0);
    Ok(())
}

fn open(source: &Path, destination: &Path) -> Result<(FileBackend, FileBackend)> {
    Ok((
        FileBackend::open(source, FileOptions::default())?,
        FileBackend::open(destination, FileOptions { create: true, ..Default::default() })?,
    ))
}

/// What each layer adds to a file.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write_table(output: &mut impl Write, set: DataSet, rows: &[Row]) -> Result<()> {
    writeln!(
        output,
        "\n| {}, one layer after the other | us a file | more | user | system | RSS MiB |",
        rows_of(set)
    )?;
    writeln!(output, "|---|--:|--:|--:|--:|--:|")?;
    let count = u32::try_from(set.count())?;
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(count);
    let mut below = None;
    for (layer, contender) in [
        ("floor", Contender::Floor),
        ("file backend", Contender::Backend),
        ("component", Contender::Component),
        ("command line", Contender::Omnistorage),
    ] {
        let work = rows_of(set);
        let Some(cost) = rows
            .iter()
            .find(|row| row.contender == contender && row.work == work)
            .and_then(|row| measure::median_cost(&row.costs))
        else {
            continue;
        };
        let wall = each(cost.wall);
        let more = below.map_or(String::new(), |below| format!("{:+.1}", wall - below));
        below = Some(wall);
        writeln!(
            output,
            "| {layer} | {wall:.1} | {more} | {:.1} | {:.1} | {} |",
            each(cost.user),
            each(cost.system),
            cost.memory >> 20
        )?;
    }
    Ok(())
}

fn rows_of(set: DataSet) -> String {
    format!("sync: {}", set.describe())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::floor;

    #[tokio::test(flavor = "multi_thread")]
    async fn each_layer_does_the_whole_work() -> Result<()> {
        let root = tempfile::tempdir()?;
        let source = DataSet { folders: 2, files: 150, size: 8 }.prepare(root.path())?;
        let (by_backend, by_component) = (root.path().join("backend"), root.path().join("component"));
        copy_by_backend(&source, &by_backend).await?;
        floor::check(&source, &by_backend)?;
        sync_by_component(&source, &by_component).await?;
        floor::check(&source, &by_component)?;

        fs::write(by_component.join("extra"), "")?;
        sync_by_component(&source, &by_component).await?;
        assert!(!by_component.join("extra").exists());
        Ok(())
    }
}
