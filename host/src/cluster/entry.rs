//! An entry of the ledger: a range was done, and this is the report. It never becomes false.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    bounds::Bounds,
    told::{CountsFields, Fault, Line, Told},
};
use crate::{
    Error, KeyRange, Result,
    backend::layer::Operation,
    ranges::Counts,
    runtime::{Activity, Report, Stop},
};

/// Objects of a range of which an entry tells, failures and differences alone.
const LINES: usize = 1_000;
/// Bytes that they may take: an entry must fit into one message.
const BYTES: usize = 400_000;

/// What became of a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The range that it is about.
    pub(super) bounds: Bounds,
    /// Who did it.
    pub(super) worker: String,
    pub(super) outcome: Outcome,
    /// Objects that wait for the deletes.
    pub(super) waiting: u64,
    pub(super) lines: Vec<Line>,
    /// Objects that would have been told of, too.
    pub(super) untold: u64,
    pub(super) calls: BTreeMap<String, u64>,
    pub(super) bytes_moved: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    Counted(#[serde(with = "CountsFields")] Counts),
    /// The range could not be carried through.
    Failed(Fault),
}

impl From<Outcome> for Result<Counts> {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Counted(counts) => Ok(counts),
            Outcome::Failed(fault) => Err(fault.error()),
        }
    }
}

impl From<Result<Counts>> for Outcome {
    fn from(counts: Result<Counts>) -> Self {
        match counts {
            Ok(counts) => Self::Counted(counts),
            Err(error) => Self::Failed(Fault::from(&error)),
        }
    }
}

/// What an entry will tell of objects.
#[derive(Debug, Default)]
pub(super) struct Lines {
    kept: Vec<Line>,
    weight: usize,
    untold: u64,
    waiting: u64,
}

impl Lines {
    /// Takes note of something. Of each code of an error one is kept in any case: the exit code depends on it.
    pub(super) fn add(&mut self, told: impl Told) {
        self.waiting += u64::from(told.is_waiting());
        if !told.is_kept() {
            return;
        }
        self.keep(told.into_line());
    }

    fn keep(&mut self, line: Line) {
        let has_room = self.kept.len() < LINES && self.weight + line.weight() <= BYTES;
        let is_new = line.code().is_some_and(|code| self.kept.iter().all(|kept| kept.code() != Some(code)));
        if has_room || is_new {
            self.weight += line.weight();
            self.kept.push(line);
        } else {
            self.untold += 1;
        }
    }

    /// The entry for a range.
    pub(super) fn entry(
        self,
        range: &KeyRange,
        worker: &str,
        outcome: Result<Counts>,
        activity: Option<&Activity>,
    ) -> Entry {
        let calls = activity.map(|activity| {
            let counted =
                Operation::ALL.map(|operation| (operation.as_str().to_owned(), activity.calls(operation)));
            counted.into_iter().filter(|(_, count)| *count > 0).collect()
        });
        Entry {
            bounds: range.into(),
            worker: worker.to_owned(),
            outcome: outcome.into(),
            waiting: self.waiting,
            lines: self.kept,
            untold: self.untold,
            calls: calls.unwrap_or_default(),
            bytes_moved: activity.map_or(0, Activity::bytes_moved),
        }
    }
}

impl Entry {
    /// The entry of two parts of a range as one, if both could be carried through; otherwise that of the one that could
    /// not.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`](crate::ErrorCode::Corrupted) if their counts do not add up.
    pub(super) fn plus(mut self, other: Self) -> Result<Self> {
        let (one, another) = match (&self.outcome, &other.outcome) {
            (Outcome::Failed(_), _) => return Ok(self),
            (_, Outcome::Failed(_)) => return Ok(other),
            (Outcome::Counted(one), Outcome::Counted(another)) => (*one, *another),
        };
        let odd = || Error::new(crate::ErrorCode::Corrupted, "the counts of a range do not add up");
        self.outcome = Outcome::Counted(one.plus(another).ok_or_else(odd)?);
        let mut lines =
            Lines { weight: self.lines.iter().map(Line::weight).sum(), kept: self.lines, ..Lines::default() };
        other.lines.into_iter().for_each(|line| lines.keep(line));
        self.lines = lines.kept;
        self.untold += other.untold + lines.untold;
        self.waiting += other.waiting;
        for (call, count) in other.calls {
            *self.calls.entry(call).or_default() += count;
        }
        self.bytes_moved += other.bytes_moved;
        Ok(self)
    }
}

impl Entry {
    /// What was counted, if it was a transfer that a limit of bytes ended.
    pub(super) fn ended_by_limit(&self) -> Option<Report> {
        match self.outcome {
            Outcome::Counted(Counts::Sync(report)) if report.stopped == Some(Stop::MaxTransfer) => {
                Some(report)
            }
            _ => None,
        }
    }

    /// The entry of a range that was done once more, from its beginning, after such an end: `before` is what was done until
    /// then.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`](crate::ErrorCode::Corrupted) if their counts do not add up.
    pub(super) fn after(mut self, before: Report) -> Result<Self> {
        if let Outcome::Counted(counts) = self.outcome {
            // What was moved is not there to be compared again.
            let moved = before.sources_removed;
            let before = Counts::Sync(Report {
                checked: moved,
                source_objects: moved,
                transferred: before.transferred,
                bytes: before.bytes,
                updated_times: before.updated_times,
                sources_removed: moved,
                ..Report::default()
            });
            let odd = || Error::new(crate::ErrorCode::Corrupted, "the counts of a range do not add up");
            self.outcome = Outcome::Counted(counts.plus(before).ok_or_else(odd)?);
        }
        Ok(self)
    }
}

/// What is in a message or a bucket, demanded whole.
///
/// # Errors
/// [`ErrorCode::Corrupted`](crate::ErrorCode::Corrupted).
pub(super) fn read<'a, T: Deserialize<'a>>(what: &str, bytes: &'a [u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        let message = format!("{what} in the cluster is not as this version writes it: {error}");
        Error::new(crate::ErrorCode::Corrupted, message)
    })
}

/// The same, written.
///
/// # Errors
/// None that is known of; what is written here has no odd keys.
pub(super) fn written(value: &impl Serialize) -> Result<bytes::Bytes> {
    let error = |error: serde_json::Error| Error::new(crate::ErrorCode::Other, error.to_string());
    serde_json::to_vec(value).map(Into::into).map_err(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ErrorCode,
        ranges::Counted,
        runtime::{Action, Event, Report},
    };

    #[test]
    fn an_entry_is_bounded_and_keeps_one_error_of_each_code() {
        let mut lines = Lines::default();
        let event = |action, code: Option<ErrorCode>| Event {
            action,
            path: "x".repeat(500),
            size: None,
            reason: None,
            error: code.map(|code| Error::new(code, "y".repeat(500))),
        };
        lines.add(event(Action::Transferred, None));
        for _ in 0..5_000 {
            lines.add(event(Action::Failed, Some(ErrorCode::Timeout)));
        }
        lines.add(event(Action::Failed, Some(ErrorCode::NoSpace)));
        let entry = lines.entry(&KeyRange::default(), "w", Ok(Event::counts(Report::default())), None);
        assert_eq!(entry.lines.len() as u64 + entry.untold, 5_001);
        assert_eq!(entry.lines.last().unwrap().code(), Some("no-space"));
        let bytes = written(&entry).unwrap();
        assert!(bytes.len() < 900_000, "{}", bytes.len());
        assert_eq!(read::<Entry>("an entry", &bytes).unwrap(), entry);
        assert!(read::<Entry>("an entry", &bytes[..bytes.len() - 1]).is_err());
    }
}
