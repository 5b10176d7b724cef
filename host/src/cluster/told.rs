//! What workers tell of objects, and what they count.

use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorCode, Result,
    runtime::{Action, CheckEntry, CheckReport, Difference, Event, MemoTrouble, Report, Stop},
};

/// What jobs tell that can be shared: a sync or a copy, or a check.
pub trait Told: Sized + Send + 'static {
    /// What such a job ends with.
    type Report: Copy + Default + Send + Sync + 'static;

    #[doc(hidden)]
    fn into_line(self) -> Line;

    #[doc(hidden)]
    fn from_line(line: Line) -> Result<Self>;

    /// Whether the client wants to know: failures and differences, not each object.
    #[doc(hidden)]
    fn is_kept(&self) -> bool;

    #[doc(hidden)]
    fn counts(report: Self::Report) -> Result<Counts>;

    #[doc(hidden)]
    fn report(counts: Counts) -> Result<Self::Report>;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counts {
    /// By a sync or a copy.
    Sync(#[serde(with = "ReportFields")] Report),
    /// By a check.
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
    /// No shared run has a limit or a memo: see [`Told::counts`].
    #[serde(skip)]
    stopped: Option<Stop>,
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

impl Counts {
    /// The sum of two; `None` if it is too large, or if they are not alike.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Sync(one), Self::Sync(other)) => Some(Self::Sync(Report {
                checked: one.checked.checked_add(other.checked)?,
                transferred: one.transferred.checked_add(other.transferred)?,
                bytes: one.bytes.checked_add(other.bytes)?,
                updated_times: one.updated_times.checked_add(other.updated_times)?,
                deleted: one.deleted.checked_add(other.deleted)?,
                renamed: one.renamed.checked_add(other.renamed)?,
                sources_removed: one.sources_removed.checked_add(other.sources_removed)?,
                skipped: one.skipped.checked_add(other.skipped)?,
                errors: one.errors.checked_add(other.errors)?,
                deletes_withheld: one.deletes_withheld.checked_add(other.deletes_withheld)?,
                source_objects: one.source_objects.checked_add(other.source_objects)?,
                extras: one.extras.checked_add(other.extras)?,
                stopped: one.stopped.or(other.stopped),
                memo: one.memo.or(other.memo),
            })),
            (Self::Check(one), Self::Check(other)) => Some(Self::Check(CheckReport {
                checked: one.checked.checked_add(other.checked)?,
                same: one.same.checked_add(other.same)?,
                differ: one.differ.checked_add(other.differ)?,
                missing_on_source: one.missing_on_source.checked_add(other.missing_on_source)?,
                missing_on_target: one.missing_on_target.checked_add(other.missing_on_target)?,
                errors: one.errors.checked_add(other.errors)?,
            })),
            (Self::Sync(_), Self::Check(_)) | (Self::Check(_), Self::Sync(_)) => None,
        }
    }
}

fn unlike() -> Error {
    Error::new(ErrorCode::Corrupted, "the ledger holds the report of another kind of run")
}

fn odd(word: &str) -> Error {
    Error::new(ErrorCode::Corrupted, format!("the ledger tells of `{word}`, which is no event of this run"))
}

impl Told for Event {
    type Report = Report;

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

    fn is_kept(&self) -> bool {
        matches!(self.action, Action::Failed | Action::Skipped)
    }

    fn counts(report: Report) -> Result<Counts> {
        match report.stopped {
            None => Ok(Counts::Sync(report)),
            Some(stop) => {
                let message = format!("{} ended a range, and no shared run has such a limit", stop.as_str());
                Err(Error::new(ErrorCode::Other, message))
            }
        }
    }

    fn report(counts: Counts) -> Result<Report> {
        match counts {
            Counts::Sync(report) => Ok(report),
            Counts::Check(_) => Err(unlike()),
        }
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
    type Report = CheckReport;

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

    fn is_kept(&self) -> bool {
        self.difference != Difference::Same
    }

    fn counts(report: CheckReport) -> Result<Counts> {
        Ok(Counts::Check(report))
    }

    fn report(counts: Counts) -> Result<CheckReport> {
        match counts {
            Counts::Check(report) => Ok(report),
            Counts::Sync(_) => Err(unlike()),
        }
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

    #[test]
    fn counters_add_up_as_far_as_they_go() {
        let one = Counts::Sync(Report { checked: 2, extras: 1, ..Report::default() });
        let Some(Counts::Sync(sum)) = one.plus(one) else { panic!("{one:?}") };
        assert_eq!((sum.checked, sum.extras, sum.transferred), (4, 2, 0));
        assert_eq!(
            Counts::Sync(Report { bytes: u64::MAX, ..sum }).plus(Counts::Sync(Report { bytes: 1, ..sum })),
            None
        );
        assert_eq!(one.plus(Counts::Check(CheckReport::default())), None);
    }
}
