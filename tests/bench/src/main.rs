//! Ours beside what it has to beat, in one run on one machine. Prints Markdown:
//!
//! 1. Whole processes (`processes`): ours beside rclone, `cp` and the floor, on the same trees. Medians of interleaved
//!    rounds, each run a process of its own, each copy checked byte by byte afterwards. *Sync* is into an empty
//!    directory; *again* is the same command once more, with nothing to do (for the floor, list and stat of both sides);
//!    *check* compares the content of both sides, rclone by MD5, the floor byte by byte. `RSS` is the peak of the process
//!    as the kernel counts it.
//! 2. Where the time of a small file goes, one layer after the other (`layers`).
//! 3. What the sandbox costs, within one process (`inside`).
//! 4. With `--stores-only`, and nothing else then: trees to S3 and back, beside rclone and s5cmd (`stores`).
//! 5. With `--tables-only`, and nothing else then: records converted, beside polars and DuckDB (`tables`).
//! 6. With `--scale-only`, and nothing else then: millions of computed objects, whole and in ranges at once (`scale`),
//!    and listings of computed buckets over HTTP (`listed`).
//! 7. With `--shared-only`, and nothing else then: the same, shared among worker processes (`shared`).
//! 8. With `--embedding-only`, and nothing else then: the rows of the third table that an embedder asks about (`embedding`).
//! 9. The codecs in the component, beside the same code without it and, with the feature `c`, beside C: rates, and shares of
//!    the rate of C (`codecs`).
//!
//! Source and destination are on one file system, the source is in the page cache: in `/dev/shm` if it has 4 GiB free,
//! so that no disk has a part in it, else in the target directory; `--data` names another place. On ext4, wait five
//! minutes after a run before the next (see `processes`).

mod calls;
mod codecs;
mod contender;
mod data;
mod embedding;
mod floor;
mod formats;
mod inside;
mod instance;
mod jobs;
mod layers;
mod listed;
mod live;
mod measure;
mod memory;
mod open;
mod pattern;
mod place;
mod processes;
mod scale;
mod served;
mod shared;
mod stores;
mod tables;
mod text;

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Result;
use clap::{Parser, Subcommand};
use contender::Contender;
use data::DataSet;
use measure::Cost;
use place::Place;

/// Ours beside rclone, cp and the floor, and what the sandbox costs.
#[derive(Parser)]
struct Arguments {
    /// A tenth of the small files, small big files, one round: to see that it runs, not to measure
    #[arg(long)]
    quick: bool,
    /// How often each contender does everything
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// A million files of one byte too, once: needs 10 GiB of memory where the data is kept there
    #[arg(long)]
    million: bool,
    /// Only these, in this order
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Contender>,
    /// Leave out the tables of whole processes
    #[arg(long, conflicts_with = "only")]
    inside_only: bool,
    /// Only what embedding costs: instances, calls on them, their memory, and jobs at once
    #[arg(long, conflicts_with_all = ["only", "inside_only"])]
    embedding_only: bool,
    /// Only the table of the codecs
    #[arg(long, conflicts_with_all = ["only", "inside_only", "embedding_only"])]
    codecs_only: bool,
    /// Only the table of stores: S3, on a server that it starts
    #[arg(long, conflicts_with_all = ["only", "inside_only", "embedding_only", "codecs_only"])]
    stores_only: bool,
    /// Only the table of records that are converted
    #[arg(long, conflicts_with_all = ["only", "inside_only", "embedding_only", "codecs_only", "stores_only"])]
    tables_only: bool,
    /// Only the table of scale: computed listings, whole and in ranges at once
    #[arg(long, conflicts_with_all = ["only", "inside_only", "embedding_only", "codecs_only", "stores_only", "tables_only"])]
    scale_only: bool,
    /// Only the table of shared runs: computed listings, shared among worker processes
    #[arg(long)]
    shared_only: bool,
    /// Objects of the largest listing of the tables of scale and of shared runs: 10000000 takes a minute, 100000000 a quarter of an hour
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    objects: u64,
    /// The omnistorage to run [default: the one beside this program]
    #[arg(long)]
    omnistorage: Option<PathBuf>,
    /// The component that it embeds, to tell its size [default: where its build leaves it]
    #[arg(long)]
    component: Option<PathBuf>,
    /// The test guest, to measure a component that touches every byte [default: where its build leaves it]
    #[arg(long)]
    test_guest: Option<PathBuf>,
    /// The rclone to run
    #[arg(long, default_value = "rclone")]
    rclone: PathBuf,
    /// A wasmtime with WASI 0.3, to run the command line as a component in
    #[arg(long, requires = "composed")]
    wasmtime: Option<PathBuf>,
    /// The command line as a component
    #[arg(long, requires = "wasmtime")]
    composed: Option<PathBuf>,
    /// The s5cmd to run
    #[arg(long, default_value = "s5cmd")]
    s5cmd: PathBuf,
    /// The Python that has polars and DuckDB
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Where the data is kept [default: in /dev/shm if it has 4 GiB free, else bench-data in the target directory]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Only say which versions would run
    #[arg(long)]
    versions: bool,
    #[command(subcommand)]
    layer: Option<Layer>,
}

/// How this program runs itself as a contender.
#[derive(Subcommand)]
enum Layer {
    #[command(hide = true)]
    FloorSync { source: PathBuf, destination: PathBuf },
    #[command(hide = true)]
    FloorCheck { source: PathBuf, destination: PathBuf },
    #[command(hide = true)]
    BackendCopy { source: PathBuf, destination: PathBuf },
    #[command(hide = true)]
    ComponentSync { source: PathBuf, destination: PathBuf },
    #[command(hide = true)]
    ScaleSync { objects: u64, ranges: u32, latency_ms: u64 },
    #[command(hide = true)]
    ScaleWorker { url: String, objects: u64, ranges: u32, latency_ms: u64 },
    #[command(hide = true)]
    ScaleClient { url: String, objects: u64, cuts: u32, latency_ms: u64 },
    #[command(hide = true)]
    MemoryServed { count: u32 },
    #[command(hide = true)]
    MemoryOpen { count: u32 },
}

/// Where everything is.
struct Options {
    contenders: Vec<Contender>,
    rounds: u32,
    quick: bool,
    this: PathBuf,
    omnistorage: PathBuf,
    component: PathBuf,
    test_guest: Option<PathBuf>,
    rclone: PathBuf,
    s5cmd: PathBuf,
    python: PathBuf,
    /// The wasmtime and the command line as a component, compiled by it.
    composed: Option<(PathBuf, PathBuf)>,
    data: PathBuf,
}

/// All runs of one work by one contender.
#[derive(Clone)]
struct Row {
    work: String,
    contender: Contender,
    costs: Vec<Cost>,
}

fn main() -> Result<()> {
    let mut arguments = Arguments::parse();
    if let Some(layer) = arguments.layer.take() {
        return layer.run();
    }

    let this = env::current_exe()?;
    let beside = this.parent().unwrap_or(Path::new(".")).to_owned();
    let place = Place::choose(arguments.data.take(), beside.join("../bench-data"))?;
    let (versions_only, inside_only, codecs_only, million) =
        (arguments.versions, arguments.inside_only, arguments.codecs_only, arguments.million);
    let (stores_only, tables_only) = (arguments.stores_only, arguments.tables_only);
    let objects = arguments.objects;
    let (scale_only, shared_only) = (arguments.scale_only, arguments.shared_only);
    let embedding_only = arguments.embedding_only;
    let options = Options::new(arguments, this, &beside, &place);
    let mut output = io::stdout().lock();
    writeln!(output, "{}, {}", versions(&options)?, place.describe())?;
    if versions_only {
        return Ok(());
    }
    if scale_only {
        scale::write_table(&mut output, &options, objects)?;
        return listed::write_table(&mut output, &options, objects.min(1_000_000));
    }
    if shared_only {
        return shared::write_table(&mut output, &options, objects);
    }
    if embedding_only {
        let comparisons = one_thread()?.block_on(inside::measure_embedding(&options))?;
        return comparisons.write_tables(&mut output);
    }
    let options = options.with_compiled()?;

    if stores_only {
        return stores::write_table(&mut output, &options);
    }
    if tables_only {
        return tables::write_table(&mut output, &options);
    }
    if codecs_only {
        return write_codecs(&mut output, &options);
    }
    if !inside_only {
        let (small, large) = if options.quick {
            (
                DataSet { folders: 10, files: 100, size: 4 << 10 },
                DataSet { folders: 1, files: 4, size: 16 << 20 },
            )
        } else {
            (
                DataSet { folders: 100, files: 100, size: 4 << 10 },
                DataSet { folders: 1, files: 10, size: 100 << 20 },
            )
        };
        let mut rows = [small, large]
            .map(|set| processes::measure(set, options.rounds, &options))
            .into_iter()
            .collect::<Result<Vec<_>>>()?
            .concat();
        if million {
            let million = DataSet { folders: 1000, files: 1000, size: 1 };
            rows.extend(processes::measure(million, 1, &options)?);
        }
        processes::write_table(&mut output, &rows)?;
        layers::write_table(&mut output, small, &rows)?;
    }
    // Last: the kernel counts our memory to that of the processes we start.
    let comparisons = one_thread()?.block_on(inside::measure(&options))?;
    comparisons.write_tables(&mut output)?;
    write_codecs(&mut output, &options)?;
    writeln!(output, "\nload average at the end: {}", load())?;
    Ok(())
}

impl Layer {
    fn run(self) -> Result<()> {
        match self {
            Self::FloorSync { source, destination } => floor::sync(&source, &destination),
            Self::FloorCheck { source, destination } => floor::check(&source, &destination),
            Self::BackendCopy { source, destination } => {
                asynchronous()?.block_on(layers::copy_by_backend(&source, &destination))
            }
            Self::ComponentSync { source, destination } => {
                asynchronous()?.block_on(layers::sync_by_component(&source, &destination))
            }
            Self::ScaleSync { objects, ranges, latency_ms } => {
                scale::sync(objects, ranges, Duration::from_millis(latency_ms))
            }
            Self::ScaleWorker { url, objects, ranges, latency_ms } => {
                shared::work(&url, objects, Duration::from_millis(latency_ms), ranges)
            }
            Self::ScaleClient { url, objects, cuts, latency_ms } => {
                shared::lead(&url, objects, Duration::from_millis(latency_ms), cuts)
            }
            Self::MemoryServed { count } => tell(one_thread()?.block_on(served::measure(count))?),
            Self::MemoryOpen { count } => tell(one_thread()?.block_on(open::measure(count))?),
        }
    }
}

/// Tells bytes of memory to the process that started this one; nothing where they are not known.
fn tell(taken: Option<memory::Taken>) -> Result<()> {
    let Some(memory::Taken { own, resident }) = taken else { return Ok(()) };
    Ok(writeln!(io::stdout(), "{own} {resident}")?)
}

fn write_codecs(output: &mut impl Write, options: &Options) -> Result<()> {
    let rows = one_thread()?.block_on(codecs::measure(options))?;
    codecs::write_tables(output, &rows)
}

/// All in this thread, whose time is what is told.
fn one_thread() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Threads as the command line has them.
fn asynchronous() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

impl Options {
    fn new(arguments: Arguments, this: PathBuf, beside: &Path, place: &Place) -> Self {
        use Contender::{Backend, Component, Composed, Cp, Floor, Omnistorage, Rclone};

        let built = |name: &str| beside.join("../component/wasm32-wasip2/component").join(name);
        let test_guest = built("omnistorage_test_guest.wasm");
        Self {
            contenders: if arguments.only.is_empty() {
                let composed = arguments.composed.as_ref().map(|_| Composed);
                [Omnistorage, Rclone, Cp, Floor, Backend, Component].into_iter().chain(composed).collect()
            } else {
                arguments.only
            },
            rounds: if arguments.quick { 1 } else { arguments.rounds },
            quick: arguments.quick,
            omnistorage: arguments.omnistorage.unwrap_or_else(|| beside.join("omnistorage")),
            component: arguments.component.unwrap_or_else(|| built("omnistorage_component.wasm")),
            test_guest: arguments.test_guest.or_else(|| test_guest.exists().then_some(test_guest)),
            rclone: arguments.rclone,
            s5cmd: arguments.s5cmd,
            python: arguments.python,
            composed: arguments.wasmtime.zip(arguments.composed),
            data: place.path().to_owned(),
            this,
        }
    }
}

impl Options {
    /// The same with the composed command line compiled, as whoever starts it often has it.
    fn with_compiled(mut self) -> Result<Self> {
        if let Some((wasmtime, composed)) = &mut self.composed {
            let compiled = self.data.join("composed.cwasm");
            let mut compile = Command::new(wasmtime.as_path());
            compile
                .args(["compile", "-W", "component-model-async=y"])
                .arg(&composed)
                .arg("-o")
                .arg(&compiled);
            measure::run(&mut compile, &self.data.join("log"))?;
            *composed = compiled;
        }
        Ok(self)
    }
}

/// One line: the first line of what each contender says about itself, and the machine.
fn versions(options: &Options) -> Result<String> {
    let mut parts = Vec::new();
    for contender in &options.contenders {
        if let Some(mut command) = contender.version(options) {
            let log = options.data.join("log");
            measure::run(&mut command, &log)?;
            parts.push(fs::read_to_string(&log)?.lines().next().unwrap_or_default().to_owned());
        }
    }
    let kernel = rustix::system::uname();
    let processors = std::thread::available_parallelism()?;
    parts.push(format!("{} {}", kernel.sysname().to_string_lossy(), kernel.release().to_string_lossy()));
    parts.push(format!("{processors} processors"));
    parts.push(format!("load average {}", load()));
    parts.push(format!("median of {}", options.rounds));
    Ok(parts.join(", "))
}

/// Processes that wanted to run in the last 1, 5 and 15 minutes, where the system tells it.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let numbers: Vec<_> = load.split(' ').take(3).collect();
    if load.is_empty() { "unknown".to_owned() } else { numbers.join(" ") }
}
