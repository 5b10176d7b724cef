//! The fast engine: a compressor and a decompressor of our own.

use std::num::NonZero;

use super::{
    super::{CodecError, Coder, DecoderLimits, guard::Guard},
    checked,
    compress::Encoder,
    decoder::Decoder,
    decompress::Blocks,
    dictionary::Dictionary,
};

/// A compressor to one frame with a checksum. Levels are the reference's, -131,072 to 22; those above 12 compress
/// little better than 12. The window is 8 MiB at most, so that every decoder reads the result.
///
/// # Errors
/// [`CodecErrorKind::InvalidLevel`](super::super::CodecErrorKind::InvalidLevel).
pub fn encoder(level: Option<i32>) -> Result<Box<dyn Coder>, CodecError> {
    let encoder = Encoder::new(checked(level)?, u64::MAX, None);
    Ok(Box::new(Guard::new(encoder, DecoderLimits::default())))
}

/// The same with a dictionary. For the first stream at a level its content is looked through; those that follow, if they
/// are short, get a copy of what came of it.
///
/// # Errors
/// As [`encoder`].
pub fn encoder_with(dictionary: &Dictionary, level: Option<i32>) -> Result<Box<dyn Coder>, CodecError> {
    let encoder = Encoder::new(checked(level)?, u64::MAX, Some(dictionary.writing().clone()));
    Ok(Box::new(Guard::new(encoder, DecoderLimits::default())))
}

/// A compressor to independent frames, each with `contents` bytes of contents except the last. Together they are a
/// stream that every tool reads, and each can be compressed and decompressed apart from the others.
///
/// # Errors
/// As [`encoder`].
pub fn frames(level: Option<i32>, contents: NonZero<u64>) -> Result<Box<dyn Coder>, CodecError> {
    let encoder = Encoder::new(checked(level)?, contents.get(), None);
    Ok(Box::new(Guard::new(encoder, DecoderLimits::default())))
}

/// A decompressor.
#[must_use]
pub fn decoder(limits: DecoderLimits) -> Box<dyn Coder> {
    Box::new(Guard::new(Decoder::new(Blocks::new(None), limits), limits))
}

/// A decompressor of frames that begin with a dictionary.
#[must_use]
pub fn decoder_with(dictionary: &Dictionary, limits: DecoderLimits) -> Box<dyn Coder> {
    Box::new(Guard::new(Decoder::new(Blocks::new(Some(dictionary.reading().clone())), limits), limits))
}
