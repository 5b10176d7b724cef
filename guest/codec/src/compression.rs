//! The interface `compression`.

use omnistorage_core::codec::{self, CodecError, Coder, DecoderLimits, decoder};
use omnistorage_types::{
    self as types,
    wit::{FromWit, IntoWit},
};

use crate::{
    detecting::{Detecting, detected},
    exports::{
        compression::{self as exports, Codec, DecompressOptions, Guest, GuestDecoder, GuestEncoder},
        types::Error,
    },
    stream::{Stream, fill, is_full},
};

omnistorage_types::mirror_codec!(exports);

/// Decompressed bytes that one list holds, unless the caller sets a limit.
const MAX_LIST: u64 = 256 << 20;

impl Guest for crate::Component {
    type Encoder = Encoder;
    type Decoder = Decoder;

    fn detect_codec(path: Option<String>, head: Vec<u8>) -> Option<Codec> {
        let known = types::Codec::from_magic(&head);
        known.or_else(|| types::Codec::from_extension(&path?)).map(IntoWit::into_wit)
    }

    fn compress(data: Vec<u8>, codec: Codec, level: Option<i32>) -> Result<Vec<u8>, Error> {
        run(codec::encoder(FromWit::from_wit(codec)?, level)?, &data)
    }

    fn decompress(data: Vec<u8>, options: DecompressOptions) -> Result<Vec<u8>, Error> {
        let mut limits = limits(&options);
        limits.max_output.get_or_insert(MAX_LIST);
        let decoder = match options.codec {
            Some(codec) => decoder(FromWit::from_wit(codec)?, limits),
            None => detected(&data, limits)?,
        };
        run(decoder, &data)
    }
}

/// The whole through a codec at once.
fn run(mut codec: Box<dyn Coder>, mut input: &[u8]) -> Result<Vec<u8>, Error> {
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
pub struct Encoder(Stream<Box<dyn Coder>>);

impl GuestEncoder for Encoder {
    fn open(codec: Codec, level: Option<i32>) -> Result<exports::Encoder, Error> {
        let encoder = codec::encoder(FromWit::from_wit(codec)?, level)?;
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
pub struct Decoder(Stream<Box<dyn Coder>>);

impl GuestDecoder for Decoder {
    fn open(options: DecompressOptions) -> Result<exports::Decoder, Error> {
        let limits = limits(&options);
        let decoder = match options.codec {
            Some(codec) => decoder(FromWit::from_wit(codec)?, limits),
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
