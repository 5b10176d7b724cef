//! Decompression of the blocks of a frame (RFC 8878 section 3.1.1.2), made for speed.
//!
//! A block's literals are decoded first, then its sequences one by one, each executed at once into a [`window`].
//! Draining it is the only time that contents are copied. Everything is checked where it is read, and nothing is
//! allocated beyond what the contents fill.

mod bits;
mod copy;
mod fse;
mod huffman;
mod literals;
mod sequences;
mod window;

use std::{hash::Hasher, num::NonZero, rc::Rc};

use twox_hash::XxHash64;

pub(super) use self::{fse::Described, sequences::Distributions};
use self::{literals::Literals, sequences::Sequences, window::Window};
use super::{
    decoder::{Damaged, Engine},
    frame::{BLOCK_HEADER, Header, take},
    prior::Prior,
    symbols::FIRST_OFFSETS,
};

// How the contents of a block are encoded (section 3.1.1.2.2).
const RAW: u64 = 0;
const REPEATED: u64 = 1;
const COMPRESSED: u64 = 2;

/// A dictionary, as a decompressor has it.
pub(super) struct Known {
    prior: Rc<Prior>,
    tables: Option<Tables>,
}

impl Known {
    pub(super) fn new(prior: Rc<Prior>, tables: Option<Tables>) -> Self {
        Self { prior, tables }
    }
}

/// The tables of a dictionary.
pub(super) struct Tables {
    tree: huffman::Table,
    sequences: sequences::Tables,
}

impl Tables {
    /// Reads them, and takes them off `bytes`. Also returns the lengths of the codes of literals, and the distributions.
    pub(super) fn read(bytes: &mut &[u8]) -> Result<(Self, [u8; 256], Distributions), Damaged> {
        let mut tree = huffman::Table::new();
        tree.read(bytes)?;
        let lengths = tree.lengths();
        let (sequences, distributions) = sequences::Tables::read(bytes)?;
        Ok((Self { tree, sequences }, lengths, distributions))
    }
}

/// The state between blocks.
pub(super) struct Blocks {
    dictionary: Option<Rc<Known>>,
    literals: Literals,
    sequences: Sequences,
    window: Window,
    max_block: usize,
    /// The checksum of what was drained, if the frame has one.
    checksum: Option<XxHash64>,
}

impl Blocks {
    pub(super) fn new(dictionary: Option<Rc<Known>>) -> Self {
        Self {
            dictionary,
            literals: Literals::new(),
            sequences: Sequences::new(),
            window: Window::new(),
            max_block: 0,
            checksum: None,
        }
    }
}

impl Engine for Blocks {
    fn dictionary(&self) -> Option<(Option<NonZero<u32>>, u64)> {
        let prior = &self.dictionary.as_ref()?.prior;
        Some((prior.id, prior.content().len() as u64))
    }

    fn start(&mut self, header: &Header, _: &[u8]) -> Result<(), Damaged> {
        let reach = header.window.min(header.contents.unwrap_or(u64::MAX));
        self.max_block = usize::try_from(header.max_block()).map_err(|_| Damaged)?;
        let known = self.dictionary.as_deref();
        let content = known.map_or(&[][..], |known| known.prior.content());
        self.window.reset(usize::try_from(reach).map_err(|_| Damaged)?, self.max_block, content);
        let offsets = known.map_or(FIRST_OFFSETS, |known| known.prior.offsets);
        let tables = known.and_then(|known| known.tables.as_ref());
        self.literals.reset(tables.map(|tables| &tables.tree));
        self.sequences.reset(tables.map(|tables| &tables.sequences), offsets);
        self.checksum = header.has_checksum.then(|| XxHash64::with_seed(0));
        Ok(())
    }

    fn block(&mut self, block: &[u8]) -> Result<(), Damaged> {
        let mut rest = block;
        let header = take(&mut rest, BLOCK_HEADER);
        let size = (header >> 3) as usize;
        let kind = header >> 1 & 3;
        let room = if kind == COMPRESSED { self.max_block } else { size };
        self.window.begin(room);
        match kind {
            RAW => self.window.copy(rest)?,
            REPEATED => self.window.fill(*rest.first().ok_or(Damaged)?, size)?,
            _ => {
                self.literals.read(&mut rest, self.max_block)?;
                let (literals, output) = (self.literals.source()?, self.window.output(room)?);
                let at = self.sequences.execute(rest, literals, output)?;
                self.window.advance(at);
            }
        }
        if let Some(checksum) = &mut self.checksum {
            checksum.write(self.window.pending());
        }
        Ok(())
    }

    fn drain(&mut self, output: &mut Vec<u8>) -> Result<bool, Damaged> {
        let pending = self.window.pending();
        let count = pending.len().min(output.capacity() - output.len());
        let is_all = count == pending.len();
        output.extend_from_slice(&pending[..count]);
        self.window.drain(count);
        Ok(is_all)
    }

    fn has_checksum(&mut self, checksum: [u8; 4]) -> bool {
        let ours = self.checksum.as_ref().map(|ours| ours.finish() as u32);
        ours == Some(u32::from_le_bytes(checksum))
    }
}
