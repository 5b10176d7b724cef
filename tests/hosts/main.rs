//! The components as they ship, in a host that knows nothing of them: the command line of wasmtime.
//!
//! `OMNISTORAGE_WITHOUT=hosts` leaves them out on purpose; without it, a tool that is not there is a failure.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails loudly, its helpers too")]

mod conformance;
mod files;
mod imports;
mod s3;
mod shipped;
mod stock;
