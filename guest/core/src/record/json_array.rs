//! JSON arrays: one array (RFC 8259) whose elements are the records, as a `.json` file of a table is.
//!
//! **Reading.** A record is the JSON text of an element as it is written, without the whitespace around it, and without
//! its line breaks outside of strings and the whitespace around these: it is one line, which NDJSON can hold. Everything
//! is pushed, and no more is kept than the record that has begun. A UTF-8 byte order mark at the start of the stream is
//! skipped. Whatever [`Validation`](super::Validation) says, an array must be all there is: another value, an element or
//! a comma that is missing, and anything behind the array are errors, and so is an array without its end. Of an element
//! its framing tells no more than that as many brackets are closed as opened; its syntax is checked on demand.
//!
//! **Writing.** An element a line, as reading would give it. What would not be one element is refused. Without a record it
//! is `[]`.
//!
//! ```
//! use omnistorage_core::record::{Batch, Format, RecordError, RecordOptions, reader, writer};
//!
//! let options = RecordOptions::default();
//! let (mut reader, mut batch) = (reader(&Format::JsonArray, options)?, Batch::new());
//! reader.push(b"[{\n  \"a\": 1,\n  \"b\": [1, 2]\n}, 3]", &mut batch, 1024)?;
//! reader.finish(&mut batch)?;
//! assert_eq!(batch.iter().collect::<Vec<_>>(), [&b"{\"a\": 1,\"b\": [1, 2]}"[..], b"3"]);
//!
//! let (mut writer, mut output) = (writer(&Format::JsonArray, options)?, Vec::new());
//! writer.write(&batch, &mut output)?;
//! writer.finish(&mut output)?;
//! assert_eq!(output, b"[\n{\"a\": 1,\"b\": [1, 2]},\n3\n]\n");
//! # Ok::<(), RecordError>(())
//! ```

mod element;

use self::element::{Element, End};
use super::{
    Batch, RecordError, RecordErrorKind, RecordOptions, RecordReader, RecordWriter,
    mark::{Mark, Passed},
    ndjson::check,
};

/// Takes the elements of an array apart.
pub(super) struct Reader {
    options: RecordOptions,
    mark: Mark,
    state: State,
    element: Element,
    /// Records so far.
    records: u64,
}

/// Where in the stream it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the array.
    Before,
    /// In the array: before its first element, or in it.
    First,
    /// Behind a comma: before an element, or in it.
    Next,
    /// Behind the array.
    After,
}

impl Reader {
    pub(super) fn new(options: RecordOptions) -> Self {
        Self { options, mark: Mark::default(), state: State::Before, element: Element::default(), records: 0 }
    }

    fn malformed(&self, message: impl Into<std::borrow::Cow<'static, str>>) -> RecordError {
        RecordError::new(RecordErrorKind::Malformed, self.records + 1, message)
    }

    /// Takes input until the batch is full; returns how many bytes that are.
    fn take(&mut self, input: &[u8], batch: &mut Batch, max_records: usize) -> Result<usize, RecordError> {
        let mut at = 0;
        while at < input.len() && !batch.is_full(max_records) {
            match self.state {
                State::Before | State::After => {
                    let space = input[at..].iter().take_while(|byte| is_space(**byte)).count();
                    at += space;
                    let Some(byte) = input.get(at) else { break };
                    self.state = match (self.state, byte) {
                        (State::Before, b'[') => State::First,
                        (State::Before, _) => return Err(self.no_array(*byte)),
                        _ => {
                            let message = "there is something behind the end of the JSON array";
                            return Err(RecordError::new(RecordErrorKind::Malformed, 0, message));
                        }
                    };
                    at += 1;
                }
                State::First | State::Next => {
                    let number = self.records + 1;
                    let (taken, end) = self.element.take(&input[at..], self.options.limit());
                    at += taken;
                    match end {
                        None => {}
                        Some(End::Comma) => {
                            self.record(batch)?;
                            self.state = State::Next;
                        }
                        Some(End::Bracket) => {
                            if self.state == State::Next || !self.element.is_empty() {
                                self.record(batch)?;
                            }
                            self.state = State::After;
                        }
                        Some(End::TooLong) => return Err(self.options.too_long(number)),
                        Some(End::Joined) => {
                            return Err(self.malformed("two values without a comma or a colon between them"));
                        }
                        Some(End::Unopened) => {
                            return Err(self.malformed("a `}` closes what was not opened"));
                        }
                    }
                }
            }
        }
        Ok(at)
    }

    /// What the stream begins with is no array.
    fn no_array(&self, byte: u8) -> RecordError {
        let found = match byte {
            b'{' => "an object: is it NDJSON (`.ndjson`)?",
            b'"' => "a string",
            b'-' | b'0'..=b'9' => "a number",
            _ => "something else",
        };
        RecordError::new(RecordErrorKind::Malformed, 0, format!("not a JSON array, but {found}"))
    }

    /// Hands the element on.
    fn record(&mut self, batch: &mut Batch) -> Result<(), RecordError> {
        if self.element.is_empty() {
            return Err(self.malformed("an element is missing"));
        }
        let number = self.records + 1;
        let record = self.element.text();
        check(record, number, self.options.validation)?;
        batch.push(record).map_err(RecordError::full(number))?;
        self.element.clear();
        self.records = number;
        Ok(())
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

impl RecordReader for Reader {
    fn push(&mut self, input: &[u8], batch: &mut Batch, max_records: usize) -> Result<usize, RecordError> {
        if batch.is_full(max_records) {
            return Ok(0);
        }
        let mut start = 0;
        if !self.mark.is_past() {
            let Passed { taken, before } = self.mark.pass(input);
            // What began like a mark, and is none, begins no array either.
            self.take(before, batch, max_records)?;
            start = taken;
        }
        Ok(start + self.take(&input[start..], batch, max_records)?)
    }

    fn finish(&mut self, batch: &mut Batch) -> Result<(), RecordError> {
        let before = self.mark.finish();
        self.take(before, batch, 1)?;
        let (record, message) = match self.state {
            State::After => return Ok(()),
            State::Before => (0, "there is no JSON array: the input is empty"),
            State::First | State::Next => (self.records + 1, "cut off: the JSON array has no end"),
        };
        Err(RecordError::new(RecordErrorKind::Truncated, record, message))
    }
}

/// Writes an element a line.
pub(super) struct Writer {
    options: RecordOptions,
    element: Element,
    records: u64,
}

impl Writer {
    pub(super) fn new(options: RecordOptions) -> Self {
        Self { options, element: Element::default(), records: 0 }
    }
}

impl RecordWriter for Writer {
    fn write(&mut self, batch: &Batch, output: &mut Vec<u8>) -> Result<(), RecordError> {
        output.reserve(batch.size() + 2 * batch.len());
        for record in batch.iter() {
            let number = self.records + 1;
            self.options.check_length(record.len(), number)?;
            self.element.clear();
            let (taken, end) = self.element.take(record, usize::MAX);
            let is_whole = taken == record.len() && end.is_none() && self.element.close();
            if !is_whole || self.element.is_empty() {
                let message = "it is not one JSON value, and an element of an array must be that";
                return Err(RecordError::new(RecordErrorKind::Unrepresentable, number, message));
            }
            let text = self.element.text();
            check(text, number, self.options.validation)?;
            output.extend_from_slice(if self.records == 0 { b"[\n" } else { b",\n" });
            output.extend_from_slice(text);
            self.records = number;
        }
        Ok(())
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<(), RecordError> {
        output.extend_from_slice(if self.records == 0 { b"[]\n" } else { b"\n]\n" });
        Ok(())
    }
}
