//! NDJSON, also called JSON Lines: one JSON text (RFC 8259) a line.
//!
//! Lines end by LF or CRLF, the last one may lack its end. Lines of nothing but JSON's whitespace are skipped. Records
//! keep every other byte, whitespace at their ends included.

use memchr::{memchr, memchr_iter};
use serde::de::IgnoredAny;

use super::{Batch, RecordError, RecordErrorKind, RecordOptions, RecordReader, RecordWriter};

/// A batch with so much data is full.
const BATCH_SIZE: usize = 1 << 20;

/// Takes lines apart.
pub struct Reader {
    rules: Rules,
    /// The start of a line whose end has not come.
    carry: Vec<u8>,
    /// Records so far.
    records: u64,
    error: Option<RecordError>,
}

impl Reader {
    /// Of one stream.
    #[must_use]
    pub const fn new(options: RecordOptions) -> Self {
        Self { rules: Rules(options), carry: Vec::new(), records: 0, error: None }
    }

    fn advance(&mut self, input: &[u8], batch: &mut Batch, max_records: usize) -> Result<usize, RecordError> {
        let is_full = |batch: &Batch| batch.len() >= max_records.max(1) || batch.size() >= BATCH_SIZE;
        if is_full(batch) {
            return Ok(0);
        }
        let mut start = 0;
        if !self.carry.is_empty() {
            let end = memchr(b'\n', input);
            self.extend_carry(&input[..end.unwrap_or(input.len())])?;
            let Some(end) = end else { return Ok(input.len()) };
            self.take_carry(batch)?;
            start = end + 1;
        }
        let rest = start;
        for end in memchr_iter(b'\n', &input[rest..]) {
            if is_full(batch) {
                return Ok(start);
            }
            let end = rest + end;
            self.take_line(&input[start..end], batch)?;
            start = end + 1;
        }
        if is_full(batch) {
            return Ok(start);
        }
        self.extend_carry(&input[start..])?;
        Ok(input.len())
    }

    /// Keeps a part of a line, unless the line is too long whatever follows.
    fn extend_carry(&mut self, part: &[u8]) -> Result<(), RecordError> {
        // One byte more may turn out to be the CR of the line's end.
        if self.carry.len() + part.len() > self.rules.max_record() + 1 {
            return Err(self.rules.too_long(self.records + 1));
        }
        self.carry.extend_from_slice(part);
        Ok(())
    }

    fn take_carry(&mut self, batch: &mut Batch) -> Result<(), RecordError> {
        let mut line = std::mem::take(&mut self.carry);
        self.take_line(&line, batch)?;
        line.clear();
        self.carry = line;
        Ok(())
    }

    fn take_line(&mut self, line: &[u8], batch: &mut Batch) -> Result<(), RecordError> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let number = self.records + 1;
        self.rules.check_length(line, number)?;
        if is_blank(line) {
            return Ok(());
        }
        self.rules.check_syntax(line, number)?;
        push(batch, line, number)?;
        self.records = number;
        Ok(())
    }

    fn keep<T>(&mut self, result: Result<T, RecordError>) -> Result<T, RecordError> {
        result.inspect_err(|error| {
            self.carry = Vec::new();
            self.error = Some(error.clone());
        })
    }
}

impl RecordReader for Reader {
    fn push(&mut self, input: &[u8], batch: &mut Batch, max_records: usize) -> Result<usize, RecordError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let result = self.advance(input, batch, max_records);
        self.keep(result)
    }

    fn finish(&mut self, batch: &mut Batch) -> Result<(), RecordError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let result = self.take_carry(batch);
        self.keep(result)
    }
}

/// Writes each record and an LF. What reading would not give back is refused: blank records, and those that hold an
/// LF or end with a CR.
pub struct Writer {
    rules: Rules,
    records: u64,
}

impl Writer {
    /// Of one stream.
    #[must_use]
    pub const fn new(options: RecordOptions) -> Self {
        Self { rules: Rules(options), records: 0 }
    }
}

impl RecordWriter for Writer {
    fn write(&mut self, batch: &Batch, output: &mut Vec<u8>) -> Result<(), RecordError> {
        output.reserve(batch.size() + batch.len());
        for record in batch.iter() {
            let number = self.records + 1;
            self.rules.check_length(record, number)?;
            let refused = if memchr(b'\n', record).is_some() {
                "it holds a line feed, which would make it two"
            } else if is_blank(record) {
                "it is blank, and reading skips blank lines"
            } else if record.ends_with(b"\r") {
                "it ends with a carriage return, which reading takes for the end of the line"
            } else {
                self.rules.check_syntax(record, number)?;
                output.extend_from_slice(record);
                output.push(b'\n');
                self.records = number;
                continue;
            };
            return Err(RecordError {
                kind: RecordErrorKind::Unrepresentable,
                record: number,
                message: refused.into(),
            });
        }
        Ok(())
    }
}

/// What both directions demand of a record.
struct Rules(RecordOptions);

impl Rules {
    fn max_record(&self) -> usize {
        self.0.record_limit()
    }

    fn check_length(&self, record: &[u8], number: u64) -> Result<(), RecordError> {
        if record.len() > self.max_record() { Err(self.too_long(number)) } else { Ok(()) }
    }

    fn too_long(&self, number: u64) -> RecordError {
        let message = format!("longer than the limit of {} bytes", self.max_record());
        RecordError { kind: RecordErrorKind::LimitExceeded, record: number, message: message.into() }
    }

    fn check_syntax(&self, record: &[u8], number: u64) -> Result<(), RecordError> {
        if !self.0.validate {
            return Ok(());
        }
        let malformed = |message: String| RecordError {
            kind: RecordErrorKind::Malformed,
            record: number,
            message: message.into(),
        };
        // The parser does not look at the encoding of strings that it skips.
        let text = std::str::from_utf8(record)
            .map_err(|error| malformed(format!("not UTF-8 at column {}", error.valid_up_to() + 1)))?;
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| {
            let column = error.column();
            // The line is always the first one of the record, and says nothing.
            let place = format!(" at line {} column {column}", error.line());
            let message = error.to_string();
            malformed(format!("not JSON at column {column}: {}", message.trim_end_matches(&place)))
        })?;
        Ok(())
    }
}

/// Whether a line holds nothing but the whitespace of RFC 8259 section 2.
fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

fn push(batch: &mut Batch, record: &[u8], number: u64) -> Result<(), RecordError> {
    batch.push(record).map_err(|error| RecordError {
        kind: RecordErrorKind::LimitExceeded,
        record: number,
        message: error.to_string().into(),
    })
}
