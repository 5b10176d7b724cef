//! The interface `bisync`: two-way sync.

mod act;
mod conflict;
mod ends;
mod journal;
mod options;
mod run;
mod slots;
mod state;
mod trios;

pub(super) use self::{options::check, run::run};
