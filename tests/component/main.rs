//! The component in its host: what an embedder relies on.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails loudly, its helpers too")]

mod acceptance;
mod answers;
mod attempts;
mod bisync;
mod budget;
mod build;
mod channel;
mod clashes;
mod commit;
mod concurrency;
mod conformance;
mod cores;
mod extras;
mod failures;
mod far;
mod faults;
mod features;
mod fences;
mod filters;
mod find;
mod folding;
mod formats;
mod guest;
mod hostile;
mod imports;
mod limits;
mod many;
mod memo;
mod model;
mod moves;
mod multi;
mod names;
mod objects;
mod options;
mod pair;
mod ranges;
mod ranges_at_once;
mod ranges_far;
mod recode;
mod record_parts;
mod records;
mod replay;
mod replicas;
mod rotations;
mod same;
mod setup;
#[cfg(feature = "cluster")]
mod shared;
mod sync;
mod target;
mod twisted;
mod unlisted;
mod wide;
mod write_times;
