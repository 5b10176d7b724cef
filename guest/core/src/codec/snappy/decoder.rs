//! Decompression of the framing format, chunk by chunk.

use snap::raw::max_compress_len;

use super::{
    super::{CodecError, CodecErrorKind, Coder, gather::Gather, window::Window},
    COMPRESSED, IDENTIFIER, MAX_CONTENTS, STREAM_IDENTIFIER, UNCOMPRESSED, block, checksum,
};

/// See [`decoder`](super::decoder).
pub(super) struct Decoder {
    gather: Gather,
    /// The stream identifier was there.
    begun: bool,
    /// This many bytes of a chunk are to be skipped.
    skipping: u64,
    contents: Contents,
}

/// The contents of the last chunk.
struct Contents {
    window: Window,
    length: usize,
    /// So many of them are out.
    sent: usize,
}

impl Contents {
    /// Appends what fits within the capacity of `output`; returns whether that was all.
    fn drain(&mut self, output: &mut Vec<u8>) -> bool {
        let room = output.capacity() - output.len();
        let end = self.length.min(self.sent + room);
        output.extend_from_slice(self.window.between(self.sent, end));
        self.sent = end;
        end == self.length
    }
}

impl Decoder {
    pub(super) fn new() -> Self {
        const { assert!(MAX_CONTENTS <= Window::CAPACITY) }
        Self {
            gather: Gather::default(),
            begun: false,
            skipping: 0,
            contents: Contents { window: Window::new(), length: 0, sent: 0 },
        }
    }
}

/// How long a chunk is, as far as its first bytes show. For a chunk that is skipped: its header.
fn chunk_length(bytes: &[u8], begun: bool, at: u64) -> Result<usize, CodecError> {
    if !begun {
        return match STREAM_IDENTIFIER.starts_with(bytes) {
            true => Ok(STREAM_IDENTIFIER.len()),
            false => Err(corrupted(at, "not snappy data in the framing format")),
        };
    }
    let (Some(kind), Some(&[_, l0, l1, l2])) = (bytes.first(), bytes.first_chunk()) else { return Ok(4) };
    let length = u32::from_le_bytes([l0, l1, l2, 0]) as usize;
    let most = match *kind {
        COMPRESSED => 4 + max_compress_len(MAX_CONTENTS),
        UNCOMPRESSED => 4 + MAX_CONTENTS,
        IDENTIFIER => STREAM_IDENTIFIER.len() - 4,
        // Section 4.5: reserved, and must not be skipped.
        0x02..=0x7f => return Err(corrupted(at, "the snappy chunk is of a reserved type")),
        _ => return Ok(4),
    };
    match *kind {
        IDENTIFIER if length != most => Err(corrupted(at, "the snappy stream identifier is damaged")),
        COMPRESSED | UNCOMPRESSED if length < 4 => Err(corrupted(at, "the snappy chunk has no checksum")),
        _ if length > most => Err(corrupted(at, "the snappy chunk is longer than 64 KiB of contents can be")),
        _ => Ok(4 + length),
    }
}

/// The length that a block states at its start, and the rest of the block: a variable-length integer of up to 32 bits.
fn told_length(block: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0_u64;
    for (place, byte) in block.iter().enumerate().take(5) {
        length |= u64::from(byte & 0x7f) << (7 * place);
        if *byte < 0x80 {
            let length = usize::try_from(length).ok().filter(|length| *length <= MAX_CONTENTS)?;
            return Some((length, &block[place + 1..]));
        }
    }
    None
}

/// Unpacks a chunk with contents.
fn unpack(chunk: &[u8], contents: &mut Contents, at: u64) -> Result<(), CodecError> {
    let (Some(header), Some(data)) = (chunk.first_chunk::<8>(), chunk.get(8..)) else {
        return Err(corrupted(at, "the snappy chunk has no checksum"));
    };
    let &[kind, _, _, _, c0, c1, c2, c3] = header;
    let length = if kind == UNCOMPRESSED {
        contents.window.append(0, data)
    } else {
        let told = told_length(data);
        let (length, elements) =
            told.ok_or_else(|| corrupted(at, "the snappy chunk tells no length up to 64 KiB"))?;
        if !block::decompress(elements, &mut contents.window, length) {
            return Err(corrupted(at, "the snappy data is damaged"));
        }
        length
    };
    if checksum(contents.window.between(0, length)) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(corrupted(at, "the CRC-32C of the snappy chunk does not match"));
    }
    (contents.length, contents.sent) = (length, 0);
    Ok(())
}

fn corrupted(at: u64, message: &'static str) -> CodecError {
    CodecError::new(CodecErrorKind::Corrupted, at, message)
}

impl Coder for Decoder {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let mut rest = input;
        while self.contents.drain(output) {
            if self.skipping > 0 {
                match self.gather.skip(&mut rest, self.skipping) {
                    0 => break,
                    skipped => self.skipping -= skipped,
                }
                continue;
            }
            let (at, begun) = (self.gather.at(), self.begun);
            let length = |bytes: &[u8]| chunk_length(bytes, begun, at);
            let Some(chunk) = self.gather.piece(&mut rest, length)? else { break };
            match chunk {
                [COMPRESSED | UNCOMPRESSED, ..] => {
                    unpack(chunk, &mut self.contents, at)?;
                }
                [IDENTIFIER, ..] if chunk == STREAM_IDENTIFIER => self.begun = true,
                [IDENTIFIER, ..] => return Err(corrupted(at, "the snappy stream identifier is damaged")),
                [_, l0, l1, l2, ..] => self.skipping = u32::from_le_bytes([*l0, *l1, *l2, 0]).into(),
                _ => break,
            }
        }
        Ok(input.len() - rest.len())
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        self.push(&[], output)?;
        if !self.contents.drain(output) {
            return Ok(false);
        }
        if !self.begun || self.skipping > 0 || !self.gather.unfinished().is_empty() {
            let message = "the snappy data is cut off";
            return Err(CodecError::new(CodecErrorKind::Truncated, self.gather.taken(), message));
        }
        Ok(true)
    }
}
