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
    prior::Prior,
    symbols::{FIRST_OFFSETS, REPEATED},
};

pub(super) const MAGIC: [u8; 4] = [0x37, 0xa4, 0x30, 0xec];

/// The most bytes that a dictionary may have.
pub const MAX_LENGTH: usize = omnistorage_types::Dictionary::MAX_LENGTH;

/// A dictionary. Clones are the same one.
#[derive(Clone)]
pub struct Dictionary {
    prior: Rc<Prior>,
    reading: Rc<decompress::Known>,
    writing: Rc<compress::Known>,
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
        Self::parse(bytes).map_err(|Damaged| invalid("the zstd dictionary is damaged".to_owned()))
    }

    fn parse(bytes: Vec<u8>) -> Result<Self, Damaged> {
        if !bytes.starts_with(&MAGIC) {
            let prior = Rc::new(Prior::new(None, FIRST_OFFSETS, bytes, 0));
            let reading = decompress::Known::new(prior.clone(), None);
            let writing = compress::Known::new(prior.clone(), None);
            return Ok(Self { prior, reading: Rc::new(reading), writing: Rc::new(writing) });
        }
        let mut rest = &bytes[MAGIC.len()..];
        let id = NonZero::new(take(&mut rest, 4) as u32).ok_or(Damaged)?;
        let (tables, lengths, distributions) = decompress::Tables::read(&mut rest)?;
        if rest.len() <= 4 * REPEATED as usize {
            return Err(Damaged);
        }
        let offsets = std::array::from_fn(|_| take(&mut rest, 4) as u32);
        if offsets.iter().any(|offset| *offset == 0 || *offset as usize > rest.len()) {
            return Err(Damaged);
        }
        let start = bytes.len() - rest.len();
        let prior = Rc::new(Prior::new(Some(id), offsets, bytes, start));
        let reading = decompress::Known::new(prior.clone(), Some(tables));
        let writing = compress::Known::new(prior.clone(), Some((lengths, distributions)));
        Ok(Self { prior, reading: Rc::new(reading), writing: Rc::new(writing) })
    }

    /// The number that frames name it by, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<NonZero<u32>> {
        self.prior.id
    }

    /// What matches of a frame can repeat.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        self.prior.content()
    }

    /// What a decompressor knows.
    pub(super) fn reading(&self) -> &Rc<decompress::Known> {
        &self.reading
    }

    /// What a compressor knows.
    pub(super) fn writing(&self) -> &Rc<compress::Known> {
        &self.writing
    }
}
