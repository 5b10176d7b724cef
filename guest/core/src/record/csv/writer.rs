//! Puts rows together.

use super::{
    Dialect, check,
    row::Encoder,
    scanner::{Part, Scanner},
    wrong_count,
};
use crate::record::{
    Batch, RecordError, RecordErrorKind, RecordOptions, RecordWriter, Validation, mark::BYTE_ORDER_MARK,
};

pub(in crate::record) struct Writer {
    dialect: Dialect,
    options: RecordOptions,
    scanner: Scanner,
    /// Nothing was written yet: the header may be due.
    fresh: bool,
    /// Of each row, once it is known.
    fields: Option<usize>,
    records: u64,
}

impl Writer {
    pub(in crate::record) fn new(dialect: Dialect, options: RecordOptions) -> Result<Self, RecordError> {
        check(&dialect)?;
        Ok(Self {
            scanner: Scanner::new(&dialect),
            fields: dialect.columns.as_ref().map(Vec::len),
            dialect,
            options,
            fresh: true,
            records: 0,
        })
    }

    /// Writes the header if it is due and known.
    fn begin(&mut self, output: &mut Vec<u8>) {
        if self.fresh
            && self.dialect.header
            && let Some(columns) = &self.dialect.columns
        {
            let (mut encoder, mut row) = (Encoder::new(&self.dialect), Vec::new());
            columns.iter().for_each(|name| encoder.field(name.as_bytes(), false, &mut row));
            encoder.end(&mut row);
            output.append(&mut row);
            output.extend_from_slice(self.dialect.line_end.as_bytes());
            self.fresh = false;
        }
    }

    /// Whether reading would give the row back.
    fn check(&mut self, row: &[u8]) -> Result<(), (RecordErrorKind, String)> {
        use RecordErrorKind::{Malformed, Unrepresentable};
        self.scanner.restart();
        let whole = Part { start: 0, end: None };
        if row.is_empty() {
            return Err((
                Unrepresentable,
                "empty lines are skipped: an empty field alone is `\"\"`".to_owned(),
            ));
        }
        match self.scanner.scan(row) {
            Ok(part) if part != whole => {
                return Err((
                    Unrepresentable,
                    "it holds a line end without quotes, which would end it".to_owned(),
                ));
            }
            Ok(_) => {}
            Err(fault) => return Err((Malformed, fault.rule.to_owned())),
        }
        if self.scanner.open_quote().is_some() {
            return Err((Malformed, "quotes are opened and never closed".to_owned()));
        }
        if self.fresh && row.starts_with(BYTE_ORDER_MARK) {
            let message =
                "at the start of a file its byte order mark would be skipped: put the field in quotes";
            return Err((Unrepresentable, message.to_owned()));
        }
        let expected = *self.fields.get_or_insert(self.scanner.fields());
        if self.scanner.fields() != expected && !self.dialect.lenient {
            return Err((Malformed, wrong_count(self.scanner.fields(), expected)));
        }
        Ok(())
    }
}

impl RecordWriter for Writer {
    fn write(&mut self, batch: &Batch, output: &mut Vec<u8>) -> Result<(), RecordError> {
        self.begin(output);
        let line_end = self.dialect.line_end.as_bytes();
        output.reserve(batch.size() + line_end.len() * batch.len());
        for row in batch.iter() {
            let number = self.records + 1;
            self.options.check_length(row.len(), number)?;
            self.options.check_encoding(row, number)?;
            self.check(row).map_err(|(kind, message)| RecordError::new(kind, number, message))?;
            output.extend_from_slice(row);
            output.extend_from_slice(line_end);
            self.fresh = false;
            self.records = number;
        }
        Ok(())
    }

    fn write_made(&mut self, batch: &Batch, output: &mut Vec<u8>) -> Result<(), RecordError> {
        // Where columns are named, each row has as many fields, and fields that need quotes have them.
        if self.dialect.columns.is_none() || self.options.validation > Validation::Framing {
            return self.write(batch, output);
        }
        self.begin(output);
        let line_end = self.dialect.line_end.as_bytes();
        output.reserve(batch.size() + line_end.len() * batch.len());
        for row in batch.iter() {
            self.options.check_length(row.len(), self.records + 1)?;
            output.extend_from_slice(row);
            output.extend_from_slice(line_end);
            self.fresh = false;
            self.records += 1;
        }
        Ok(())
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<(), RecordError> {
        self.begin(output);
        Ok(())
    }
}
