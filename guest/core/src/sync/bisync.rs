//! Two-way sync: which of two places changed since both agreed last, and what each must do about it.
//!
//! A run merges three sorted sequences: what both places list now, and what they had when they agreed last (the
//! [state]). For each path, [`decide`](decide()) tells what is to be done; the
//! [guard] looks at the whole before anything is; [conflicts](conflict) are what changed on both sides.
//!
//! | first \ second | unchanged | changed | deleted |
//! |---|---|---|---|
//! | **unchanged** | nothing | bring the second's | delete the first's |
//! | **changed** | bring the first's | compare: agreed, or a conflict | bring the first's |
//! | **deleted** | delete the second's | bring the second's | forget it |
//!
//! An object that is new counts as changed, and one of which nothing is known on a side that has none as nothing at
//! all. A change wins over a delete: what was wanted by somebody is not lost.

pub mod conflict;
mod decide;
pub mod guard;
mod record;
pub mod state;
mod trio;

pub use decide::{Decision, decide};
pub use record::{Known, Precisions, Record};
pub use trio::{Trio, TrioStep, Trios};
