//! The tables of a dictionary: what the literals and the sequences of samples are, that are compressed with its content.

use super::{
    super::symbols::{Alphabet, LITERAL_LENGTHS, MATCH_LENGTHS, OFFSETS},
    codes::Coded,
    fse::{self, Distribution},
    huffman::{self, Code},
    known::Known,
    level::Level,
    sequences::Sequences,
};

/// The level whose sequences are counted: others have much the same.
const LEVEL: i32 = 3;

/// Room for the descriptions of a code and three distributions.
const ROOM: usize = 1024;

/// How often each symbol came. Everything counts once from the start, so that the tables have a place for all of it.
pub(in super::super) struct Statistics {
    literals: huffman::Histogram,
    literal_lengths: fse::Histogram,
    match_lengths: fse::Histogram,
    offsets: fse::Histogram,
    sequences: Sequences,
}

impl Statistics {
    /// For a content of that length.
    pub(in super::super) fn new(content: usize) -> Self {
        // As far as matches of the first block can reach back.
        let offsets = (content + super::MAX_BLOCK).ilog2() as usize + 1;
        Self {
            literals: [1; 256],
            literal_lengths: once(LITERAL_LENGTHS.baselines.len()),
            match_lengths: once(MATCH_LENGTHS.baselines.len()),
            offsets: once(offsets.min(OFFSETS.baselines.len())),
            sequences: Sequences::default(),
        }
    }

    /// Counts what becomes of a sample.
    pub(in super::super) fn add(&mut self, dictionary: &Known, sample: &[u8]) {
        let content = dictionary.prior().content();
        let mut finder = dictionary.finder(Level::new(LEVEL), Some(sample.len()));
        let history = [content, sample].concat();
        self.sequences.begin(sample.len());
        finder.find(&history, content.len(), 0, &mut { dictionary.prior().offsets }, &mut self.sequences);
        for (all, count) in self.literals.iter_mut().zip(huffman::count(self.sequences.literals())) {
            *all += count;
        }
        for sequence in self.sequences.matches() {
            let [length, matched, offset, _] = Coded::new(*sequence).codes;
            for (histogram, code) in [
                (&mut self.literal_lengths, length),
                (&mut self.match_lengths, matched),
                (&mut self.offsets, offset),
            ] {
                histogram[usize::from(code) % fse::MAX_SYMBOLS] += 1;
            }
        }
    }

    /// The tables, as a dictionary has them (RFC 8878 section 5). `None` if there is nothing to describe.
    pub(in super::super) fn describe(&self) -> Option<Vec<u8>> {
        let mut out = vec![0; ROOM];
        let mut at = Code::of(&self.literals).describe(&mut out)?;
        for (histogram, max_accuracy_log) in [
            (&self.offsets, most(&OFFSETS)),
            (&self.match_lengths, most(&MATCH_LENGTHS)),
            (&self.literal_lengths, most(&LITERAL_LENGTHS)),
        ] {
            let total = histogram.iter().sum();
            at += Distribution::of(histogram, total, max_accuracy_log).describe(out.get_mut(at..)?)?;
        }
        out.truncate(at);
        Some(out)
    }
}

/// One of each of the first symbols.
fn once(symbols: usize) -> fse::Histogram {
    std::array::from_fn(|symbol| u32::from(symbol < symbols))
}

const fn most<const CODES: usize>(alphabet: &Alphabet<CODES>) -> u32 {
    alphabet.max_accuracy_log
}
