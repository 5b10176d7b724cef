//! Reading a part of an object: the records that begin in a range of its bytes.

use memchr::{memchr, memchr_iter};
use omnistorage_core::record::{self, Batch, Format};
use omnistorage_types::{ErrorCode, Outline, Part, ReadOptions, Result};

use super::{Side, reader::Version};
use crate::port::{Contents, Reader};

/// Bytes that are read behind the range at first, to find the end of its last record.
const BEYOND: u64 = 16 << 10;

/// Line ends of CSV that are looked at, for one that is not in quotes.
const PROBED: usize = 64;

/// The records that begin in a range.
///
/// A border of records is behind an LF where none is under way. The part begins at one, and ends at the first one at or
/// behind the end of its range; so where this is the border at which the next one begins, no record is lost or read twice.
pub(super) struct PartRecords<'a> {
    side: &'a Side,
    outline: &'a Outline,
    framing: Box<dyn record::RecordReader>,
    contents: Contents,
    chunk: Vec<u8>,
    taken: usize,
    /// Where the rest of the chunk lies in the object.
    at: u64,
    /// The end of the range.
    end: u64,
    /// Of what was asked for; the next reading goes on there.
    asked: u64,
    ended: bool,
}

impl<'a> PartRecords<'a> {
    /// Opens a part, and finds the border where it begins; `None` if no record begins in it.
    pub(super) async fn open(side: &'a Side, outline: &'a Outline, part: Part) -> Result<Option<Self>> {
        let framing = record::reader(&side.format, side.options)?;
        let start = part.start.saturating_sub(1);
        let asked = part.end.saturating_add(BEYOND);
        let contents = read(side, outline, start, asked).await?;
        let (chunk, taken, at, ended) = (Vec::new(), 0, start, false);
        let mut records =
            Self { side, outline, framing, contents, chunk, taken, at, end: part.end, asked, ended };
        if part.start == 0 {
            return Ok(Some(records));
        }
        let is_found = if part.starts_record {
            records.require_line_end().await?
        } else {
            records.seek_line_end().await?
        };
        // None begins in the range if that ends with the line end.
        Ok(Some(records).filter(|records| is_found && records.at + 1 < part.end))
    }

    /// Goes to a line end behind which a record is likely to begin; says whether there is one in the range. The line end
    /// is read with the records: it is an empty line, and what follows it no start of a file.
    async fn seek_line_end(&mut self) -> Result<bool> {
        while self.at < self.end && self.fill().await? {
            let rest = &self.chunk[self.taken..];
            let found = likely_border(self.side, rest);
            let passed = found.unwrap_or(rest.len());
            self.skip(passed);
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Checks that there is one right here.
    async fn require_line_end(&mut self) -> Result<bool> {
        if self.fill().await? && self.chunk.get(self.taken) == Some(&b'\n') {
            return Ok(true);
        }
        Err(self.side.place.error(ErrorCode::InvalidArgument, "no line ends where the part begins"))
    }

    /// Where the first record begins, or the next one.
    pub(super) fn border(&self) -> u64 {
        self.at + u64::from(self.at > 0 && self.chunk.get(self.taken) == Some(&b'\n'))
    }

    /// The next records; `None` after the last one that begins in the range.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>> {
        let mut batch = Batch::new();
        while !self.ended && batch.is_empty() {
            if !self.fill().await? {
                self.ended = true;
                self.framing.finish(&mut batch)?;
                break;
            }
            let rest = &self.chunk[self.taken..];
            let input = match usize::try_from(self.end.saturating_sub(self.at)) {
                // Line by line, since the border may be behind each.
                Ok(0) => memchr(b'\n', rest).map_or(rest, |end| &rest[..=end]),
                Ok(within) => &rest[..within.min(rest.len())],
                Err(_) => rest,
            };
            let taken = self.framing.push(input, &mut batch, usize::MAX)?;
            let is_at_line_end = input[..taken].last() == Some(&b'\n');
            self.skip(taken);
            self.ended = self.at >= self.end && is_at_line_end && self.framing.is_between();
        }
        Ok(Some(batch).filter(|batch| !batch.is_empty()))
    }

    /// Where the rest begins.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    fn skip(&mut self, bytes: usize) {
        self.taken += bytes;
        self.at += bytes as u64;
    }

    /// Sees to it that there are bytes to take. There are none at the end of the object, which is checked to be that.
    async fn fill(&mut self) -> Result<bool> {
        let Self { side, outline, .. } = self;
        while self.taken == self.chunk.len() {
            self.taken = 0;
            let emptied = std::mem::take(&mut self.chunk);
            if let Some(chunk) = self.contents.next(emptied).await? {
                self.chunk = chunk;
            } else if self.at < self.asked {
                if outline.version.size == Some(self.at) {
                    return Ok(false);
                }
                return Err(side.place.error(ErrorCode::Unavailable, "it ended early"));
            } else {
                // A long record: twice as much each time.
                let more = (self.asked - self.end).max(BEYOND);
                let asked = self.asked.saturating_add(more);
                self.contents = read(side, outline, self.at, asked).await?;
                self.asked = asked;
            }
        }
        Ok(true)
    }
}

/// The first line end behind which a record is likely to begin. That of NDJSON is certain. One of CSV may be in quotes:
/// then what follows is mostly no row, or has another number of fields.
fn likely_border(side: &Side, bytes: &[u8]) -> Option<usize> {
    let is_likely = |at: &usize| {
        let Ok(mut framing) = record::reader(&side.format, side.options) else { return true };
        framing.push(&bytes[*at..], &mut Batch::new(), 1).is_ok()
    };
    let line_ends = || memchr_iter(b'\n', bytes);
    let likely = match side.format {
        Format::Csv(_) => line_ends().take(PROBED).find(is_likely),
        _ => None,
    };
    likely.or_else(|| line_ends().next())
}

/// Opens a range of the very version.
async fn read(side: &Side, outline: &Outline, start: u64, end: u64) -> Result<Contents> {
    let options = ReadOptions { offset: start, length: Some(end - start), ..ReadOptions::default() };
    let Reader { info, contents } = side.place.read(options).await?;
    if Version::of(&info) != Version::of(&outline.version) {
        return Err(side.place.error(ErrorCode::Unavailable, "it changed while it was read"));
    }
    Ok(contents)
}
