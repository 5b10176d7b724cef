//! What a compressor knows before the first byte of a frame.

use std::rc::Rc;

use super::{
    super::{decompress::Distributions, prior::Prior},
    finder::Finder,
    index::Index,
    level::Level,
    tables::Tables,
};

/// A dictionary, as a compressor has it.
pub(in super::super) struct Known {
    prior: Rc<Prior>,
    tables: Option<Tables>,
    index: Index,
}

impl Known {
    /// `tables`: the lengths of the codes of literals, and the distributions of sequences.
    pub(in super::super) fn new(prior: Rc<Prior>, tables: Option<([u8; 256], Distributions)>) -> Self {
        let tables = tables.map(|(lengths, distributions)| Tables::new(lengths, &distributions));
        Self { prior, tables, index: Index::default() }
    }

    pub(super) fn prior(&self) -> &Prior {
        &self.prior
    }

    pub(super) fn tables(&self) -> Option<&Tables> {
        self.tables.as_ref()
    }

    /// A finder for contents behind it; `length` is theirs if they are known to be short.
    pub(super) fn finder(&self, level: Level, length: Option<usize>) -> Box<dyn Finder> {
        self.index.finder(level, length, self.prior.content(), self.tables())
    }
}
