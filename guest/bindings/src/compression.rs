//! The interface `compression`.

use omnistorage_engine::compression;
use omnistorage_types::{
    Compression, DecompressOptions,
    wit::{FromWit, IntoWit},
};

use crate::{
    body::{brought, outgoing},
    compression_exports::{Body, Codec, Guest},
    types::Error,
};

impl Guest for crate::Component {
    async fn compress(
        input: Body,
        codec: Codec,
        level: Option<i32>,
        dictionary: Option<Vec<u8>>,
    ) -> Result<Body, Error> {
        let dictionary = dictionary.map(Into::into);
        let compression = Compression { codec: FromWit::from_wit(codec)?, level, dictionary };
        Ok(outgoing(compression::compressed(brought(input.contents, input.completion), compression)?))
    }

    async fn decompress(
        input: Body,
        options: crate::compression_exports::DecompressOptions,
    ) -> Result<Body, Error> {
        let input = brought(input.contents, input.completion);
        Ok(outgoing(compression::decompressed(input, DecompressOptions::from_wit(options)?)))
    }

    async fn train_dictionary(samples: Vec<Vec<u8>>, size: u32) -> Result<Vec<u8>, Error> {
        Ok(compression::trained(&samples, size)?)
    }

    fn detect_codec(path: Option<String>, head: Vec<u8>) -> Option<Codec> {
        compression::detect(path.as_deref(), &head).into_wit()
    }
}
