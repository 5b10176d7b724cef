//! The interface `multi`.

use omnistorage_engine::port::Reader as Opened;
use omnistorage_types::{
    Location, TeeError,
    wit::{FromWit, IntoWit},
};

use crate::{
    body::{brought, outgoing},
    compression_exports::{Body, DecompressOptions},
    engine,
    multi_exports::{Failure, Guest, Mode, TargetResult},
    objects_exports::{CompressionOptions, Reader},
    types::{self, ReadOptions, WriteOptions},
};

impl Guest for crate::Component {
    async fn tee(
        targets: Vec<types::Location>,
        contents: Body,
        options: WriteOptions,
        compress: Option<CompressionOptions>,
        mode: Mode,
    ) -> Result<Vec<TargetResult>, Failure> {
        let written = async {
            let (targets, options) = (Vec::<Location>::from_wit(targets)?, FromWit::from_wit(options)?);
            let (compress, mode) = (FromWit::from_wit(compress)?, FromWit::from_wit(mode)?);
            let contents = brought(contents.contents, contents.completion);
            engine().tee(targets, contents, options, compress, mode).await
        };
        written.await.map(IntoWit::into_wit).map_err(TeeError::into_wit)
    }

    async fn read_any(
        replicas: Vec<types::Location>,
        options: ReadOptions,
        decompress: Option<DecompressOptions>,
    ) -> Result<Reader, types::Error> {
        let replicas = Vec::<Location>::from_wit(replicas)?;
        let (options, decompress) = (FromWit::from_wit(options)?, FromWit::from_wit(decompress)?);
        let Opened { info, contents } = engine().read_any(replicas, options, decompress).await?;
        Ok(Reader { info: info.into_wit(), contents: outgoing(contents) })
    }
}
