//! The literals of a block (RFC 8878 section 3.1.1.3.1).

use super::{
    super::{decoder::Damaged, frame::take},
    copy::{SLACK, Source},
    huffman,
};

/// The literals of one block after the other.
pub(super) struct Literals {
    /// With [`SLACK`] behind them.
    bytes: Vec<u8>,
    length: usize,
    tree: Box<huffman::Table>,
    /// There is a tree, of this block or one before.
    has_tree: bool,
}

impl Literals {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), length: 0, tree: Box::new(huffman::Table::new()), has_tree: false }
    }

    /// A frame begins, with the tree of a dictionary or none.
    pub(super) fn reset(&mut self, tree: Option<&huffman::Table>) {
        self.has_tree = tree.is_some();
        if let Some(tree) = tree {
            (*self.tree).clone_from(tree);
        }
    }

    /// All literals of the block.
    pub(super) fn source(&self) -> Result<Source<'_>, Damaged> {
        Source::new(self.bytes.get(..self.length + SLACK).ok_or(Damaged)?)
    }

    /// Reads the section that a block begins with, and takes it off `block`.
    pub(super) fn read(&mut self, block: &mut &[u8], max_block: usize) -> Result<(), Damaged> {
        const RAW: u8 = 0;
        const REPEATED: u8 = 1;
        const TREELESS: u8 = 3;

        let first = *block.first().ok_or(Damaged)?;
        let (kind, format) = (first & 3, first >> 2 & 3);
        let is_packed = kind > REPEATED;
        // The bytes of the header, the bits before the sizes, and the bits of each.
        let (header, skip, width) = match (is_packed, format) {
            (false, 0 | 2) => (1, 3, 5),
            (false, 1) => (2, 4, 12),
            (false, _) => (3, 4, 20),
            (true, 0 | 1) => (3, 4, 10),
            (true, 2) => (4, 4, 14),
            (true, _) => (5, 4, 18),
        };
        if block.len() < header {
            return Err(Damaged);
        }
        let sizes = take(block, header) >> skip;
        let size = |place: u32| (sizes >> (place * width)) as usize & ((1 << width) - 1);
        let length = size(0);
        if length > max_block {
            return Err(Damaged);
        }
        let packed = match kind {
            RAW => length,
            REPEATED => 1,
            _ => size(1),
        };
        let (mut packed, rest) = block.split_at_checked(packed).ok_or(Damaged)?;
        *block = rest;

        self.length = length;
        if self.bytes.len() < length + SLACK {
            self.bytes.resize(length + SLACK, 0);
        }
        let literals = &mut self.bytes[..length];
        match kind {
            RAW => literals.copy_from_slice(packed),
            REPEATED => literals.fill(*packed.first().ok_or(Damaged)?),
            TREELESS if !self.has_tree => return Err(Damaged),
            _ => {
                if kind != TREELESS {
                    self.has_tree = false;
                    self.tree.read(&mut packed)?;
                    self.has_tree = true;
                }
                match format {
                    0 => self.tree.decode(packed, literals)?,
                    _ => self.tree.decode_four(packed, literals)?,
                }
            }
        }
        Ok(())
    }
}
