//! The engine `ruzstd`: it has one level, whatever is asked for, with about the ratio of the reference's fastest.

use std::io::Read;

use ruzstd::{
    decoding::{BlockDecodingStrategy, FrameDecoder},
    encoding::{CompressionLevel, compress},
};

use super::{
    super::{CodecError, Coder, DecoderLimits, guard::Guard, pending::Pending},
    checked,
    decoder::{Damaged, Decoder, Engine, Room},
    frame::Header,
};

/// A compressor to one frame with a checksum for every [`FRAME`] bytes. Whatever the level, the result is the same.
///
/// # Errors
/// [`CodecErrorKind::InvalidLevel`](super::super::CodecErrorKind::InvalidLevel) for a level that the reference lacks.
pub fn encoder(level: Option<i32>) -> Result<Box<dyn Coder>, CodecError> {
    checked(level)?;
    let encoder = Encoder { input: Vec::new(), pending: Pending::default(), frames: 0, ended: false };
    Ok(Box::new(Guard::new(encoder, DecoderLimits::default())))
}

/// A decompressor. It holds output back until the frame's window has gone by, or the frame ends.
#[must_use]
pub fn decoder(limits: DecoderLimits) -> Box<dyn Coder> {
    let mut blocks = FrameDecoder::new();
    // The limit of the window was checked before; the engine's own limit must only not be lower.
    blocks.set_max_window_size(DecoderLimits::MAX_WINDOW);
    Box::new(Guard::new(Decoder::new(Blocks(blocks), limits), limits))
}

/// The engine compresses a frame in one go: 1 MiB of contents costs less than 1 % of ratio.
pub const FRAME: usize = 1 << 20;

struct Blocks(FrameDecoder);

impl Engine for Blocks {
    fn start(&mut self, _: &Header, bytes: &[u8]) -> Result<(), Damaged> {
        self.0.reset(bytes).map_err(|_| Damaged)
    }

    fn block(&mut self, block: &[u8]) -> Result<(), Damaged> {
        // The engine wants a checksum along with the last block, and only keeps it: any will do.
        let block = block.chain(&[0; 4][..]);
        self.0.decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1)).map_err(|_| Damaged)?;
        Ok(())
    }

    fn drain(&mut self, output: &mut Vec<u8>) -> Result<bool, Damaged> {
        self.0.collect_to_writer(Room(output)).map_err(|_| Damaged)?;
        Ok(self.0.can_collect() == 0)
    }

    fn has_checksum(&mut self, checksum: [u8; 4]) -> bool {
        self.0.get_calculated_checksum() == Some(u32::from_le_bytes(checksum))
    }
}

struct Encoder {
    /// Of the next frame.
    input: Vec<u8>,
    pending: Pending,
    frames: u64,
    ended: bool,
}

impl Encoder {
    fn frame(&mut self) {
        compress(&self.input[..], self.pending.refill(), CompressionLevel::Fastest);
        self.input.clear();
        self.frames += 1;
    }
}

impl Coder for Encoder {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let mut taken = 0;
        while self.pending.drain(output) && taken < input.len() {
            let count = (FRAME - self.input.len()).min(input.len() - taken);
            self.input.extend_from_slice(&input[taken..taken + count]);
            taken += count;
            if self.input.len() == FRAME {
                self.frame();
            }
        }
        Ok(taken)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        if self.pending.drain(output) && !self.ended {
            // Without input there is one frame too, an empty one.
            if !self.input.is_empty() || self.frames == 0 {
                self.frame();
            }
            self.ended = true;
        }
        Ok(self.pending.drain(output))
    }
}
