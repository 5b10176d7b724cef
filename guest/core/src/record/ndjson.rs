//! NDJSON, also called JSON Lines: one JSON text (RFC 8259) a line.
//!
//! **Reading.** A line ends by LF or CRLF; the last one may lack its end. Lines of nothing but JSON's whitespace are
//! skipped, and so is a UTF-8 byte order mark at the start of the stream. A record is the line without its end, every
//! other byte kept, whitespace at its ends included. Only [`Validation`] looks into it: at its encoding, or at its
//! syntax, which costs no stack, however deep it is nested.
//!
//! **Writing.** Each record and an LF. What reading would not give back is refused: records that hold an LF or end with
//! a CR, blank ones, and a first one that begins with a byte order mark.

use memchr::memchr;
use serde::de::IgnoredAny;

use super::{
    Batch, RecordError, RecordErrorKind, RecordOptions, RecordReader, RecordWriter, Validation,
    batch::Found,
    mark::{BYTE_ORDER_MARK, Mark, Passed},
    options::check_utf8,
};

/// Takes lines apart.
pub(super) struct Reader {
    options: RecordOptions,
    mark: Mark,
    /// The start of a line whose end has not come.
    carry: Vec<u8>,
    /// Records so far.
    records: u64,
}

impl Reader {
    pub(super) fn new(options: RecordOptions) -> Self {
        Self { options, mark: Mark::default(), carry: Vec::new(), records: 0 }
    }

    /// Keeps a part of a line, unless the line is too long whatever follows.
    fn extend_carry(&mut self, part: &[u8]) -> Result<(), RecordError> {
        // One byte more may turn out to be the CR of the line's end.
        if self.carry.len() + part.len() > self.options.limit() + 1 {
            return Err(self.options.too_long(self.records + 1));
        }
        self.carry.extend_from_slice(part);
        Ok(())
    }

    /// Takes the lines that need no further look; returns how many bytes of the input that are.
    #[inline(always)]
    fn take_quickly(&mut self, input: &[u8], batch: &mut Batch, max_records: usize) -> usize {
        if self.options.validation != Validation::Framing {
            return 0;
        }
        let (before, limit) = (batch.len(), self.options.limit());
        let taken = batch.extend(input, max_records, |rest| {
            let end = memchr(b'\n', rest)?;
            let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
            // What begins with no blank is not blank.
            let is_plain = line.len() <= limit && line.first().is_some_and(|byte| *byte > b' ');
            is_plain.then_some(Found { start: 0, end: line.len(), next: end + 1 })
        });
        self.records += (batch.len() - before) as u64;
        taken
    }

    fn take_carry(&mut self, batch: &mut Batch) -> Result<(), RecordError> {
        let mut line = std::mem::take(&mut self.carry);
        self.take_line(&line, batch)?;
        line.clear();
        self.carry = line;
        Ok(())
    }

    #[inline(always)]
    fn take_line(&mut self, line: &[u8], batch: &mut Batch) -> Result<(), RecordError> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let number = self.records + 1;
        self.options.check_length(line.len(), number)?;
        if is_blank(line) {
            return Ok(());
        }
        if self.options.validation > Validation::Framing {
            check(line, number, self.options.validation)?;
        }
        batch.push(line).map_err(RecordError::full(number))?;
        self.records = number;
        Ok(())
    }
}

impl RecordReader for Reader {
    fn push(&mut self, input: &[u8], batch: &mut Batch, max_records: usize) -> Result<usize, RecordError> {
        if batch.is_full(max_records) {
            return Ok(0);
        }
        let mut start = 0;
        if !self.mark.is_past() {
            let Passed { taken, before } = self.mark.pass(input);
            self.extend_carry(before)?;
            start = taken;
        }
        if !self.carry.is_empty() {
            let end = memchr(b'\n', &input[start..]).map(|end| start + end);
            self.extend_carry(&input[start..end.unwrap_or(input.len())])?;
            let Some(end) = end else { return Ok(input.len()) };
            self.take_carry(batch)?;
            start = end + 1;
        }
        loop {
            start += self.take_quickly(&input[start..], batch, max_records);
            if batch.is_full(max_records) {
                return Ok(start);
            }
            let Some(end) = memchr(b'\n', &input[start..]) else { break };
            self.take_line(&input[start..start + end], batch)?;
            start += end + 1;
        }
        self.extend_carry(&input[start..])?;
        Ok(input.len())
    }

    fn finish(&mut self, batch: &mut Batch) -> Result<(), RecordError> {
        let before = self.mark.finish();
        self.extend_carry(before)?;
        self.take_carry(batch)
    }

    fn is_between(&self) -> bool {
        self.mark.is_past() && self.carry.is_empty()
    }
}

/// Writes each record and an LF.
pub(super) struct Writer {
    options: RecordOptions,
    records: u64,
}

impl Writer {
    pub(super) const fn new(options: RecordOptions) -> Self {
        Self { options, records: 0 }
    }
}

impl RecordWriter for Writer {
    fn write(&mut self, batch: &Batch, output: &mut Vec<u8>) -> Result<(), RecordError> {
        output.reserve(batch.size() + batch.len());
        for record in batch.iter() {
            let number = self.records + 1;
            self.options.check_length(record.len(), number)?;
            let refused = if memchr(b'\n', record).is_some() {
                "it holds a line feed, which would make it two"
            } else if is_blank(record) {
                "it is blank, and reading skips blank lines"
            } else if record.ends_with(b"\r") {
                "it ends with a carriage return, which reading takes for the end of the line"
            } else if number == 1 && record.starts_with(BYTE_ORDER_MARK) {
                "at the start of a file its byte order mark would be skipped"
            } else {
                check(record, number, self.options.validation)?;
                output.extend_from_slice(record);
                output.push(b'\n');
                self.records = number;
                continue;
            };
            return Err(RecordError::new(RecordErrorKind::Unrepresentable, number, refused));
        }
        Ok(())
    }

    fn write_made(&mut self, batch: &Batch, output: &mut Vec<u8>) -> Result<(), RecordError> {
        // A JSON text of ours is on one line.
        if self.options.validation > Validation::Framing {
            return self.write(batch, output);
        }
        output.reserve(batch.size() + batch.len());
        for record in batch.iter() {
            self.options.check_length(record.len(), self.records + 1)?;
            output.extend_from_slice(record);
            output.push(b'\n');
            self.records += 1;
        }
        Ok(())
    }
}

/// Checks a JSON text.
pub(super) fn check(record: &[u8], number: u64, validation: Validation) -> Result<(), RecordError> {
    if validation == Validation::Framing {
        return Ok(());
    }
    // The parser does not look at the encoding of strings that it skips.
    let text = check_utf8(record, number)?;
    if validation == Validation::Syntax {
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| malformed(number, &error))?;
    }
    Ok(())
}

/// What is wrong with the syntax of a record, and where in it.
pub(super) fn malformed(number: u64, error: &serde_json::Error) -> RecordError {
    let (line, byte) = (error.line(), error.column());
    // The line is always the first one of the record, and says nothing.
    let message = error.to_string();
    let message = message.trim_end_matches(&format!(" at line {line} column {byte}"));
    RecordError::new(RecordErrorKind::Malformed, number, format!("not JSON at byte {byte}: {message}"))
}

/// Whether a line holds nothing but the whitespace of RFC 8259 section 2.
fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}
