//! What a worker writes down of each object, where a run asks for a report.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    Result,
    runtime::{CheckEntry, Event},
};

/// What a job tells of an object.
#[derive(Clone, Copy, Debug)]
pub enum Happened<'a> {
    /// By a sync, a copy or a move.
    Done(&'a Event),
    /// By a check.
    Compared(&'a CheckEntry),
}

/// The place of the reports of ranges.
pub trait Logs: Send + Sync + 'static {
    /// Begins one. Nothing of it is there before its end, and without an end there is none. `name` is that of no other: the run,
    /// a slash, and the range.
    fn begin(&self, name: &str) -> Box<dyn Log>;
}

/// The report of one range.
#[async_trait]
pub trait Log: Send {
    /// Takes something in.
    async fn add(&mut self, happened: Happened<'_>);

    /// Commits all of it.
    ///
    /// # Errors
    /// Why it could not be written.
    async fn finish(self: Box<Self>) -> Result<()>;
}

/// The report of a range to be, if there is anything to tell.
pub(crate) struct LogOf {
    logs: Arc<dyn Logs>,
    name: String,
    begun: Option<Box<dyn Log>>,
}

impl LogOf {
    pub(crate) fn new(logs: &Arc<dyn Logs>, name: String) -> Self {
        Self { logs: Arc::clone(logs), name, begun: None }
    }

    pub(crate) async fn add(&mut self, happened: Happened<'_>) {
        let begun = self.begun.get_or_insert_with(|| self.logs.begin(&self.name));
        begun.add(happened).await;
    }

    /// Commits it.
    ///
    /// # Errors
    /// Why it could not be written.
    pub(crate) async fn finish(self) -> Result<()> {
        match self.begun {
            Some(log) => {
                log.finish().await.map_err(|error| error.with_note("the report of a range was not written"))
            }
            None => Ok(()),
        }
    }
}
