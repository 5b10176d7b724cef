//! What is known before the first byte of a frame, but for tables: a content that matches can repeat, and offsets.

use std::num::NonZero;

use super::symbols::REPEATED;

/// The part of a dictionary that both sides read alike.
pub(super) struct Prior {
    /// The number that frames name it by, if it has one.
    pub(super) id: Option<NonZero<u32>>,
    /// The offsets that can be repeated, the latest first. None is 0, nor beyond the content.
    pub(super) offsets: [u32; REPEATED as usize],
    /// The whole dictionary, and where its content begins.
    bytes: Vec<u8>,
    start: usize,
}

impl Prior {
    pub(super) const fn new(
        id: Option<NonZero<u32>>,
        offsets: [u32; REPEATED as usize],
        bytes: Vec<u8>,
        start: usize,
    ) -> Self {
        Self { id, offsets, bytes, start }
    }

    /// What matches can repeat.
    pub(super) fn content(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}
