//! Blocks (RFC 8878 section 3.1.1.2).

use super::{
    literals::{Literals, min_gain},
    section::SequenceCoder,
    sequences::Sequences,
    tables::Tables,
};

/// No block is longer.
pub(super) const MAX_BLOCK: usize = 128 << 10;

/// How much longer than a block its bit stream may be while it is written.
const SLACK: usize = 16;

/// If there are more literals than this for each match, the block may well be noise.
const SUSPICIOUS: usize = 20;

/// Below this a compressed block may be one byte, repeated.
const MAYBE_ONE_BYTE: usize = 25;

/// Writes blocks, and holds what they share.
pub(super) struct BlockWriter {
    literals: Literals,
    sequences: SequenceCoder,
    scratch: Vec<u8>,
}

/// How a block was written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// A decoder sees no sequences, and keeps what it had.
    Plain,
    Compressed,
}

impl BlockWriter {
    /// `codes_literals`: otherwise literals stay as they are, for speed.
    pub(super) fn new(codes_literals: bool) -> Self {
        Self {
            literals: Literals::new(codes_literals),
            sequences: SequenceCoder::default(),
            scratch: Vec::new(),
        }
    }

    /// A frame begins, with the tables of a dictionary or none.
    pub(super) fn reset(&mut self, known: Option<&Tables>) {
        self.literals.reset(known);
        self.sequences.reset(known);
    }

    /// Writes a block, compressed if that makes it smaller.
    pub(super) fn write(
        &mut self,
        contents: &[u8],
        sequences: &Sequences,
        is_last: bool,
        out: &mut Vec<u8>,
    ) -> Written {
        let compressed = self.compress(contents.len(), sequences).unwrap_or(usize::MAX);
        let is_one_byte = compressed < MAYBE_ONE_BYTE && contents.windows(2).all(|pair| pair[0] == pair[1]);
        let is_smaller = compressed < contents.len().saturating_sub(min_gain(contents.len()));
        let (written, kind, size, body) = match contents {
            [byte, ..] if is_one_byte => (Written::Plain, 1, contents.len(), std::slice::from_ref(byte)),
            _ if is_smaller => (Written::Compressed, 2, compressed, &self.scratch[..compressed]),
            _ => (Written::Plain, 0, contents.len(), contents),
        };
        let header = u32::from(is_last) | kind << 1 | (size as u32) << 3;
        out.extend_from_slice(&header.to_le_bytes()[..3]);
        out.extend_from_slice(body);
        match written {
            Written::Plain => {
                self.literals.discard();
                self.sequences.discard();
            }
            Written::Compressed => {
                self.literals.keep();
                self.sequences.keep();
            }
        }
        written
    }

    /// Compresses into the scratch buffer. Returns the length, or `None` if that is no shorter than the block.
    fn compress(&mut self, length: usize, sequences: &Sequences) -> Option<usize> {
        if self.scratch.len() < length + SLACK {
            self.scratch.resize(length + SLACK, 0);
        }
        let out = &mut self.scratch[..length + SLACK];
        let literals = sequences.literals();
        let are_suspect = literals.len() / SUSPICIOUS >= sequences.matches().len();
        let end = self.literals.write(literals, are_suspect, out)?;
        Some(end + self.sequences.write(sequences, &mut out[end..])?)
    }
}
