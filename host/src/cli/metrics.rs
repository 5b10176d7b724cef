//! `--metrics-addr`: how far a run is, for whoever watches many.

#[cfg(not(target_family = "wasm"))]
mod counts;
#[cfg(not(target_family = "wasm"))]
mod server;

#[cfg(not(target_family = "wasm"))]
use std::net::SocketAddr;

use clap::Args;

#[cfg(not(target_family = "wasm"))]
pub(super) use self::server::Metrics;
use super::exit::Failure;
#[cfg(target_family = "wasm")]
use crate::runtime::Activity;

/// Where the counters of a run can be read.
#[derive(Args)]
pub(crate) struct MetricsOptions {
    /// Serve the counters of the run at http://ADDRESS/metrics in the format of Prometheus, as long as it goes on; a bare
    /// port is one of this machine alone, and 0 is any free one, which is said
    #[cfg(not(target_family = "wasm"))]
    #[arg(long, value_name = "ADDRESS", value_parser = server::parse_address)]
    metrics_addr: Option<SocketAddr>,
}

#[cfg(not(target_family = "wasm"))]
impl MetricsOptions {
    /// Serves the counters of a command, if that is wanted.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub(super) async fn start(&self, command: &'static str) -> Result<Option<Metrics>, Failure> {
        match self.metrics_addr {
            Some(address) => Metrics::serve(address, command).await.map(Some),
            None => Ok(None),
        }
    }
}

/// A component listens nowhere.
#[cfg(target_family = "wasm")]
pub(super) enum Metrics {}

#[cfg(target_family = "wasm")]
impl Metrics {
    pub(super) fn begin(&self, _: &Activity) {
        match *self {}
    }

    pub(super) fn count(&self, _: &'static str) {
        match *self {}
    }
}

#[cfg(target_family = "wasm")]
impl MetricsOptions {
    #[allow(clippy::unused_async, clippy::unused_self, reason = "as where there is a network")]
    pub(super) async fn start(&self, _command: &'static str) -> Result<Option<Metrics>, Failure> {
        Ok(None)
    }
}
