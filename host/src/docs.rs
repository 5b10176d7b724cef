//! Pages to read: what there is, how it fits together, and why it is so.
//!
//! - [`concepts`]: the words that everything else uses;
//! - [`architecture`]: which part does what, and the way of a file through all of them;
//! - [`decisions`]: what was decided and measured, and what would change our mind.

#[doc = include_str!("../docs/architecture.md")]
pub mod architecture {}

#[doc = include_str!("../docs/concepts.md")]
pub mod concepts {}

#[doc = include_str!("../docs/decisions.md")]
pub mod decisions {}
