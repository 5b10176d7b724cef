//! Dictionaries, which the base engine lacks: there is none.

use std::num::NonZero;

use super::super::{CodecError, CodecErrorKind, Coder, DecoderLimits};

/// A dictionary, which no build has without the feature `fast`.
#[derive(Clone)]
pub enum Dictionary {}

impl Dictionary {
    /// Reads none.
    ///
    /// # Errors
    /// [`CodecErrorKind::Unsupported`].
    pub fn new(_: Vec<u8>) -> Result<Self, CodecError> {
        let message = "this build has no engine for zstd dictionaries";
        Err(CodecError::new(CodecErrorKind::Unsupported, 0, message))
    }

    /// The number that frames name it by.
    #[must_use]
    pub fn id(&self) -> Option<NonZero<u32>> {
        match *self {}
    }

    /// What matches of a frame can repeat.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        match *self {}
    }
}

/// A compressor with a dictionary.
///
/// # Errors
/// None, since there is no dictionary.
pub fn encoder_with(dictionary: &Dictionary, _: Option<i32>) -> Result<Box<dyn Coder>, CodecError> {
    match *dictionary {}
}

/// A decompressor of frames that begin with a dictionary.
#[must_use]
pub fn decoder_with(dictionary: &Dictionary, _: DecoderLimits) -> Box<dyn Coder> {
    match *dictionary {}
}

/// Makes no dictionary.
///
/// # Errors
/// [`CodecErrorKind::Unsupported`].
pub fn train(_: &[&[u8]], _: usize) -> Result<Vec<u8>, CodecError> {
    Dictionary::new(Vec::new()).map(|dictionary| match dictionary {})
}
