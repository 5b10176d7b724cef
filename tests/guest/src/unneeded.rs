//! What the world asks for and no test calls.

use crate::{
    Component,
    exports::{
        bisync::{self, BisyncJob, BisyncOptions},
        compression::{self, Body, Codec, DecompressOptions},
        multi,
        objects::{CompressionOptions, Reader},
        records::{self, Batch, ConvertReport, Encoding, GuestRecordReader, GuestRecordWriter},
        sync::{self, CheckJob, Explanation, Job, SyncOptions},
    },
    imports::{
        backend::{ReadOptions, WriteOptions},
        types::{Error, Location, ObjectInfo},
    },
};

impl bisync::Guest for Component {
    async fn bisync(_: Location, _: Location, _: Location, _: BisyncOptions) -> Result<BisyncJob, Error> {
        unimplemented!()
    }
}

impl compression::Guest for Component {
    async fn compress(_: Body, _: Codec, _: Option<i32>, _: Option<Vec<u8>>) -> Result<Body, Error> {
        unimplemented!()
    }

    async fn decompress(_: Body, _: DecompressOptions) -> Result<Body, Error> {
        unimplemented!()
    }

    async fn train_dictionary(_: Vec<Vec<u8>>, _: u32) -> Result<Vec<u8>, Error> {
        unimplemented!()
    }

    fn detect_codec(_: Option<String>, _: Vec<u8>) -> Option<Codec> {
        unimplemented!()
    }
}

impl multi::Guest for Component {
    async fn tee(
        _: Vec<Location>,
        _: Body,
        _: WriteOptions,
        _: Option<CompressionOptions>,
        _: multi::Mode,
    ) -> Result<Vec<multi::TargetResult>, multi::Failure> {
        unimplemented!()
    }

    async fn read_any(
        _: Vec<Location>,
        _: ReadOptions,
        _: Option<DecompressOptions>,
    ) -> Result<Reader, Error> {
        unimplemented!()
    }
}

impl records::Guest for Component {
    type RecordReader = Self;
    type RecordWriter = Self;

    fn detect_format(_: String) -> Option<records::Format> {
        unimplemented!()
    }

    async fn convert(_: Location, _: Encoding, _: Location, _: Encoding) -> Result<ConvertReport, Error> {
        unimplemented!()
    }

    async fn read_outline(
        _: Location,
        _: Encoding,
        _: Option<records::Format>,
    ) -> Result<Option<records::Outline>, Error> {
        unimplemented!()
    }

    async fn convert_part(
        _: Location,
        _: Encoding,
        _: records::Outline,
        _: records::Part,
        _: Location,
        _: Encoding,
    ) -> Result<records::PartReport, Error> {
        unimplemented!()
    }

    async fn count_part(
        _: Location,
        _: Encoding,
        _: records::Outline,
        _: records::Part,
    ) -> Result<records::PartReport, Error> {
        unimplemented!()
    }
}

impl GuestRecordReader for Component {
    async fn header(&self) -> Result<Option<Vec<u8>>, Error> {
        unimplemented!()
    }

    async fn open(_: Location, _: Encoding) -> Result<records::RecordReader, Error> {
        unimplemented!()
    }

    async fn read(&self, _: u32) -> Result<Option<Batch>, Error> {
        unimplemented!()
    }
}

impl GuestRecordWriter for Component {
    async fn create(_: Location, _: Encoding) -> Result<records::RecordWriter, Error> {
        unimplemented!()
    }

    async fn write(&self, _: Batch) -> Result<(), Error> {
        unimplemented!()
    }

    async fn flush(&self) -> Result<(), Error> {
        unimplemented!()
    }

    async fn finish(_: records::RecordWriter) -> Result<ObjectInfo, Error> {
        unimplemented!()
    }
}

impl sync::Guest for Component {
    async fn sync(_: Location, _: Location, _: SyncOptions) -> Result<Job, Error> {
        unimplemented!()
    }

    async fn copy(_: Location, _: Location, _: SyncOptions) -> Result<Job, Error> {
        unimplemented!()
    }

    async fn plan(_: Location, _: Option<String>, _: Option<String>, _: u32) -> Result<Vec<String>, Error> {
        unimplemented!()
    }

    async fn cut(_: Location, _: Option<String>, _: Option<String>, _: u32) -> Result<Vec<String>, Error> {
        unimplemented!()
    }

    async fn judge(_: sync::Report, _: SyncOptions) -> Result<(), Error> {
        unimplemented!()
    }

    async fn explain(_: Location, _: Location, _: String, _: SyncOptions) -> Result<Explanation, Error> {
        unimplemented!()
    }

    async fn explain_move(_: Location, _: Location, _: String, _: SyncOptions) -> Result<Explanation, Error> {
        unimplemented!()
    }

    async fn move_to(_: Location, _: Location, _: SyncOptions) -> Result<Job, Error> {
        unimplemented!()
    }

    async fn check(_: Location, _: Location, _: SyncOptions) -> Result<CheckJob, Error> {
        unimplemented!()
    }
}
