//! Traces: what a command did and when, for a collector of OpenTelemetry.
//!
//! Only if the environment names a collector, by the variables that programs with OpenTelemetry have in common. A command is
//! a span, each of its runs one in it, the phases of a run are below that, and the calls of backends below these. Nothing
//! waits for the collector but the very end, for two seconds at most, and nothing fails because of it.

#[cfg(not(target_family = "wasm"))]
mod call;
#[cfg(not(target_family = "wasm"))]
mod clock;
#[cfg(not(target_family = "wasm"))]
mod context;
#[cfg(not(target_family = "wasm"))]
mod otlp;
#[cfg(not(target_family = "wasm"))]
mod phases;
#[cfg(not(target_family = "wasm"))]
mod run;
#[cfg(not(target_family = "wasm"))]
mod sender;
#[cfg(not(target_family = "wasm"))]
mod settings;
#[cfg(not(target_family = "wasm"))]
mod traces;

#[cfg(not(target_family = "wasm"))]
pub(super) use self::{call::Calls, run::RunSpan, traces::Traces};
#[cfg(target_family = "wasm")]
use crate::Error;

/// A component has no connections of its own to a collector: there are no traces.
#[cfg(target_family = "wasm")]
pub(super) enum RunSpan {}

#[cfg(target_family = "wasm")]
impl RunSpan {
    pub(super) fn failed(&self, _: &str, _: Option<&Error>) {
        match *self {}
    }

    pub(super) fn end(self, _: u64, _: Option<u64>) {
        match self {}
    }
}
