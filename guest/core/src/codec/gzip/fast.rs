//! Our own inflate, and the compressor of `zlib-rs`.

use zlib_rs::{DeflateFlush, Status};

use super::{
    super::{CodecError, Coder, DecoderLimits, guard::Guard},
    Header,
    decoder::Decoder,
    encoder::{Deflate, Encoder},
    inflate::Inflate,
    scratch::{Scratch, Step},
};

/// The window of 32 KiB, as a power of two.
const WINDOW: u8 = 15;

/// See [`encoder`](super::encoder).
///
/// # Errors
/// [`CodecErrorKind::InvalidLevel`](super::super::CodecErrorKind::InvalidLevel).
pub fn encoder(level: Option<i32>, header: &Header) -> Result<Box<dyn Coder>, CodecError> {
    let deflate = |level| Packing(zlib_rs::Deflate::new(level as i32, false, WINDOW), Scratch::new());
    Ok(Box::new(Guard::new(Encoder::new(level, header, deflate)?, DecoderLimits::default())))
}

/// See [`decoder`](super::decoder).
#[must_use]
pub fn decoder(limits: DecoderLimits) -> Box<dyn Coder> {
    Box::new(Guard::new(Decoder::new(Inflate::new()), limits))
}

struct Packing(zlib_rs::Deflate, Scratch);

impl Deflate for Packing {
    fn deflate(&mut self, input: &mut &[u8], output: &mut Vec<u8>, last: bool) -> Option<bool> {
        let Self(engine, scratch) = self;
        let flush = if last { DeflateFlush::Finish } else { DeflateFlush::NoFlush };
        scratch.run(input, output, |input, output| {
            let (taken, made) = (engine.total_in(), engine.total_out());
            let ended = engine.compress(input, output, flush).ok()? == Status::StreamEnd;
            Some(Step { taken: engine.total_in() - taken, made: engine.total_out() - made, ended })
        })
    }
}
