//! Dictionaries (RFC 8878 section 5): what both sides know before the first byte of a frame.
//!
//! Small objects that resemble each other have little to repeat of themselves; what they share is in the dictionary.

use std::{num::NonZero, rc::Rc};

use super::{
    super::{CodecError, CodecErrorKind},
    compress,
    decoder::Damaged,
    decompress,
    frame::take,
    symbols::{FIRST_OFFSETS, REPEATED},
};

pub(super) const MAGIC: [u8; 4] = [0x37, 0xa4, 0x30, 0xec];

/// The most bytes that a dictionary may have: with it and a window, any history is short enough for every match finder.
pub const MAX_LENGTH: usize = 4 << 20;

/// A dictionary. Clones are the same one.
#[derive(Clone)]
pub struct Dictionary(Rc<Parsed>);

struct Parsed {
    /// 0: none.
    id: u32,
    /// The whole, and where its content begins.
    bytes: Vec<u8>,
    start: usize,
    offsets: [u32; REPEATED as usize],
    reading: Option<Box<decompress::Known>>,
    writing: Option<compress::Known>,
    index: compress::Index,
}

impl Dictionary {
    /// Reads a dictionary, as `zstd --train` makes one. What does not begin as such a one is content alone: then frames do
    /// not name it.
    ///
    /// # Errors
    /// [`CodecErrorKind::InvalidDictionary`] if it is damaged, empty, or longer than [`MAX_LENGTH`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, CodecError> {
        let invalid = |message: String| CodecError::new(CodecErrorKind::InvalidDictionary, 0, message);
        if bytes.is_empty() || bytes.len() > MAX_LENGTH {
            let message =
                format!("a zstd dictionary has 1 to {MAX_LENGTH} bytes, and this one {}", bytes.len());
            return Err(invalid(message));
        }
        let parsed =
            Parsed::new(bytes).map_err(|Damaged| invalid("the zstd dictionary is damaged".to_owned()))?;
        Ok(Self(Rc::new(parsed)))
    }

    /// The number that frames name it by, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<NonZero<u32>> {
        NonZero::new(self.0.id)
    }

    /// What matches of a frame can repeat.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.0.bytes[self.0.start..]
    }

    /// The offsets that can be repeated at the start of a frame, the latest first.
    pub(super) fn offsets(&self) -> [u32; REPEATED as usize] {
        self.0.offsets
    }

    /// Its tables, if it has some.
    pub(super) fn reading(&self) -> Option<&decompress::Known> {
        self.0.reading.as_deref()
    }

    /// The same for a compressor.
    pub(super) fn writing(&self) -> Option<&compress::Known> {
        self.0.writing.as_ref()
    }

    /// Its content as a compressor knows it.
    pub(super) fn index(&self) -> &compress::Index {
        &self.0.index
    }
}

impl Parsed {
    fn new(bytes: Vec<u8>) -> Result<Self, Damaged> {
        let mut rest = &bytes[..];
        if !bytes.starts_with(&MAGIC) {
            let (offsets, index) = (FIRST_OFFSETS, compress::Index::default());
            return Ok(Self { id: 0, bytes, start: 0, offsets, reading: None, writing: None, index });
        }
        take(&mut rest, MAGIC.len());
        let id = take(&mut rest, 4) as u32;
        let (reading, lengths, distributions) = decompress::Known::read(&mut rest)?;
        let writing = compress::Known::new(lengths, &distributions);
        if rest.len() <= 4 * REPEATED as usize {
            return Err(Damaged);
        }
        let offsets = std::array::from_fn(|_| take(&mut rest, 4) as u32);
        let start = bytes.len() - rest.len();
        if id == 0 || offsets.iter().any(|offset| *offset == 0 || *offset as usize > rest.len()) {
            return Err(Damaged);
        }
        let index = compress::Index::default();
        Ok(Self { id, bytes, start, offsets, reading: Some(reading), writing: Some(writing), index })
    }
}
