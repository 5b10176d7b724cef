//! What surrounds the blocks of a frame, as bytes.

use twox_hash::XxHash32;

use super::super::{CodecError, CodecErrorKind};

pub(super) const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
/// Of skippable frames; the low four bits of the first byte are free.
const SKIPPABLE_MAGIC: [u8; 4] = [0x50, 0x2a, 0x4d, 0x18];
/// Of the format before this one, which `lz4 -l` writes.
const LEGACY_MAGIC: [u8; 4] = [0x02, 0x21, 0x4c, 0x18];

/// The version of the format: the two high bits of the flags.
pub(super) const VERSION: u8 = 0b0100_0000;
pub(super) const INDEPENDENT_BLOCKS: u8 = 1 << 5;
const BLOCK_CHECKSUMS: u8 = 1 << 4;
const CONTENT_SIZE: u8 = 1 << 3;
pub(super) const CONTENT_CHECKSUM: u8 = 1 << 2;
const RESERVED: u8 = 1 << 1;
const DICTIONARY: u8 = 1;

/// The largest maximum of the length of a block that a frame can express.
pub(super) const LARGEST_BLOCK: usize = 4 << 20;

/// In the length of a block: it is not compressed.
pub(super) const UNCOMPRESSED: u32 = 1 << 31;

/// How a frame begins.
pub(super) enum Start {
    Frame(Header),
    /// A skippable frame, and the bytes to pass over.
    Skippable(u64),
}

/// What the header of a frame says.
#[derive(Clone, Copy, Default)]
pub(super) struct Header {
    /// No block is longer, compressed or not.
    pub(super) max_block: usize,
    /// Matches may reach back into earlier blocks.
    pub(super) is_linked: bool,
    /// A checksum follows each block.
    pub(super) has_block_checksums: bool,
    /// The length of the contents, if the header has it.
    pub(super) contents: Option<u64>,
    /// A checksum of the contents follows the end mark.
    pub(super) has_checksum: bool,
}

pub(super) fn corrupted(at: u64, message: &'static str) -> CodecError {
    CodecError::new(CodecErrorKind::Corrupted, at, message)
}

/// The checksum of part of a frame, as it is stored.
pub(super) fn checksum(bytes: &[u8]) -> [u8; 4] {
    XxHash32::oneshot(0, bytes).to_le_bytes()
}

/// The checksum of the header, from the flags on.
pub(super) fn header_checksum(descriptor: &[u8]) -> u8 {
    checksum(descriptor)[1]
}

/// How long the header of a frame is, as far as its first bytes show; of a skippable frame, what is before its
/// contents.
pub(super) fn start_length(bytes: &[u8], at: u64) -> Result<usize, CodecError> {
    let begin = &bytes[..bytes.len().min(4)];
    if let Some((first, rest)) = begin.split_first()
        && first & 0xf0 == SKIPPABLE_MAGIC[0]
        && SKIPPABLE_MAGIC[1..].starts_with(rest)
    {
        return Ok(8);
    }
    if begin == LEGACY_MAGIC {
        let message = "it is of the legacy format of lz4, not of its frame format";
        return Err(CodecError::new(CodecErrorKind::Unsupported, at, message));
    }
    if !MAGIC.starts_with(begin) && !LEGACY_MAGIC.starts_with(begin) {
        return Err(corrupted(at, "not lz4 data in the frame format"));
    }
    // The flags tell the length, and they are there once the shortest header is.
    let Some(&flags) = bytes.get(4) else { return Ok(4 + 2 + 1) };
    if flags & 0b1100_0000 != VERSION || flags & RESERVED != 0 {
        return Err(corrupted(at, "the lz4 frame header is damaged, or of another version of the format"));
    }
    if let Some(size) = bytes.get(5)
        && (size & 0b1000_1111 != 0 || size >> 4 < 4)
    {
        return Err(corrupted(at, "the lz4 frame header tells no size of blocks that there is"));
    }
    let optional = |flag, length| if flags & flag == 0 { 0 } else { length };
    Ok(4 + 2 + optional(CONTENT_SIZE, 8) + optional(DICTIONARY, 4) + 1)
}

/// What a header says whose length is [`start_length`].
pub(super) fn start(bytes: &[u8], at: u64) -> Result<Start, CodecError> {
    let cut_off = || corrupted(at, "the lz4 frame header is damaged");
    let (magic, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut_off)?;
    if *magic != MAGIC {
        let size = rest.first_chunk().ok_or_else(cut_off)?;
        return Ok(Start::Skippable(u32::from_le_bytes(*size).into()));
    }
    let (told, descriptor) = rest.split_last().ok_or_else(cut_off)?;
    if *told != header_checksum(descriptor) {
        return Err(corrupted(at, "the checksum of the lz4 frame header does not match"));
    }
    let (&[flags, size], rest) = descriptor.split_first_chunk().ok_or_else(cut_off)?;
    if flags & DICTIONARY != 0 {
        let id = rest.last_chunk().map(|id| u32::from_le_bytes(*id)).ok_or_else(cut_off)?;
        let message = format!("it was compressed with the lz4 dictionary {id}, which is needed");
        return Err(CodecError::new(CodecErrorKind::Unsupported, at, message));
    }
    Ok(Start::Frame(Header {
        // 4 to 7: 64 KiB to 4 MiB.
        max_block: 1 << (8 + 2 * (size >> 4)),
        is_linked: flags & INDEPENDENT_BLOCKS == 0,
        has_block_checksums: flags & BLOCK_CHECKSUMS != 0,
        contents: rest.first_chunk().map(|length| u64::from_le_bytes(*length)),
        has_checksum: flags & CONTENT_CHECKSUM != 0,
    }))
}

/// What follows a header, or a block.
pub(super) enum Part<'a> {
    EndMark,
    Uncompressed(&'a [u8]),
    Compressed(&'a [u8]),
}

/// How long a block is with its length and its checksum, as far as its first bytes show; or the end mark.
pub(super) fn part_length(bytes: &[u8], header: &Header, at: u64) -> Result<usize, CodecError> {
    let Some(size) = bytes.first_chunk().map(|size| u32::from_le_bytes(*size)) else { return Ok(4) };
    if size == 0 {
        return Ok(4);
    }
    let length = (size & !UNCOMPRESSED) as usize;
    if length > header.max_block {
        return Err(corrupted(at, "the lz4 block is longer than the frame header allows"));
    }
    Ok(4 + length + if header.has_block_checksums { 4 } else { 0 })
}

/// Takes a piece apart whose length is [`part_length`].
pub(super) fn part<'a>(piece: &'a [u8], header: &Header, at: u64) -> Result<Part<'a>, CodecError> {
    let cut_off = || corrupted(at, "the lz4 block is damaged");
    let (size, mut block) = piece.split_first_chunk().ok_or_else(cut_off)?;
    let size = u32::from_le_bytes(*size);
    if size == 0 {
        return Ok(Part::EndMark);
    }
    if header.has_block_checksums {
        let (data, told) = block.split_last_chunk().ok_or_else(cut_off)?;
        if *told != checksum(data) {
            return Err(corrupted(at, "the checksum of the lz4 block does not match"));
        }
        block = data;
    }
    Ok(if size & UNCOMPRESSED == 0 { Part::Compressed(block) } else { Part::Uncompressed(block) })
}
