//! The pure logic of omnistorage: no I/O, no async, no bindings, no clock.
//!
//! - [`codec`]: compression, pushed through in bounded steps;
//! - [`record`]: how records lie in a byte stream;
//! - [`encoding`]: what the extensions of a path say of both;
//! - [`entry`]: what a listing says of an object, and where it is;
//! - [`multi`]: several targets at once, and replicas of one object;
//! - [`sync`]: the merge of two listings, and what is to be done with each pair.
//!
//! Nothing here panics, on any input, and memory is bounded by the caller's buffers and by the limits it sets. The
//! component drives this crate with bytes from its backends; tests and fuzzing drive it natively.

#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod codec;
pub mod encoding;
pub mod entry;
pub mod multi;
pub mod record;
pub mod sync;

pub use omnistorage_types::{Path, PathError};
