//! The memo: which pairs of objects earlier runs made or found to be the same.
//!
//! A [`Fact`] says that the object with this [`Identity`] on the source and the one with that identity on the target have
//! the same contents; after what is done on the way, if anything is. It stands by itself: a run believes it of a pair
//! whose listings tell just that, and of no other. So a memo may be old, cut off, or of another run, and does no harm;
//! what it lacks is asked for again.
//!
//! As a file it is text, a line each, ended by a line feed and none longer than [`MAX_LINE`] bytes: a checksum in 16
//! hexadecimal digits, a blank, and a JSON value (RFC 8259):
//!
//! 1. the [header](Header): `{"memo":"omnistorage","version":1,"source":…,"target":…,"way":…}`, whose checksum is
//!    XXH3-64 of the value;
//! 2. the facts, strictly ascending by the bytes of their paths: `[path, size, etag, modified, size, etag]`, first of the
//!    source, then of the target, with `modified` as `[seconds, nanoseconds]` or null. The checksum is XXH3-64 of the
//!    value with that of the header as its seed: a fact of another memo is none here.
//!
//! The first line that is not as it was written is the end: what came before holds, and nothing behind it is believed.
//!
//! ```
//! use omnistorage_core::{Path, sync::memo::{Fact, Header, Identity, Reader, Writer}};
//!
//! let header = Header { source: "/a".to_owned(), target: "s3://b".to_owned(), way: String::new() };
//! let identity = Identity { size: 3, etag: "\"1\"".to_owned(), modified: None };
//! let fact = Fact { path: Path::parse("x")?, source: identity.clone(), target: identity };
//! let (mut writer, mut file) = (Writer::new(&header), Vec::new());
//! writer.write(&fact, &mut file);
//! writer.finish(&mut file);
//!
//! let (mut reader, mut facts) = (Reader::new(header), Vec::new());
//! for piece in file.chunks(7) {
//!     reader.push(piece, &mut facts)?;
//! }
//! reader.finish()?;
//! assert_eq!(facts, [fact]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ledger;
mod lookup;

use std::fmt;

use omnistorage_types::Path;
use serde::{Deserialize, Serialize};
use serde_json::json;
use twox_hash::XxHash3_64;

pub use self::{
    ledger::Ledger,
    lookup::{Lookup, Sought},
};
use crate::entry::{Entry, Timestamp};

/// The version of the format.
const VERSION: u64 = 1;

/// What the first line says it is.
const MEMO: &str = "omnistorage";

/// The longest line, in bytes: the longest path, each byte of it escaped, and room for the rest.
pub const MAX_LINE: usize = 64 << 10;

/// The digits of a checksum, and the blank behind them.
const CHECKSUM: usize = 17;

/// A source that was changed less than so many nanoseconds before it was listed may be changed again without another
/// time: file systems keep times to two seconds at worst, and clocks tick.
const RACY_NS: i128 = 2_000_000_000;

/// What a memo is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// What the source is called.
    pub source: String,
    /// What the target is called.
    pub target: String,
    /// What is done with objects on the way.
    pub way: String,
}

/// Which version of an object it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// In bytes.
    pub size: u64,
    /// As the backend gave it: it changes whenever the contents do.
    pub etag: String,
    /// As the listing of a source tells it. What a write gives does not tell what listings of the target will.
    pub modified: Option<Timestamp>,
}

impl Identity {
    /// Of an object of the source, as it is listed; `None` if that does not tell one version from another.
    #[must_use]
    pub fn of_source(entry: &Entry) -> Option<Self> {
        Some(Self { modified: entry.modified, ..Self::new(entry.size, entry.etag.as_deref())? })
    }

    /// Of an object of the target, as it is listed or was written.
    #[must_use]
    pub fn of_target(entry: &Entry) -> Option<Self> {
        Self::new(entry.size, entry.etag.as_deref())
    }

    /// A weak etag does not say that the bytes are the same (RFC 9110, section 8.8.1).
    fn new(size: Option<u64>, etag: Option<&str>) -> Option<Self> {
        let etag = etag.filter(|etag| !etag.is_empty() && !etag.starts_with("W/"))?;
        Some(Self { size: size?, etag: etag.to_owned(), modified: None })
    }

    /// Whether an object of that version cannot become another one and look the same: an etag that is made of the time
    /// of a file, as well as the time itself, tells nothing of what is written in the same tick of the clock.
    ///
    /// ```
    /// use omnistorage_core::{entry::Timestamp, sync::memo::Identity};
    ///
    /// let at = |seconds| Timestamp { seconds, nanoseconds: 0 };
    /// let identity = Identity { size: 3, etag: "1".to_owned(), modified: Some(at(1000)) };
    /// assert!(!identity.is_settled(at(1001)) && identity.is_settled(at(1002)));
    /// ```
    #[must_use]
    pub fn is_settled(&self, now: Timestamp) -> bool {
        self.modified.is_none_or(|modified| now.nanoseconds_since(modified) >= RACY_NS)
    }
}

/// A pair that was made or found to be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Relative to both places: where names change on the way, that by which the listings are merged.
    pub path: Path,
    /// What the source had.
    pub source: Identity,
    /// What the target had.
    pub target: Identity,
}

impl Fact {
    /// Whether it is about this very pair.
    #[must_use]
    pub fn holds(&self, source: &Entry, target: &Entry) -> bool {
        Identity::of_source(source).as_ref() == Some(&self.source)
            && Identity::of_target(target).as_ref() == Some(&self.target)
    }
}

/// Why a memo, or the rest of one, is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemoError {
    /// It is something else.
    Foreign,
    /// It is of another version of the format.
    Version(u64),
    /// It is about other places, or about another way between them.
    Elsewhere,
    /// A line is not as it was written.
    Damaged {
        /// Its number, from 1.
        line: u64,
    },
    /// It ends within a line.
    Truncated,
}

impl fmt::Display for MemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("it is no memo"),
            Self::Version(version) => {
                write!(f, "it is of version {version} of the format, and only {VERSION} is known here")
            }
            Self::Elsewhere => f.write_str("it is about other places"),
            Self::Damaged { line } => write!(f, "line {line} is damaged"),
            Self::Truncated => f.write_str("it ends before its end"),
        }
    }
}

impl std::error::Error for MemoError {}

/// The first line as it is written.
#[derive(Deserialize)]
struct FirstLine {
    memo: String,
    version: u64,
    #[serde(flatten)]
    rest: serde_json::Value,
}

/// A fact as it is written.
#[derive(Serialize, Deserialize)]
struct Line(String, u64, String, Option<(i64, u32)>, u64, String);

impl From<&Fact> for Line {
    fn from(Fact { path, source, target }: &Fact) -> Self {
        let modified = source.modified.map(|modified| (modified.seconds, modified.nanoseconds));
        let (from, to) = (source.etag.clone(), target.etag.clone());
        Self(path.as_str().to_owned(), source.size, from, modified, target.size, to)
    }
}

impl Line {
    /// `None` if it says what no fact may.
    fn fact(self) -> Option<Fact> {
        let Self(path, from_size, from, modified, to_size, to) = self;
        let path = Path::parse(path).ok().filter(|path| !path.is_root())?;
        let modified = modified.map(|(seconds, nanoseconds)| Timestamp { seconds, nanoseconds });
        let source = Identity { modified, ..Identity::new(Some(from_size), Some(&from))? };
        Some(Fact { path, source, target: Identity::new(Some(to_size), Some(&to))? })
    }
}

fn put_line(value: &str, checksum: u64, output: &mut Vec<u8>) {
    output.extend(format!("{checksum:016x} ").into_bytes());
    output.extend(value.as_bytes());
    output.push(b'\n');
}

/// Writes a memo, line by line.
#[derive(Debug)]
pub struct Writer {
    header: Option<String>,
    seed: u64,
}

impl Writer {
    /// Of a memo of which nothing is written yet.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        let Header { source, target, way } = header;
        let value =
            json!({ "memo": MEMO, "version": VERSION, "source": source, "target": target, "way": way });
        let value = value.to_string();
        Self { seed: XxHash3_64::oneshot(value.as_bytes()), header: Some(value) }
    }

    /// Writes the next fact. They must come in order.
    pub fn write(&mut self, fact: &Fact, output: &mut Vec<u8>) {
        self.begin(output);
        // Strings and numbers always can be written.
        let value = serde_json::to_string(&Line::from(fact)).unwrap_or_default();
        put_line(&value, XxHash3_64::oneshot_with_seed(self.seed, value.as_bytes()), output);
    }

    /// Writes what is left to write.
    pub fn finish(mut self, output: &mut Vec<u8>) {
        self.begin(output);
    }

    fn begin(&mut self, output: &mut Vec<u8>) {
        if let Some(header) = self.header.take() {
            put_line(&header, self.seed, output);
        }
    }
}

/// Reads a memo, in whatever pieces it comes.
#[derive(Debug)]
pub struct Reader {
    wanted: Header,
    /// What has come of a line that has not ended.
    pending: Vec<u8>,
    lines: u64,
    /// The checksum of the header, once it has come.
    seed: Option<u64>,
    last: Option<Path>,
}

impl Reader {
    /// Of a memo that should be about that, and of which nothing has come yet.
    #[must_use]
    pub const fn new(wanted: Header) -> Self {
        Self { wanted, pending: Vec::new(), lines: 0, seed: None, last: None }
    }

    /// Takes the next bytes, and gives the facts that they complete. Each can be believed.
    ///
    /// # Errors
    /// Why nothing that follows can be; nothing more may be pushed then.
    pub fn push(&mut self, bytes: &[u8], facts: &mut Vec<Fact>) -> Result<(), MemoError> {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            if self.pending.len() + piece.len() > MAX_LINE {
                return Err(self.damaged(1));
            }
            if !piece.ends_with(b"\n") {
                self.pending.extend_from_slice(piece);
                return Ok(());
            }
            if self.pending.is_empty() {
                self.take(piece, facts)?;
            } else {
                let mut line = std::mem::take(&mut self.pending);
                line.extend_from_slice(piece);
                self.take(&line, facts)?;
                line.clear();
                self.pending = line;
            }
        }
        Ok(())
    }

    /// Whether the last line came whole. A file of no bytes is a memo of nothing.
    ///
    /// # Errors
    /// If not.
    pub fn finish(&self) -> Result<(), MemoError> {
        if self.pending.is_empty() { Ok(()) } else { Err(MemoError::Truncated) }
    }

    fn take(&mut self, line: &[u8], facts: &mut Vec<Fact>) -> Result<(), MemoError> {
        self.lines += 1;
        let (checksum, value) = parts(line).ok_or_else(|| self.unreadable())?;
        let Some(seed) = self.seed else {
            return self.begin(checksum, value);
        };
        if checksum != XxHash3_64::oneshot_with_seed(seed, value) {
            return Err(self.damaged(0));
        }
        let line: Line = serde_json::from_slice(value).map_err(|_| self.damaged(0))?;
        let fact = line.fact().ok_or_else(|| self.damaged(0))?;
        if self.last.as_ref().is_some_and(|last| *last >= fact.path) {
            return Err(self.damaged(0));
        }
        self.last = Some(fact.path.clone());
        facts.push(fact);
        Ok(())
    }

    fn begin(&mut self, checksum: u64, value: &[u8]) -> Result<(), MemoError> {
        let first: FirstLine = serde_json::from_slice(value).map_err(|_| MemoError::Foreign)?;
        if first.memo != MEMO {
            return Err(MemoError::Foreign);
        }
        if first.version != VERSION {
            return Err(MemoError::Version(first.version));
        }
        if checksum != XxHash3_64::oneshot(value) {
            return Err(self.damaged(0));
        }
        let header: Header = serde_json::from_value(first.rest).map_err(|_| self.damaged(0))?;
        if header != self.wanted {
            return Err(MemoError::Elsewhere);
        }
        self.seed = Some(checksum);
        Ok(())
    }

    /// What a line is that is not even a line of a memo.
    const fn unreadable(&self) -> MemoError {
        if self.seed.is_none() { MemoError::Foreign } else { self.damaged(0) }
    }

    const fn damaged(&self, ahead: u64) -> MemoError {
        MemoError::Damaged { line: self.lines + ahead }
    }
}

/// The checksum and the value of a line.
fn parts(line: &[u8]) -> Option<(u64, &[u8])> {
    let (checksum, value) = line.strip_suffix(b"\n")?.split_at_checked(CHECKSUM)?;
    let digits = checksum.strip_suffix(b" ")?;
    let is_written_so = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    let digits =
        std::str::from_utf8(digits).ok().filter(|digits| digits.as_bytes().iter().all(is_written_so))?;
    Some((u64::from_str_radix(digits, 16).ok()?, value))
}
