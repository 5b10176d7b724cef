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

use super::job;
use crate::{
    exports::bisync::{BisyncJob, BisyncOptions, Guest},
    imports::types::{Error, Location},
};

impl Guest for crate::Component {
    async fn bisync(
        first: Location,
        second: Location,
        state: Location,
        options: BisyncOptions,
    ) -> Result<BisyncJob, Error> {
        let filter = options::check(&options)?;
        let (events, outcome) =
            job::start(move |events| run::run([first, second], state, options, filter, events));
        Ok(BisyncJob { events, outcome })
    }
}
