//! What workers tell of objects, and what they count.

use serde::{Deserialize, Serialize};

use super::log::Happened;
use crate::{
    Error, ErrorCode, Result,
    ranges::{Counted, Counts, is_held_back},
    runtime::{Action, CheckEntry, CheckReport, Difference, Event, MemoTrouble, Report, Stop},
};

/// What jobs tell that can be shared: a sync, a copy or a move, or a check.
pub trait Told: Counted {
    #[doc(hidden)]
    fn into_line(self) -> Line;

    #[doc(hidden)]
    fn from_line(line: Line) -> Result<Self>;

    #[doc(hidden)]
    fn happened(&self) -> Happened<'_>;

    /// Whether the client wants to know: failures and differences, not each object.
    #[doc(hidden)]
    fn is_kept(&self) -> bool;

    /// Whether it says that an object waits for the deletes.
    #[doc(hidden)]
    fn is_waiting(&self) -> bool;
}

/// What happened to one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    event: String,
    path: String,
    size: Option<u64>,
    reason: Option<String>,
    error: Option<Fault>,
}

impl Line {
    /// The code of its error, if it tells of one.
    pub(super) fn code(&self) -> Option<&str> {
        self.error.as_ref().map(|fault| fault.code.as_str())
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let message = self.error.as_ref().map_or(0, |fault| fault.message.len());
        200 + self.path.len() + self.reason.as_ref().map_or(0, String::len) + message
    }
}

/// An error, as it goes over the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    code: String,
    message: String,
    /// The backend and the path in it.
    at: Option<(String, String)>,
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code().as_str().to_owned(),
            message: error.message().to_owned(),
            at: error.location().map(|(backend, path)| (backend.to_owned(), path.to_owned())),
        }
    }
}

impl Fault {
    pub(super) fn error(&self) -> Error {
        let error = Error::new(self.code.parse().unwrap_or(ErrorCode::Other), self.message.as_str());
        match &self.at {
            Some((backend, path)) => error.at_location(backend.clone(), path.clone()),
            None => error,
        }
    }
}

/// What was counted.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Counts", rename_all = "kebab-case")]
pub(super) enum CountsFields {
    Sync(#[serde(with = "ReportFields")] Report),
    Check(#[serde(with = "CheckReportFields")] CheckReport),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Report", deny_unknown_fields)]
struct ReportFields {
    checked: u64,
    transferred: u64,
    bytes: u64,
    updated_times: u64,
    deleted: u64,
    renamed: u64,
    sources_removed: u64,
    skipped: u64,
    errors: u64,
    deletes_withheld: u64,
    source_objects: u64,
    extras: u64,
    #[serde(with = "stop")]
    stopped: Option<Stop>,
    /// No shared run has one.
    #[serde(skip)]
    memo: Option<MemoTrouble>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CheckReport", deny_unknown_fields)]
struct CheckReportFields {
    checked: u64,
    same: u64,
    differ: u64,
    missing_on_source: u64,
    missing_on_target: u64,
    errors: u64,
}

/// Why a range ended before its time, as its word.
mod stop {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::Stop;

    #[allow(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "serde asks so")]
    pub(super) fn serialize<S: Serializer>(stop: &Option<Stop>, to: S) -> Result<S::Ok, S::Error> {
        stop.map(Stop::as_str).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Stop>, D::Error> {
        let odd = |word: String| D::Error::custom(format!("`{word}` is no limit of a run"));
        let word = Option::<String>::deserialize(from)?;
        word.map(|word| Stop::from_word(&word).ok_or_else(|| odd(word))).transpose()
    }
}

fn odd(word: &str) -> Error {
    Error::new(ErrorCode::Corrupted, format!("the ledger tells of `{word}`, which is no event of this run"))
}

impl Told for Event {
    fn into_line(self) -> Line {
        let Self { action, path, size, reason, error } = self;
        Line { event: action.as_str().to_owned(), path, size, reason, error: error.as_ref().map(Into::into) }
    }

    fn from_line(line: Line) -> Result<Self> {
        let Line { event, path, size, reason, error } = line;
        let action = [
            Action::Transferred,
            Action::UpdatedTime,
            Action::Deleted,
            Action::Renamed,
            Action::SourceRemoved,
            Action::Skipped,
            Action::Failed,
        ];
        let action = action.into_iter().find(|action| action.as_str() == event).ok_or_else(|| odd(&event))?;
        Ok(Self { action, path, size, reason, error: error.map(|fault| fault.error()) })
    }

    fn happened(&self) -> Happened<'_> {
        Happened::Done(self)
    }

    fn is_kept(&self) -> bool {
        matches!(self.action, Action::Failed | Action::Skipped)
    }

    fn is_waiting(&self) -> bool {
        is_held_back(self)
    }
}

/// The word for a difference, as in JSON.
const fn word(difference: Difference) -> &'static str {
    match difference {
        Difference::Same => "same",
        Difference::Differ => "differ",
        Difference::MissingOnSource => "missing-on-source",
        Difference::MissingOnTarget => "missing-on-target",
        Difference::Error => "error",
    }
}

impl Told for CheckEntry {
    fn into_line(self) -> Line {
        let Self { path, difference, reason, error } = self;
        let event = word(difference).to_owned();
        Line { event, path, size: None, reason, error: error.as_ref().map(Into::into) }
    }

    fn from_line(line: Line) -> Result<Self> {
        let Line { event, path, size: _, reason, error } = line;
        let differences = [
            Difference::Same,
            Difference::Differ,
            Difference::MissingOnSource,
            Difference::MissingOnTarget,
            Difference::Error,
        ];
        let difference =
            differences.into_iter().find(|other| word(*other) == event).ok_or_else(|| odd(&event))?;
        Ok(Self { path, difference, reason, error: error.map(|fault| fault.error()) })
    }

    fn happened(&self) -> Happened<'_> {
        Happened::Compared(self)
    }

    fn is_kept(&self) -> bool {
        self.difference != Difference::Same
    }

    fn is_waiting(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Path;

    #[test]
    fn what_is_told_comes_back_as_it_went() {
        let error = Error::new(ErrorCode::NoSpace, "full").at("there", &Path::parse("a/b").unwrap());
        let event = Event {
            action: Action::Failed,
            path: "b".into(),
            size: Some(3),
            reason: Some("missing".into()),
            error: Some(error),
        };
        let text = serde_json::to_string(&event.clone().into_line()).unwrap();
        let back = Event::from_line(serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(back, event);
        assert_eq!(back.error.unwrap().location(), Some(("there", "a/b")));
        assert!(CheckEntry::from_line(event.into_line()).is_err());
    }
}
