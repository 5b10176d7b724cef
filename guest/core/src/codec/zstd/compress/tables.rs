//! What a decoder has of a dictionary before the first block of a frame: a code for literals, and the tables of sequences.

use super::{
    super::decompress::{Described, Distributions},
    fse::{Distribution, Table},
    huffman::Code,
};

/// The tables of a dictionary.
pub(super) struct Tables {
    pub(super) code: Box<Code>,
    pub(super) literal_lengths: Box<Table>,
    pub(super) match_lengths: Box<Table>,
    pub(super) offsets: Box<Table>,
}

impl Tables {
    /// From the lengths of the codes of literals, and the distributions of sequences.
    pub(super) fn new(lengths: [u8; 256], distributions: &Distributions) -> Self {
        let table = |described: &Described| {
            let distribution = Distribution::predefined(described.accuracy_log, described.counts());
            Box::new(Table::new(distribution))
        };
        Self {
            code: Box::new(Code::with(lengths)),
            literal_lengths: table(&distributions.literal_lengths),
            match_lengths: table(&distributions.match_lengths),
            offsets: table(&distributions.offsets),
        }
    }
}
