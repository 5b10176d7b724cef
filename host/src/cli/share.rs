//! `--cluster`: shares a run among the workers of a cluster.

#[cfg(not(target_family = "wasm"))]
mod start;

use std::{path::PathBuf, time::Duration};

use clap::{Args, value_parser};

#[cfg(not(target_family = "wasm"))]
pub(crate) use self::start::{Sharing, connect, failed};
use super::{exit::Failure, time::parse_duration};

/// The shortest lease: the server counts in seconds, and a worker must have the time to renew it.
const SHORTEST: Duration = Duration::from_secs(1);

/// Sharing a run
#[derive(Args)]
#[cfg_attr(target_family = "wasm", allow(dead_code, reason = "a component shares nothing"))]
#[command(next_help_heading = "Sharing among machines")]
pub(crate) struct ClusterOptions {
    /// Share the run among the workers (`omnistorage worker`) of the NATS server at URL, as `nats://host:4222`. The same command
    /// given again attaches to the run that goes on
    #[arg(long, value_name = "URL")]
    cluster: Option<String>,
    /// The credentials for the cluster, as `nsc generate creds` writes them
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// Cut the run into about N ranges: several for each worker, since some take longer than others
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=1_000), requires = "cluster")]
    ranges: u32,
    /// How long a worker that is not heard of keeps its ranges
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_lease, requires = "cluster")]
    lease: Duration,
    /// Local paths are the same on all machines, as on a file system that all of them have mounted
    #[arg(long, requires = "cluster")]
    shared_paths: bool,
}

impl ClusterOptions {
    /// Whether the command is shared, and how.
    #[cfg(not(target_family = "wasm"))]
    #[allow(clippy::unnecessary_wraps, reason = "a component refuses it")]
    pub(crate) fn sharing(&self) -> Result<Option<Sharing<'_>>, Failure> {
        Ok(self.cluster.as_deref().map(|url| Sharing { options: self, url }))
    }

    /// Refuses it: a component has no connections but those of its backends.
    #[cfg(target_family = "wasm")]
    pub(crate) fn sharing(&self) -> Result<Option<Sharing<'_>>, Failure> {
        match &self.cluster {
            Some(_) => Err(Failure::usage("--cluster: a component cannot connect to a cluster")),
            None => Ok(None),
        }
    }
}

/// A component shares nothing.
#[cfg(target_family = "wasm")]
#[derive(Clone, Copy)]
pub(crate) enum Sharing<'a> {
    #[allow(dead_code, reason = "there is none")]
    Never(std::convert::Infallible, std::marker::PhantomData<&'a ()>),
}

fn parse_lease(text: &str) -> Result<Duration, String> {
    let lease = parse_duration(text)?;
    if lease < SHORTEST { Err("a lease is at least `1s`".to_owned()) } else { Ok(lease) }
}
