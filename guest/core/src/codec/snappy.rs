//! Snappy: its framing format for streams, and raw blocks ([`raw`]).
//!
//! Source: `framing_format.txt` of google/snappy, version 2013-10-25. The framing format has neither a total length nor
//! an end mark: input that ends between two chunks looks whole, and a damaged chunk type may turn a chunk into one that
//! is skipped.

mod block;
mod decoder;
mod encoder;
pub mod raw;

use super::{CodecError, CodecErrorKind, Coder, DecoderLimits, crc::CRC32C, guard::Guard};

/// What a stream begins with, and may hold again.
const STREAM_IDENTIFIER: &[u8] = b"\xff\x06\x00\x00sNaPpY";
const COMPRESSED: u8 = 0x00;
const UNCOMPRESSED: u8 = 0x01;
const IDENTIFIER: u8 = 0xff;

/// Bytes that a chunk decompresses to, at most (section 4.2).
const MAX_CONTENTS: usize = 64 << 10;

/// A compressor in the framing format. Snappy has no levels.
///
/// # Errors
/// [`CodecErrorKind::InvalidLevel`] for any.
pub fn encoder(level: Option<i32>) -> Result<Box<dyn Coder>, CodecError> {
    if level.is_some() {
        return Err(CodecError::new(CodecErrorKind::InvalidLevel, 0, "snappy has no levels"));
    }
    Ok(Box::new(Guard::new(encoder::Encoder::new(), DecoderLimits::default())))
}

/// A decompressor of the framing format. The CRC-32C of each chunk is checked.
#[must_use]
pub fn decoder(limits: DecoderLimits) -> Box<dyn Coder> {
    Box::new(Guard::new(decoder::Decoder::new(), limits))
}

/// The CRC-32C of the contents of a chunk, as it is stored (section 3).
fn checksum(contents: &[u8]) -> u32 {
    CRC32C.update(0, contents).rotate_right(15).wrapping_add(0xa282_ead8)
}
