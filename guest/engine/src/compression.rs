//! The interface `compression`.

use omnistorage_core::codec::{self, CodecKind, DecoderLimits};
use wit_bindgen::spawn_local;

use crate::{
    body::{Coded, Sink, Source},
    error::error,
    exports::compression::{Body, Codec, DecompressOptions, Guest},
    imports::types::{Error, ErrorCode},
};

/// Enough bytes to know a codec by: the stream identifier of snappy is the longest.
const HEAD: usize = 10;

impl Guest for crate::Component {
    async fn compress(input: Body, codec: Codec, level: Option<i32>) -> Result<Body, Error> {
        let encoder = codec::encoder(codec.into(), level)?;
        let (sink, output) = Sink::new();
        spawn_local(Coded::new(input.into(), Some(encoder)).pump(sink));
        Ok(output)
    }

    async fn decompress(input: Body, options: DecompressOptions) -> Result<Body, Error> {
        Ok(decompressed(input.into(), options))
    }

    fn detect(path: Option<String>, head: Vec<u8>) -> Option<Codec> {
        CodecKind::from_magic(&head)
            .or_else(|| path.and_then(|path| CodecKind::from_extension(&path)))
            .map(Codec::from)
    }
}

/// The source decompressed; which codec it is shows once its first bytes are there.
pub(crate) fn decompressed(mut source: Source, options: DecompressOptions) -> Body {
    let (sink, output) = Sink::new();
    spawn_local(async move {
        match decoder(&mut source, &options).await {
            Ok(decoder) => Coded::new(source, Some(decoder)).pump(sink).await,
            Err(error) => sink.end(Err(error)).await,
        }
    });
    output
}

async fn decoder(source: &mut Source, options: &DecompressOptions) -> Result<Box<dyn codec::Codec>, Error> {
    let codec = match options.codec {
        Some(codec) => codec.into(),
        None => detect(source).await?.ok_or_else(|| {
            let message = "the first bytes are of no known compression (gzip, zstd, snappy)";
            source.locate(error(ErrorCode::Corrupted, message))
        })?,
    };
    Ok(codec::decoder(codec, limits(options)))
}

/// The codec that the first bytes show.
pub(crate) async fn detect(source: &mut Source) -> Result<Option<CodecKind>, Error> {
    Ok(CodecKind::from_magic(source.head(HEAD).await?))
}

fn limits(options: &DecompressOptions) -> DecoderLimits {
    DecoderLimits {
        max_output: options.max_output,
        max_ratio: options.max_ratio,
        max_window: options.max_window,
    }
}

impl From<Codec> for CodecKind {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Gzip => Self::Gzip,
            Codec::Zstd => Self::Zstd,
            Codec::Snappy => Self::Snappy,
        }
    }
}

impl From<CodecKind> for Codec {
    fn from(kind: CodecKind) -> Self {
        match kind {
            CodecKind::Gzip => Self::Gzip,
            CodecKind::Zstd => Self::Zstd,
            CodecKind::Snappy => Self::Snappy,
        }
    }
}
