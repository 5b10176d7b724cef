//! Compression in the framing format.

use snap::raw::{Encoder as Blocks, max_compress_len};

use super::{
    super::{CodecError, CodecErrorKind, Coder, gather::Gather, pending::Pending},
    COMPRESSED, MAX_CONTENTS, STREAM_IDENTIFIER, UNCOMPRESSED, checksum,
};

/// See [`encoder`](super::encoder).
pub(super) struct Encoder {
    blocks: Blocks,
    gather: Gather,
    /// Contents of a chunk, compressed.
    compressed: Box<[u8]>,
    pending: Pending,
    ended: bool,
}

impl Encoder {
    pub(super) fn new() -> Self {
        let mut pending = Pending::default();
        pending.refill().extend(STREAM_IDENTIFIER);
        Self {
            blocks: Blocks::new(),
            gather: Gather::default(),
            compressed: vec![0; max_compress_len(MAX_CONTENTS)].into(),
            pending,
            ended: false,
        }
    }
}

/// Writes a chunk.
fn chunk(
    contents: &[u8],
    blocks: &mut Blocks,
    scratch: &mut [u8],
    output: &mut Vec<u8>,
) -> Result<(), snap::Error> {
    let length = blocks.compress(contents, scratch)?;
    // Saving less than an eighth is not worth the time to decompress: the rule of the reference.
    let (kind, data) = if length < contents.len() - contents.len() / 8 {
        (COMPRESSED, &scratch[..length])
    } else {
        (UNCOMPRESSED, contents)
    };
    // At most 64 KiB and the checksum: it fits three bytes.
    let [l0, l1, l2, _] = (4 + data.len() as u32).to_le_bytes();
    output.extend([kind, l0, l1, l2]);
    output.extend(checksum(contents).to_le_bytes());
    output.extend(data);
    Ok(())
}

fn failed(at: u64, error: &snap::Error) -> CodecError {
    CodecError::new(CodecErrorKind::Corrupted, at, format!("the snappy compressor failed: {error}"))
}

impl Coder for Encoder {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let mut rest = input;
        while self.pending.drain(output) {
            let at = self.gather.at();
            let Some(contents) = self.gather.piece(&mut rest, |_| Ok(MAX_CONTENTS))? else { break };
            chunk(contents, &mut self.blocks, &mut self.compressed, self.pending.refill())
                .map_err(|error| failed(at, &error))?;
        }
        Ok(input.len() - rest.len())
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        if self.pending.drain(output) && !self.ended {
            let contents = self.gather.unfinished();
            if !contents.is_empty() {
                chunk(contents, &mut self.blocks, &mut self.compressed, self.pending.refill())
                    .map_err(|error| failed(self.gather.at(), &error))?;
            }
            self.ended = true;
        }
        Ok(self.pending.drain(output))
    }
}
