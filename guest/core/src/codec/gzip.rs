//! Gzip (RFC 1952): our own framing around two engines that do the deflate data.
//!
//! [`base`] is small; [`fast`], with the feature of that name, is several times as fast. Each reads what the other
//! writes.

pub mod base;
mod decoder;
mod encoder;
#[cfg(feature = "fast")]
pub mod fast;
mod header;
#[cfg(feature = "fast")]
mod inflate;
mod scratch;

use super::{CodecError, Coder, DecoderLimits};

pub use header::Header;

#[cfg(not(feature = "fast"))]
use base as engine;
#[cfg(feature = "fast")]
use fast as engine;

/// The level of gzip(1) and of zlib where none is given.
pub const DEFAULT_LEVEL: i32 = 6;

/// A compressor to one member. Levels go from 0 (stored) to 9; `None` is [`DEFAULT_LEVEL`]. With the default header,
/// equal input gives equal output.
///
/// ```
/// use omnistorage_core::codec::{Coder, CodecError, gzip};
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
pub fn encoder(level: Option<i32>, header: &Header) -> Result<Box<dyn Coder>, CodecError> {
    engine::encoder(level, header)
}

/// A decompressor of any number of members, which also accepts zero padding after the last one, as gzip(1) does.
/// Anything else behind a member is an error. CRC-32 and length of each member are checked, and the CRC-16 of headers
/// that have one.
#[must_use]
pub fn decoder(limits: DecoderLimits) -> Box<dyn Coder> {
    engine::decoder(limits)
}
