//! The engine of speed: a decompressor of our own, and a compressor for the lower levels; the others by `structured-zstd`.

use std::num::NonZero;

use structured_zstd::encoding::{
    CompressionContext, CompressionLevel, CompressionParameters, LevelParameters,
};

use super::{
    super::{Codec, CodecError, CodecErrorKind, DecoderLimits, guard::Guard, pending::Pending},
    checked, compress,
    decoder::Decoder,
    decompress::Blocks,
};

/// The highest window that a compressor uses, as a power of two: what every decoder reads without being asked to. The
/// levels above 19 would take up to 2^27.
const MAX_WINDOW_LOG: u32 = DecoderLimits::DEFAULT_MAX_WINDOW.ilog2();

/// The two levels above it take more memory than a sandbox has by default, 256 MiB.
const MAX_LEVEL: i32 = 20;

/// A compressor to one frame with a checksum. Levels are the reference's, -131,072 to 22; 20 keeps to a window of 8 MiB,
/// so that every decoder reads the result, and 21 and 22 are 20.
///
/// # Errors
/// [`CodecErrorKind::InvalidLevel`].
pub fn encoder(level: Option<i32>) -> Result<Box<dyn Codec>, CodecError> {
    let level = checked(level)?.min(MAX_LEVEL);
    if level <= compress::MAX_LEVEL {
        return Ok(Box::new(Guard::new(compress::Encoder::new(level, u64::MAX), DecoderLimits::default())));
    }
    let mut context = CompressionContext::new(CompressionLevel::from_level(level));
    let mut prepare = || {
        if LevelParameters::for_level(level, None, 0).window_log > MAX_WINDOW_LOG {
            let parameters = CompressionParameters::builder(CompressionLevel::from_level(level));
            let parameters = parameters.window_log(MAX_WINDOW_LOG).build().map_err(std::io::Error::other)?;
            context.set_parameters(&parameters)?;
        }
        context.set_content_checksum(true)
    };
    prepare().map_err(|error| failed(0, &error))?;
    let encoder = Encoder { context, pending: Pending::default(), taken: 0, ended: false };
    Ok(Box::new(Guard::new(encoder, DecoderLimits::default())))
}

/// A compressor to independent frames, each of so many bytes of contents but for the last one. All of them together are a
/// stream that every tool reads, and each can be compressed and decompressed apart from the others. Levels above
/// 4 are 4.
///
/// # Errors
/// [`CodecErrorKind::InvalidLevel`].
pub fn frames(level: Option<i32>, contents: NonZero<u64>) -> Result<Box<dyn Codec>, CodecError> {
    let encoder = compress::Encoder::new(checked(level)?, contents.get());
    Ok(Box::new(Guard::new(encoder, DecoderLimits::default())))
}

/// A decompressor.
#[must_use]
pub fn decoder(limits: DecoderLimits) -> Box<dyn Codec> {
    Box::new(Guard::new(Decoder::new(Blocks::new(), limits), limits))
}

struct Encoder {
    context: CompressionContext,
    pending: Pending,
    taken: u64,
    ended: bool,
}

impl Codec for Encoder {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let mut taken = 0;
        while self.pending.drain(output) && taken < input.len() {
            // At most what completes a block, so that no more than one waits.
            let count = self.context.next_input_size_hint().min(input.len() - taken);
            let written = self.context.write(self.pending.refill(), &input[taken..taken + count]);
            taken += written.map_err(|error| failed(self.taken, &error))?;
        }
        self.taken += taken as u64;
        Ok(taken)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        if self.pending.drain(output) && !self.ended {
            let finished = self.context.finish_frame(self.pending.refill());
            finished.map_err(|error| failed(self.taken, &error))?;
            self.ended = true;
        }
        Ok(self.pending.drain(output))
    }
}

fn failed(at: u64, error: &std::io::Error) -> CodecError {
    CodecError::new(CodecErrorKind::Corrupted, at, format!("the zstd compressor failed: {error}"))
}
