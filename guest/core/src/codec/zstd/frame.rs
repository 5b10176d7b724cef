//! What surrounds the blocks of a frame (RFC 8878 section 3.1), parsed just enough to know where each part ends.

use super::super::{CodecError, CodecErrorKind};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Of skippable frames; the low four bits of the first byte are free.
const SKIPPABLE_MAGIC: [u8; 4] = [0x50, 0x2a, 0x4d, 0x18];

/// No block is longer, compressed or not (section 3.1.1.2.4).
const MAX_BLOCK: u64 = 128 << 10;

/// How a frame begins.
pub(super) enum Start {
    Frame(Header),
    /// A skippable frame, and the bytes to pass over.
    Skippable(u64),
}

/// What the header of a frame says.
pub(super) struct Header {
    /// How far back matches may reach, in bytes.
    pub(super) window: u64,
    /// The length of the contents, if the header has it.
    pub(super) contents: Option<u64>,
    /// 0: none.
    pub(super) dictionary: u32,
    /// A checksum follows the last block.
    pub(super) has_checksum: bool,
}

impl Header {
    /// The longest block that the frame may have.
    pub(super) fn max_block(&self) -> u64 {
        MAX_BLOCK.min(self.window)
    }
}

/// What the descriptor of a frame header says.
struct Descriptor {
    is_single_segment: bool,
    has_checksum: bool,
    window: usize,
    dictionary: usize,
    contents: usize,
}

impl Descriptor {
    fn parse(byte: u8) -> Self {
        let is_single_segment = byte & 1 << 5 != 0;
        Self {
            is_single_segment,
            has_checksum: byte & 1 << 2 != 0,
            window: usize::from(!is_single_segment),
            dictionary: [0, 1, 2, 4][usize::from(byte & 3)],
            contents: [usize::from(is_single_segment), 2, 4, 8][usize::from(byte >> 6)],
        }
    }
}

/// How many bytes there are up to the first block, or up to what is to be skipped, as far as these first ones show.
/// `at`: their place in the input.
pub(super) fn start_length(bytes: &[u8], at: u64) -> Result<usize, CodecError> {
    let is_start = |magic: [u8; 4], mask: u8| {
        bytes.iter().zip(magic).enumerate().all(|(place, (byte, expected))| {
            if place == 0 { byte & mask == expected } else { *byte == expected }
        })
    };
    match bytes.get(4) {
        _ if is_start(SKIPPABLE_MAGIC, 0xf0) && !bytes.is_empty() => Ok(8),
        _ if !is_start(MAGIC, 0xff) => {
            let what = if at == 0 { "not zstd data" } else { "bytes that are not zstd follow the zstd data" };
            Err(corrupted(at, what))
        }
        None => Ok(5),
        Some(descriptor) if descriptor & 1 << 3 != 0 => {
            Err(corrupted(at, "the zstd frame has a reserved flag set"))
        }
        Some(descriptor) => {
            let Descriptor { window, dictionary, contents, .. } = Descriptor::parse(*descriptor);
            Ok(5 + window + dictionary + contents)
        }
    }
}

/// Reads as many bytes as [`start_length`] says.
pub(super) fn start(bytes: &[u8]) -> Start {
    let (magic, mut rest) = bytes.split_at(4.min(bytes.len()));
    if magic != MAGIC {
        return Start::Skippable(take(&mut rest, 4));
    }
    let descriptor = Descriptor::parse(take(&mut rest, 1) as u8);
    let window = take(&mut rest, descriptor.window);
    let dictionary = take(&mut rest, descriptor.dictionary) as u32;
    let contents = match descriptor.contents {
        0 => None,
        // Section 3.1.1.1.4: a length that fits one byte is never written in two.
        2 => Some(take(&mut rest, 2) + 256),
        count => Some(take(&mut rest, count)),
    };
    let window = match contents {
        Some(contents) if descriptor.is_single_segment => contents,
        _ => {
            let base = 1 << (10 + (window >> 3));
            base + (base >> 3) * (window & 7)
        }
    };
    Start::Frame(Header { window, contents, dictionary, has_checksum: descriptor.has_checksum })
}

/// The length of a block's header, in bytes.
pub(super) const BLOCK_HEADER: usize = 3;

/// The length of a block with its header, as far as these first bytes show. `at`: their place in the input.
pub(super) fn block_length(bytes: &[u8], max_block: u64, at: u64) -> Result<usize, CodecError> {
    let Some(mut header) = bytes.get(..BLOCK_HEADER) else { return Ok(BLOCK_HEADER) };
    let header = take(&mut header, BLOCK_HEADER);
    let size = header >> 3;
    match header >> 1 & 3 {
        _ if size > max_block => Err(corrupted(at, "the zstd block is longer than its frame allows")),
        // One byte, repeated.
        1 => Ok(BLOCK_HEADER + 1),
        3 => Err(corrupted(at, "the zstd block is of a reserved type")),
        _ => Ok(BLOCK_HEADER + size as usize),
    }
}

/// Whether the block is the last one of its frame.
pub(super) fn is_last(block: &[u8]) -> bool {
    block.first().is_some_and(|byte| byte & 1 != 0)
}

/// A little-endian number of that many bytes, at most 8.
pub(super) fn take(bytes: &mut &[u8], count: usize) -> u64 {
    let (number, rest) = bytes.split_at(count.min(bytes.len()));
    *bytes = rest;
    number.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn corrupted(at: u64, message: &'static str) -> CodecError {
    CodecError::new(CodecErrorKind::Corrupted, at, message)
}
