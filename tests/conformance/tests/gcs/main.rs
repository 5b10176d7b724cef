//! The backend of Google Cloud Storage, on fake-gcs-server and on the store of our own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "all of this crate is tests")]

mod copies;
mod credentials;
mod deletions;
mod downloads;
mod listings;
mod never_again;
mod odd_answers;
mod on_fake_server;
mod on_our_store;
mod rclone;
mod refusals;
mod shorthand;
mod uploads;
