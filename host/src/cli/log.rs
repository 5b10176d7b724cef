//! What is said beside the output: messages, on standard error or in a file, as text or as JSON.

#![allow(clippy::disallowed_methods, reason = "the log is a file that the user names")]

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write},
    path::Path,
    sync::{Mutex, OnceLock, PoisonError},
};

use clap::ValueEnum;
use serde::Serialize;

use super::{
    escape::{printable, printable_json},
    exit::Failure,
    time::rfc3339,
};
use crate::Timestamp;

/// How messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A sentence a line; in a file, behind the time
    #[default]
    Text,
    /// A JSON object a line: time, level, message
    Json,
}

/// Where messages go, once that is known.
struct Sink {
    format: LogFormat,
    file: Option<Mutex<File>>,
}

static SINK: OnceLock<Sink> = OnceLock::new();

/// Says for the rest of the process where messages go, and how they are written.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn start(file: Option<&Path>, format: LogFormat) -> Result<(), Failure> {
    let open = |file: &Path| {
        fs::OpenOptions::new().create(true).append(true).open(file).map_err(|error| {
            Failure::usage(format!("cannot write the log `{}`: {error}", printable(&file.to_string_lossy())))
        })
    };
    let file = file.map(open).transpose()?.map(Mutex::new);
    // It is said once.
    let _ = SINK.set(Sink { format, file });
    Ok(())
}

/// Whether messages go to a file.
pub(crate) fn has_file() -> bool {
    SINK.get().is_some_and(|sink| sink.file.is_some())
}

/// A line, without anything that misleads, since it may contain names that others chose. If nobody reads it, that is no
/// reason to stop.
pub(crate) fn note(line: impl fmt::Display) {
    let line = line.to_string();
    let level = match line.split_once(": ") {
        Some(("error", _)) => "error",
        Some(("warning", _)) => "warning",
        _ => "info",
    };
    say(level, &line);
}

/// Says on standard error as well what ends a command, if messages go to a file.
pub(super) fn last_word(line: &str) {
    note(line);
    if has_file() {
        let _ = writeln!(io::stderr().lock(), "{}", printable(line));
    }
}

#[derive(Serialize)]
struct MessageJson<'a> {
    time: String,
    level: &'a str,
    message: &'a str,
}

fn say(level: &str, line: &str) {
    let now = || rfc3339(Timestamp::now());
    let sink = SINK.get();
    let format = sink.map_or(LogFormat::Text, |sink| sink.format);
    let file = sink.and_then(|sink| sink.file.as_ref());
    let line = match (format, file) {
        (LogFormat::Json, _) => {
            let prefix = format!("{level}: ");
            let message = line.strip_prefix(prefix.as_str()).unwrap_or(line);
            printable_json(&MessageJson { time: now(), level, message })
        }
        (LogFormat::Text, Some(_)) => format!("{} {}", now(), printable(line)),
        (LogFormat::Text, None) => printable(line).into_owned(),
    };
    // In one piece, so that the lines of several processes do not mix.
    let line = format!("{line}\n");
    let _ = match file {
        Some(file) => file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes()),
        None => io::stderr().lock().write_all(line.as_bytes()),
    };
}

/// The lines of the library's log, each as a message of its level.
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in String::from_utf8_lossy(bytes).lines() {
            let level = match line.split_whitespace().next() {
                Some("ERROR") => "error",
                Some("WARN") => "warning",
                Some("DEBUG" | "TRACE") => "debug",
                _ => "info",
            };
            say(level, line);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
