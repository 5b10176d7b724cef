//! The table of shared runs: a dry sync of computed listings by worker processes around a server of NATS. The places take no
//! processor time but that of their names, so that what is seen is what sharing costs.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result as Outcome, ensure};
use omnistorage::{
    cluster::{Cluster, Opened, Operation, Places, Plan, Task, Transfer, Worker, share},
    runtime::{Event, Report},
};
use omnistorage_test_servers::Nats;

use crate::{Options, measure, scale};

/// A lease as it is by default.
const LEASE: Duration = Duration::from_secs(30);

/// What a run is about.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    objects: u64,
    latency_ms: u64,
    workers: u32,
    /// At work at once in each.
    ranges: u32,
    /// Cut at the beginning.
    cuts: u32,
}

/// The places of all runs, whatever they are called.
struct Computed {
    opened: Opened,
}

impl Places for Computed {
    fn open(&self, _: &Task) -> Result<Opened, String> {
        Ok(self.opened.clone())
    }
}

fn opened(objects: u64, latency: Duration) -> Outcome<Opened> {
    let (storage, [source, target]) = scale::places(objects, latency)?;
    Ok(Opened { storage, source, target, backup: None, logs: None })
}

fn say(sentence: &str) {
    // Who does not listen misses nothing.
    let _ = writeln!(io::stderr(), "{sentence}");
}

/// Works until standard input ends.
///
/// # Errors
/// If there is no cluster.
pub(crate) fn work(url: &str, objects: u64, latency: Duration, ranges: u32) -> Outcome<()> {
    let places = Computed { opened: opened(objects, latency)? };
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    threads.block_on(async {
        let name = format!("worker-{}", std::process::id());
        let cluster = Cluster::connect(url, None, &name).await?;
        let worker = Worker::new(cluster, name, ranges, places, |sentence| say(&sentence));
        writeln!(io::stdout(), "ready")?;
        let end = tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
        worker.serve(async { drop(end.await) }).await;
        Ok(())
    })
}

/// Leads one run. Nothing is found to do.
///
/// # Errors
/// If anything is.
pub(crate) fn lead(url: &str, objects: u64, latency: Duration, cuts: u32) -> Outcome<()> {
    let Opened { storage, source, target, .. } = opened(objects, latency)?;
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report: Report = threads.block_on(async {
        let cluster = Cluster::connect(url, None, "client").await?;
        let plan = Plan {
            task: Task {
                operation: Operation::Transfer(Transfer::Sync),
                source: "here".into(),
                target: "there".into(),
                backup: None,
                report: None,
                metadata: false,
                links: "skip".into(),
            },
            options: scale::options(),
            times: String::new(),
            ranges: cuts,
            lease: LEASE,
        };
        let job = share::<Event>(cluster, storage, [source, target], plan, |sentence| say(&sentence));
        job.await?.outcome().await
    })?;
    scale::require_nothing_to_do(&report, objects)
}

/// A worker that is ready.
struct Process {
    child: Child,
    /// It works until this is closed.
    input: Option<ChildStdin>,
}

impl Process {
    fn start(options: &Options, nats: &Nats, row: Row) -> Outcome<Self> {
        let Row { objects, latency_ms, ranges, .. } = row;
        let mut command = Command::new(&options.this);
        command.args(["scale-worker", &nats.url(), &objects.to_string(), &ranges.to_string()]);
        command
            .arg(latency_ms.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("a worker has an output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        ensure!(line == "ready\n", "a worker did not start: {line}");
        Ok(Self { child, input })
    }

    /// Processor time so far, in seconds. The kernel counts it in hundredths (`proc_pid_stat(5)`, fields 14 and 15).
    fn time(&self) -> Outcome<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat.rsplit_once(") ").context("a process has a name")?;
        let ticks = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap_or_default());
        Ok(ticks.sum::<f64>() / 100.0)
    }

    /// The peak of its memory, in KiB.
    fn memory(&self) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let peak =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a process has memory")?;
        Ok(peak.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

/// What a run cost.
struct Cost {
    client: measure::Cost,
    /// Processor time of all workers, in seconds.
    workers: f64,
    /// The most memory of one, in KiB.
    memory: f64,
}

impl Row {
    fn run(self, options: &Options) -> Outcome<Cost> {
        let nats = Nats::start().context("it is left out")?;
        let workers = (0..self.workers).map(|_| Process::start(options, &nats, self));
        let workers = workers.collect::<Outcome<Vec<_>>>()?;
        let time = || workers.iter().map(Process::time).sum::<Outcome<f64>>();
        let before = time()?;
        let mut command = Command::new(&options.this);
        command.args(["scale-client", &nats.url(), &self.objects.to_string(), &self.cuts.to_string()]);
        let client = measure::run(command.arg(self.latency_ms.to_string()), &options.data.join("log"))?;
        let memory = workers.iter().map(Process::memory).collect::<Outcome<Vec<_>>>()?;
        Ok(Cost { client, workers: time()? - before, memory: memory.into_iter().fold(0.0, f64::max) })
    }
}

/// Runs the table: by the processor alone, far away, and in many small ranges.
///
/// # Errors
/// If a run fails, or it cannot be written.
pub(crate) fn write_table(output: &mut impl Write, options: &Options, objects: u64) -> Outcome<()> {
    writeln!(
        output,
        "\n| objects | a page takes | workers | ranges at once in each | cut beforehand | wall s | speed of one, a worker | CPU us an object \
         | / one | RSS MiB | client CPU s | client RSS MiB |"
    )?;
    writeln!(output, "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
    let tables: [&[Row]; 3] = [
        &[1, 2, 4, 8].map(|workers| Row { objects, latency_ms: 0, workers, ranges: 1, cuts: 64 }),
        &[1, 2, 4].map(|workers| Row { objects, latency_ms: 100, workers, ranges: 4, cuts: 16 }),
        &[1, 64, 1_000].map(|cuts| Row { objects: 100_000, latency_ms: 0, workers: 1, ranges: 1, cuts }),
    ];
    for rows in tables {
        let mut first: Option<(f64, f64, f64)> = None;
        for row in rows {
            let cost = row.run(options)?;
            let wall = cost.client.wall.as_secs_f64();
            let (one_wall, one_cpu, ones) =
                *first.get_or_insert((wall, cost.workers, f64::from(row.workers)));
            writeln!(
                output,
                "| {} | {} ms | {} | {} | {} | {wall:.2} | {:.2} | {:.2} | {:.2} | {:.1} | {:.2} | {:.1} |",
                row.objects,
                row.latency_ms,
                row.workers,
                row.ranges,
                row.cuts,
                one_wall / wall / (f64::from(row.workers) / ones),
                cost.workers * 1e6 / row.objects as f64,
                cost.workers / one_cpu,
                cost.memory / 1024.0,
                (cost.client.user + cost.client.system).as_secs_f64(),
                cost.client.memory as f64 / f64::from(1 << 20),
            )?;
        }
    }
    Ok(())
}
