//! `cluster`: what a cluster is at work on.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{
    exit::{Exit, Failure},
    output::{Output, printable},
    share::{connect, failed},
};
use crate::cluster::{RunStatus, cancel, runs};

/// Show the runs that a cluster shares, or end one
#[derive(Args)]
pub(crate) struct Cluster {
    #[command(subcommand)]
    command: ClusterCommand,
}

#[derive(Subcommand)]
enum ClusterCommand {
    Status(Status),
    Watch(Watch),
    Cancel(Cancel),
}

/// Show the runs of a cluster, how far they are, and who is at work on them
///
/// A run that is over is shown until the same command begins it anew.
#[derive(Args)]
#[command(after_help = "Examples:\n  omnistorage cluster status --cluster nats://nats:4222")]
struct Status {
    /// The NATS server, as `nats://host:4222`
    #[arg(long, value_name = "URL")]
    cluster: String,
    /// The credentials for it, as `nsc generate creds` writes them
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// Print one JSON object a run
    #[arg(long)]
    json: bool,
}

/// Show how far a run of a cluster is until it is over
///
/// Whatever changes is a new line. It ends with 0 if the run came to its end, and with 1 if it failed or was cancelled; what the
/// run has done, its client says.
#[derive(Args)]
#[command(after_help = "Examples:\n  omnistorage cluster watch --cluster nats://nats:4222")]
struct Watch {
    /// The NATS server, as `nats://host:4222`
    #[arg(long, value_name = "URL")]
    cluster: String,
    /// The credentials for it, as `nsc generate creds` writes them
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// Print one JSON object a change
    #[arg(long)]
    json: bool,
    /// The run, as `cluster status` names it; needed if several go on
    #[arg(value_name = "RUN")]
    run: Option<String>,
}

/// End a run of a cluster
///
/// Its workers give up what they are at work on, and nothing is left half written. What was transferred stays.
#[derive(Args)]
#[command(after_help = "Examples:\n  omnistorage cluster cancel --cluster nats://nats:4222")]
struct Cancel {
    /// The NATS server, as `nats://host:4222`
    #[arg(long, value_name = "URL")]
    cluster: String,
    /// The credentials for it, as `nsc generate creds` writes them
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// The run, as `cluster status` names it; needed if several go on
    #[arg(value_name = "RUN")]
    run: Option<String>,
}

#[derive(Serialize)]
struct RunJson<'a> {
    run: &'a str,
    command: &'static str,
    source: &'a str,
    target: &'a str,
    state: &'static str,
    done: usize,
    ranges: usize,
    workers: Vec<WorkerJson<'a>>,
}

#[derive(Serialize)]
struct WorkerJson<'a> {
    worker: &'a str,
    ranges: Option<usize>,
    refused: Option<&'a str>,
}

impl Cluster {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self.command {
            ClusterCommand::Status(status) => status.run().await,
            ClusterCommand::Watch(watch) => watch.run().await,
            ClusterCommand::Cancel(cancel) => cancel.run().await,
        }
    }
}

impl Status {
    async fn run(self) -> Result<(), Failure> {
        let cluster = connect(&self.cluster, self.creds.as_deref(), "omnistorage").await?;
        let mut output = Output::new();
        for run in runs(&cluster).await.map_err(failed)? {
            say(&run, self.json, &mut output)?;
        }
        output.flush()
    }
}

impl Watch {
    async fn run(self) -> Result<(), Failure> {
        let cluster = connect(&self.cluster, self.creds.as_deref(), "omnistorage").await?;
        let (mut output, mut last) = (Output::new(), None::<RunStatus>);
        loop {
            let all = runs(&cluster).await.map_err(failed)?;
            let name = last.as_ref().map(|last| last.id.as_str()).or(self.run.as_deref());
            let now = chosen(all, name)?;
            if last.as_ref() != Some(&now) {
                say(&now, self.json, &mut output)?;
                output.flush()?;
            }
            match now.state {
                "done" => return Ok(()),
                "failed" | "cancelled" => return Failure::told(Exit::Other),
                // To ask takes a second or two by itself.
                _ => last = Some(now),
            }
        }
    }
}

/// The run of that name, or the only one that is open.
fn chosen(all: Vec<RunStatus>, name: Option<&str>) -> Result<RunStatus, Failure> {
    let is_meant = |run: &RunStatus| match name {
        Some(name) => run.id == name,
        None => matches!(run.state, "merging" | "deleting" | "tidying"),
    };
    let mut meant = all.into_iter().filter(is_meant);
    match (meant.next(), meant.next(), name) {
        (Some(run), None, _) => Ok(run),
        (Some(_), Some(_), _) => {
            Err(Failure::usage("several runs go on: name one, as `cluster status` does"))
        }
        (None, _, Some(name)) => {
            Err(Failure::new(Exit::ObjectNotFound, format!("there is no run `{}`", printable(name))))
        }
        (None, _, None) => Err(Failure::new(Exit::ObjectNotFound, "no run goes on")),
    }
}

fn say(run: &RunStatus, json: bool, output: &mut Output) -> Result<(), Failure> {
    if json { output.json(&RunJson::from(run)) } else { tell(run, output) }
}

impl<'a> From<&'a RunStatus> for RunJson<'a> {
    fn from(run: &'a RunStatus) -> Self {
        let worker = |(worker, part): (&'a String, &'a Result<usize, String>)| WorkerJson {
            worker,
            ranges: part.as_ref().ok().copied(),
            refused: part.as_ref().err().map(String::as_str),
        };
        Self {
            run: &run.id,
            command: run.task.operation.as_str(),
            source: &run.task.source,
            target: &run.task.target,
            state: run.state,
            done: run.done,
            ranges: run.ranges,
            workers: run.workers.iter().map(worker).collect(),
        }
    }
}

fn tell(run: &RunStatus, output: &mut Output) -> Result<(), Failure> {
    let (source, target) = (printable(&run.task.source), printable(&run.task.target));
    output.line(&format!(
        "{}  {} `{source}` `{target}`: {}, {} of {} ranges",
        run.id,
        run.task.operation.as_str(),
        run.state,
        run.done,
        run.ranges
    ))?;
    for (worker, part) in &run.workers {
        let worker = printable(worker);
        output.line(&match part {
            Ok(ranges) => format!("  {worker}: at work on {ranges}"),
            Err(why) => format!("  {worker}: takes no part: {}", printable(why)),
        })?;
    }
    Ok(())
}

impl Cancel {
    async fn run(self) -> Result<(), Failure> {
        let cluster = connect(&self.cluster, self.creds.as_deref(), "omnistorage").await?;
        let run = cancel(&cluster, self.run.as_deref()).await.map_err(failed)?;
        let mut output = Output::new();
        output.line(&format!("cancelled {run}"))?;
        output.flush()
    }
}
