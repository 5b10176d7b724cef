//! LZ4: its frame format.
//!
//! Source: `lz4_Frame_format.md` of lz4/lz4, version 1.6.4. A frame has an end mark, and what we write has a checksum of
//! its contents; but data that is cut exactly between two frames looks whole. Skippable frames are passed over, the
//! legacy format and dictionaries are not supported.

mod contents;
mod decoder;
mod encoder;
mod frame;

use super::{CodecError, CodecErrorKind, Coder, DecoderLimits, guard::Guard};

/// Bytes that a decompressor takes up at most: a block of 4 MiB, compressed and not, and what matches reach back to.
pub(super) const DECODER_MEMORY: u64 = 2 * frame::LARGEST_BLOCK as u64 + 2 * contents::WINDOW as u64;

/// A compressor. It writes independent blocks of 256 KiB. LZ4 has no levels.
///
/// # Errors
/// [`CodecErrorKind::InvalidLevel`] for any.
pub fn encoder(level: Option<i32>) -> Result<Box<dyn Coder>, CodecError> {
    if level.is_some() {
        return Err(CodecError::new(CodecErrorKind::InvalidLevel, 0, "lz4 has no levels"));
    }
    Ok(Box::new(Guard::new(encoder::Encoder::new(), DecoderLimits::default())))
}

/// A decompressor. Every checksum and length that a frame has is checked.
#[must_use]
pub fn decoder(limits: DecoderLimits) -> Box<dyn Coder> {
    Box::new(Guard::new(decoder::Decoder::new(), limits))
}
