//! What a run printed with `--json`, read to its last line: a report that was cut is none.

#![allow(clippy::disallowed_methods, reason = "reports are files that the user names")]

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    ErrorCode, KeyRange, Path,
    cli::{
        exit::{Exit, Failure, Subject},
        transfer::json::{ErrorLine, Summary, demanded},
    },
    runtime::Stop,
};

/// A run, as it told of itself.
pub(super) struct Ran {
    /// The name of its file.
    pub(super) name: String,
    pub(super) summary: Summary,
    pub(super) range: KeyRange,
    pub(super) stopped: Option<Stop>,
    /// What it ended with.
    pub(super) exit: Exit,
}

/// What was done with one object.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventLine {
    event: String,
    #[serde(rename = "path")]
    _path: String,
    #[serde(deserialize_with = "demanded")]
    size: Option<u64>,
    #[serde(rename = "reason", deserialize_with = "demanded")]
    _reason: Option<String>,
    #[serde(deserialize_with = "demanded")]
    error: Option<ErrorLine>,
}

/// The events of a run so far.
struct Told {
    transferred: u64,
    bytes: u64,
    updated_times: u64,
    deleted: u64,
    renamed: u64,
    sources_removed: u64,
    skipped: u64,
    errors: u64,
    /// The worst of the failures.
    worst: Exit,
}

impl Told {
    const NOTHING: Self = Self {
        transferred: 0,
        bytes: 0,
        updated_times: 0,
        deleted: 0,
        renamed: 0,
        sources_removed: 0,
        skipped: 0,
        errors: 0,
        worst: Exit::Done,
    };

    fn take(&mut self, line: EventLine) -> Result<(), String> {
        match line.event.as_str() {
            "transferred" => {
                self.transferred += 1;
                let size = line.size.unwrap_or(0);
                self.bytes = self.bytes.checked_add(size).ok_or("there are too many bytes")?;
            }
            "updated-time" => self.updated_times += 1,
            "deleted" => self.deleted += 1,
            "renamed" => self.renamed += 1,
            "source-removed" => self.sources_removed += 1,
            "skipped" => self.skipped += 1,
            "failed" => {
                self.errors += 1;
                let exit = match &line.error {
                    Some(error) => Exit::of(code(error)?, Subject::Object),
                    None => Exit::Other,
                };
                self.worst = self.worst.worse(exit);
            }
            other => return Err(format!("`{other}` is no event of a run")),
        }
        Ok(())
    }

    /// Whether a summary counts what was told, or counts nothing.
    fn check(&self, summary: &Summary) -> Result<(), String> {
        for (name, told, counted) in [
            ("transferred", self.transferred, summary.transferred),
            ("bytes", self.bytes, summary.bytes),
            ("updated_times", self.updated_times, summary.updated_times),
            ("deleted", self.deleted, summary.deleted),
            ("renamed", self.renamed, summary.renamed),
            ("sources_removed", self.sources_removed, summary.sources_removed),
            ("skipped", self.skipped, summary.skipped),
            ("errors", self.errors, summary.errors),
        ] {
            if counted.is_none() != summary.error.is_some() {
                return Err(format!(
                    "`{name}` must be null if the run could not be carried through, and only then"
                ));
            }
            if counted.is_some_and(|counted| counted != told) {
                return Err(format!(
                    "it counts {} as `{name}`, and the lines before it tell of {told}: something is missing",
                    counted.unwrap_or_default()
                ));
            }
        }
        Ok(())
    }
}

fn code(error: &ErrorLine) -> Result<ErrorCode, String> {
    error.code.parse().map_err(|_| format!("`{}` is no code of an error", error.code))
}

impl Ran {
    /// The runs of files.
    ///
    /// # Errors
    /// What is wrong, with the file and the line.
    pub(super) fn read_all(names: &[String]) -> Result<Vec<Self>, Failure> {
        names.iter().map(|name| Self::read(name)).collect()
    }

    fn read(name: &str) -> Result<Self, Failure> {
        let unreadable = |error: io::Error| Failure::system(&format!("the report `{name}`"), error);
        let input: Box<dyn BufRead> = match name {
            "-" => Box::new(io::stdin().lock()),
            name => Box::new(BufReader::new(File::open(name).map_err(unreadable)?)),
        };
        let (mut told, mut last, mut number) = (Told::NOTHING, None, 0);
        for line in input.lines() {
            number += 1;
            let at = |why: String| Failure::usage(format!("`{name}`, line {number}: {why}"));
            let line = line.map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => at("it is not UTF-8".to_owned()),
                _ => unreadable(error),
            })?;
            let value: Value = serde_json::from_str(&line).map_err(|why| at(why.to_string()))?;
            if value.get("event").and_then(Value::as_str) == Some("summary") {
                let summary: Summary = serde_json::from_value(value).map_err(|why| at(why.to_string()))?;
                told.check(&summary).map_err(at)?;
                let told = std::mem::replace(&mut told, Told::NOTHING);
                last = Some(Self::new(name, summary, told.worst).map_err(at)?);
            } else {
                let event: EventLine = serde_json::from_value(value).map_err(|why| at(why.to_string()))?;
                told.take(event).map_err(at)?;
                // Another attempt of the same run has begun, and not ended.
                last = None;
            }
        }
        last.ok_or_else(|| {
            let why = match number {
                0 => "it is empty",
                _ => "its last line is no summary, so it was cut",
            };
            Failure::usage(format!("`{name}` is no report: {why}; give what a run printed with --json"))
        })
    }

    fn new(name: &str, summary: Summary, worst: Exit) -> Result<Self, String> {
        let end = |key: &str, end: &Option<String>| match end {
            Some(end) => Path::parse(end.as_str()).map(Some).map_err(|why| format!("`{key}`: {why}")),
            None => Ok(None),
        };
        let range = KeyRange {
            after: end("start_after", &summary.start_after)?,
            until: end("stop_at", &summary.stop_at)?,
        };
        let stopped = match &summary.stopped {
            Some(word) => Some(Stop::from_word(word).ok_or_else(|| format!("`{word}` ends no run"))?),
            None => None,
        };
        let exit = match (&summary.error, stopped) {
            (Some(error), _) => match code(error)? {
                ErrorCode::Cancelled => Exit::MaxDuration,
                code => Exit::of(code, Subject::Trees),
            },
            (None, Some(Stop::MaxTransfer)) => Exit::MaxTransfer,
            (None, Some(Stop::Deadline)) => Exit::MaxDuration,
            (None, Some(Stop::MaxErrors) | None) => worst,
        };
        Ok(Self { name: name.to_owned(), summary, range, stopped, exit })
    }
}
