//! Ours beside rclone, `cp` and the floor, in the same run on the same data: medians of interleaved rounds, each run a
//! process of its own, each copy checked byte by byte afterwards. Prints one table in Markdown:
//!
//! - *sync*: into an empty directory;
//! - *again*: the same command once more, with nothing to do; for the floor, list and stat of both sides;
//! - *check*: the content of both sides is compared; rclone by MD5, the floor byte by byte.
//!
//! Source and destination are on one local file system, the source is in the page cache. `RSS` is the peak of the
//! process as the kernel counts it.
//!
//! On ext4, wait five minutes after a run before the next (see `measure`), or name a directory of a tmpfs by `--data`:
//! then the disk has no part in it.

mod contender;
mod data;
mod floor;
mod measure;

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use contender::{Contender, Work};
use data::DataSet;
use measure::Cost;

/// Ours beside rclone, cp and the floor.
#[derive(Parser)]
struct Arguments {
    /// A tenth of the small files, small big files, one round: to see that it runs, not to measure
    #[arg(long)]
    quick: bool,
    /// How often each contender does everything
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only these, in this order
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Contender>,
    /// The omnistorage to run [default: the one beside this program]
    #[arg(long)]
    omnistorage: Option<PathBuf>,
    /// The rclone to run
    #[arg(long, default_value = "rclone")]
    rclone: PathBuf,
    /// Where the data is kept [default: bench-data in the target directory]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Only say which versions would run
    #[arg(long)]
    versions: bool,
    #[command(subcommand)]
    floor: Option<Floor>,
}

/// How this program runs itself as a contender.
#[derive(Subcommand)]
enum Floor {
    #[command(hide = true)]
    FloorSync { source: PathBuf, destination: PathBuf },
    #[command(hide = true)]
    FloorCheck { source: PathBuf, destination: PathBuf },
}

/// Where everything is.
struct Options {
    contenders: Vec<Contender>,
    rounds: u32,
    quick: bool,
    this: PathBuf,
    omnistorage: PathBuf,
    rclone: PathBuf,
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
    let arguments = Arguments::parse();
    match &arguments.floor {
        Some(Floor::FloorSync { source, destination }) => return floor::sync(source, destination),
        Some(Floor::FloorCheck { source, destination }) => return floor::check(source, destination),
        None => {}
    }

    let versions_only = arguments.versions;
    let options = Options::new(arguments)?;
    fs::create_dir_all(&options.data).with_context(|| format!("cannot create {}", options.data.display()))?;
    let mut output = io::stdout().lock();
    writeln!(output, "{}", versions(&options)?)?;
    if versions_only {
        return Ok(());
    }

    let sets = if options.quick {
        [DataSet { folders: 10, files: 100, size: 4 << 10 }, DataSet { folders: 1, files: 4, size: 16 << 20 }]
    } else {
        [
            DataSet { folders: 100, files: 100, size: 4 << 10 },
            DataSet { folders: 1, files: 10, size: 100 << 20 },
        ]
    };
    let rows = sets.into_iter().map(|set| measure(set, &options)).collect::<Result<Vec<_>>>()?.concat();
    write_table(&mut output, &rows)?;
    Ok(())
}

impl Options {
    fn new(arguments: Arguments) -> Result<Self> {
        use Contender::{Cp, Floor, Omnistorage, Rclone};

        let this = env::current_exe()?;
        let beside = this.parent().unwrap_or(Path::new("."));
        Ok(Self {
            contenders: if arguments.only.is_empty() {
                vec![Omnistorage, Rclone, Cp, Floor]
            } else {
                arguments.only
            },
            rounds: if arguments.quick { 1 } else { arguments.rounds },
            quick: arguments.quick,
            omnistorage: arguments.omnistorage.unwrap_or_else(|| beside.join("omnistorage")),
            rclone: arguments.rclone,
            data: arguments.data.unwrap_or_else(|| beside.join("../bench-data")),
            this,
        })
    }
}

/// Runs every work of a data set.
fn measure(set: DataSet, options: &Options) -> Result<Vec<Row>> {
    let source = set.prepare(&options.data)?;
    let destinations = options.data.join("destinations");
    let log = options.data.join("log");
    let mut rows: Vec<Row> = Vec::new();
    let mut contenders = options.contenders.clone();

    remove(&destinations)?;
    fs::create_dir(&destinations)?;
    for round in 0..options.rounds {
        for &contender in &contenders {
            let destination = destinations.join(format!("{contender}-{round}"));
            // What earlier runs left to write back must not fall on this one.
            rustix::fs::sync();
            for work in [Work::Sync, Work::Again, Work::Check] {
                let Some(mut command) = contender.command(work, &source, &destination, options) else {
                    continue;
                };
                let cost = measure::run(&mut command, &log)?;
                if work == Work::Sync
                    && let Some(mut check) =
                        Contender::Floor.command(Work::Check, &source, &destination, options)
                {
                    // In a process of its own too: the kernel counts our memory to that of the processes we start.
                    measure::run(&mut check, &log)
                        .with_context(|| format!("the copy of {contender} is wrong"))?;
                }
                let work = format!("{work}: {}", set.describe());
                match rows.iter_mut().find(|row| row.work == work && row.contender == contender) {
                    Some(row) => row.costs.push(cost),
                    None => rows.push(Row { work, contender, costs: vec![cost] }),
                }
            }
            // ext4 passes over inodes that were deleted in the last minutes one by one, and creating files after
            // thousands were deleted costs ten times as much. So many files go at the end, large ones at once.
            if set.count() < 1000 {
                remove(&destination)?;
            }
        }
        // No contender always runs after the same one.
        contenders.rotate_left(1);
    }
    remove(&destinations)?;
    Ok(rows)
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
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
    parts.push(format!("median of {}", options.rounds));
    Ok(parts.join(", "))
}

/// Works in the order in which they were first run, and their contenders likewise.
fn write_table(output: &mut impl Write, rows: &[Row]) -> Result<()> {
    writeln!(
        output,
        "\n| work | contender | wall s | min to max | of rclone | of floor | CPU s | RSS MiB |"
    )?;
    writeln!(output, "|---|---|--:|--:|--:|--:|--:|--:|")?;
    let mut works: Vec<&str> = Vec::new();
    for row in rows {
        if !works.contains(&row.work.as_str()) {
            works.push(&row.work);
        }
    }
    for work in works {
        let wall_of = |contender| {
            rows.iter()
                .find(|row| row.work == work && row.contender == contender)
                .and_then(|row| measure::median(&row.costs))
                .map(|cost| cost.wall)
        };
        let (rclone, floor) = (wall_of(Contender::Rclone), wall_of(Contender::Floor));
        for row in rows.iter().filter(|row| row.work == work) {
            let Some(cost) = measure::median(&row.costs) else { continue };
            let ratio = |other: Option<std::time::Duration>| {
                other.map_or("".into(), |other| {
                    format!("{:.2}", cost.wall.as_secs_f64() / other.as_secs_f64())
                })
            };
            let walls = row.costs.iter().map(|cost| cost.wall);
            writeln!(
                output,
                "| {work} | {} | {:.3} | {:.3} to {:.3} | {} | {} | {:.3} | {} |",
                row.contender,
                cost.wall.as_secs_f64(),
                walls.clone().min().unwrap_or_default().as_secs_f64(),
                walls.max().unwrap_or_default().as_secs_f64(),
                ratio(rclone),
                ratio(floor),
                cost.processor.as_secs_f64(),
                cost.memory >> 20,
            )?;
        }
    }
    Ok(())
}
