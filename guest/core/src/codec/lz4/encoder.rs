//! Compression to one frame of independent blocks, with a checksum of its contents.

use std::hash::Hasher as _;

use lz4_flex::block::{CompressError, CompressTable, compress_into_with_table, get_maximum_output_size};
use twox_hash::XxHash32;

use super::{
    super::{CodecError, CodecErrorKind, Coder, gather::Gather, pending::Pending},
    frame::{CONTENT_CHECKSUM, INDEPENDENT_BLOCKS, MAGIC, UNCOMPRESSED, VERSION, header_checksum},
};

/// Contents of a block. Matches reach back 64 KiB, and not into the block before: shorter blocks would find fewer.
const BLOCK: usize = 256 << 10;

/// What the header says: the flags, and the code for blocks of up to 256 KiB.
const DESCRIPTOR: [u8; 2] = [VERSION | INDEPENDENT_BLOCKS | CONTENT_CHECKSUM, 5 << 4];

/// See [`encoder`](super::encoder).
pub(super) struct Encoder {
    gather: Gather,
    blocks: Blocks,
    pending: Pending,
    ended: bool,
}

/// Compresses contents, block by block.
struct Blocks {
    table: CompressTable,
    /// A block, compressed.
    compressed: Box<[u8]>,
    checksum: XxHash32,
}

impl Encoder {
    pub(super) fn new() -> Self {
        let mut pending = Pending::default();
        let header = pending.refill();
        header.extend(MAGIC);
        header.extend(DESCRIPTOR);
        header.push(header_checksum(&DESCRIPTOR));
        let blocks = Blocks {
            table: CompressTable::large(),
            compressed: vec![0; get_maximum_output_size(BLOCK)].into(),
            checksum: XxHash32::with_seed(0),
        };
        Self { gather: Gather::default(), blocks, pending, ended: false }
    }
}

impl Blocks {
    /// Writes a block, as it is if it does not get shorter.
    fn write(&mut self, contents: &[u8], output: &mut Vec<u8>) -> Result<(), CompressError> {
        let length = compress_into_with_table(contents, &mut self.compressed, &mut self.table)?;
        // At most 256 KiB: it fits, and leaves the high bit.
        let (size, data) = match self.compressed.get(..length) {
            Some(compressed) if length < contents.len() => (length as u32, compressed),
            _ => (contents.len() as u32 | UNCOMPRESSED, contents),
        };
        output.extend(size.to_le_bytes());
        output.extend(data);
        self.checksum.write(contents);
        Ok(())
    }
}

fn failed(at: u64, error: &CompressError) -> CodecError {
    CodecError::new(CodecErrorKind::Corrupted, at, format!("the lz4 compressor failed: {error}"))
}

impl Coder for Encoder {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let mut rest = input;
        while self.pending.drain(output) {
            let at = self.gather.at();
            let Some(contents) = self.gather.piece(&mut rest, |_| Ok(BLOCK))? else { break };
            self.blocks.write(contents, self.pending.refill()).map_err(|error| failed(at, &error))?;
        }
        Ok(input.len() - rest.len())
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        if self.pending.drain(output) && !self.ended {
            let (at, contents, pending) = (self.gather.at(), self.gather.unfinished(), self.pending.refill());
            if !contents.is_empty() {
                self.blocks.write(contents, pending).map_err(|error| failed(at, &error))?;
            }
            // The end mark.
            pending.extend([0; 4]);
            pending.extend(self.blocks.checksum.finish_32().to_le_bytes());
            self.ended = true;
        }
        Ok(self.pending.drain(output))
    }
}
