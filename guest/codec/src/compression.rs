//! The interface `compression`.

use omnistorage_core::codec::{self, CodecError, CodecKind, DecoderLimits, decoder};

use crate::{
    detecting::{Detecting, detected},
    exports::{
        compression::{self as exports, Codec, DecompressOptions, Guest, GuestDecoder, GuestEncoder},
        types::Error,
    },
    stream::{Stream, fill, is_full},
};

/// Decompressed bytes that one list holds, unless the caller sets a limit.
const MAX_LIST: u64 = 256 << 20;

impl Guest for crate::Component {
    type Encoder = Encoder;
    type Decoder = Decoder;

    fn detect(path: Option<String>, head: Vec<u8>) -> Option<Codec> {
        CodecKind::from_magic(&head)
            .or_else(|| path.and_then(|path| CodecKind::from_extension(&path)))
            .map(Codec::from)
    }

    fn compress(data: Vec<u8>, codec: Codec, level: Option<i32>) -> Result<Vec<u8>, Error> {
        run(codec::encoder(codec.into(), level)?, &data)
    }

    fn decompress(data: Vec<u8>, options: DecompressOptions) -> Result<Vec<u8>, Error> {
        let mut limits = limits(&options);
        limits.max_output.get_or_insert(MAX_LIST);
        let decoder = match options.codec {
            Some(codec) => decoder(codec.into(), limits),
            None => detected(&data, limits)?,
        };
        run(decoder, &data)
    }
}

/// The whole through a codec at once.
fn run(mut codec: Box<dyn codec::Codec>, mut input: &[u8]) -> Result<Vec<u8>, Error> {
    let mut output = Vec::new();
    fill(&mut output, |output| {
        input = &input[codec.push(input, output)?..];
        Ok::<_, CodecError>(!is_full(output))
    })?;
    fill(&mut output, |output| codec.finish(output))?;
    Ok(output)
}

/// The resource.
#[allow(unreachable_pub, reason = "it is named by a generated trait")]
pub struct Encoder(Stream<Box<dyn codec::Codec>>);

impl GuestEncoder for Encoder {
    fn open(codec: Codec, level: Option<i32>) -> Result<exports::Encoder, Error> {
        let encoder = codec::encoder(codec.into(), level)?;
        Ok(exports::Encoder::new(Self(Stream::new(encoder))))
    }

    fn push(&self, input: Vec<u8>) -> Result<Vec<u8>, Error> {
        self.0.push(input)
    }

    fn finish(&self) -> Result<Vec<u8>, Error> {
        self.0.finish()
    }
}

/// The resource.
#[allow(unreachable_pub, reason = "it is named by a generated trait")]
pub struct Decoder(Stream<Box<dyn codec::Codec>>);

impl GuestDecoder for Decoder {
    fn open(options: DecompressOptions) -> Result<exports::Decoder, Error> {
        let limits = limits(&options);
        let decoder = match options.codec {
            Some(codec) => decoder(codec.into(), limits),
            None => Box::new(Detecting::new(limits)),
        };
        Ok(exports::Decoder::new(Self(Stream::new(decoder))))
    }

    fn push(&self, input: Vec<u8>) -> Result<Vec<u8>, Error> {
        self.0.push(input)
    }

    fn finish(&self) -> Result<Vec<u8>, Error> {
        self.0.finish()
    }
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
