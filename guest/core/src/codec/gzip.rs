//! Gzip (RFC 1952): our own framing around the raw deflate of `flate2`, so that each step is bounded.

mod header;

use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};

use self::header::{Header, HeaderError};
use super::{Codec, CodecError, CodecErrorKind, DecoderLimits};

/// What deflate and inflate write to before it is copied out: the size of their window, small enough for the first
/// caches. Their safe way to the spare capacity of a `Vec` would clear all of it at each call.
const SCRATCH: usize = 32 << 10;

const DAMAGED: &str = "the deflate data is damaged";

/// Decompresses any number of members, and accepts zero padding after the last one, as gzip(1) does. Anything else
/// behind a member is an error. CRC-32 and length of each member are checked, and the CRC-16 of headers that have one.
pub struct Decoder {
    state: DecoderState,
    inflate: Decompress,
    scratch: Box<[u8]>,
    crc: Crc,
    max_output: u64,
    taken: u64,
    made: u64,
    /// Where the current member begins in the input.
    member: u64,
    error: Option<CodecError>,
}

enum DecoderState {
    Header(Header),
    Body,
    /// CRC-32 and length of the member: so many of the bytes are there.
    Trailer([u8; 8], usize),
    /// After a member.
    Between,
    /// Zeros after the last member.
    Padding,
}

impl Decoder {
    /// Of one stream.
    #[must_use]
    pub fn new(limits: DecoderLimits) -> Self {
        Self {
            state: DecoderState::Header(Header::new()),
            inflate: Decompress::new(false),
            scratch: vec![0; SCRATCH].into(),
            crc: Crc::new(),
            max_output: limits.max_output.unwrap_or(u64::MAX),
            taken: 0,
            made: 0,
            member: 0,
            error: None,
        }
    }

    /// Goes on until the input or the room in the output is used up; returns the rest of the input.
    fn advance<'a>(&mut self, mut input: &'a [u8], output: &mut Vec<u8>) -> Result<&'a [u8], CodecError> {
        loop {
            if let DecoderState::Body = self.state {
                if is_full(output) {
                    return Ok(input);
                }
                let (taken, made) = self.inflate(input, output)?;
                if taken == 0 && made == 0 && matches!(self.state, DecoderState::Body) {
                    // With input and room, inflate always moves; else the caller would call for ever.
                    return if input.is_empty() { Ok(input) } else { Err(self.corrupted(DAMAGED)) };
                }
                input = &input[taken..];
            } else {
                let Some((&byte, rest)) = input.split_first() else { return Ok(input) };
                self.framing(byte)?;
                self.taken += 1;
                input = rest;
            }
        }
    }

    /// One step of inflate; returns how many bytes were taken and made.
    fn inflate(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(usize, usize), CodecError> {
        let room = (output.capacity() - output.len()).min(SCRATCH);
        let (total_in, total_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, &mut self.scratch[..room], FlushDecompress::None);
        let taken = self.inflate.total_in() - total_in;
        let made = self.inflate.total_out() - total_out;
        self.taken += taken;
        let status = status.map_err(|_| self.corrupted(DAMAGED))?;

        let allowed = made.min(self.max_output - self.made);
        let contents = &self.scratch[..allowed as usize];
        self.crc.update(contents);
        output.extend_from_slice(contents);
        self.made += allowed;
        if allowed < made {
            let message = format!("decompresses to more than the limit of {} bytes", self.max_output);
            return Err(CodecError::new(CodecErrorKind::LimitExceeded, self.taken, message));
        }
        if status == Status::StreamEnd {
            self.state = DecoderState::Trailer([0; 8], 0);
        }
        Ok((taken as usize, made as usize))
    }

    /// Takes one byte of what is around the deflate data.
    fn framing(&mut self, byte: u8) -> Result<(), CodecError> {
        match &mut self.state {
            DecoderState::Header(header) => match header.push(byte) {
                Ok(false) => {}
                Ok(true) => {
                    self.inflate.reset(false);
                    self.crc.reset();
                    self.state = DecoderState::Body;
                }
                Err(HeaderError::NotGzip) if self.member > 0 => return Err(self.junk(self.member)),
                Err(error) => return Err(self.corrupted(error.as_str())),
            },
            // Taken by `inflate`.
            DecoderState::Body => {}
            DecoderState::Trailer(bytes, have) => {
                bytes[*have] = byte;
                *have += 1;
                if let (8, [c0, c1, c2, c3, l0, l1, l2, l3]) = (*have, *bytes) {
                    if u32::from_le_bytes([c0, c1, c2, c3]) != self.crc.sum() {
                        return Err(self.corrupted("the CRC-32 of the gzip data does not match"));
                    }
                    if u32::from_le_bytes([l0, l1, l2, l3]) != self.crc.amount() {
                        return Err(self.corrupted("the length of the gzip data does not match"));
                    }
                    self.state = DecoderState::Between;
                }
            }
            DecoderState::Between if byte == 0 => self.state = DecoderState::Padding,
            DecoderState::Between => {
                self.member = self.taken;
                self.state = DecoderState::Header(Header::new());
                return self.framing(byte);
            }
            DecoderState::Padding if byte == 0 => {}
            DecoderState::Padding => return Err(self.junk(self.taken)),
        }
        Ok(())
    }

    fn corrupted(&self, message: &'static str) -> CodecError {
        CodecError::new(CodecErrorKind::Corrupted, self.taken, message)
    }

    fn junk(&self, offset: u64) -> CodecError {
        CodecError::new(CodecErrorKind::Corrupted, offset, "bytes that are not gzip follow the gzip data")
    }
}

impl Codec for Decoder {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        match self.advance(input, output) {
            Ok(rest) => Ok(input.len() - rest.len()),
            Err(error) => Err(self.error.insert(error).clone()),
        }
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        self.push(&[], output)?;
        match self.state {
            DecoderState::Between | DecoderState::Padding => Ok(true),
            DecoderState::Body if is_full(output) => Ok(false),
            _ => {
                let error =
                    CodecError::new(CodecErrorKind::Truncated, self.taken, "the gzip data is cut off");
                Err(self.error.insert(error).clone())
            }
        }
    }
}

/// Compresses to one member without name and time, so that equal input gives equal output.
pub struct Encoder {
    state: EncoderState,
    header: [u8; 10],
    deflate: Compress,
    scratch: Box<[u8]>,
    crc: Crc,
    error: Option<CodecError>,
}

#[derive(Clone, Copy)]
enum EncoderState {
    /// So many bytes of the header are out.
    Header(usize),
    Body,
    /// CRC-32 and length: so many of the bytes are out.
    Trailer([u8; 8], usize),
    Done,
}

impl Encoder {
    /// The level of gzip(1) and of zlib where none is given.
    pub const DEFAULT_LEVEL: u32 = 6;

    /// Of one stream. Levels go from 0 (stored) to 9; `None` is [`DEFAULT_LEVEL`](Self::DEFAULT_LEVEL).
    ///
    /// # Errors
    /// [`CodecErrorKind::InvalidLevel`].
    pub fn new(level: Option<i32>) -> Result<Self, CodecError> {
        let level = match level.map(u32::try_from) {
            None => Self::DEFAULT_LEVEL,
            Some(Ok(level @ 0..=9)) => level,
            Some(_) => {
                return Err(CodecError::new(CodecErrorKind::InvalidLevel, 0, "gzip has the levels 0 to 9"));
            }
        };
        // RFC 1952 section 2.3.1: XFL tells the slowest and the fastest algorithm; OS 255 is unknown.
        let extra_flags = match level {
            9 => 2,
            1 => 4,
            _ => 0,
        };
        Ok(Self {
            state: EncoderState::Header(0),
            header: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, extra_flags, 255],
            deflate: Compress::new(Compression::new(level), false),
            scratch: vec![0; SCRATCH].into(),
            crc: Crc::new(),
            error: None,
        })
    }

    fn fail(&mut self, kind: CodecErrorKind, message: &'static str) -> CodecError {
        self.error.insert(CodecError::new(kind, self.deflate.total_in(), message)).clone()
    }

    /// One step of deflate; returns how many bytes were taken, and whether the end is out.
    fn deflate(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        flush: FlushCompress,
    ) -> Result<(usize, bool), CodecError> {
        let room = (output.capacity() - output.len()).min(SCRATCH);
        let (total_in, total_out) = (self.deflate.total_in(), self.deflate.total_out());
        let Ok(status) = self.deflate.compress(input, &mut self.scratch[..room], flush) else {
            return Err(self.fail(CodecErrorKind::Corrupted, "the compressor failed"));
        };
        let taken = (self.deflate.total_in() - total_in) as usize;
        let made = (self.deflate.total_out() - total_out) as usize;
        let end = status == Status::StreamEnd;
        if taken == 0 && made == 0 && !end {
            return Err(self.fail(CodecErrorKind::Corrupted, "the compressor is stuck"));
        }
        self.crc.update(&input[..taken]);
        output.extend_from_slice(&self.scratch[..made]);
        Ok((taken, end))
    }
}

impl Codec for Encoder {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        if let EncoderState::Header(sent) = self.state {
            let sent = send(&self.header, sent, output);
            self.state =
                if sent == self.header.len() { EncoderState::Body } else { EncoderState::Header(sent) };
        }
        let mut taken = 0;
        while taken < input.len() && !is_full(output) {
            match self.state {
                EncoderState::Body => taken += self.deflate(&input[taken..], output, FlushCompress::None)?.0,
                // The output is full.
                EncoderState::Header(_) => break,
                EncoderState::Trailer(..) | EncoderState::Done => {
                    return Err(self.fail(CodecErrorKind::Finished, "the stream was finished before"));
                }
            }
        }
        Ok(taken)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        self.push(&[], output)?;
        while let EncoderState::Body = self.state
            && !is_full(output)
        {
            if self.deflate(&[], output, FlushCompress::Finish)?.1 {
                let [c0, c1, c2, c3] = self.crc.sum().to_le_bytes();
                let [l0, l1, l2, l3] = self.crc.amount().to_le_bytes();
                self.state = EncoderState::Trailer([c0, c1, c2, c3, l0, l1, l2, l3], 0);
            }
        }
        if let EncoderState::Trailer(trailer, sent) = self.state {
            let sent = send(&trailer, sent, output);
            self.state =
                if sent == trailer.len() { EncoderState::Done } else { EncoderState::Trailer(trailer, sent) };
        }
        Ok(matches!(self.state, EncoderState::Done))
    }
}

const fn is_full(output: &Vec<u8>) -> bool {
    output.len() == output.capacity()
}

/// Appends what fits of the bytes from `sent` on; returns how many are out then.
fn send(bytes: &[u8], sent: usize, output: &mut Vec<u8>) -> usize {
    let end = bytes.len().min(sent + (output.capacity() - output.len()));
    output.extend_from_slice(&bytes[sent..end]);
    end
}
