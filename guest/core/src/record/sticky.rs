//! Errors that stay.

use super::{Batch, RecordError, RecordReader, RecordWriter};

/// Gives the first error of a reader or writer again and again: what follows a damaged record is not to be trusted, and
/// an end would look like the true one.
pub(super) struct Sticky<T> {
    inner: T,
    error: Option<RecordError>,
}

impl<T> Sticky<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, error: None }
    }

    fn with<R>(&mut self, act: impl FnOnce(&mut T) -> Result<R, RecordError>) -> Result<R, RecordError> {
        match &self.error {
            Some(error) => Err(error.clone()),
            None => act(&mut self.inner).inspect_err(|error| self.error = Some(error.clone())),
        }
    }
}

impl<R: RecordReader> RecordReader for Sticky<R> {
    fn push(&mut self, input: &[u8], batch: &mut Batch, max_records: usize) -> Result<usize, RecordError> {
        self.with(|reader| reader.push(input, batch, max_records))
    }

    fn finish(&mut self, batch: &mut Batch) -> Result<(), RecordError> {
        self.with(|reader| reader.finish(batch))
    }

    fn is_between(&self) -> bool {
        self.error.is_none() && self.inner.is_between()
    }

    fn header(&self) -> Option<&[u8]> {
        self.inner.header()
    }
}

impl<W: RecordWriter> RecordWriter for Sticky<W> {
    fn write(&mut self, batch: &Batch, output: &mut Vec<u8>) -> Result<(), RecordError> {
        self.with(|writer| writer.write(batch, output))
    }

    fn write_made(&mut self, batch: &Batch, output: &mut Vec<u8>) -> Result<(), RecordError> {
        self.with(|writer| writer.write_made(batch, output))
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<(), RecordError> {
        self.with(|writer| writer.finish(output))
    }
}
