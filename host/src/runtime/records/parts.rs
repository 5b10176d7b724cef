//! Records in parts: several ranges of one object are read at once, each by a sandbox of its own, and what comes of them
//! is put together in order.
//!
//! Where a part begins is a guess of the sandbox that reads it. What it made is only taken if this is where the part before
//! has ended; otherwise the part is read again from there. So each record is read once, by what was read before it, as
//! if one sandbox had read them all.

use std::{
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream as streams};
use omnistorage_types::{
    Compression, ConvertReport, CountReport, Encoding, Format, Outline, Part, PartReport, encoding_from_path,
};

use super::gathered::Gathered;
use crate::{
    Error, ErrorCode, Location, Path, Result,
    backend::{Contents, WriteOptions},
    runtime::{
        Storage,
        budget::Budget,
        sandbox::{Guest, Inside, Task},
        worker::{Team, Work},
    },
};

/// Bytes of a part: so many that opening one costs nothing beside reading it.
const PART: u64 = 2 << 20;

/// More bytes of a part are not kept: what grows like that is converted as a whole.
const MOST: usize = 4 * PART as usize;

/// Sandboxes at work. More would take more memory than a conversion may.
const WORKERS: usize = 4;

impl Storage {
    /// Converts in parts, if that can be done. `None`: nothing was written, and the whole must be converted, which also
    /// tells what is wrong with which record.
    ///
    /// # Errors
    /// Those of the target.
    pub(super) async fn convert_in_parts(
        &self,
        (source, from): (&Location, &Encoding),
        (target, to): (&Location, &Encoding),
        compression: Option<Compression>,
        cores: NonZero<usize>,
    ) -> Result<Option<ConvertReport>> {
        let format = to.format.clone().or_else(|| encoding_from_path(&target.path).0);
        let (Some(format), Some(backend)) = (format, self.mount(&target.backend)) else { return Ok(None) };
        // Those that read, and those that compress what they read.
        let needed = |cores: usize| cores.min(WORKERS) + if compression.is_some() { cores } else { 0 };
        if !backend.capabilities().features.atomic_write {
            return Ok(None);
        }
        let Some((storage, cores)) = self.on_cores(cores, needed, 0) else { return Ok(None) };
        let Some((outline, size)) = storage.outline(source, from, Some(&format)).await else {
            return Ok(None);
        };
        let header = outline.header.clone();
        let (records, mut bytes_written) = (Arc::new(AtomicU64::new(0)), 0);
        let converting = Converting {
            source: source.clone(),
            from: from.clone(),
            outline,
            to: Encoding { format: Some(format), codec: None, level: None, dictionary: None, ..to.clone() },
        };
        let counted = records.clone();
        let plain = in_order(&storage, converting, size, cores).map_ok(move |(report, chunks)| {
            counted.fetch_add(report.records, Ordering::Relaxed);
            streams::iter(chunks.into_iter().map(Ok))
        });
        let plain = plain.try_flatten().boxed();
        let mut contents: Contents = match compression {
            Some(compression) => storage.compress(plain, compression, cores),
            None => plain,
        };
        let there = |error: Error| error.at_location(target.backend.clone(), target.path.to_string());
        let mut upload = backend.write(&target.path, &WriteOptions::default()).await.map_err(there)?;
        while let Some(chunk) = contents.next().await {
            let Ok(chunk) = chunk else {
                upload.abort().await;
                return Ok(None);
            };
            bytes_written += chunk.len() as u64;
            upload.push(chunk).await.map_err(there)?;
        }
        upload.commit().await.map_err(there)?;
        let records = records.load(Ordering::Relaxed);
        Ok(Some(ConvertReport { records, bytes_read: size, bytes_written, header }))
    }

    /// Counts the records of an object in parts, if that can be done.
    pub(super) async fn count_in_parts(
        &self,
        source: &Location,
        encoding: &Encoding,
        cores: NonZero<usize>,
    ) -> Option<CountReport> {
        let (storage, cores) = self.on_cores(cores, |cores| cores.min(WORKERS), 0)?;
        let (outline, size) = storage.outline(source, encoding, None).await?;
        let header = outline.header.clone();
        let counting = Counting { source: source.clone(), from: encoding.clone(), outline };
        let reports = in_order(&storage, counting, size, cores);
        let counted = reports.try_fold(0, async |count, (report, ())| Ok(count + report.records)).await;
        Some(CountReport { records: counted.ok()?, header })
    }

    /// What the parts of an object have to be told, and its size, if it has several. An error of the source is for
    /// whoever reads the whole to tell.
    async fn outline(
        &self,
        source: &Location,
        encoding: &Encoding,
        target: Option<&Format>,
    ) -> Option<(Outline, u64)> {
        let (source, encoding, target) = (source.into(), encoding.into(), target.cloned().map(Into::into));
        let call = async |inside: &Inside, guest: &Guest| {
            guest.records(inside)?.call_read_outline(inside, source, encoding, target).await
        };
        let outline: Outline = self.call(call).await.ok()??.try_into().ok()?;
        let size = outline.version.size.filter(|size| *size > PART)?;
        Some((outline, size))
    }
}

/// What comes of each part in their order, as far as each begins where the one before has ended. An error ends them.
fn in_order<W, T>(
    storage: &Storage,
    work: W,
    size: u64,
    cores: NonZero<usize>,
) -> impl Stream<Item = Result<(PartReport, T)>> + Send + 'static
where
    W: Work<Order = Part, Outcome = (PartReport, T)>,
    T: Send + 'static,
{
    let cores = cores.get().min(WORKERS);
    let team = Arc::new(Team::new(storage.clone(), work, cores));
    let parts = (0..size.div_ceil(PART)).map(move |number| Part {
        start: number * PART,
        end: size.min((number + 1) * PART),
        starts_record: number == 0,
    });
    let ask = {
        let team = team.clone();
        move |part| {
            let team = team.clone();
            async move {
                // In a task, so that it goes on while the reader is busy with the part before.
                let done = Task::spawn(async move { team.carry_out(part).await }).join().await;
                (part, done)
            }
        }
    };
    // One more than can be at work, so that no worker waits for the reader.
    let outcomes = streams::iter(parts).map(ask).buffered(cores + 1).boxed();
    streams::try_unfold((outcomes, 0), move |(mut outcomes, border)| {
        let team = team.clone();
        async move {
            while let Some((part, outcome)) = outcomes.next().await {
                if part.end <= border {
                    // A record of a part before goes on to its end.
                    continue;
                }
                let done = match outcome {
                    Ok(done) if done.0.border == Some(border) => done,
                    // What is wrong may be where it began.
                    _ => team.carry_out(Part { start: border, starts_record: true, ..part }).await?,
                };
                if done.0.border != Some(border) || done.0.end < part.end {
                    let message = "a part of the records is not the one that was asked for";
                    return Err(Error::new(ErrorCode::Trapped, message));
                }
                let end = done.0.end;
                return Ok(Some((done, (outcomes, end))));
            }
            if border == size {
                return Ok(None);
            }
            Err(Error::new(ErrorCode::Trapped, "the parts of the records are not the whole"))
        }
    })
}

/// Conversion of parts.
struct Converting {
    source: Location,
    from: Encoding,
    outline: Outline,
    to: Encoding,
}

/// What a worker writes to.
struct Desk {
    gathered: Arc<Gathered>,
    target: Location,
}

impl Work for Converting {
    type Order = Part;
    type Outcome = (PartReport, Vec<Bytes>);
    type Tools = Desk;

    fn equip(&self, storage: &Storage) -> (Storage, Desk) {
        let gathered = Arc::new(Gathered::with_room_for(MOST));
        let mut name = "part".to_owned();
        while name == self.source.backend || storage.mount(&name).is_some() {
            name.push('-');
        }
        let storage = storage.with_mount(&name, gathered.clone());
        (storage, Desk { gathered, target: Location { backend: name, path: Path::root() } })
    }

    async fn carry_out(
        &self,
        inside: &Inside,
        guest: &Guest,
        Desk { gathered, target }: &Desk,
        part: Part,
        _: &Budget,
    ) -> wasmtime::Result<Result<Self::Outcome>> {
        let (source, from) = ((&self.source).into(), (&self.from).into());
        let (outline, to) = (self.outline.clone().into(), (&self.to).into());
        let records = guest.records(inside)?;
        let called = records.call_convert_part(inside, source, from, outline, part.into(), target.into(), to);
        let report = called.await?.map_err(Error::from).and_then(TryInto::try_into);
        Ok(report.map(|report| (report, gathered.take())))
    }
}

/// Counting the records of parts.
struct Counting {
    source: Location,
    from: Encoding,
    outline: Outline,
}

impl Work for Counting {
    type Order = Part;
    type Outcome = (PartReport, ());
    type Tools = ();

    fn equip(&self, storage: &Storage) -> (Storage, ()) {
        (storage.clone(), ())
    }

    async fn carry_out(
        &self,
        inside: &Inside,
        guest: &Guest,
        (): &(),
        part: Part,
        _: &Budget,
    ) -> wasmtime::Result<Result<Self::Outcome>> {
        let (source, from) = ((&self.source).into(), (&self.from).into());
        let records = guest.records(inside)?;
        let called = records.call_count_part(inside, source, from, self.outline.clone().into(), part.into());
        let report = called.await?.map_err(Error::from).and_then(TryInto::try_into);
        Ok(report.map(|report| (report, ())))
    }
}
