//! The binary as a user runs it: real trees, real pipes, real signals.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "all of this crate is tests")]

mod azblob;
mod bisync;
mod buckets;
mod cluster;
mod command;
mod configuring;
mod credentials;
mod dictionary;
mod documentation;
mod files;
mod filters;
mod gcs;
mod habits;
mod hosted;
mod killed;
mod long;
mod looking;
mod memo;
mod metrics;
mod mistakes;
mod objects;
mod places;
mod ranges;
mod records;
mod removing;
mod report_file;
#[cfg(target_os = "linux")]
mod reports;
mod scarce;
mod schema;
#[cfg(unix)]
mod sftp;
mod slashes;
mod sync;
mod tee;
mod traces;
mod tree;
mod two_hosts;
mod typed;
mod unlisted;
mod unread;
mod web;
mod webdav;
mod windows;
