//! The record of a run: what is to be done, by whom it may be done, and how far it is. It changes by comparison of its
//! revision alone, and only forward.

use std::time::Duration;

use async_nats::jetstream::kv::{CreateErrorKind, Operation as Kept, UpdateErrorKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    connection::{Cluster, unavailable},
    entry::{Outcome, read, written},
    options::SharedOptions,
    told::CountsFields,
    witness::Witnesses,
};
use crate::{
    Error, ErrorCode, Path, Result,
    ranges::{Counts, Extra, Operation, Stage, Tiles, Transfer},
    runtime::COMPONENT,
};

/// What a run is about. Places are names that mean the same on all machines; each opens them by its own configuration, so
/// no secret is among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// What is done.
    #[serde(with = "word")]
    pub operation: Operation,
    /// From where.
    pub source: String,
    /// To where.
    pub target: String,
    /// Where what is replaced or deleted is kept.
    pub backup: Option<String>,
    /// Where each range writes down what was done to each object: a place with objects below it, `RUN/RANGE.ndjson.zst`.
    pub report: Option<String>,
    /// Mode, owner and times of files are metadata, too.
    pub metadata: bool,
    /// What becomes of symbolic links: `skip`, `keep` or `follow`.
    pub links: String,
}

/// A run as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    /// New for each run.
    pub(super) id: String,
    /// The SHA-256 of the component that its client has: a worker with another one would decide otherwise.
    pub(super) component: String,
    pub(super) task: Task,
    pub(super) options: SharedOptions,
    /// How long a worker that says nothing keeps a range, in milliseconds.
    pub(super) lease_ms: u64,
    /// Whether a range may end before its border, and what is left of it be given to others: where there are no directories.
    pub(super) moves: bool,
    /// Of the ranges to begin with; behind the first phase, of those that were done.
    pub(super) borders: Vec<String>,
    pub(super) witnesses: Witnesses,
    pub(super) state: State,
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum State {
    /// Each range is compared, and what differs is transferred; nothing is deleted.
    Merging,
    /// The sum was judged: what is extra may go, in the ranges that have some.
    Deleting {
        /// Of all ranges.
        #[serde(with = "CountsFields")]
        sum: Counts,
        ranges: Vec<Extra>,
    },
    /// All objects are done; directories follow that lie in another range than what is in them.
    Tidying {
        /// Of all ranges.
        #[serde(with = "CountsFields")]
        sum: Counts,
        /// Those that are extra go.
        deletes: bool,
    },
    Ended(Outcome),
    Cancelled,
}

/// An operation as its word.
mod word {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{Operation, Transfer};

    const ALL: [Operation; 4] = [
        Operation::Transfer(Transfer::Copy),
        Operation::Transfer(Transfer::Sync),
        Operation::Transfer(Transfer::Move),
        Operation::Check,
    ];

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    pub(super) fn serialize<S: Serializer>(operation: &Operation, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(operation.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Operation, D::Error> {
        let word = String::deserialize(from)?;
        let found = ALL.into_iter().find(|operation| operation.as_str() == word);
        found.ok_or_else(|| D::Error::custom(format!("`{word}` is nothing that is done with two places")))
    }
}

impl From<Stage> for State {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Deleting { sum, ranges } => Self::Deleting { sum, ranges },
            Stage::Tidying { sum, deletes } => Self::Tidying { sum, deletes },
            Stage::Ended(outcome) => Self::Ended(outcome.into()),
        }
    }
}

impl State {
    pub(super) const fn is_open(&self) -> bool {
        matches!(self, Self::Merging | Self::Deleting { .. } | Self::Tidying { .. })
    }

    /// Its word.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Merging => "merging",
            Self::Deleting { .. } => "deleting",
            Self::Tidying { .. } => "tidying",
            Self::Ended(Outcome::Counted(_)) => "done",
            Self::Ended(Outcome::Failed(_)) => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A record, and the revision that it has.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) key: String,
    pub(super) revision: u64,
    pub(super) run: Run,
}

impl Run {
    pub(super) fn new(
        id: String,
        task: Task,
        options: SharedOptions,
        lease: Duration,
        moves: bool,
        borders: &[Path],
        witnesses: Witnesses,
    ) -> Self {
        Self {
            id,
            component: component(),
            task,
            options,
            lease_ms: u64::try_from(lease.as_millis()).unwrap_or(u64::MAX),
            moves,
            borders: written_out(borders),
            witnesses,
            state: State::Merging,
        }
    }

    pub(super) const fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    /// Its ranges, which tile that of its options.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPath`] if a border or an end is no path.
    pub(super) fn tiles(&self) -> Result<Tiles> {
        let borders = self.borders.iter().map(|border| Path::parse(border.as_str()));
        let borders = borders.collect::<std::result::Result<Vec<_>, _>>()?;
        Ok(Tiles::new(self.options.options(None)?.range(), borders))
    }

    /// The same run, farther; `tiles` are its ranges from then on.
    pub(super) fn led_on(&self, state: State, tiles: Option<&Tiles>) -> Self {
        let borders = tiles.map_or_else(|| self.borders.clone(), |tiles| written_out(tiles.borders()));
        Self { state, borders, ..self.clone() }
    }

    /// How many ranges there are.
    pub(super) fn ranges(&self) -> usize {
        self.borders.len() + 1
    }
}

fn written_out(borders: &[Path]) -> Vec<String> {
    borders.iter().map(ToString::to_string).collect()
}

/// The component of this build.
pub(super) fn component() -> String {
    hex(&Sha256::digest(COMPONENT))
}

/// The same for each call of a command.
pub(super) fn fingerprint(task: &Task, options: &SharedOptions, times: &str) -> Result<String> {
    let options = options.clone().without_times();
    Ok(hex(Sha256::digest(written(&(task, options, times))?).get(..16).unwrap_or_default()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Cluster {
    /// A run by its fingerprint.
    pub(super) async fn run(&self, key: &str) -> Result<Option<Recorded>> {
        let entry = self.runs.entry(key).await;
        let entry = entry.map_err(|error| unavailable("tell of a run", &error))?;
        let Some(entry) = entry.filter(|entry| entry.operation == Kept::Put) else { return Ok(None) };
        let run = read(&format!("the record `{key}` of a run"), &entry.value)?;
        Ok(Some(Recorded { key: key.to_owned(), revision: entry.revision, run }))
    }

    /// Keeps a run that is new; `None` if there is one of that fingerprint.
    pub(super) async fn create(&self, key: &str, run: &Run) -> Result<Option<Recorded>> {
        match self.runs.create(key, self.fitting(run)?).await {
            Ok(revision) => Ok(Some(Recorded { key: key.to_owned(), revision, run: run.clone() })),
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(unavailable("keep the record of the run", &error)),
        }
    }

    /// Replaces a record by its successor; `None` if somebody else did so before.
    pub(super) async fn replace(&self, old: &Recorded, run: Run) -> Result<Option<Recorded>> {
        match self.runs.update(&old.key, self.fitting(&run)?, old.revision).await {
            Ok(revision) => Ok(Some(Recorded { key: old.key.clone(), revision, run })),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
            Err(error) => Err(unavailable("keep the record of the run", &error)),
        }
    }

    /// A record must fit into one message.
    fn fitting(&self, run: &Run) -> Result<bytes::Bytes> {
        let bytes = written(run)?;
        let most = self.client.server_info().max_payload;
        // Headers and the subject take something, too.
        if bytes.len() + 1024 > most {
            let message = format!(
                "the rules of the filter and the borders take {} bytes, and the cluster takes {most} in a message: give \
                 fewer rules or --ranges, or raise `max_payload` of the server",
                bytes.len()
            );
            return Err(Error::new(ErrorCode::LimitExceeded, message));
        }
        Ok(bytes)
    }
}
