//! Compression to one member.

use super::{
    super::{
        CodecError, CodecErrorKind, Coder,
        crc::CRC32,
        pending::{Pending, is_full},
    },
    DEFAULT_LEVEL,
    header::Header,
};

/// What packs the contents of a member.
pub(super) trait Deflate {
    /// Takes input (only the last call may have none) and appends deflate data within the capacity of `output`. With
    /// `last`, `true` means that the data has ended. Otherwise the output is full, or all input was taken. `None` if it
    /// fails.
    fn deflate(&mut self, input: &mut &[u8], output: &mut Vec<u8>, last: bool) -> Option<bool>;
}

/// See [`encoder`](super::encoder).
pub(super) struct Encoder<D> {
    /// The header, then CRC-32 and length.
    framing: Pending,
    deflate: D,
    /// The deflate data has come to its end.
    ended: bool,
    crc: u32,
    taken: u64,
}

impl<D: Deflate> Encoder<D> {
    pub(super) fn new(
        level: Option<i32>,
        header: &Header,
        deflate: impl FnOnce(u32) -> D,
    ) -> Result<Self, CodecError> {
        let level = match u32::try_from(level.unwrap_or(DEFAULT_LEVEL)) {
            Ok(level @ 0..=9) => level,
            _ => {
                return Err(CodecError::new(CodecErrorKind::InvalidLevel, 0, "gzip has the levels 0 to 9"));
            }
        };
        let mut framing = Pending::default();
        header.write(level, framing.refill());
        Ok(Self { framing, deflate: deflate(level), ended: false, crc: 0, taken: 0 })
    }

    fn deflate(&mut self, input: &[u8], output: &mut Vec<u8>, last: bool) -> Result<usize, CodecError> {
        let mut rest = input;
        let ended = self.deflate.deflate(&mut rest, output, last);
        // As there was room, it must have come to its end; otherwise it would be called forever.
        let ended = ended.filter(|ended| *ended == last || is_full(output)).ok_or_else(|| {
            CodecError::new(CodecErrorKind::Corrupted, self.taken, "the gzip compressor failed")
        })?;
        self.ended = ended;
        let taken = input.len() - rest.len();
        self.crc = CRC32.update(self.crc, &input[..taken]);
        self.taken += taken as u64;
        Ok(taken)
    }
}

impl<D: Deflate> Coder for Encoder<D> {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        if input.is_empty() || !self.framing.drain(output) || is_full(output) {
            return Ok(0);
        }
        self.deflate(input, output, false)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        while self.framing.drain(output) && !self.ended {
            if is_full(output) {
                return Ok(false);
            }
            self.deflate(&[], output, true)?;
            if self.ended {
                let trailer = self.framing.refill();
                trailer.extend(self.crc.to_le_bytes());
                trailer.extend((self.taken as u32).to_le_bytes());
            }
        }
        Ok(self.framing.drain(output))
    }
}
