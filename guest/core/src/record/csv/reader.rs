//! Takes rows apart.

use std::mem;

use super::{
    Dialect, check,
    row::fields,
    scanner::{Fault, Part, Scanner},
    wrong_count,
};
use crate::record::{
    Batch, RecordError, RecordErrorKind, RecordOptions, RecordReader,
    mark::{Mark, Passed},
};

pub(in crate::record) struct Reader {
    dialect: Dialect,
    options: RecordOptions,
    scanner: Scanner,
    mark: Mark,
    /// The start of a row whose end has not come.
    carry: Vec<u8>,
    header: Option<Vec<u8>>,
    /// Of each row, once it is known.
    fields: Option<usize>,
    /// Records so far.
    records: u64,
}

impl Reader {
    pub(in crate::record) fn new(dialect: Dialect, options: RecordOptions) -> Result<Self, RecordError> {
        check(&dialect)?;
        Ok(Self {
            scanner: Scanner::new(&dialect),
            fields: dialect.columns.as_ref().map(Vec::len),
            dialect,
            options,
            mark: Mark::default(),
            carry: Vec::new(),
            header: None,
            records: 0,
        })
    }

    /// Takes the start of a row, which holds no line end.
    fn begin(&mut self, start: &[u8]) -> Result<(), RecordError> {
        self.scan(start)?;
        self.extend_carry(start)
    }

    fn scan(&mut self, input: &[u8]) -> Result<Part, RecordError> {
        self.scanner.scan(input).or_else(|Fault { start, at, rule }| {
            // A row may be too long before it is wrong.
            self.extend_carry(&input[start..at])?;
            Err(self.malformed(rule))
        })
    }

    /// Keeps a part of a row, unless the row is too long whatever follows.
    fn extend_carry(&mut self, part: &[u8]) -> Result<(), RecordError> {
        self.options.check_length(self.carry.len() + part.len(), self.number())?;
        self.carry.extend_from_slice(part);
        Ok(())
    }

    fn take_carry(&mut self, batch: &mut Batch) -> Result<(), RecordError> {
        let mut row = mem::take(&mut self.carry);
        self.take(&row, batch)?;
        row.clear();
        self.carry = row;
        Ok(())
    }

    fn take(&mut self, row: &[u8], batch: &mut Batch) -> Result<(), RecordError> {
        let number = self.number();
        self.options.check_length(row.len(), number)?;
        self.options.check_encoding(row, number)?;
        let expected = *self.fields.get_or_insert(self.scanner.fields());
        if self.scanner.fields() != expected && !self.dialect.lenient {
            return Err(self.malformed(&wrong_count(self.scanner.fields(), expected)));
        }
        if number == 0 {
            self.check_header(row)?;
            self.header = Some(row.to_vec());
            return Ok(());
        }
        batch.push(row).map_err(RecordError::full(number))?;
        self.records = number;
        Ok(())
    }

    fn check_header(&self, row: &[u8]) -> Result<(), RecordError> {
        let Some(columns) = &self.dialect.columns else { return Ok(()) };
        if fields(row, &self.dialect).map(|field| field.text).eq(columns.iter().map(|name| name.as_bytes())) {
            return Ok(());
        }
        Err(self.malformed("its names are not the columns that were asked for, in their order"))
    }

    /// The number of the row that is read: that of its record, or 0 for the header.
    fn number(&self) -> u64 {
        if self.dialect.header && self.header.is_none() { 0 } else { self.records + 1 }
    }

    fn malformed(&self, message: &str) -> RecordError {
        self.error(RecordErrorKind::Malformed, message)
    }

    fn error(&self, kind: RecordErrorKind, message: &str) -> RecordError {
        let (number, line) = (self.number(), self.scanner.row_line());
        let header = if number == 0 { "header: " } else { "" };
        RecordError::new(kind, number, format!("{header}{message} (line {line})"))
    }
}

impl RecordReader for Reader {
    fn push(&mut self, input: &[u8], batch: &mut Batch, max_records: usize) -> Result<usize, RecordError> {
        let mut at = 0;
        if !self.mark.is_past() {
            let Passed { taken, before } = self.mark.pass(input);
            self.begin(before)?;
            at = taken;
        }
        while at < input.len() && !batch.is_full(max_records) {
            let rest = &input[at..];
            let part = self.scan(rest)?;
            let row = &rest[part.start..part.end.unwrap_or(rest.len())];
            if part.end.is_some() && self.carry.is_empty() {
                self.take(row, batch)?;
            } else {
                self.extend_carry(row)?;
                if part.end.is_some() {
                    self.take_carry(batch)?;
                }
            }
            at += part.end.map_or(rest.len(), |end| end + 1);
        }
        Ok(at)
    }

    fn finish(&mut self, batch: &mut Batch) -> Result<(), RecordError> {
        let before = self.mark.finish();
        self.begin(before)?;
        if let Some(line) = self.scanner.open_quote() {
            let message = format!("the quotes opened on line {line} are never closed");
            return Err(self.error(RecordErrorKind::Truncated, &message));
        }
        if self.scanner.is_inside() { self.take_carry(batch) } else { Ok(()) }
    }

    fn is_between(&self) -> bool {
        self.mark.is_past() && !self.scanner.is_inside()
    }

    fn header(&self) -> Option<&[u8]> {
        self.header.as_deref()
    }
}
