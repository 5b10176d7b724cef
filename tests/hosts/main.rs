//! The components as they ship, in hosts that know nothing of them: the command line of wasmtime, wasmCloud's `wash`, and
//! wassette.
//!
//! `OMNISTORAGE_WITHOUT=hosts` leaves them out on purpose; without it, a tool that is not there is a failure.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails loudly, its helpers too"
)]

mod agent_tools;
mod applications;
mod blobstore;
mod completions;
mod conformance;
mod edge;
mod files;
mod imports;
mod mcp;
mod packages;
mod s3;
mod shipped;
mod spin;
mod stock;
