//! The component of formats and codecs alone, in hosts that know nothing of WASI 0.3.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails loudly, its helpers too")]

#[path = "../component/build.rs"]
mod build;
mod compression;
mod convert;
mod languages;
mod records;
mod sandbox;
mod web;
