//! The interface `records`.

use omnistorage_core::record::Batch;
use omnistorage_engine::records;
use omnistorage_types::{
    Location, Path,
    wit::{FromWit, IntoWit},
};

use crate::{
    answer, engine,
    record_exports::{
        self as exports, ConvertReport, Encoding, Format, Guest, GuestRecordReader, GuestRecordWriter,
        Outline, Part, PartReport,
    },
    types::{self, Error, ObjectInfo},
};

impl Guest for crate::Component {
    type RecordReader = RecordReader;
    type RecordWriter = RecordWriter;

    fn detect_format(path: String) -> Option<Format> {
        records::detect(&Path::parse(path).ok()?).into_wit()
    }

    async fn convert(
        source: types::Location,
        source_encoding: Encoding,
        target: types::Location,
        target_encoding: Encoding,
    ) -> Result<ConvertReport, Error> {
        let (source, target) = (Location::from_wit(source)?, Location::from_wit(target)?);
        let encodings = (FromWit::from_wit(source_encoding)?, FromWit::from_wit(target_encoding)?);
        answer(engine().convert(source, encodings.0, target, encodings.1).await)
    }

    async fn read_outline(
        source: types::Location,
        encoding: Encoding,
        target: Option<Format>,
    ) -> Result<Option<Outline>, Error> {
        let (source, encoding) = (Location::from_wit(source)?, FromWit::from_wit(encoding)?);
        answer(engine().read_outline(source, encoding, FromWit::from_wit(target)?).await)
    }

    async fn convert_part(
        source: types::Location,
        source_encoding: Encoding,
        outline: Outline,
        part: Part,
        target: types::Location,
        target_encoding: Encoding,
    ) -> Result<PartReport, Error> {
        let source = (Location::from_wit(source)?, FromWit::from_wit(source_encoding)?);
        let target = (Location::from_wit(target)?, FromWit::from_wit(target_encoding)?);
        let (outline, part) = (FromWit::from_wit(outline)?, FromWit::from_wit(part)?);
        answer(engine().convert_part(source, &outline, part, target).await)
    }

    async fn count_part(
        source: types::Location,
        encoding: Encoding,
        outline: Outline,
        part: Part,
    ) -> Result<PartReport, Error> {
        let (source, encoding) = (Location::from_wit(source)?, FromWit::from_wit(encoding)?);
        let (outline, part) = (FromWit::from_wit(outline)?, FromWit::from_wit(part)?);
        answer(engine().count_part(source, encoding, &outline, part).await)
    }
}

/// The resource.
#[allow(unreachable_pub, reason = "it is named by a generated trait")]
pub struct RecordReader(records::RecordReader);

impl GuestRecordReader for RecordReader {
    async fn open(source: types::Location, encoding: Encoding) -> Result<exports::RecordReader, Error> {
        let opened = engine().read_records(Location::from_wit(source)?, FromWit::from_wit(encoding)?).await?;
        Ok(exports::RecordReader::new(Self(opened)))
    }

    async fn read(&self, max_records: u32) -> Result<Option<exports::Batch>, Error> {
        let batch = self.0.read(max_records).await?;
        Ok(batch.map(|batch| {
            let (data, ends) = batch.into_parts();
            exports::Batch { data, ends }
        }))
    }

    async fn header(&self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.header().await?)
    }
}

/// The resource.
#[allow(unreachable_pub, reason = "it is named by a generated trait")]
pub struct RecordWriter(records::RecordWriter);

impl GuestRecordWriter for RecordWriter {
    async fn create(target: types::Location, encoding: Encoding) -> Result<exports::RecordWriter, Error> {
        let created =
            engine().write_records(Location::from_wit(target)?, FromWit::from_wit(encoding)?).await?;
        Ok(exports::RecordWriter::new(Self(created)))
    }

    async fn write(&self, records: exports::Batch) -> Result<(), Error> {
        let batch = Batch::from_parts(records.data, records.ends).map_err(omnistorage_types::Error::from)?;
        Ok(self.0.write(&batch).await?)
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(self.0.flush().await?)
    }

    async fn finish(writer: exports::RecordWriter) -> Result<ObjectInfo, Error> {
        answer(writer.into_inner::<Self>().0.finish().await)
    }
}
