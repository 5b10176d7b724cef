//! The state of a two-way sync: what both places had when they agreed last, as a file.
//!
//! It is text, a JSON value a line (RFC 8259), each line ended by a line feed and none longer than
//! [`MAX_LINE`] bytes:
//!
//! 1. the [header](Header): `{"state":"omnistorage bisync","version":1,"first":…,"second":…,"filter":…}`, with what
//!    the places are called and a fingerprint of the filter, in hexadecimal;
//! 2. the records, strictly ascending by the bytes of their paths:
//!    `{"path":…,"first":{"size":…,"modified":[seconds,nanoseconds],"etag":…},"second":{…}}`; what is not known is
//!    left out, and the keys stand in this order;
//! 3. the trailer: `{"records":…,"checksum":…}`, with the number of records and XXH3-128 of all bytes before its line,
//!    in hexadecimal.
//!
//! A file that does not end with its trailer is damaged, and so is one of which any byte is another. Later versions
//! change the number in the header; readers refuse those that they do not know.
//!
//! ```
//! use omnistorage_core::{Path, sync::bisync::{Known, Record}};
//! use omnistorage_core::sync::bisync::state::{Header, Reader, Writer};
//!
//! let header = Header { first: "/a".to_owned(), second: "s3://b/c".to_owned(), filter: String::new() };
//! let record = Record { path: Path::parse("x")?, first: Known::default(), second: Known::default() };
//! let (mut writer, mut file) = (Writer::new(&header), Vec::new());
//! writer.write(&record, &mut file);
//! writer.finish(&mut file);
//!
//! let (mut reader, mut records) = (Reader::new(), Vec::new());
//! for piece in file.chunks(7) {
//!     reader.push(piece, &mut records)?;
//! }
//! reader.finish()?;
//! assert_eq!((reader.header(), records), (Some(&header), vec![record]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use omnistorage_types::Path;
use serde::{Deserialize, Serialize};
use serde_json::json;
use twox_hash::XxHash3_128;

use super::{Known, Record};

/// The version of the format.
const VERSION: u64 = 1;

/// What the first line says it is.
const STATE: &str = "omnistorage bisync";

/// The longest line, in bytes: the longest path, each byte of it escaped, and room for the rest.
pub const MAX_LINE: usize = 64 << 10;

/// What a state is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// What the first place is called.
    pub first: String,
    /// What the second place is called.
    pub second: String,
    /// A fingerprint of the filter: with another, objects would look new or deleted.
    pub filter: String,
}

/// A fingerprint of what decides which objects are meant: 128 bits in hexadecimal.
#[must_use]
pub fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = XxHash3_128::new();
    for part in parts {
        // The length keeps parts apart.
        hasher.write(&(part.len() as u64).to_le_bytes());
        hasher.write(part.as_bytes());
    }
    format!("{:032x}", hasher.finish_128())
}

/// Why a state cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateError {
    /// It is something else.
    Foreign,
    /// It is of another version of the format.
    Version(u64),
    /// It ends before its end.
    Truncated,
    /// A line says what none may.
    Malformed {
        /// Its number, from 1.
        line: u64,
    },
    /// Its bytes are not those that were written.
    Checksum,
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("it is not the state of a two-way sync"),
            Self::Version(version) => {
                write!(f, "it is of version {version} of the format, and only {VERSION} is known here")
            }
            Self::Truncated => f.write_str("it ends before its end"),
            Self::Malformed { line } => write!(f, "line {line} is malformed"),
            Self::Checksum => f.write_str("its checksum does not hold"),
        }
    }
}

impl std::error::Error for StateError {}

/// The first line as it is written.
#[derive(Serialize, Deserialize)]
struct FirstLine {
    state: String,
    version: u64,
    #[serde(flatten)]
    rest: serde_json::Value,
}

/// A record as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    path: String,
    first: Known,
    second: Known,
}

/// The last line as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LastLine {
    records: u64,
    checksum: String,
}

/// What only the last line begins with.
const LAST_LINE: &[u8] = br#"{"records":"#;

/// Writes a state, line by line.
pub struct Writer {
    header: Option<Vec<u8>>,
    hasher: XxHash3_128,
    records: u64,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("records", &self.records).finish_non_exhaustive()
    }
}

impl Writer {
    /// Of a state of which nothing is written yet.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        let Header { first, second, filter } = header;
        let line =
            json!({ "state": STATE, "version": VERSION, "first": first, "second": second, "filter": filter });
        Self { header: Some(with_end(line.to_string())), hasher: XxHash3_128::new(), records: 0 }
    }

    /// Writes the next record. They must come in order.
    pub fn write(&mut self, record: &Record, output: &mut Vec<u8>) {
        self.begin(output);
        let Record { path, first, second } = record;
        let line = Line { path: path.as_str().to_owned(), first: first.clone(), second: second.clone() };
        // Strings and numbers always can be written.
        let line = with_end(serde_json::to_string(&line).unwrap_or_default());
        self.hasher.write(&line);
        output.extend(line);
        self.records += 1;
    }

    /// Writes the end.
    pub fn finish(mut self, output: &mut Vec<u8>) {
        self.begin(output);
        let checksum = format!("{:032x}", self.hasher.finish_128());
        output.extend(with_end(format!(r#"{{"records":{},"checksum":"{checksum}"}}"#, self.records)));
    }

    fn begin(&mut self, output: &mut Vec<u8>) {
        if let Some(header) = self.header.take() {
            self.hasher.write(&header);
            output.extend(header);
        }
    }
}

fn with_end(line: String) -> Vec<u8> {
    let mut line = line.into_bytes();
    line.push(b'\n');
    line
}

/// Reads a state, in whatever pieces it comes.
pub struct Reader {
    /// What has come of a line that has not ended.
    pending: Vec<u8>,
    hasher: XxHash3_128,
    lines: u64,
    header: Option<Header>,
    last: Option<Path>,
    records: u64,
    ended: bool,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// Of a state of which nothing has come yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            pending: Vec::new(),
            hasher: XxHash3_128::new(),
            lines: 0,
            header: None,
            last: None,
            records: 0,
            ended: false,
        }
    }

    /// What it is about, once the first line has come.
    #[must_use]
    pub const fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// How many records have come.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Takes the next bytes, and gives the records that they complete. Whether all of them can be believed is known
    /// only after [`finish`](Self::finish).
    ///
    /// # Errors
    /// What is wrong; nothing more may be pushed then.
    pub fn push(&mut self, bytes: &[u8], records: &mut Vec<Record>) -> Result<(), StateError> {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            if self.pending.len() + piece.len() > MAX_LINE {
                return Err(self.malformed(1));
            }
            if !piece.ends_with(b"\n") {
                self.pending.extend_from_slice(piece);
                return Ok(());
            }
            if self.pending.is_empty() {
                self.take(piece, records)?;
            } else {
                let mut line = std::mem::take(&mut self.pending);
                line.extend_from_slice(piece);
                self.take(&line, records)?;
                line.clear();
                self.pending = line;
            }
        }
        Ok(())
    }

    /// Whether all of it came, and every byte as it was written.
    ///
    /// # Errors
    /// If not.
    pub fn finish(&self) -> Result<(), StateError> {
        match (&self.header, self.ended && self.pending.is_empty()) {
            (Some(_), true) => Ok(()),
            (Some(_), false) => Err(StateError::Truncated),
            (None, _) => Err(StateError::Foreign),
        }
    }

    fn take(&mut self, line: &[u8], records: &mut Vec<Record>) -> Result<(), StateError> {
        self.lines += 1;
        if self.ended {
            return Err(self.malformed(0));
        }
        if self.header.is_none() {
            let first: FirstLine = serde_json::from_slice(line).map_err(|_| StateError::Foreign)?;
            if first.state != STATE {
                return Err(StateError::Foreign);
            }
            if first.version != VERSION {
                return Err(StateError::Version(first.version));
            }
            self.header = Some(serde_json::from_value(first.rest).map_err(|_| self.malformed(0))?);
            self.hasher.write(line);
            return Ok(());
        }
        if line.starts_with(LAST_LINE) {
            let LastLine { records, checksum } =
                serde_json::from_slice(line).map_err(|_| self.malformed(0))?;
            if records != self.records || checksum != format!("{:032x}", self.hasher.finish_128()) {
                return Err(StateError::Checksum);
            }
            self.ended = true;
            return Ok(());
        }
        let Line { path, first, second } = serde_json::from_slice(line).map_err(|_| self.malformed(0))?;
        let path = Path::parse(path).map_err(|_| self.malformed(0))?;
        if path.is_root() || self.last.as_ref().is_some_and(|last| *last >= path) {
            return Err(self.malformed(0));
        }
        self.last = Some(path.clone());
        self.records += 1;
        self.hasher.write(line);
        records.push(Record { path, first, second });
        Ok(())
    }

    const fn malformed(&self, ahead: u64) -> StateError {
        StateError::Malformed { line: self.lines + ahead }
    }
}
