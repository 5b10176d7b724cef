//! Zstandard (RFC 8878): our own framing around two engines for the blocks.
//!
//! [`base`] is small and has one level; [`fast`], with the feature of that name, has those of the reference. Each reads
//! what the other writes. A stream is any number of frames; skippable ones are passed over.

pub mod base;
#[cfg(feature = "fast")]
mod compress;
mod decoder;
#[cfg(feature = "fast")]
mod decompress;
#[cfg_attr(not(feature = "fast"), path = "zstd/no_dictionary.rs")]
pub mod dictionary;
#[cfg(feature = "fast")]
pub mod fast;
mod frame;
#[cfg(feature = "fast")]
mod prior;
#[cfg(feature = "fast")]
mod symbols;
#[cfg(feature = "fast")]
pub mod train;

#[cfg(not(feature = "fast"))]
pub use base::{decoder, encoder};
pub use dictionary::Dictionary;
#[cfg(not(feature = "fast"))]
pub use dictionary::{decoder_with, encoder_with, train};
#[cfg(feature = "fast")]
pub use fast::{decoder, decoder_with, encoder, encoder_with};
#[cfg(feature = "fast")]
pub use train::train;

use super::{CodecError, CodecErrorKind};

/// The level that zstd(1) takes by default; 0 means it too, as it does there.
pub const DEFAULT_LEVEL: i32 = 3;

/// The reference's scale, which both engines take.
const LEVELS: std::ops::RangeInclusive<i32> = -131_072..=22;

/// Bytes that a compressor takes up at most.
pub(super) fn encoder_memory(level: Option<i32>) -> u64 {
    match level.unwrap_or(DEFAULT_LEVEL) {
        // A window of 8 MiB and half of one, and a tree of all positions in it.
        19.. => 96 << 20,
        // Less of either, or rows of places.
        9.. => 72 << 20,
        _ => 16 << 20,
    }
}

fn checked(level: Option<i32>) -> Result<i32, CodecError> {
    match level {
        None | Some(0) => Ok(DEFAULT_LEVEL),
        Some(level) if LEVELS.contains(&level) => Ok(level),
        Some(_) => {
            let message = format!("zstd has the levels {} to {}", LEVELS.start(), LEVELS.end());
            Err(CodecError::new(CodecErrorKind::InvalidLevel, 0, message))
        }
    }
}
