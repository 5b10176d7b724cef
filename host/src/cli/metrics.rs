//! `--metrics-addr`: how far a run is, for whoever watches many.

#[cfg(not(target_family = "wasm"))]
mod counts;
#[cfg(not(target_family = "wasm"))]
mod server;

use std::net::{Ipv4Addr, SocketAddr};

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
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    metrics_addr: Option<SocketAddr>,
}

impl MetricsOptions {
    /// Whether that is wanted.
    #[cfg(not(target_family = "wasm"))]
    pub(super) const fn is_given(&self) -> bool {
        self.metrics_addr.is_some()
    }

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

/// An address, or a port of this machine alone.
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text);
    if let Ok(port) = port.parse() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse().map_err(|_| "it is no address and port, as 127.0.0.1:9090, and no port".to_owned())
}

/// A component listens nowhere.
#[cfg(target_family = "wasm")]
pub(super) enum Metrics {}

#[cfg(target_family = "wasm")]
impl Metrics {
    #[allow(clippy::unused_async, reason = "as where there is a network")]
    async fn serve(_: SocketAddr, _: &'static str) -> Result<Self, Failure> {
        Err(Failure::usage("--metrics-addr: a component cannot listen, and nothing is served"))
    }

    pub(super) fn begin(&self, _: &Activity) {
        match *self {}
    }

    pub(super) fn count(&self, _: &'static str) {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_of_this_machine_alone() {
        let local = |port: u16| Ok::<SocketAddr, String>((Ipv4Addr::LOCALHOST, port).into());
        assert_eq!((parse_address("9090"), parse_address(":1")), (local(9090), local(1)));
        assert_eq!(parse_address("[::1]:9090").unwrap().to_string(), "[::1]:9090");
        assert_eq!(parse_address("0.0.0.0:80").unwrap().to_string(), "0.0.0.0:80");
        for wrong in ["", "localhost", "127.0.0.1", "70000", "host:9090"] {
            assert!(parse_address(wrong).is_err(), "{wrong}");
        }
    }
}
