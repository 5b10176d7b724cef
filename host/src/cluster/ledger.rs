//! The ledger: one entry for each range that was done, and the first one wins.

use async_nats::jetstream::kv::{CreateErrorKind, Operation, Watch};

use super::{
    bounds::Bounds,
    connection::{Cluster, unavailable},
    entry::{Entry, read, written},
    queue::{Phase, Work},
};
use crate::{Error, ErrorCode, Result};

/// The key of the entry of some work.
fn key(run: &str, work: &Work) -> String {
    format!("{run}.{}.{}", work.phase().as_str(), work.name())
}

/// The key of the place where a range ended before its border.
fn end_key(run: &str, bounds: &Bounds) -> String {
    format!("{run}.end.{}", bounds.name())
}

/// The name of the work of a phase of a run that an entry is about.
fn name_of<'a>(key: &'a str, run: &str, phase: Phase) -> Option<&'a str> {
    key.strip_prefix(run)?.strip_prefix('.')?.strip_prefix(phase.as_str())?.strip_prefix('.')
}

/// Entries as they come.
pub(super) struct Entries {
    watch: Watch,
    run: String,
    phase: Phase,
}

impl Entries {
    /// The next entry, and the name of its work; those that are there come first.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`]: begin anew. [`ErrorCode::Corrupted`].
    pub(super) async fn next(&mut self) -> Result<(String, Entry)> {
        use futures::StreamExt;

        loop {
            let entry = match self.watch.next().await {
                Some(Ok(entry)) => entry,
                Some(Err(error)) => return Err(unavailable("tell of what is done", &error)),
                None => return Err(unavailable("tell of what is done", &"the watch has ended")),
            };
            if entry.operation == Operation::Put
                && let Some(name) = name_of(&entry.key, &self.run, self.phase)
            {
                return Ok((name.to_owned(), read("an entry of the ledger", &entry.value)?));
            }
        }
    }
}

impl Cluster {
    /// All entries of a phase, and those that come.
    pub(super) async fn entries(&self, run: &str, phase: Phase) -> Result<Entries> {
        let watch = self.ledger.watch_with_history(format!("{run}.{}.>", phase.as_str())).await;
        let watch = watch.map_err(|error| unavailable("tell of what is done", &error))?;
        Ok(Entries { watch, run: run.to_owned(), phase })
    }

    /// The entry of some work, if it was done.
    pub(super) async fn entry(&self, run: &str, work: &Work) -> Result<Option<Entry>> {
        let entry = self.ledger.entry(key(run, work)).await;
        let entry = entry.map_err(|error| unavailable("tell of what is done", &error))?;
        entry
            .filter(|entry| entry.operation == Operation::Put)
            .map(|entry| read("an entry of the ledger", &entry.value))
            .transpose()
    }

    /// Writes that some work was done, unless that is written already.
    pub(super) async fn write_down(&self, run: &str, work: &Work, entry: &Entry) -> Result<()> {
        match self.ledger.create(key(run, work), written(entry)?).await {
            Ok(_) => Ok(()),
            // Whoever was first did the same.
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(unavailable("write down what is done", &error)),
        }
    }

    /// What is left of a range that ended before its border, if that is known. What lies behind is done by others.
    pub(super) async fn end(&self, run: &str, bounds: &Bounds) -> Result<Option<Bounds>> {
        let end = self.ledger.get(end_key(run, bounds)).await;
        let end = end.map_err(|error| unavailable("tell of a range", &error))?;
        end.map(|end| read("the end of a range", &end)).transpose()
    }

    /// Writes where a range ends by now.
    pub(super) async fn write_end(&self, run: &str, bounds: &Bounds) -> Result<()> {
        let kept = self.ledger.put(end_key(run, bounds), written(bounds)?).await;
        kept.map(drop).map_err(|error| unavailable("write down the end of a range", &error))
    }

    /// How many ranges of a phase are done.
    pub(super) async fn done(&self, run: &str, phase: Phase) -> Result<usize> {
        let subject = format!("{}{run}.{}.>", self.ledger.prefix, phase.as_str());
        let info = self.ledger.stream.info_with_subjects(subject).await;
        let mut subjects = info.map_err(|error| unavailable("tell of what is done", &error))?;
        let mut done = 0;
        while let Some(subject) = futures::TryStreamExt::try_next(&mut subjects)
            .await
            .map_err(|error| unavailable("tell of what is done", &error))?
        {
            done += usize::from(subject.1 > 0);
        }
        Ok(done)
    }

    /// Forgets what was done in a run, and what waits.
    pub(super) async fn forget(&self, run: &str) -> Result<()> {
        let _ = self.work.delete_consumer(run).await;
        let subject = Self::work_subject(run);
        self.work.purge().filter(subject).await.map_err(|error| unavailable("forget a run", &error))?;
        let entries = format!("{}{run}.>", self.ledger.prefix);
        let purged = self.ledger.stream.purge().filter(entries).await;
        purged.map(drop).map_err(|error| unavailable("forget a run", &error))
    }
}

/// A gap that nobody fills.
pub(super) fn lost(key: &str) -> Error {
    let message =
        format!("the record of the run `{key}` is gone from the cluster: run the same command again");
    Error::new(ErrorCode::Unavailable, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_one_range_of_one_phase() {
        let entry = key("RUN", &Work::Delete { index: 17 });
        assert_eq!(name_of(&entry, "RUN", Phase::Delete), Some("17"));
        assert_eq!(name_of(&entry, "RUN", Phase::Merge), None);
        assert_eq!(name_of(&entry, "RU", Phase::Delete), None);
    }
}
