//! The table of stores: trees to S3 and back, listings and deletes, beside rclone and s5cmd on the same server.
//!
//! The server is SeaweedFS on this machine: what it costs is not counted, but all wait for it. Each contender has
//! [`IN_FLIGHT`] transfers at a time and a prefix of its own; what came back is compared byte by byte.

use std::{
    fmt, fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use omnistorage_test_servers::{ACCESS_KEY, BUCKET, SECRET_KEY, Server, weed};

use crate::{
    Options,
    contender::{Contender, Work},
    data::DataSet,
    measure::{self, Cost},
};

/// Transfers at a time.
const IN_FLIGHT: &str = "16";

/// Who works on the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Omnistorage,
    Rclone,
    S5cmd,
}

/// What is timed, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Up,
    UpAgain,
    List,
    Down,
    DownAgain,
    Delete,
}

const STEPS: [Step; 6] = [Step::Up, Step::UpAgain, Step::List, Step::Down, Step::DownAgain, Step::Delete];

impl fmt::Display for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Omnistorage => "omnistorage",
            Self::Rclone => "rclone",
            Self::S5cmd => "s5cmd",
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Up => "sync up",
            Self::UpAgain => "up again, nothing to do",
            Self::List => "list",
            Self::Down => "sync down",
            Self::DownAgain => "down again, nothing to do",
            Self::Delete => "delete",
        })
    }
}

/// Where a client works.
struct Places<'a> {
    source: &'a Path,
    /// Below the bucket.
    prefix: String,
    destination: PathBuf,
}

impl Client {
    fn command(self, step: Step, places: &Places<'_>, server: &Server, options: &Options) -> Command {
        let (source, down) = (places.source, &*places.destination);
        let prefix = &places.prefix;
        let (url, remote) = (format!("s3://{BUCKET}/{prefix}"), format!(":s3:{BUCKET}/{prefix}"));
        let all = format!("{url}/*");
        let mut command = Command::new(match self {
            Self::Omnistorage => options.omnistorage.clone(),
            Self::Rclone => options.rclone.clone(),
            Self::S5cmd => options.s5cmd.clone(),
        });
        match self {
            Self::Omnistorage => {}
            Self::Rclone => {
                command.args(["--s3-provider", "Other", "--s3-endpoint", &server.endpoint]);
                command.args(["--s3-access-key-id", ACCESS_KEY, "--s3-secret-access-key", SECRET_KEY]);
                command.args(["--transfers", IN_FLIGHT, "--checkers", IN_FLIGHT]);
            }
            Self::S5cmd => {
                command.args(["--endpoint-url", &server.endpoint, "--numworkers", IN_FLIGHT]);
            }
        }
        match (self, step) {
            (Self::Omnistorage, Step::Up | Step::UpAgain) => {
                command.args(["sync", "--transfers", IN_FLIGHT]).arg(source).arg(&url)
            }
            (Self::Omnistorage, Step::Down | Step::DownAgain) => {
                command.args(["sync", "--transfers", IN_FLIGHT, &url]).arg(down)
            }
            (Self::Omnistorage, Step::List) => command.args(["ls", "-r", &url]),
            (Self::Omnistorage, Step::Delete) => command.args(["rm", "-r", &url]),
            (Self::Rclone, Step::Up | Step::UpAgain) => command.arg("sync").arg(source).arg(&remote),
            (Self::Rclone, Step::Down | Step::DownAgain) => command.args(["sync", &remote]).arg(down),
            (Self::Rclone, Step::List) => command.args(["lsf", "-R", "--files-only", "--fast-list", &remote]),
            (Self::Rclone, Step::Delete) => command.args(["purge", &remote]),
            (Self::S5cmd, Step::Up | Step::UpAgain) => {
                command.arg("sync").arg(source.join("*")).arg(format!("{url}/"))
            }
            (Self::S5cmd, Step::Down | Step::DownAgain) => command.args(["sync", &all]).arg(down.join("")),
            (Self::S5cmd, Step::List) => command.args(["ls", &all]),
            (Self::S5cmd, Step::Delete) => command.args(["rm", &all]),
        };
        command
            .env("RCLONE_CONFIG", "/dev/null")
            .env("AWS_ENDPOINT_URL", &server.endpoint)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }
}

/// All runs of one step by one client.
struct Row {
    step: Step,
    set: String,
    client: Client,
    costs: Vec<Cost>,
}

/// Runs every step of the data sets, and writes the table.
///
/// # Errors
/// If a client fails, what came back is wrong, or it cannot be written.
pub(crate) fn write_table(output: &mut impl Write, options: &Options) -> Result<()> {
    let server = weed();
    let (small, large) = if options.quick {
        (DataSet { folders: 10, files: 30, size: 4 << 10 }, DataSet { folders: 1, files: 2, size: 16 << 20 })
    } else {
        (
            DataSet { folders: 100, files: 100, size: 4 << 10 },
            DataSet { folders: 1, files: 5, size: 100 << 20 },
        )
    };
    let mut clients = vec![Client::Omnistorage, Client::Rclone, Client::S5cmd];
    let mut rows: Vec<Row> = Vec::new();
    for set in [small, large] {
        for round in 0..options.rounds {
            for &client in &clients {
                run_all(client, set, round, server, options, &mut rows)?;
            }
            // No client always runs after the same one.
            clients.rotate_left(1);
        }
    }
    write_rows(output, &rows)
}

fn run_all(
    client: Client,
    set: DataSet,
    round: u32,
    server: &Server,
    options: &Options,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let source = set.prepare(&options.data)?;
    let places = Places {
        source: &source,
        prefix: format!("{client}-{}-{round}", set.count()),
        destination: options.data.join(format!("down-{client}-{round}")),
    };
    let log = options.data.join("log");
    fs::create_dir_all(&places.destination)?;
    for step in STEPS {
        rustix::fs::sync();
        let cost = measure::run(&mut client.command(step, &places, server, options), &log)?;
        if step == Step::Down {
            let check = Contender::Floor.command(Work::Check, &source, &places.destination, options);
            let mut check = check.context("the floor has a check")?;
            measure::run(&mut check, &log).with_context(|| format!("what came back to {client} is wrong"))?;
        }
        let set = set.describe();
        match rows.iter_mut().find(|row| (row.step, row.client) == (step, client) && row.set == set) {
            Some(row) => row.costs.push(cost),
            None => rows.push(Row { step, set, client, costs: vec![cost] }),
        }
    }
    fs::remove_dir_all(&places.destination)?;
    Ok(())
}

fn write_rows(output: &mut impl Write, rows: &[Row]) -> Result<()> {
    writeln!(
        output,
        "\n| work on S3 | client | wall s | min to max | of rclone | user s | system s | RSS MiB |"
    )?;
    writeln!(output, "|---|---|--:|--:|--:|--:|--:|--:|")?;
    let seconds = |time: Duration| time.as_secs_f64();
    for row in rows {
        let Some(cost) = measure::median_cost(&row.costs) else { continue };
        let rclone = rows
            .iter()
            .find(|other| (other.step, other.client) == (row.step, Client::Rclone) && other.set == row.set)
            .and_then(|other| measure::median_cost(&other.costs));
        let ratio = rclone
            .map_or(String::new(), |rclone| format!("{:.2}", seconds(cost.wall) / seconds(rclone.wall)));
        let walls = row.costs.iter().map(|cost| cost.wall);
        writeln!(
            output,
            "| {}: {} | {} | {:.3} | {:.3} to {:.3} | {ratio} | {:.3} | {:.3} | {} |",
            row.step,
            row.set,
            row.client,
            seconds(cost.wall),
            seconds(walls.clone().min().unwrap_or_default()),
            seconds(walls.max().unwrap_or_default()),
            seconds(cost.user),
            seconds(cost.system),
            cost.memory >> 20,
        )?;
    }
    Ok(())
}
