//! What the sandbox costs, measured within one process: each row is ours beside a yardstick that does the same without
//! it, in turns, medians of both. All of it runs in one thread, and what is told is that thread's time on a processor,
//! but where processes and other threads have a part: there it is what a clock on the wall shows.
//!
//! - *bytes handed on*: one object of 1 GiB from memory to a sink that copies each chunk once. The component reads and
//!   writes (`transfer` is off), and hands the stream on untouched. The yardstick is the host's own loop over read and
//!   write, [`omnistorage::backend::transfer`].
//! - *bytes pumped*: the same object read through a component that takes every byte into its memory and gives it out
//!   again (the test guest), then written by the host. Same yardstick. Only if that component is given.
//! - *bytes pumped to the host's memory*: the same, but for the sink's own copy: the bytes were copied into memory of the
//!   host when they came out of the component, as the yardstick copies them once.
//! - *bytes written by the component*: the host hands the same object to a component that takes every byte into its
//!   memory and writes it (the test guest), into memory of the host that the sink takes over as it is: two copies where
//!   the yardstick makes one.
//! - *bytes framed*: the same object converted from NDJSON to NDJSON: every byte goes into the component, is cut into
//!   lines of 128 bytes there, and comes out again. Same yardstick.
//! - *record formats*: see [`formats`]. Only if the test guest is given.
//! - *instance alone*: see [`instance`](crate::instance); a hundred in a row. The yardstick is as for the next row.
//! - *a call on a live instance*: see [`crate::live`]. The yardstick asks the backend.
//! - *sandbox and first call*: a fresh sandbox, one call in it (`features`), and its end; a hundred in a row, as a busy
//!   host makes them. The yardstick is what other programs take for isolation: a process (`true`), from start to end.
//! - *load the component*: a new engine with the compiled component from the cache. The yardstick compiles it.
//! - *small objects, synced*: 10,000 of 1 KiB from memory to memory, in batches. The yardstick is a loop over the listing
//!   that copies one after the other, in the host.
//! - *small objects, one by one*: `write_all`, then `read`, each in a sandbox of its own. The yardstick calls the
//!   backend.
//! - *start of the command line*: `omnistorage features` of a directory, a process from start to end, with the compiled
//!   component in the cache. The yardstick is `true`.
//! - *memory of an open object*: see [`crate::open`]. The yardstick is what it may take.
//! - *memory of an instance that served a read*: see [`crate::served`]. The yardstick is what it may take.
//! - *jobs that compute*: see [`crate::jobs`].
//! - *size of the component*: the portable `.wasm` beside the whole executable that embeds it.

use std::{
    fs,
    io::Write,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use cpu_time::ThreadTime;
use futures::TryStreamExt;
use omnistorage::{
    Backend, Location, MemoryBackend, ObjectKind, Path as ObjectPath,
    backend::{ListOptions, ReadOptions, WriteOptions, transfer},
    runtime::{Encoding, Runtime, RuntimeOptions, Storage, SyncOptions},
};

use crate::{
    Options,
    embedding::{self, run_true},
    formats, measure,
    pattern::{Pattern, Sink},
};

/// Where the pattern is. The directory tells the test guest what to do with it, the extension the engine its format.
const PATTERN: &str = "pump/pattern.ndjson";

/// Where the test guest writes whatever it is given.
const WHOLE: &str = "whole/pattern.ndjson";

/// A cost, ours and the yardstick's.
pub(crate) struct Comparison {
    /// What is done.
    pub(crate) what: String,
    /// What the yardstick is.
    pub(crate) yardstick: &'static str,
    /// Ours, for people.
    pub(crate) ours: String,
    /// The yardstick's, for people.
    pub(crate) theirs: String,
    /// Ours to the yardstick's.
    pub(crate) ratio: f64,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Comparisons {
    /// Bytes a second: more is better.
    rates: Vec<Comparison>,
    /// Times and sizes: less is better.
    costs: Vec<Comparison>,
}

/// How often each work is done, and how much of it.
pub(crate) struct Scale {
    bytes: u64,
    objects: u32,
    pub(crate) rounds: u32,
    /// Rounds of sandboxes, one after the other.
    pub(crate) sandboxes: u32,
    /// Objects open, and instances alive, at once.
    pub(crate) open: u32,
    starts: u32,
    /// Bytes of a job that computes.
    pub(crate) job: usize,
}

const FULL: Scale = Scale {
    bytes: 256 << 20,
    objects: 10_000,
    rounds: 11,
    sandboxes: 20,
    open: 1000,
    starts: 40,
    job: 32 << 20,
};
const QUICK: Scale =
    Scale { bytes: 64 << 20, objects: 1000, rounds: 1, sandboxes: 1, open: 100, starts: 3, job: 1 << 20 };

/// Measures every row.
///
/// # Errors
/// The first work that fails.
pub(crate) async fn measure(options: &Options) -> Result<Comparisons> {
    let scale = if options.quick { QUICK } else { FULL };
    let mut costs = embedding::measure(&scale, options).await?;
    let runtime = Runtime::new(&RuntimeOptions::default())?;
    let mut rates = bytes(&runtime, &scale, options.test_guest.as_deref()).await?;
    if let Some(test_guest) = &options.test_guest {
        rates.extend(formats::measure(test_guest, scale.rounds).await?);
    }
    costs.extend([
        load(&scale).await?,
        small_objects_synced(&runtime, &scale).await?,
        small_objects_one_by_one(&runtime, &scale).await?,
        start(options, &scale).await?,
        size(options)?,
    ]);
    Ok(Comparisons { rates, costs })
}

/// Measures the rows of [`embedding`] alone.
///
/// # Errors
/// The first work that fails.
pub(crate) async fn measure_embedding(options: &Options) -> Result<Comparisons> {
    let costs = embedding::measure(if options.quick { &QUICK } else { &FULL }, options).await?;
    Ok(Comparisons { rates: Vec::new(), costs })
}

/// What both take, done in turns: the medians, unless something else is said.
pub(crate) struct Times {
    ours: Duration,
    yardstick: Duration,
}

impl Times {
    /// Of this thread's time.
    pub(crate) async fn measure(
        rounds: u32,
        ours: impl AsyncFnMut() -> Result<()>,
        yardstick: impl AsyncFnMut() -> Result<()>,
    ) -> Result<Self> {
        Self::by(ThreadTime::now, |clock| clock.elapsed(), measure::median, rounds, ours, yardstick).await
    }

    /// Of this thread's time, in the fastest round of each.
    pub(crate) async fn fastest(
        rounds: u32,
        ours: impl AsyncFnMut() -> Result<()>,
        yardstick: impl AsyncFnMut() -> Result<()>,
    ) -> Result<Self> {
        let least = |times: Vec<Duration>| times.into_iter().min();
        Self::by(ThreadTime::now, |clock| clock.elapsed(), least, rounds, ours, yardstick).await
    }

    /// Of the time that passes, for what runs elsewhere.
    pub(crate) async fn on_the_wall(
        rounds: u32,
        ours: impl AsyncFnMut() -> Result<()>,
        yardstick: impl AsyncFnMut() -> Result<()>,
    ) -> Result<Self> {
        Self::by(Instant::now, |clock| clock.elapsed(), measure::median, rounds, ours, yardstick).await
    }

    async fn by<C>(
        start: fn() -> C,
        elapsed: fn(&C) -> Duration,
        of_all: fn(Vec<Duration>) -> Option<Duration>,
        rounds: u32,
        mut ours: impl AsyncFnMut() -> Result<()>,
        mut yardstick: impl AsyncFnMut() -> Result<()>,
    ) -> Result<Self> {
        let (mut of_ours, mut of_yardstick) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let clock = start();
            ours().await?;
            of_ours.push(elapsed(&clock));
            let clock = start();
            yardstick().await?;
            of_yardstick.push(elapsed(&clock));
        }
        let told = |times| of_all(times).context("nothing was measured");
        Ok(Self { ours: told(of_ours)?, yardstick: told(of_yardstick)? })
    }

    pub(crate) fn cost(
        &self,
        what: impl Into<String>,
        yardstick: &'static str,
        say: impl Fn(Duration) -> String,
    ) -> Comparison {
        Comparison {
            what: what.into(),
            yardstick,
            ours: say(self.ours),
            theirs: say(self.yardstick),
            ratio: self.ours.as_secs_f64() / self.yardstick.as_secs_f64(),
        }
    }

    /// The times as bytes a second.
    pub(crate) fn rate(&self, what: impl Into<String>, yardstick: &'static str, bytes: u64) -> Comparison {
        let say = |time: Duration| format!("{:.2}", bytes as f64 / 1e9 / time.as_secs_f64());
        let cost = self.cost(what, yardstick, say);
        Comparison { ratio: cost.ratio.recip(), ..cost }
    }
}

/// Says what one of so many took.
pub(crate) fn each(count: u32) -> impl Fn(Duration) -> String {
    move |time| format!("{:.1} us", time.as_secs_f64() * 1e6 / f64::from(count))
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

async fn bytes(runtime: &Runtime, scale: &Scale, test_guest: Option<&Path>) -> Result<Vec<Comparison>> {
    let pattern = Arc::new(Pattern::new(PATTERN, scale.bytes)?);
    let size = pattern.size();
    let storage = |runtime: &Runtime| {
        let builder = Storage::builder(runtime).transfer(false);
        builder
            .mount("pattern", pattern.clone())
            .mount("sink", Arc::new(Sink::Copying))
            .mount("memory", Arc::new(Sink::Taking))
            .build()
    };
    let (from, to) = (Location::new("pattern", PATTERN)?, Location::new("sink", PATTERN)?);
    let host = async || {
        let done =
            transfer(&*pattern, &from.path, &Sink::Copying, &to.path, &WriteOptions::default()).await?;
        ensure!(done.size == Some(size));
        Ok(())
    };
    let mut rows = Vec::new();
    let mut push = |what: &str, times: Times| {
        rows.push(times.rate(format!("{} MiB {what}", size >> 20), "host alone", size));
    };

    let ours = storage(runtime);
    let directory = Location::new("sink", "")?;
    let hand_on = async || {
        let report = ours.copy(&from, &directory, &SyncOptions::default()).await?.outcome().await?;
        ensure!((report.transferred, report.bytes) == (1, size));
        Ok(())
    };
    push("handed on", Times::measure(scale.rounds, hand_on, host).await?);

    if let Some(wasm) = test_guest {
        let wasm = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
        let ours = storage(&Runtime::with_component(&RuntimeOptions::default(), &wasm)?);
        let pump = async || {
            let mut contents = ours.read(&from, &ReadOptions::default(), None).await?.contents;
            let mut upload = Sink::Copying.write(&to.path, &WriteOptions::default()).await?;
            while let Some(chunk) = contents.try_next().await? {
                upload.push(chunk).await?;
            }
            ensure!(upload.commit().await?.size == Some(size));
            Ok(())
        };
        push("pumped", Times::measure(scale.rounds, pump, host).await?);
        let arrive = async || {
            let mut contents = ours.read(&from, &ReadOptions::default(), None).await?.contents;
            let mut arrived = 0;
            while let Some(chunk) = contents.try_next().await? {
                arrived += chunk.len() as u64;
            }
            ensure!(arrived == size);
            Ok(())
        };
        push("pumped to the host's memory", Times::measure(scale.rounds, arrive, host).await?);
        let whole = Location::new("memory", WHOLE)?;
        let write = async || {
            let contents = pattern.read(&from.path, &ReadOptions::default()).await?.contents;
            let written = ours.write(&whole, contents, &WriteOptions::default(), None).await?;
            ensure!(written.size == Some(size));
            Ok(())
        };
        push("written by the component", Times::measure(scale.rounds, write, host).await?);
    }

    let plain = Encoding::default();
    let frame = async || {
        let report = ours.convert(&from, &plain, &to, &plain).await?;
        ensure!((report.bytes_read, report.bytes_written) == (size, size));
        Ok(())
    };
    push("framed", Times::measure(scale.rounds, frame, host).await?);
    Ok(rows)
}

async fn load(scale: &Scale) -> Result<Comparison> {
    let runtime = |cache| {
        let mut options = RuntimeOptions::default();
        options.cache = cache;
        Runtime::new(&options)
    };
    let times = Times::on_the_wall(
        scale.rounds.min(3),
        async || Ok(runtime(true).map(drop)?),
        async || Ok(runtime(false).map(drop)?),
    );
    Ok(times.await?.cost("load the component", "compiling it", milliseconds))
}

async fn small_objects_synced(runtime: &Runtime, scale: &Scale) -> Result<Comparison> {
    let source = Arc::new(small_objects(scale.objects).await?);
    let root = ObjectPath::root();
    let sync = async || {
        let storage = Storage::builder(runtime)
            .mount("source", source.clone())
            .mount("target", Arc::new(MemoryBackend::new()))
            .build();
        let (from, to) = (Location::new("source", "")?, Location::new("target", "")?);
        let report = storage.sync(&from, &to, &SyncOptions::default()).await?.outcome().await?;
        ensure!((report.transferred, report.errors) == (u64::from(scale.objects), 0));
        Ok(())
    };
    let host = async || {
        let target = MemoryBackend::new();
        let mut listing = source.list(&root, &ListOptions { recursive: true, ..Default::default() }).await?;
        let mut copied = 0;
        loop {
            let page = listing.next_entries(1000).await?;
            if page.is_empty() {
                break;
            }
            for entry in page.into_iter().filter(|entry| entry.kind == ObjectKind::Object) {
                source.copy_to(&entry.path, &target, &entry.path, &WriteOptions::default()).await?;
                copied += 1;
            }
        }
        ensure!(copied == scale.objects);
        Ok(())
    };
    let times = Times::measure(scale.rounds, sync, host).await?;
    Ok(times.cost("1 KiB object, synced", "host alone", each(scale.objects)))
}

async fn small_objects(count: u32) -> Result<MemoryBackend> {
    let backend = MemoryBackend::new();
    for number in 0..count {
        backend
            .write_all(&small_object(number)?, vec![b'x'; 1 << 10].into(), &WriteOptions::default())
            .await?;
    }
    Ok(backend)
}

fn small_object(number: u32) -> Result<ObjectPath> {
    Ok(ObjectPath::parse(format!("folder-{:04}/file-{:04}", number / 100, number % 100))?)
}

async fn small_objects_one_by_one(runtime: &Runtime, scale: &Scale) -> Result<Comparison> {
    let sandboxed = async || {
        let storage = Storage::builder(runtime).mount("memory", Arc::new(MemoryBackend::new())).build();
        for number in 0..scale.objects {
            let at = Location { backend: "memory".to_owned(), path: small_object(number)? };
            storage.write_all(&at, vec![b'x'; 1 << 10].into(), &WriteOptions::default()).await?;
            let contents = storage.read(&at, &ReadOptions::default(), None).await?.contents;
            let size = contents.try_fold(0, async |size, chunk| Ok(size + chunk.len())).await?;
            ensure!(size == 1 << 10);
        }
        Ok(())
    };
    let host = async || {
        let backend = MemoryBackend::new();
        for number in 0..scale.objects {
            let path = small_object(number)?;
            backend.write_all(&path, vec![b'x'; 1 << 10].into(), &WriteOptions::default()).await?;
            ensure!(backend.read_all(&path, &ReadOptions::default(), 1 << 10).await?.len() == 1 << 10);
        }
        Ok(())
    };
    // Twice as many sandboxes as objects: one round says enough.
    let times = Times::measure(scale.rounds.min(3), sandboxed, host).await?;
    Ok(times.cost("1 KiB object, written and read by itself", "host alone", each(scale.objects)))
}

async fn start(options: &Options, scale: &Scale) -> Result<Comparison> {
    let log = options.data.join("log");
    let features = async || {
        measure::run(Command::new(&options.omnistorage).arg("features").arg(&options.data), &log)?;
        Ok(())
    };
    // The first one fills the cache.
    features().await?;
    let times = Times::on_the_wall(scale.starts, features, async || run_true()).await?;
    Ok(times.cost("start of the command line", "`true`", milliseconds))
}

fn size(options: &Options) -> Result<Comparison> {
    let size = |path: &Path| {
        Ok::<_, anyhow::Error>(fs::metadata(path).with_context(|| path.display().to_string())?.len())
    };
    let (component, executable) = (size(&options.component)?, size(&options.omnistorage)?);
    let say = |bytes: u64| format!("{} KiB", bytes >> 10);
    let ratio = component as f64 / executable as f64;
    Ok(Comparison {
        what: "size of the component".to_owned(),
        yardstick: "the executable",
        ours: say(component),
        theirs: say(executable),
        ratio,
    })
}

impl Comparisons {
    /// Two tables, one line a comparison.
    ///
    /// # Errors
    /// If they cannot be written.
    pub(crate) fn write_tables(&self, output: &mut impl Write) -> Result<()> {
        if !self.rates.is_empty() {
            writeln!(output, "\n| within one process, GB/s | ours | yardstick | | of it |")?;
            write_rows(output, &self.rates)?;
        }
        writeln!(output, "\n| within one process | ours | yardstick | | ratio, less is better |")?;
        write_rows(output, &self.costs)
    }
}

fn write_rows(output: &mut impl Write, rows: &[Comparison]) -> Result<()> {
    writeln!(output, "|---|--:|---|--:|--:|")?;
    for Comparison { what, yardstick, ours, theirs, ratio } in rows {
        writeln!(output, "| {what} | {ours} | {yardstick} | {theirs} | {ratio:.2} |")?;
    }
    Ok(())
}
