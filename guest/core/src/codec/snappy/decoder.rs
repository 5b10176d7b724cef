//! Decompression of the framing format, chunk by chunk.

use snap::raw::{Decoder as Blocks, decompress_len, max_compress_len};

use super::{
    super::{Codec, CodecError, CodecErrorKind, gather::Gather, pending::Pending},
    COMPRESSED, IDENTIFIER, MAX_CONTENTS, STREAM_IDENTIFIER, UNCOMPRESSED, checksum,
};

/// See [`decoder`](super::decoder).
pub(super) struct Decoder {
    gather: Gather,
    /// The stream identifier was there.
    begun: bool,
    /// So many bytes of a chunk are to be passed over.
    skipping: u64,
    blocks: Blocks,
    pending: Pending,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            gather: Gather::default(),
            begun: false,
            skipping: 0,
            blocks: Blocks::new(),
            pending: Pending::default(),
        }
    }
}

/// The bytes of a chunk, as far as these first ones tell; of one to be passed over, the header.
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
        // Section 4.5: reserved, and not to be passed over.
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

/// Unpacks a chunk with contents.
fn unpack(chunk: &[u8], blocks: &mut Blocks, contents: &mut Vec<u8>, at: u64) -> Result<(), CodecError> {
    let (Some(header), Some(data)) = (chunk.first_chunk::<8>(), chunk.get(8..)) else {
        return Err(corrupted(at, "the snappy chunk has no checksum"));
    };
    let &[kind, _, _, _, c0, c1, c2, c3] = header;
    if kind == UNCOMPRESSED {
        contents.extend_from_slice(data);
    } else {
        let length = decompress_len(data).ok().filter(|length| *length <= MAX_CONTENTS);
        let length = length.ok_or_else(|| corrupted(at, "the snappy chunk tells no length up to 64 KiB"))?;
        contents.resize(length, 0);
        blocks.decompress(data, contents).map_err(|_| corrupted(at, "the snappy data is damaged"))?;
    }
    if checksum(contents) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(corrupted(at, "the CRC-32C of the snappy chunk does not match"));
    }
    Ok(())
}

fn corrupted(at: u64, message: &'static str) -> CodecError {
    CodecError::new(CodecErrorKind::Corrupted, at, message)
}

impl Codec for Decoder {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let mut rest = input;
        while self.pending.drain(output) {
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
                    unpack(chunk, &mut self.blocks, self.pending.refill(), at)?;
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
        if !self.pending.drain(output) {
            return Ok(false);
        }
        if !self.begun || self.skipping > 0 || !self.gather.unfinished().is_empty() {
            let message = "the snappy data is cut off";
            return Err(CodecError::new(CodecErrorKind::Truncated, self.gather.taken(), message));
        }
        Ok(true)
    }
}
