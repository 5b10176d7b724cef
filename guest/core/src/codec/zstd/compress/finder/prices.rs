//! What literals and matches cost, by how often they came so far.
//!
//! Costs are in 256ths of a bit. They are estimates, as the codes of a block are only made once it is cut into sequences:
//! they follow from what the blocks before came to, and this one so far.

use super::super::{
    super::symbols::MAX_HUFFMAN_BITS,
    codes::{LITERAL_LENGTH_BITS, MATCH_LENGTH_BITS, literal_length_code, match_length_code},
    fse::{MAX_SYMBOLS, Table},
    huffman,
    sequences::MIN_MATCH,
    tables::Tables,
};

/// One bit.
const BIT: u32 = 256;

/// How much a literal of this block weighs beside one of those before.
const NEW_LITERAL: u32 = 2;

/// What a sequence costs a decoder's time, as a fifth of a bit.
const EFFORT: u32 = BIT / 5;

/// How often the symbols of an alphabet came.
#[derive(Clone)]
struct Counts<const SYMBOLS: usize> {
    counts: [u32; SYMBOLS],
    /// What a symbol costs that came as often as all together.
    all: u32,
}

impl<const SYMBOLS: usize> Counts<SYMBOLS> {
    fn of(counts: [u32; SYMBOLS]) -> Self {
        let mut counts = Self { counts, all: 0 };
        counts.settle();
        counts
    }

    /// Takes in what was counted.
    fn settle(&mut self) {
        self.all = weight(self.counts.iter().sum());
    }

    #[inline(always)]
    fn add(&mut self, symbol: usize, more: u32) {
        if let Some(count) = self.counts.get_mut(symbol) {
            *count += more;
        }
    }

    /// Makes what was counted before less heavy: about 2 to this power, and each symbol at least once.
    fn fade(&mut self, log: u32) {
        let sum: u32 = self.counts.iter().sum();
        if let Some(by @ 1..) = (sum >> log).checked_ilog2() {
            for count in &mut self.counts {
                *count = 1 + (*count >> by);
            }
        }
        self.settle();
    }

    #[inline(always)]
    fn cost(&self, symbol: usize) -> u32 {
        self.all.saturating_sub(weight(self.counts.get(symbol).copied().unwrap_or(0)))
    }
}

/// The binary logarithm of a count and one, in 256ths; between powers of two it is a line.
#[inline(always)]
const fn weight(count: u32) -> u32 {
    let count = count as u64 + 1;
    let log = count.ilog2();
    log * BIT + ((count << 8) >> log) as u32
}

/// The costs.
#[derive(Clone)]
pub(super) struct Prices {
    literals: Counts<256>,
    literal_lengths: Counts<36>,
    match_lengths: Counts<53>,
    offsets: Counts<32>,
    /// Whether nothing of the frame was counted.
    pub(super) are_new: bool,
}

impl Prices {
    pub(super) fn new() -> Self {
        // What comes often anywhere.
        let (mut literal_lengths, mut offsets) = ([1; 36], [1; 32]);
        literal_lengths[..2].copy_from_slice(&[4, 2]);
        offsets[..11].copy_from_slice(&[6, 2, 1, 1, 2, 3, 4, 4, 4, 3, 2]);
        Self {
            literals: Counts::of([0; 256]),
            literal_lengths: Counts::of(literal_lengths),
            match_lengths: Counts::of([1; 53]),
            offsets: Counts::of(offsets),
            are_new: true,
        }
    }

    /// Those that follow from the tables of a dictionary.
    pub(super) fn of(known: &Tables) -> Self {
        // What a table has no place for may come all the same.
        let literals = known.code.lengths().map(|length| match length {
            0 => 1,
            length => 1 << MAX_HUFFMAN_BITS.saturating_sub(length.into()),
        });
        Self {
            literals: Counts::of(literals),
            literal_lengths: counts(&known.literal_lengths),
            match_lengths: counts(&known.match_lengths),
            offsets: counts(&known.offsets),
            are_new: false,
        }
    }

    /// A block begins.
    pub(super) fn begin(&mut self, block: &[u8]) {
        if self.are_new {
            let counts = huffman::count(block).map(|count| u32::from(count > 0) + (count >> 8));
            self.literals = Counts::of(counts);
            self.are_new = false;
        } else {
            self.literals.fade(12);
            self.literal_lengths.fade(11);
            self.match_lengths.fade(11);
            self.offsets.fade(11);
        }
    }

    /// Counts a sequence.
    pub(super) fn count(&mut self, literals: &[u8], value: u32, length: usize) {
        for literal in literals {
            self.literals.add(usize::from(*literal), NEW_LITERAL);
        }
        self.literal_lengths.add(literal_length_code(literals.len() as u64).into(), 1);
        self.match_lengths.add(match_length_code((length - MIN_MATCH) as u64).into(), 1);
        self.offsets.add(value.ilog2() as usize, 1);
    }

    /// Takes in what was counted.
    pub(super) fn settle(&mut self) {
        self.literals.settle();
        self.literal_lengths.settle();
        self.match_lengths.settle();
        self.offsets.settle();
    }

    #[inline(always)]
    pub(super) fn literal(&self, literal: u8) -> u32 {
        // No code is shorter than a bit, nor is any byte known to be all of them.
        self.literals.cost(usize::from(literal)).max(BIT)
    }

    #[inline(always)]
    pub(super) fn literal_length(&self, length: usize) -> u32 {
        let code = usize::from(literal_length_code(length as u64)) % MAX_SYMBOLS;
        u32::from(LITERAL_LENGTH_BITS[code]) * BIT + self.literal_lengths.cost(code)
    }

    /// Of the offset of a match.
    #[inline(always)]
    pub(super) fn offset(&self, value: u32) -> u32 {
        let code = value.ilog2();
        code * BIT + self.offsets.cost(code as usize) + EFFORT
    }

    #[inline(always)]
    pub(super) fn match_length(&self, length: usize) -> u32 {
        let code = usize::from(match_length_code((length - MIN_MATCH) as u64)) % MAX_SYMBOLS;
        u32::from(MATCH_LENGTH_BITS[code]) * BIT + self.match_lengths.cost(code)
    }
}

/// How often each symbol came of which a table was made, in 1,024 times.
fn counts<const SYMBOLS: usize>(table: &Table) -> Counts<SYMBOLS> {
    let distribution = &table.distribution;
    let scale = 10_u32.saturating_sub(distribution.accuracy_log);
    Counts::of(std::array::from_fn(|symbol| {
        let places = distribution.counts.get(symbol).map_or(0, |places| places.unsigned_abs());
        (u32::from(places) << scale).max(1)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_often_costs_little() {
        assert!((0..2000).all(|count| weight(count) <= weight(count + 1)));
        let mut prices = Prices::new();
        prices.begin(&[b"a".repeat(60_000), (0..=255).collect()].concat());
        assert!(prices.literal(b'a') < prices.literal(b'b'));
        let before = (prices.offset(1 << 12), prices.literal_length(3), prices.match_length(5));
        for _ in 0..100 {
            prices.count(b"abc", 1 << 12, 5);
        }
        prices.settle();
        let after = (prices.offset(1 << 12), prices.literal_length(3), prices.match_length(5));
        assert!(after.0 < before.0 && after.1 < before.1 && after.2 < before.2);
        // However long it goes on, it does not run over, and what comes anew is not forgotten.
        for _ in 0..100 {
            (0..10_000).for_each(|_| prices.count(b"x", 1, 3));
            prices.begin(b"");
        }
        assert!(prices.offsets.counts.iter().sum::<u32>() < 3 << 11);
        assert!(prices.literal(b'x') == BIT && prices.literal(b'z') > 8 * BIT);
    }
}
