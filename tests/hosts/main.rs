//! Components of this workspace, composed, in hosts that were not made here.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails loudly, its helpers too"
)]

mod applications;
mod completions;
mod composed;
mod edge;
