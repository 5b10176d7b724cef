//! Records to bytes: a format, then a codec.

use omnistorage_core::{
    codec::{Coder, encoder},
    record::{Batch, RecordWriter, writer},
};

use crate::{encoding::Encoding, exports::types::Error, stream::is_full};

/// Writes the records of one stream.
pub(crate) struct Sink {
    writer: Box<dyn RecordWriter>,
    encoder: Option<Box<dyn Coder>>,
    /// Out of the writer; so many bytes of it were handed on.
    framed: Vec<u8>,
    handed_on: usize,
    ended: bool,
}

impl Sink {
    pub(crate) fn new(encoding: &Encoding) -> Result<Self, Error> {
        let writer = writer(&encoding.format, encoding.options)?;
        let encoder = encoding.codec.map(|codec| encoder(codec, encoding.level)).transpose()?;
        Ok(Self { writer, encoder, framed: Vec::new(), handed_on: 0, ended: false })
    }

    /// Takes the records; [`hand_on`](Self::hand_on) gives their bytes.
    pub(crate) fn write(&mut self, records: &Batch) -> Result<(), Error> {
        Ok(self.writer.write(records, &mut self.framed)?)
    }

    /// Appends the bytes of what was written, as far as the codec lets go of it, within the spare capacity of the
    /// output. Returns whether all of it was handed on.
    pub(crate) fn hand_on(&mut self, output: &mut Vec<u8>) -> Result<bool, Error> {
        let framed = &self.framed[self.handed_on..];
        self.handed_on += match &mut self.encoder {
            Some(encoder) => encoder.push(framed, output)?,
            None => {
                let fitting = framed.len().min(output.capacity() - output.len());
                output.extend_from_slice(&framed[..fitting]);
                fitting
            }
        };
        if self.handed_on < self.framed.len() || is_full(output) {
            return Ok(false);
        }
        self.framed.clear();
        self.handed_on = 0;
        Ok(true)
    }

    /// Ends the stream: appends what is left within the spare capacity of the output. Returns whether that was all.
    pub(crate) fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, Error> {
        if !self.ended {
            self.writer.finish(&mut self.framed)?;
            self.ended = true;
        }
        Ok(self.hand_on(output)?
            && self.encoder.as_mut().map_or(Ok(true), |encoder| encoder.finish(output))?)
    }
}
