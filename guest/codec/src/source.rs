//! Bytes to records: a codec, then a format.

use omnistorage_core::{
    codec::{Coder, DecoderLimits, decoder},
    record::{Batch, RecordReader, reader},
};

use crate::{
    encoding::Encoding,
    exports::types::Error,
    stream::{CHUNK, Stage, is_full},
};

/// Reads the records of one stream.
pub(crate) struct Source {
    decoder: Option<Box<dyn Coder>>,
    reader: Box<dyn RecordReader>,
    /// Out of the decoder; the reader has taken so many bytes of it.
    plain: Vec<u8>,
    taken: usize,
    /// Whether the decoder gave all that it can give of its input.
    drained: bool,
    /// Whether it gave all.
    ended: bool,
}

impl Source {
    pub(crate) fn new(encoding: &Encoding) -> Result<Self, Error> {
        let decoder = encoding.codec.map(|codec| decoder(codec, DecoderLimits::default()));
        let reader = reader(&encoding.format, encoding.options)?;
        Ok(Self { ended: decoder.is_none(), decoder, reader, plain: Vec::new(), taken: 0, drained: true })
    }

    /// The row that names the columns, once it was read.
    pub(crate) fn header(&self) -> Option<&[u8]> {
        self.reader.header()
    }

    /// Takes input, and appends its records until the batch is full. Returns how many bytes of it were taken: all of
    /// them if nothing was appended.
    pub(crate) fn push(&mut self, input: &[u8], batch: &mut Batch) -> Result<usize, Error> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(self.reader.push(input, batch, usize::MAX)?);
        };
        let mut taken = 0;
        loop {
            self.taken += self.reader.push(&self.plain[self.taken..], batch, usize::MAX)?;
            if self.taken < self.plain.len() || (taken == input.len() && self.drained) {
                return Ok(taken);
            }
            self.plain.clear();
            self.taken = 0;
            self.plain.reserve(CHUNK);
            // What comes before damage is not to be trusted.
            taken += decoder.push(&input[taken..], &mut self.plain).inspect_err(|_| self.plain.clear())?;
            self.drained = !is_full(&self.plain);
        }
    }

    /// Ends the stream after the last input, and appends the records that are left until the batch is full. Returns
    /// whether those were the last.
    pub(crate) fn finish(&mut self, batch: &mut Batch) -> Result<bool, Error> {
        self.push(&[], batch)?;
        while let Some(decoder) = &mut self.decoder
            && self.taken == self.plain.len()
            && !self.ended
        {
            self.plain.clear();
            self.taken = 0;
            self.plain.reserve(CHUNK);
            self.ended = decoder.finish(&mut self.plain).inspect_err(|_| self.plain.clear())?;
            self.taken += self.reader.push(&self.plain, batch, usize::MAX)?;
        }
        if self.taken < self.plain.len() || !batch.is_empty() {
            return Ok(false);
        }
        self.reader.finish(batch)?;
        Ok(true)
    }
}

impl Stage for Source {
    type Output = Batch;

    fn step(&mut self, input: &[u8]) -> Result<(usize, Batch), Error> {
        let mut batch = Batch::new();
        match self.push(input, &mut batch) {
            Ok(taken) => Ok((taken, batch)),
            // The records before an error come first: the next call gives it again.
            Err(_) if !batch.is_empty() => Ok((0, batch)),
            Err(why) => Err(why),
        }
    }

    fn end(&mut self) -> Result<(bool, Batch), Error> {
        let mut batch = Batch::new();
        match self.finish(&mut batch) {
            Ok(ended) => Ok((ended, batch)),
            Err(_) if !batch.is_empty() => Ok((false, batch)),
            Err(why) => Err(why),
        }
    }
}
