//! Errors that stay.

use super::{Batch, RecordError, RecordReader, RecordWriter};

/// Gives the first error of a reader or writer again and again: what follows a damaged record is not to be trusted, and
/// an end would look like the true one.
pub(super) struct Sticky<T>(Result<T, RecordError>);

impl<T> Sticky<T> {
    pub(super) fn new(inner: T) -> Self {
        Self(Ok(inner))
    }

    fn with<R>(&mut self, act: impl FnOnce(&mut T) -> Result<R, RecordError>) -> Result<R, RecordError> {
        match &mut self.0 {
            Ok(inner) => act(inner).inspect_err(|error| self.0 = Err(error.clone())),
            Err(error) => Err(error.clone()),
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

    fn header(&self) -> Option<&[u8]> {
        self.0.as_ref().ok().and_then(R::header)
    }
}

impl<W: RecordWriter> RecordWriter for Sticky<W> {
    fn write(&mut self, batch: &Batch, output: &mut Vec<u8>) -> Result<(), RecordError> {
        self.with(|writer| writer.write(batch, output))
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<(), RecordError> {
        self.with(|writer| writer.finish(output))
    }
}
