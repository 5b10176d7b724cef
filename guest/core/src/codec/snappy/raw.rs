//! Raw Snappy blocks: no framing, no checksum, whole in memory. They state their length at the start, and it is checked
//! against a limit before any memory is taken.

use super::super::{CodecError, CodecErrorKind};

/// No block decompresses to more than this many times its size: a copy of three bytes makes at most 64.
const MAX_RATIO: u64 = 64 / 3 + 1;

/// Compresses a block of up to 4 GiB - 1.
///
/// # Errors
/// [`CodecErrorKind::LimitExceeded`] beyond.
pub fn compress(contents: &[u8]) -> Result<Vec<u8>, CodecError> {
    snap::raw::Encoder::new().compress_vec(contents).map_err(|_| {
        CodecError::new(CodecErrorKind::LimitExceeded, 0, "a raw snappy block holds at most 4 GiB - 1")
    })
}

/// Decompresses a block that states a length of at most `max_output` bytes. The format has no checksum: damage may go
/// unseen.
///
/// ```
/// use omnistorage_core::codec::{CodecError, CodecErrorKind, snappy::raw};
///
/// let packed = raw::compress(&[b'x'; 1000])?;
/// assert_eq!(raw::decompress(&packed, 1000)?, [b'x'; 1000]);
/// assert_eq!(raw::decompress(&packed, 999).unwrap_err().kind, CodecErrorKind::LimitExceeded);
/// # Ok::<(), CodecError>(())
/// ```
///
/// # Errors
/// [`CodecErrorKind::LimitExceeded`], [`CodecErrorKind::Corrupted`].
pub fn decompress(block: &[u8], max_output: u64) -> Result<Vec<u8>, CodecError> {
    let damaged = || CodecError::new(CodecErrorKind::Corrupted, 0, "the snappy block is damaged");
    let length = snap::raw::decompress_len(block).map_err(|_| damaged())? as u64;
    if length > max_output {
        let message =
            format!("the snappy block tells a length of {length} bytes, over the limit of {max_output}");
        return Err(CodecError::new(CodecErrorKind::LimitExceeded, 0, message));
    }
    if length > MAX_RATIO * block.len() as u64 {
        return Err(damaged());
    }
    snap::raw::Decoder::new().decompress_vec(block).map_err(|_| damaged())
}
