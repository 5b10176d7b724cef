//! Gzip (RFC 1952): our own framing around the raw deflate of `flate2`, so that each step is bounded.

mod decoder;
mod encoder;
mod header;

use super::{Codec, CodecError, DecoderLimits, guard::Guard};

pub use header::Header;

/// The level of gzip(1) and of zlib where none is given.
pub const DEFAULT_LEVEL: i32 = 6;

/// What deflate and inflate write to before it is copied out: the size of their window, small enough for the first
/// caches. Their safe way to the spare capacity of a `Vec` would clear all of it at each call.
const SCRATCH: usize = 32 << 10;

/// A compressor to one member. Levels go from 0 (stored) to 9; `None` is [`DEFAULT_LEVEL`]. With the default header,
/// equal input gives equal output.
///
/// ```
/// use omnistorage_core::codec::{Codec, CodecError, gzip};
///
/// let header = gzip::Header { name: Some(c"hello.txt".into()), ..Default::default() };
/// let mut packed = Vec::with_capacity(1024);
/// let mut encoder = gzip::encoder(Some(9), &header)?;
/// encoder.push(b"hello", &mut packed)?;
/// assert!(encoder.finish(&mut packed)?);
/// assert_eq!(gzip::Header::read(&packed)?, Some(header));
/// # Ok::<(), CodecError>(())
/// ```
///
/// # Errors
/// [`CodecErrorKind::InvalidLevel`](super::CodecErrorKind::InvalidLevel).
pub fn encoder(level: Option<i32>, header: &Header) -> Result<Box<dyn Codec>, CodecError> {
    Ok(Box::new(Guard::new(encoder::Encoder::new(level, header)?, DecoderLimits::default())))
}

/// A decompressor of any number of members, which also accepts zero padding after the last one, as gzip(1) does.
/// Anything else behind a member is an error. CRC-32 and length of each member are checked, and the CRC-16 of headers
/// that have one.
#[must_use]
pub fn decoder(limits: DecoderLimits) -> Box<dyn Codec> {
    Box::new(Guard::new(decoder::Decoder::new(), limits))
}
