//! `--ranges`: cuts a run into ranges, which are at work at once in this process, or on the workers of a `--cluster`.

#[cfg(not(target_family = "wasm"))]
mod start;

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use clap::{Args, value_parser};

#[cfg(not(target_family = "wasm"))]
pub(crate) use self::start::{Sharing, connect, failed, require_whole};
use super::{exit::Failure, threads::Threads, time::parse_duration};

/// The shortest lease: the server counts in seconds, and a worker must have the time to renew it.
const SHORTEST: Duration = Duration::from_secs(1);

/// Ranges that a shared run is cut into.
#[cfg(not(target_family = "wasm"))]
const SHARED: u32 = 64;

/// Ranges at once in this process, at most.
const AT_ONCE: u32 = 256;

/// Sharing a run
#[derive(Args)]
#[cfg_attr(target_family = "wasm", allow(dead_code, reason = "a component shares nothing"))]
#[command(next_help_heading = "Ranges")]
pub(crate) struct ClusterOptions {
    /// Have N ranges of paths at work at once, up to 256: listings that take their time are N at a time. With --cluster, cut the
    /// run into about N ranges, which workers take [default there: 64]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000))]
    ranges: Option<u32>,
    /// Share the run among the workers (`omnistorage worker`) of the NATS server at URL, as `nats://host:4222`. The same command
    /// given again attaches to the run that goes on
    #[arg(long, value_name = "URL")]
    cluster: Option<String>,
    /// The credentials for the cluster, as `nsc generate creds` writes them
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// How long a worker that is not heard of keeps its ranges
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_lease, requires = "cluster")]
    lease: Duration,
    /// Local paths are the same on all machines, as on a file system that all of them have mounted
    #[arg(long, requires = "cluster")]
    shared_paths: bool,
}

impl ClusterOptions {
    /// How many ranges are at work at once in this process; `None` is an ordinary run.
    ///
    /// # Errors
    /// More than there may be, and any in a component.
    pub(crate) fn at_once(&self) -> Result<Option<NonZeroU32>, Failure> {
        match self.ranges {
            _ if self.cluster.is_some() => Ok(None),
            None | Some(0 | 1) => Ok(None),
            Some(_) if cfg!(target_family = "wasm") => {
                Err(Failure::usage("--ranges: a component has one sandbox, and no others beside it"))
            }
            Some(ranges) if ranges > AT_ONCE => Err(Failure::usage(format!(
                "--ranges {ranges}: at most {AT_ONCE} are at work at once without --cluster"
            ))),
            Some(ranges) => Ok(NonZeroU32::new(ranges)),
        }
    }

    /// The threads for that.
    pub(crate) fn threads(&self, otherwise: Threads) -> Threads {
        match self.at_once() {
            Ok(Some(ranges)) => Threads::AtOnce(ranges),
            _ => otherwise,
        }
    }

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
