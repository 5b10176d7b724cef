//! Finite state entropy, the writing side: distributions, their descriptions, and tables.
//!
//! Sources: RFC 8878 section 4.1; Jarek Duda, "Asymmetric numeral systems" (2013), and Yann Collet's construction of
//! the tables from it: a symbol that has `n` of `2^log` places costs `log - log2(n)` bits.

use super::bits::BitWriter;

/// No alphabet has more symbols; a power of two, so that a masked symbol is in bounds.
pub(super) const MAX_SYMBOLS: usize = 64;

/// No table has more states.
const MAX_STATES: usize = 512;

/// How often each symbol came.
pub(super) type Histogram = [u32; MAX_SYMBOLS];

/// The places that each symbol has among the states of a table.
#[derive(Clone)]
pub(super) struct Distribution {
    pub(super) accuracy_log: u32,
    /// They add up to `2^accuracy_log`; -1 takes one place, and stands for less than one.
    pub(super) counts: [i16; MAX_SYMBOLS],
}

impl Distribution {
    /// One that is agreed on.
    pub(super) fn predefined(accuracy_log: u32, given: &[i16]) -> Self {
        let mut counts = [0; MAX_SYMBOLS];
        counts.iter_mut().zip(given).for_each(|(count, given)| *count = *given);
        Self { accuracy_log, counts }
    }

    /// The distribution of a single symbol: its only state costs nothing.
    pub(super) fn one(symbol: usize) -> Self {
        let mut counts = [0; MAX_SYMBOLS];
        counts[symbol % MAX_SYMBOLS] = 1;
        Self { accuracy_log: 0, counts }
    }

    /// The distribution that fits these counts of at least two symbols. `total` is their sum.
    pub(super) fn of(histogram: &Histogram, total: u32, max_accuracy_log: u32) -> Self {
        let accuracy_log = accuracy_log(histogram, total, max_accuracy_log);
        let places = 1 << accuracy_log;
        let mut counts = [0_i16; MAX_SYMBOLS];
        let (mut left, mut largest) = (places, 0);
        for (symbol, &count) in histogram.iter().enumerate().filter(|(_, count)| **count > 0) {
            let share = (u64::from(count) << accuracy_log) * 2 / u64::from(total);
            counts[symbol] = match share.div_ceil(2) as i16 {
                // With many states a rare symbol costs less if it is marked as such; with few it makes no difference.
                0 | 1 if share < 2 && total >= 2048 => -1,
                places => places.max(1),
            };
            left -= i32::from(counts[symbol].abs());
            if counts[symbol] > counts[largest] {
                largest = symbol;
            }
        }
        // What rounding left over, or took too much, costs least where there is the most.
        while left < 0 {
            let most = (0..MAX_SYMBOLS).max_by_key(|symbol| counts[*symbol]).unwrap_or(largest);
            counts[most] -= 1;
            left += 1;
        }
        counts[largest] += left as i16;
        Self { accuracy_log, counts }
    }

    /// What it costs to code these symbols with it, in bits; `None` if one of them has no place.
    pub(super) fn cost(&self, histogram: &Histogram) -> Option<u64> {
        let mut cost = 0;
        for (&places, &count) in self.counts.iter().zip(histogram).filter(|(_, count)| **count > 0) {
            let bits = (self.accuracy_log << 8) - log2(places.unsigned_abs())?;
            cost += u64::from(count) * u64::from(bits);
        }
        Some(cost >> 8)
    }

    /// Writes its description (RFC 8878 section 4.1.1). Returns the length, unless it does not fit.
    pub(super) fn describe(&self, out: &mut [u8]) -> Option<usize> {
        let mut writer = BitWriter::new(out);
        writer.add(u64::from(self.accuracy_log - 5), 4);
        let (mut left, mut symbol) = ((1_i32 << self.accuracy_log) + 1, 0);
        while left > 1 {
            // A value from 0 to `left`, in as many bits as `left` needs; small values take one bit less.
            let places = i32::from(self.counts[symbol % MAX_SYMBOLS]);
            symbol += 1;
            let bits = left.ilog2() + 1;
            let spare = (1 << bits) - 1 - left;
            let value = places + 1;
            match value < spare {
                true => writer.add(value as u64, bits - 1),
                false if value < 1 << (bits - 1) => writer.add(value as u64, bits),
                false => writer.add((value + spare) as u64, bits),
            }
            left -= places.abs();
            writer.flush();
            if places == 0 {
                let zeros = self.counts[symbol..].iter().take_while(|count| **count == 0).count();
                symbol += zeros;
                (0..zeros / 3).for_each(|_| {
                    writer.add(3, 2);
                    writer.flush();
                });
                writer.add(zeros as u64 % 3, 2);
                writer.flush();
            }
        }
        writer.end()
    }
}

/// As many bits as pay for themselves: the states should not outnumber the symbols by far.
fn accuracy_log(histogram: &Histogram, total: u32, max: u32) -> u32 {
    let symbols = histogram.iter().filter(|count| **count > 0).count() as u32;
    let wanted = (total - 1).max(1).ilog2().saturating_sub(2);
    wanted.clamp(5, max).max(symbols.next_power_of_two().ilog2())
}

/// The logarithm in 256ths, straight between powers of two; `None` of zero.
fn log2(value: u16) -> Option<u32> {
    let whole = value.checked_ilog2()?;
    Some((whole << 8) + ((u32::from(value) << 8 >> whole) & 255))
}

/// How a symbol moves from state to state.
#[derive(Clone, Copy, Default)]
struct Transform {
    /// Added to a state, this gives the number of bits to write in the upper half.
    bits: u32,
    /// Added to the rest of the state, this gives the place of the next state.
    state: i32,
}

/// What symbols are coded with.
#[derive(Clone)]
pub(super) struct Table {
    pub(super) distribution: Distribution,
    states: [u16; MAX_STATES],
    transforms: [Transform; MAX_SYMBOLS],
}

impl Table {
    pub(super) fn new(distribution: Distribution) -> Self {
        let log = distribution.accuracy_log;
        let (size, mask) = (1_usize << log, (1_usize << log) - 1);
        let mut first = [0_usize; MAX_SYMBOLS];
        let mut transforms = [Transform::default(); MAX_SYMBOLS];
        let mut symbols = [0_u8; MAX_STATES];
        let (mut total, mut end) = (0, size);
        for (symbol, &count) in distribution.counts.iter().enumerate().filter(|(_, count)| **count != 0) {
            let places = usize::from(count.unsigned_abs());
            if count < 0 {
                end -= 1;
                symbols[end] = symbol as u8;
            }
            let bits = log - (places as u32).saturating_sub(1).checked_ilog2().unwrap_or(0);
            let (bits, least) = if places == 1 { (log, size) } else { (bits, places << bits) };
            first[symbol] = total;
            let state = total as i32 - places as i32;
            transforms[symbol] = Transform { bits: (bits << 16).wrapping_sub(least as u32), state };
            total += places;
        }
        // Section 4.1.1: symbols are spread by a step that visits every place once.
        let (mut place, step) = (0, (size >> 1) + (size >> 3) + 3);
        for (symbol, &count) in distribution.counts.iter().enumerate() {
            for _ in 0..count.max(0) {
                symbols[place % MAX_STATES] = symbol as u8;
                place = (place + step) & mask;
                while place >= end {
                    place = (place + step) & mask;
                }
            }
        }
        let mut states = [0; MAX_STATES];
        for (state, symbol) in symbols[..size].iter().enumerate() {
            let place = &mut first[usize::from(*symbol) % MAX_SYMBOLS];
            states[*place % MAX_STATES] = (size + state) as u16;
            *place += 1;
        }
        Self { distribution, states, transforms }
    }

    fn next(&self, value: u32, bits: u32, transform: Transform) -> State {
        let place = (value >> bits).wrapping_add_signed(transform.state);
        State(u32::from(self.states[place as usize % MAX_STATES]))
    }

    /// The state after the last symbol, with which coding begins.
    pub(super) fn last(&self, symbol: u8) -> State {
        let transform = self.transforms[usize::from(symbol) % MAX_SYMBOLS];
        let bits = transform.bits.wrapping_add(1 << 15) >> 16;
        self.next((bits << 16).wrapping_sub(transform.bits), bits, transform)
    }

    /// Codes a symbol that comes before what was coded so far.
    #[inline(always)]
    pub(super) fn code(&self, state: &mut State, symbol: u8, writer: &mut BitWriter<'_>) {
        let transform = self.transforms[usize::from(symbol) % MAX_SYMBOLS];
        let bits = state.0.wrapping_add(transform.bits) >> 16;
        writer.add(state.0.into(), bits);
        *state = self.next(state.0, bits, transform);
    }

    /// Writes the state that a decoder begins with.
    pub(super) fn end(&self, state: State, writer: &mut BitWriter<'_>) {
        writer.add(state.0.into(), self.distribution.accuracy_log);
    }
}

/// The state of an encoder: at least the number of states, and less than twice that.
#[derive(Clone, Copy)]
pub(super) struct State(u32);
