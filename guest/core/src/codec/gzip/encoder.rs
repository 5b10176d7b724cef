//! Compression to one member.

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use super::{
    super::{
        Codec, CodecError, CodecErrorKind,
        pending::{Pending, is_full},
    },
    DEFAULT_LEVEL, SCRATCH,
    header::Header,
};

/// See [`encoder`](super::encoder).
pub(super) struct Encoder {
    /// The header, then CRC-32 and length.
    framing: Pending,
    deflate: Compress,
    /// The deflate data has come to its end.
    ended: bool,
    scratch: Box<[u8]>,
    crc: Crc,
}

impl Encoder {
    pub(super) fn new(level: Option<i32>, header: &Header) -> Result<Self, CodecError> {
        let level = match u32::try_from(level.unwrap_or(DEFAULT_LEVEL)) {
            Ok(level @ 0..=9) => level,
            _ => {
                return Err(CodecError::new(CodecErrorKind::InvalidLevel, 0, "gzip has the levels 0 to 9"));
            }
        };
        let mut framing = Pending::default();
        header.write(level, framing.refill());
        Ok(Self {
            framing,
            deflate: Compress::new(Compression::new(level), false),
            ended: false,
            scratch: vec![0; SCRATCH].into(),
            crc: Crc::new(),
        })
    }

    /// One step of deflate; returns how many bytes were taken.
    fn deflate(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        flush: FlushCompress,
    ) -> Result<usize, CodecError> {
        let room = (output.capacity() - output.len()).min(SCRATCH);
        let (total_in, total_out) = (self.deflate.total_in(), self.deflate.total_out());
        let status = self.deflate.compress(input, &mut self.scratch[..room], flush);
        let taken = (self.deflate.total_in() - total_in) as usize;
        let made = (self.deflate.total_out() - total_out) as usize;
        self.ended = matches!(status, Ok(Status::StreamEnd));
        if status.is_err() || (taken == 0 && made == 0 && !self.ended) {
            return Err(CodecError::new(CodecErrorKind::Corrupted, total_in, "the gzip compressor failed"));
        }
        self.crc.update(&input[..taken]);
        output.extend_from_slice(&self.scratch[..made]);
        Ok(taken)
    }
}

impl Codec for Encoder {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let mut taken = 0;
        if self.framing.drain(output) {
            while taken < input.len() && !is_full(output) {
                taken += self.deflate(&input[taken..], output, FlushCompress::None)?;
            }
        }
        Ok(taken)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        while self.framing.drain(output) && !self.ended {
            if is_full(output) {
                return Ok(false);
            }
            self.deflate(&[], output, FlushCompress::Finish)?;
            if self.ended {
                let trailer = self.framing.refill();
                trailer.extend(self.crc.sum().to_le_bytes());
                trailer.extend(self.crc.amount().to_le_bytes());
            }
        }
        Ok(self.framing.drain(output))
    }
}
