//! Tables of finite state entropy (RFC 8878 section 4.1).

use super::{super::decoder::Damaged, bits::ForwardBits};

/// The most bits of a state, of any table.
const MAX_ACCURACY_LOG: u32 = 9;

/// More than there are codes in any alphabet.
const MAX_SYMBOLS: usize = 64;

/// What a state stands for, and where it leads. It is one word, because three tables are read for every sequence: 32
/// bits for the baseline of the code, 8 for the number of its extra bits, 8 for the number of bits of the next state,
/// and 16 for its baseline.
#[derive(Clone, Copy, Default)]
pub(super) struct Entry(u64);

impl Entry {
    fn new(baseline: u32, extra_bits: u8, next_bits: u8, next: u16) -> Self {
        Self(
            u64::from(baseline)
                | u64::from(extra_bits) << 32
                | u64::from(next_bits) << 40
                | u64::from(next) << 48,
        )
    }

    #[inline(always)]
    pub(super) const fn baseline(self) -> u32 {
        self.0 as u32
    }

    #[inline(always)]
    pub(super) const fn extra_bits(self) -> u32 {
        (self.0 >> 32) as u32 & 0x3f
    }

    #[inline(always)]
    pub(super) const fn next_bits(self) -> u32 {
        (self.0 >> 40) as u32 & 0x3f
    }

    /// The baseline of the next state.
    #[inline(always)]
    pub(super) const fn next(self) -> usize {
        (self.0 >> 48) as usize
    }

    /// Whether one of two has extra bits.
    #[inline(always)]
    pub(super) const fn have_extra_bits(self, other: Self) -> bool {
        (self.0 | other.0) >> 32 & 0xff != 0
    }
}

/// What the states of one alphabet stand for: at most `STATES` of them, a power of two.
#[derive(Clone)]
pub(super) struct Table<const STATES: usize> {
    entries: [Entry; STATES],
    accuracy_log: u32,
}

impl<const STATES: usize> Table<STATES> {
    pub(super) const fn new() -> Self {
        Self { entries: [Entry(0); STATES], accuracy_log: 0 }
    }

    #[inline(always)]
    pub(super) fn entry(&self, state: usize) -> Entry {
        self.entries[state & (STATES - 1)]
    }

    /// The bits of the first state.
    pub(super) const fn accuracy_log(&self) -> u32 {
        self.accuracy_log
    }

    /// Builds the table of a distribution. Each code has a baseline and a number of extra bits.
    pub(super) fn build(
        &mut self,
        accuracy_log: u32,
        counts: &[i16],
        baselines: &[u32],
        extra_bits: &[u8],
    ) -> Result<(), Damaged> {
        let states = self.entries.get_mut(..1 << accuracy_log).ok_or(Damaged)?;
        build(states, counts, baselines, extra_bits)?;
        self.accuracy_log = accuracy_log;
        Ok(())
    }

    /// For one symbol that is always the next one.
    pub(super) fn repeat(&mut self, baseline: u32, extra_bits: u8) {
        self.entries[0] = Entry::new(baseline, extra_bits, 0, 0);
        self.accuracy_log = 0;
    }
}

/// Section 4.1.1, "from normalized distribution to decoding tables".
fn build(states: &mut [Entry], counts: &[i16], baselines: &[u32], extra_bits: &[u8]) -> Result<(), Damaged> {
    let mask = states.len() - 1;
    let mut symbols = [0_u8; 1 << MAX_ACCURACY_LOG];
    let symbols = symbols.get_mut(..=mask).ok_or(Damaged)?;

    // Symbols with a probability below one place go to the end; the others are spread over the rest.
    let mut last = mask;
    for (symbol, _) in (0..).zip(counts).filter(|(_, count)| **count < 0) {
        symbols[last] = symbol;
        last = last.wrapping_sub(1) & mask;
    }
    let step = (states.len() >> 1) + (states.len() >> 3) + 3;
    let mut place = 0;
    for (symbol, count) in (0..).zip(counts) {
        for _ in 0..*count {
            symbols[place] = symbol;
            loop {
                place = (place + step) & mask;
                if place <= last {
                    break;
                }
            }
        }
    }

    // The states of a symbol share what leads to them in order.
    let mut nth = [0_u16; MAX_SYMBOLS];
    for (nth, count) in nth.iter_mut().zip(counts) {
        *nth = count.unsigned_abs();
    }
    let accuracy_log = states.len().ilog2();
    for (entry, symbol) in states.iter_mut().zip(symbols) {
        let symbol = usize::from(*symbol);
        let (Some(nth), Some(baseline), Some(extra_bits)) =
            (nth.get_mut(symbol), baselines.get(symbol), extra_bits.get(symbol))
        else {
            return Err(Damaged);
        };
        let bits = accuracy_log - nth.checked_ilog2().ok_or(Damaged)?;
        let next = (usize::from(*nth) << bits) - mask - 1;
        *entry = Entry::new(*baseline, *extra_bits, bits as u8, next as u16);
        *nth += 1;
    }
    Ok(())
}

/// A distribution that is described in the data.
pub(in super::super) struct Described {
    pub(in super::super) accuracy_log: u32,
    counts: [i16; MAX_SYMBOLS],
    symbols: usize,
}

impl Described {
    /// Reads a description (section 4.1.1, "FSE table description") of at most that accuracy and that many symbols, and
    /// takes it off `bytes`.
    pub(super) fn read(
        bytes: &mut &[u8],
        max_accuracy_log: u32,
        max_symbols: usize,
    ) -> Result<Self, Damaged> {
        let mut bits = ForwardBits::new(bytes);
        let accuracy_log = bits.take(4) + 5;
        if accuracy_log > max_accuracy_log {
            return Err(Damaged);
        }
        let mut described = Self { accuracy_log, counts: [0; MAX_SYMBOLS], symbols: 0 };
        let mut left = 1_i32 << accuracy_log;
        while left > 0 {
            // From 0 to one more than what is left; the small values have one bit less.
            let width = (left + 1).ilog2() + 1;
            let free = (1 << width) - 2 - left;
            let value = bits.peek(width) as i32;
            let small = value & ((1 << (width - 1)) - 1);
            let value = if small < free {
                bits.skip(width - 1);
                small
            } else {
                bits.skip(width);
                if value >> (width - 1) == 0 { value } else { value - free }
            };
            let count = value - 1;
            left -= count.abs();
            described.push(count as i16, max_symbols)?;
            if count == 0 {
                loop {
                    let zeros = bits.take(2);
                    for _ in 0..zeros {
                        described.push(0, max_symbols)?;
                    }
                    if zeros < 3 {
                        break;
                    }
                }
            }
        }
        *bytes = bits.rest()?;
        if left == 0 { Ok(described) } else { Err(Damaged) }
    }

    fn push(&mut self, count: i16, max_symbols: usize) -> Result<(), Damaged> {
        if self.symbols == max_symbols {
            return Err(Damaged);
        }
        *self.counts.get_mut(self.symbols).ok_or(Damaged)? = count;
        self.symbols += 1;
        Ok(())
    }

    pub(in super::super) fn counts(&self) -> &[i16] {
        &self.counts[..self.symbols]
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::symbols::{Distribution, LITERAL_LENGTHS},
        *,
    };

    /// RFC 8878 appendix A.1: symbol, bits and baseline of some states of literal lengths.
    #[test]
    fn the_predefined_table_is_that_of_the_rfc() {
        let Distribution { accuracy_log, counts } = LITERAL_LENGTHS.predefined;
        let mut table = Table::<512>::new();
        let symbols: [u32; 36] = std::array::from_fn(|symbol| symbol as u32);
        table.build(accuracy_log, counts, &symbols, &LITERAL_LENGTHS.extra_bits).unwrap();
        for (state, symbol, next_bits, next) in [
            (0, 0, 4, 0),
            (1, 0, 4, 16),
            (2, 1, 5, 32),
            (3, 3, 5, 0),
            (10, 14, 6, 0),
            (17, 25, 5, 32),
            (22, 0, 4, 32),
            (63, 32, 6, 0),
        ] {
            let entry = table.entry(state);
            assert_eq!(
                (entry.baseline(), entry.next_bits(), entry.next()),
                (symbol, next_bits, next),
                "{state}"
            );
        }
    }

    #[test]
    fn descriptions_end_where_their_counts_are_complete() {
        // Accuracy 5, counts 16 and 16: 4 bits of 0, then 17 in 6 bits of which small ones spare one, then 17 in 5.
        let counts = |bytes: &[u8]| {
            let mut rest = bytes;
            Described::read(&mut rest, 6, 8).map(|described| (described.counts().to_vec(), rest.len())).ok()
        };
        // width 6, free 30, value 17: 5 bits; width 5, free 14, value 17: as 31 in 5 bits.
        let description = 17 << 4 | 31 << 9_u32;
        let [b0, b1, ..] = u32::to_le_bytes(description);
        assert_eq!(counts(&[b0, b1, 9]), Some((vec![16, 16], 1)));
        assert_eq!(counts(&[b0]), None, "cut off");
        assert_eq!(counts(&[b0 | 2, b1]), None, "accuracy 7");
        // 32 zeros and more.
        assert_eq!(counts(&[0x10, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None, "too many symbols");
    }
}
