//! The engine `miniz_oxide`, through `flate2`.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{
    super::{CodecError, Coder, DecoderLimits, guard::Guard},
    Header,
    decoder::{Damaged, Decoder, Inflate},
    encoder::{Deflate, Encoder},
    scratch::{Scratch, Step},
};

/// See [`encoder`](super::encoder).
///
/// # Errors
/// [`CodecErrorKind::InvalidLevel`](super::super::CodecErrorKind::InvalidLevel).
pub fn encoder(level: Option<i32>, header: &Header) -> Result<Box<dyn Coder>, CodecError> {
    let deflate = |level| Packing(Compress::new(Compression::new(level), false), Scratch::new());
    Ok(Box::new(Guard::new(Encoder::new(level, header, deflate)?, DecoderLimits::default())))
}

/// See [`decoder`](super::decoder).
#[must_use]
pub fn decoder(limits: DecoderLimits) -> Box<dyn Coder> {
    let inflate = Unpacking(Decompress::new(false), Scratch::new());
    Box::new(Guard::new(Decoder::new(inflate), limits))
}

struct Packing(Compress, Scratch);

impl Deflate for Packing {
    fn deflate(&mut self, input: &mut &[u8], output: &mut Vec<u8>, last: bool) -> Option<bool> {
        let Self(engine, scratch) = self;
        let flush = if last { FlushCompress::Finish } else { FlushCompress::None };
        scratch.run(input, output, |input, output| {
            let (taken, made) = (engine.total_in(), engine.total_out());
            let ended = engine.compress(input, output, flush).ok()? == Status::StreamEnd;
            Some(Step { taken: engine.total_in() - taken, made: engine.total_out() - made, ended })
        })
    }
}

struct Unpacking(Decompress, Scratch);

impl Inflate for Unpacking {
    fn reset(&mut self) {
        self.0.reset(false);
    }

    fn inflate(&mut self, input: &mut &[u8], output: &mut Vec<u8>) -> Result<bool, Damaged> {
        let Self(engine, scratch) = self;
        let ended = scratch.run(input, output, |input, output| {
            let (taken, made) = (engine.total_in(), engine.total_out());
            let ended = engine.decompress(input, output, FlushDecompress::None).ok()? == Status::StreamEnd;
            Some(Step { taken: engine.total_in() - taken, made: engine.total_out() - made, ended })
        });
        ended.ok_or(Damaged)
    }
}
