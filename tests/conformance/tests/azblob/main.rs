//! Azure Blob Storage, on Azurite.
#![allow(clippy::unwrap_used, clippy::panic, reason = "all of this crate is tests")]

mod faults;
mod promises;
mod rclone;
mod secrets;
