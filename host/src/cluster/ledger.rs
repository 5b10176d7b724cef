//! The ledger: one entry for each range that was done, and the first one wins.

use async_nats::jetstream::kv::{CreateErrorKind, Operation, Watch};

use super::{
    connection::{Cluster, unavailable},
    entry::{Entry, read, written},
    queue::Phase,
};
use crate::{Error, ErrorCode, Result};

/// The name of an entry.
pub(super) fn key(run: &str, phase: Phase, index: usize) -> String {
    format!("{run}.{}.{index}", phase.as_str())
}

/// The index of an entry of a phase of a run.
fn index_of(key: &str, run: &str, phase: Phase) -> Option<usize> {
    key.strip_prefix(run)?.strip_prefix('.')?.strip_prefix(phase.as_str())?.strip_prefix('.')?.parse().ok()
}

/// Entries as they come.
pub(super) struct Entries {
    watch: Watch,
    run: String,
    phase: Phase,
}

impl Entries {
    /// The next entry and its index; those that are there come first.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`]: begin anew. [`ErrorCode::Corrupted`].
    pub(super) async fn next(&mut self) -> Result<(usize, Entry)> {
        use futures::StreamExt;

        loop {
            let entry = match self.watch.next().await {
                Some(Ok(entry)) => entry,
                Some(Err(error)) => return Err(unavailable("tell of what is done", &error)),
                None => return Err(unavailable("tell of what is done", &"the watch has ended")),
            };
            if entry.operation == Operation::Put
                && let Some(index) = index_of(&entry.key, &self.run, self.phase)
            {
                return Ok((index, read("an entry of the ledger", &entry.value)?));
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

    /// The entry of one range, if it was done.
    pub(super) async fn entry(&self, run: &str, phase: Phase, index: usize) -> Result<Option<Entry>> {
        let entry = self.ledger.entry(key(run, phase, index)).await;
        let entry = entry.map_err(|error| unavailable("tell of what is done", &error))?;
        entry
            .filter(|entry| entry.operation == Operation::Put)
            .map(|entry| read("an entry of the ledger", &entry.value))
            .transpose()
    }

    /// Writes that a range was done, unless that is written already.
    pub(super) async fn write_down(
        &self,
        run: &str,
        phase: Phase,
        index: usize,
        entry: &Entry,
    ) -> Result<()> {
        match self.ledger.create(key(run, phase, index), written(entry)?).await {
            Ok(_) => Ok(()),
            // Whoever was first did the same range.
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(unavailable("write down what is done", &error)),
        }
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
        let entry = key("RUN", Phase::Merge, 17);
        assert_eq!(index_of(&entry, "RUN", Phase::Merge), Some(17));
        assert_eq!(index_of(&entry, "RUN", Phase::Delete), None);
        assert_eq!(index_of(&entry, "RU", Phase::Merge), None);
    }
}
