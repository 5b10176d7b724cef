//! The interface `records`.

mod convert;
mod writer;

use omnistorage_core::{Path, encoding::encoding_from_path, record::Batch};
use omnistorage_types::wit::IntoWit;

use crate::{
    exports::{
        records::{self as exports, Encoding, Format, Guest, GuestRecordReader},
        types::Error,
    },
    source::Source,
    stream::Stream,
};

omnistorage_types::mirror_records!(exports);

impl Guest for crate::Component {
    type RecordReader = RecordReader;
    type RecordWriter = writer::RecordWriter;
    type Survey = convert::Survey;
    type Converter = convert::Converter;

    fn detect_format(path: String) -> Option<Format> {
        // A path of the caller's own world, which need not be one of ours: its last segment is.
        let name = path.rsplit('/').next()?;
        let (format, _) = encoding_from_path(&Path::parse(name).ok()?);
        format.map(IntoWit::into_wit)
    }

    fn convert(data: Vec<u8>, source: Encoding, target: Encoding) -> Result<Vec<u8>, Error> {
        crate::convert::run(&data, source.try_into()?, target.try_into()?)
    }
}

/// The resource.
#[allow(unreachable_pub, reason = "it is named by a generated trait")]
pub struct RecordReader(Stream<Source>);

impl GuestRecordReader for RecordReader {
    fn open(encoding: Encoding) -> Result<exports::RecordReader, Error> {
        let source = Source::new(&encoding.try_into()?)?;
        Ok(exports::RecordReader::new(Self(Stream::new(source))))
    }

    fn push(&self, input: Vec<u8>) -> Result<exports::Batch, Error> {
        self.0.push(input).map(Into::into)
    }

    fn finish(&self) -> Result<exports::Batch, Error> {
        self.0.finish().map(Into::into)
    }

    fn header(&self) -> Option<Vec<u8>> {
        self.0.look(|source| source.header().map(<[u8]>::to_vec))
    }
}

impl From<Batch> for exports::Batch {
    fn from(batch: Batch) -> Self {
        let (data, ends) = batch.into_parts();
        Self { data, ends }
    }
}
