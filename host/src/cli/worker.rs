//! `worker`: takes part in the runs that a cluster shares.

mod logs;

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, value_parser};

use self::logs::Below;
use super::{
    Globals,
    exit::Failure,
    interrupt::asked_to_end,
    local::Need,
    output::{note, printable},
    place::{Place, PlaceKind},
    session::{FileSettings, Granted, Session},
    share::connect,
    threads::{Threads, wait_for},
};
use crate::{
    ErrorCode,
    backend::clock::sleep,
    cluster::{self, Cluster, Logs, Opened, Places, Task},
};

/// How long until the cluster is looked for again.
const PAUSE: Duration = Duration::from_secs(2);

/// Take part in the runs that a cluster shares, until SIGINT or SIGTERM
///
/// A worker opens places by its own configuration and credentials, and only those that are allowed here; a run over any
/// other place it leaves alone, and says so. It ends with 0 when it is asked to end; what it was at work on is given to
/// others.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Worker {
    /// The NATS server whose runs to take part in, as `nats://host:4222`
    #[arg(long, value_name = "URL")]
    cluster: String,
    /// The credentials for it, as `nsc generate creds` writes them
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// A place that runs may read and write, with all that is below it; may be given several times
    #[arg(long, value_name = "PLACE", required = true, value_parser = Place::parser())]
    allow: Vec<Place>,
    /// Ranges at work at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u32).range(1..=256))]
    ranges: u32,
    /// What others call this worker [default: the name of the machine and the process]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  omnistorage worker --cluster nats://nats:4222 --allow s3://source --allow s3://target/backup
  omnistorage worker --cluster nats://nats:4222 --creds worker.creds --allow nas: --ranges 16";

impl Worker {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        wait_for(Threads::Several, async {
            let end = asked_to_end()?;
            let mut end = std::pin::pin!(end);
            let name = self.name.unwrap_or_else(default_name);
            for place in &self.allow {
                require_shareable(place)?;
            }
            // What cannot be opened is told now, and not when a run asks for it.
            drop(Session::each_of(globals, &self.allow, Need::Contents)?);
            let connection = self::connection(&self.cluster, self.creds.as_deref(), &name, globals);
            let cluster = tokio::select! {
                () = &mut end => return Ok(()),
                cluster = connection => cluster?,
            };
            let is_quiet = globals.quiet;
            let say = move |sentence: String| {
                if !is_quiet {
                    note(printable(&sentence));
                }
            };
            say(format!("{name} takes part, with up to {} ranges at once", self.ranges));
            let granted = Grants { globals: globals.clone(), allow: self.allow, ranges: self.ranges };
            cluster::Worker::new(cluster, name, self.ranges, granted, say).serve(end).await;
            Ok(())
        })
    }
}

/// Waits for a cluster that is not there yet: machines start in any order.
async fn connection(
    url: &str,
    creds: Option<&std::path::Path>,
    name: &str,
    globals: &Globals,
) -> Result<Cluster, Failure> {
    let mut is_said = globals.quiet;
    loop {
        match Cluster::connect(url, creds, name).await {
            Err(error) if error.code() == ErrorCode::Unavailable => {
                if !is_said {
                    note(format_args!("{}; waiting for it", error.message()));
                    is_said = true;
                }
                sleep(PAUSE).await;
            }
            Err(_) => return connect(url, creds, name).await,
            Ok(cluster) => return Ok(cluster),
        }
    }
}

/// Refuses what no run can be about.
fn require_shareable(place: &Place) -> Result<(), Failure> {
    match place.kind {
        PlaceKind::Memory(_) | PlaceKind::Standard(_) | PlaceKind::Buckets { .. } => {
            let message =
                format!("--allow `{}`: no run of a cluster can be about that", printable(&place.typed));
            Err(Failure::usage(message))
        }
        PlaceKind::Local { .. }
        | PlaceKind::Bucket { .. }
        | PlaceKind::Server { .. }
        | PlaceKind::Configured { .. } => Ok(()),
    }
}

/// The machine and the process.
fn default_name() -> String {
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{machine}-{}", std::process::id())
}

/// The places that this machine grants.
struct Grants {
    globals: Globals,
    allow: Vec<Place>,
    ranges: u32,
}

impl Places for Grants {
    fn open(&self, task: &Task) -> Result<Opened, String> {
        let sentence = |failure: Failure| failure.message.unwrap_or_else(|| "it cannot be opened".to_owned());
        let place = |typed: &str| {
            let place = Place::parse(typed.as_ref())?;
            for allowed in &self.allow {
                if Session::is_within(&self.globals, &place, allowed).map_err(sentence)? {
                    return Ok(place);
                }
            }
            Err(format!("`{typed}` is not allowed here: --allow {typed} would"))
        };
        let (source, target) = (place(&task.source)?, place(&task.target)?);
        let backup = task.backup.as_deref().map(place).transpose()?;
        let report = task.report.as_deref().map(place).transpose()?;
        let logs = report.map(|report| Below::open(&self.globals, &report)).transpose().map_err(sentence)?;
        let logs = logs.map(|logs| Arc::new(logs) as Arc<dyn Logs>);
        let links =
            task.links.parse().map_err(|_| format!("`{}` is nothing to do with links", task.links))?;
        let files = FileSettings { metadata: task.metadata, links };
        let opened =
            Session::with_ranges(&self.globals, &source, &target, backup.as_ref(), files, self.ranges);
        let Granted { session, source, target, third: backup, .. } = opened.map_err(sentence)?;
        Ok(Opened { storage: session.storage, source, target, backup, logs })
    }
}
