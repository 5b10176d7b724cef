//! Who may know whom: dependencies of crates, and imports between the modules of a folder, point one way.

#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "a test fails loudly, its helpers too")]

mod crates;
mod imports;
