//! Compression of byte streams, pushed through in bounded steps.
//!
//! A [`Coder`] is a state machine that the caller feeds: it holds no buffer that grows with the input, and it never
//! makes the caller's output grow.
//!
//! # Engines and levels
//! Each codec has an engine made of small, safe crates, and with the feature `fast` another one that is several times
//! as fast. Each reads what the other wrote. If an engine lacks a level, it takes the nearest one it has:
//!
//! | | levels | default | engine | with `fast` |
//! |---|---|---|---|---|
//! | gzip | 0 (stored) to 9 | 6 | miniz_oxide: all | zlib-rs: all; our own to decompress |
//! | zstd | -131,072 to 22, 0 is the default | 3 | ruzstd: one, near 1 | our own: all |
//! | snappy | none | | snap | snap |
//! | lz4 | none | | lz4_flex | lz4_flex |
//!
//! # Hot loops stand alone
//! A sandbox can be interrupted at the head of every loop, and behind each of these checks there is a call. Wasmtime's
//! compiler gives up early on values that live across several calls, rare as they are made, and keeps them in memory. So
//! the loops in which most of the time goes by are functions of their own, which have no other loop in them, not more than
//! one rare call, and not more values than there are registers. What is rare ends them and is done by whoever called them,
//! or is that one call. That alone made gunzip a seventh faster.
//!
//! # What a format cannot tell
//! Input that is cut off is an error. But gzip, zstd and lz4 look whole if they are cut exactly between two members
//! or frames. Snappy's framing format has no end mark at all: input cut between two of its chunks (64 KiB of contents
//! each) cannot be told from whole input.
//!
//! ```
//! use omnistorage_core::codec::{Coder, CodecError, Codec, DecoderLimits, decoder, encoder};
//!
//! /// Sends the whole input through, 4 KiB of output at a time.
//! fn run(codec: &mut dyn Coder, mut input: &[u8]) -> Result<Vec<u8>, CodecError> {
//!     let (mut all, mut output) = (Vec::new(), Vec::with_capacity(4096));
//!     loop {
//!         input = &input[codec.push(input, &mut output)?..];
//!         let full = output.len() == output.capacity();
//!         all.append(&mut output);
//!         if !full {
//!             break; // so all input was taken
//!         }
//!     }
//!     while !codec.finish(&mut output)? {
//!         all.append(&mut output);
//!     }
//!     all.append(&mut output);
//!     Ok(all)
//! }
//!
//! let text = "to and fro ".repeat(1000);
//! let packed = run(&mut *encoder(Codec::Gzip, None)?, text.as_bytes())?;
//! assert!(packed.len() < 200);
//! assert_eq!(Codec::from_magic(&packed), Some(Codec::Gzip));
//! assert_eq!(run(&mut *decoder(Codec::Gzip, DecoderLimits::default()), &packed)?, text.as_bytes());
//! # Ok::<(), CodecError>(())
//! ```

mod crc;
mod gather;
mod guard;
pub mod gzip;
pub mod lz4;
mod pending;
pub mod snappy;
mod window;
pub mod zstd;

use std::{borrow::Cow, fmt};

pub use omnistorage_types::Codec;
use omnistorage_types::{Error, ErrorCode};

pub use self::zstd::Dictionary;

/// One direction of a codec, for one stream.
///
/// An error is final: every later call gives it again.
pub trait Coder {
    /// Takes input, and appends output within the spare capacity of `output`, which never grows. Returns how many
    /// bytes of the input were taken.
    ///
    /// If `output` is full afterwards, drain it and call again with the rest of the input, even if that is empty.
    /// Otherwise all input was taken, and all output that follows from it is out. Without any capacity nothing ever
    /// happens.
    ///
    /// # Errors
    /// What is wrong with the input, and at which byte. Output from before that byte may have been appended.
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError>;

    /// Ends the stream after the last input. `true`: all is out. `false`: `output` is full, so drain it and call
    /// again.
    ///
    /// # Errors
    /// [`CodecErrorKind::Truncated`] if the input should have gone on; else as for [`push`](Self::push).
    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError>;
}

/// How far to trust compressed input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DecoderLimits {
    /// Decompressed bytes; [`CodecErrorKind::LimitExceeded`] beyond, and not one byte more comes out. `None`: no limit.
    pub max_output: Option<u64>,
    /// Decompressed bytes for each compressed one; [`CodecErrorKind::LimitExceeded`] beyond, from the first MiB of output
    /// on. `None`: no limit, since honest data reaches any ratio: zeros are 1,030 times smaller in gzip and 32,000 times
    /// in zstd.
    pub max_ratio: Option<u32>,
    /// Bytes of the window that a zstd frame may ask for, at most [`MAX_WINDOW`](Self::MAX_WINDOW); `None`:
    /// [`DEFAULT_MAX_WINDOW`](Self::DEFAULT_MAX_WINDOW). Gzip's is always 32 KiB, those of snappy and lz4 are 64 KiB.
    pub max_window: Option<u64>,
}

impl DecoderLimits {
    /// 8 MiB: what RFC 8878 section 3.1.1.1.2 recommends every decoder to support.
    pub const DEFAULT_MAX_WINDOW: u64 = 8 << 20;

    /// 128 MiB: the largest window of the reference's levels, and what zstd(1) decodes unasked.
    pub const MAX_WINDOW: u64 = 128 << 20;

    /// The limit of the window in force.
    fn window(&self) -> u64 {
        self.max_window.unwrap_or(Self::DEFAULT_MAX_WINDOW).min(Self::MAX_WINDOW)
    }
}

/// A compressor. `level` is the codec's own (see the [table](self#engines-and-levels)); `None` is its default.
///
/// # Errors
/// [`CodecErrorKind::InvalidLevel`].
pub fn encoder(kind: Codec, level: Option<i32>) -> Result<Box<dyn Coder>, CodecError> {
    match kind {
        Codec::Gzip => gzip::encoder(level, &gzip::Header::default()),
        Codec::Zstd => zstd::encoder(level),
        Codec::Snappy => snappy::encoder(level),
        Codec::Lz4 => lz4::encoder(level),
    }
}

/// A decompressor.
#[must_use]
pub fn decoder(kind: Codec, limits: DecoderLimits) -> Box<dyn Coder> {
    match kind {
        Codec::Gzip => gzip::decoder(limits),
        Codec::Zstd => zstd::decoder(limits),
        Codec::Snappy => snappy::decoder(limits),
        Codec::Lz4 => lz4::decoder(limits),
    }
}

/// A compressor that may have a dictionary.
///
/// # Errors
/// As [`encoder`]; [`CodecErrorKind::InvalidDictionary`] for a dictionary of a codec that has none: only zstd has.
pub fn encoder_with(
    kind: Codec,
    level: Option<i32>,
    dictionary: Option<&Dictionary>,
) -> Result<Box<dyn Coder>, CodecError> {
    match (kind, dictionary) {
        (_, None) => encoder(kind, level),
        (Codec::Zstd, Some(dictionary)) => zstd::encoder_with(dictionary, level),
        (_, Some(_)) => Err(no_dictionaries(kind)),
    }
}

/// A decompressor of data that was compressed with a dictionary, or without.
///
/// # Errors
/// [`CodecErrorKind::InvalidDictionary`] for a dictionary of a codec that has none: only zstd has.
pub fn decoder_with(
    kind: Codec,
    limits: DecoderLimits,
    dictionary: Option<&Dictionary>,
) -> Result<Box<dyn Coder>, CodecError> {
    match (kind, dictionary) {
        (_, None) => Ok(decoder(kind, limits)),
        (Codec::Zstd, Some(dictionary)) => Ok(zstd::decoder_with(dictionary, limits)),
        (_, Some(_)) => Err(no_dictionaries(kind)),
    }
}

fn no_dictionaries(kind: Codec) -> CodecError {
    let message = format!("{kind} has no dictionaries, as zstd has: leave the dictionary out");
    CodecError::new(CodecErrorKind::InvalidDictionary, 0, message)
}

/// Bytes that a compressor takes up at most, beside what goes in and out.
#[must_use]
pub fn encoder_memory(kind: Codec, level: Option<i32>) -> u64 {
    match kind {
        Codec::Zstd => zstd::encoder_memory(level),
        // A window, or a block.
        _ => 1 << 20,
    }
}

/// Bytes that a decompressor of any codec takes up at most, beside what goes in and out.
#[must_use]
pub fn decoder_memory(limits: DecoderLimits) -> u64 {
    // The tables beside the window.
    limits.window().max(lz4::DECODER_MEMORY) + (1 << 20)
}

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodecErrorKind {
    /// The input ends where it should have gone on.
    Truncated,
    /// The input is damaged, or not of this codec.
    Corrupted,
    /// A limit of [`DecoderLimits`] was reached.
    LimitExceeded,
    /// The input needs something that is not there: a dictionary.
    Unsupported,
    /// The codec knows no such level.
    InvalidLevel,
    /// It is no dictionary, or not for this codec.
    InvalidDictionary,
    /// Input was pushed after the stream was finished.
    Finished,
}

/// What went wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodecError {
    /// To branch on.
    pub kind: CodecErrorKind,
    /// In bytes from the start of the input.
    pub offset: u64,
    /// For a person.
    pub message: Cow<'static, str>,
}

impl CodecError {
    pub(crate) fn new(kind: CodecErrorKind, offset: u64, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, offset, message: message.into() }
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            CodecErrorKind::InvalidLevel | CodecErrorKind::InvalidDictionary => f.write_str(&self.message),
            _ => write!(f, "{} (at byte {})", self.message, self.offset),
        }
    }
}

impl std::error::Error for CodecError {}

impl From<CodecError> for Error {
    fn from(why: CodecError) -> Self {
        let (code, has_offset) = match why.kind {
            CodecErrorKind::LimitExceeded => (ErrorCode::LimitExceeded, true),
            CodecErrorKind::Unsupported => (ErrorCode::Unsupported, true),
            CodecErrorKind::InvalidLevel | CodecErrorKind::InvalidDictionary => {
                (ErrorCode::InvalidArgument, false)
            }
            CodecErrorKind::Truncated | CodecErrorKind::Corrupted | CodecErrorKind::Finished => {
                (ErrorCode::Corrupted, true)
            }
        };
        let error = Self::new(code, why.to_string());
        if has_offset { error.with_offset(why.offset) } else { error }
    }
}
