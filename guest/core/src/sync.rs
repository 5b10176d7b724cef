//! The decisions of sync: what stands on which side, what is to be done with it, and what must not be.

pub mod backup;
pub mod bisync;
pub mod compare;
pub mod counted;
pub mod cut;
pub mod filter;
pub mod guard;
mod hidden;
pub mod memo;
pub mod merge;
pub mod order;
pub mod recode;
pub mod rename;
pub mod walk;
