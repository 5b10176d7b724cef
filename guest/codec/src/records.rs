//! The interface `records`.

use std::cell::RefCell;

use omnistorage_core::record::{
    self, RecordError, RecordOptions, Validation, csv::Dialect, length_prefixed::LengthPrefix,
};

use crate::{
    exports::{
        records::{self as exports, Batch, Format, Guest, GuestRecordReader, GuestRecordWriter},
        types::{Error, ErrorCode},
    },
    stream::{Stage, Stream, finished},
};

impl Guest for crate::Component {
    type RecordReader = RecordReader;
    type RecordWriter = RecordWriter;
}

impl Stage for Box<dyn record::RecordReader> {
    type Output = record::Batch;

    fn step(&mut self, input: &[u8]) -> Result<(usize, record::Batch), Error> {
        let mut batch = record::Batch::new();
        match self.push(input, &mut batch, usize::MAX) {
            Ok(taken) => Ok((taken, batch)),
            // The records before an error come first: the next call gives it again.
            Err(_) if !batch.is_empty() => Ok((0, batch)),
            Err(why) => Err(why.into()),
        }
    }

    fn end(&mut self) -> Result<(bool, record::Batch), Error> {
        let mut batch = record::Batch::new();
        self.finish(&mut batch)?;
        Ok((true, batch))
    }
}

/// The resource.
#[allow(unreachable_pub, reason = "it is named by a generated trait")]
pub struct RecordReader(Stream<Box<dyn record::RecordReader>>);

impl GuestRecordReader for RecordReader {
    fn open(format: Format, options: exports::RecordOptions) -> Result<exports::RecordReader, Error> {
        let reader = record::reader(&format.try_into()?, options.into())?;
        Ok(exports::RecordReader::new(Self(Stream::new(reader))))
    }

    fn push(&self, input: Vec<u8>) -> Result<Batch, Error> {
        self.0.push(input).map(Batch::from)
    }

    fn finish(&self) -> Result<Batch, Error> {
        self.0.finish().map(Batch::from)
    }
}

/// The resource.
#[allow(unreachable_pub, reason = "it is named by a generated trait")]
pub struct RecordWriter(RefCell<Result<Box<dyn record::RecordWriter>, Error>>);

impl GuestRecordWriter for RecordWriter {
    fn open(format: Format, options: exports::RecordOptions) -> Result<exports::RecordWriter, Error> {
        let writer = record::writer(&format.try_into()?, options.into())?;
        Ok(exports::RecordWriter::new(Self(RefCell::new(Ok(writer)))))
    }

    fn push(&self, records: Batch) -> Result<Vec<u8>, Error> {
        let mut state = self.0.borrow_mut();
        let writer = state.as_mut().map_err(|why| why.clone())?;
        let records = record::Batch::from_parts(records.data, records.ends)?;
        let mut output = Vec::new();
        if let Err(why) = writer.write(&records, &mut output) {
            let why = Error::from(why);
            *state = Err(why.clone());
            return Err(why);
        }
        Ok(output)
    }

    fn finish(&self) -> Result<Vec<u8>, Error> {
        let mut state = self.0.borrow_mut();
        let mut output = Vec::new();
        match &mut *state {
            Ok(writer) => {
                let ended = writer.finish(&mut output);
                *state = Err(finished());
                ended?;
            }
            Err(why) if why.code == ErrorCode::Finished => {}
            Err(why) => return Err(why.clone()),
        }
        Ok(output)
    }
}

impl TryFrom<Format> for record::Format {
    type Error = RecordError;

    fn try_from(format: Format) -> Result<Self, RecordError> {
        Ok(match format {
            Format::Ndjson => Self::Ndjson,
            Format::LengthPrefixed => Self::LengthPrefixed(LengthPrefix::default()),
            Format::Csv(dialect) => {
                let mut csv = Dialect::new(dialect.delimiter, dialect.quote)?;
                csv.header = dialect.header;
                Self::Csv(csv)
            }
        })
    }
}

impl From<exports::RecordOptions> for RecordOptions {
    fn from(options: exports::RecordOptions) -> Self {
        Self {
            max_record: options.max_record.unwrap_or(Self::default().max_record),
            validation: if options.validate { Validation::Syntax } else { Validation::Framing },
        }
    }
}

impl From<record::Batch> for Batch {
    fn from(batch: record::Batch) -> Self {
        let (data, ends) = batch.into_parts();
        Self { data, ends }
    }
}
