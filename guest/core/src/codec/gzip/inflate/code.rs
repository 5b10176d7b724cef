//! Huffman codes (RFC 1951 section 3.2) as tables that are looked up with the next bits of the input.
//!
//! A table is indexed by a fixed number of bits. A longer code leads to a second table behind the first; where two
//! literals together are short enough, one entry holds both. The layout of entries and the way in which tables are
//! filled by doubling follow libdeflate (E. Biggers, `deflate_decompress.c`).

use super::super::decoder::Damaged;

/// What bits stand for:
///
/// | bits | literals | a length or distance | other |
/// |---|---|---|---|
/// | 0–5 | bits to consume | the same, extra bits among them | the same; for [`LONGER`](Self::LONGER), those that index the second table |
/// | 6–7 | how many: 1 or 2 | 0 | 0 |
/// | 8–11 | the first | the bits of the code alone | |
/// | 12–14 | … | 0 | [`LONGER`](Self::LONGER), [`END`](Self::END) or [`INVALID`](Self::INVALID) |
/// | 16–31 | the second, up to bit 23 | what the extra bits are added to | for `LONGER`, where the second table begins |
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(u32);

impl Entry {
    const LITERALS: u32 = 3 << 6;
    const LONGER: u32 = 1 << 12;
    const END: u32 = 1 << 13;
    const INVALID: u32 = 1 << 14;
    /// What no code leads to.
    const NONE: Self = Self(Self::INVALID | 1);

    const fn literal(byte: u8, length: u32) -> Self {
        Self((byte as u32) << 8 | 1 << 6 | length)
    }

    /// A literal with another one behind it.
    const fn and(self, next: Self) -> Self {
        Self((next.0 & 0xff00) << 8 | (self.0 & 0xff00) | 2 << 6 | (self.bits() + next.bits()))
    }

    const fn number(base: u16, extra: u32, length: u32) -> Self {
        Self((base as u32) << 16 | length << 8 | (length + extra))
    }

    const fn end(length: u32) -> Self {
        Self(Self::END | length)
    }

    const fn invalid(length: u32) -> Self {
        Self(Self::INVALID | length)
    }

    const fn longer(start: usize, bits: u32) -> Self {
        Self((start as u32) << 16 | Self::LONGER | bits)
    }

    /// The bits that it takes up.
    pub(super) const fn bits(self) -> u32 {
        self.0 & 63
    }

    /// How many literals it is.
    pub(super) const fn literals(self) -> usize {
        (self.0 as usize >> 6) & 3
    }

    /// The literals; the bytes after them have no meaning.
    pub(super) const fn bytes(self) -> [u8; 2] {
        ((self.0 >> 8) as u16).to_le_bytes()
    }

    pub(super) const fn is_literal(self) -> bool {
        self.0 & Self::LITERALS != 0
    }

    /// It is the length or distance that [`value`](Self::value) tells, if it is no literal.
    pub(super) const fn is_number(self) -> bool {
        self.0 & (Self::LONGER | Self::END | Self::INVALID) == 0
    }

    pub(super) const fn is_end(self) -> bool {
        self.0 & (Self::END | Self::LITERALS) == Self::END
    }

    const fn is_longer(self) -> bool {
        self.0 & (Self::LONGER | Self::LITERALS) == Self::LONGER
    }

    /// The length or distance, with its extra bits from the bits that led to it.
    pub(super) const fn value(self, bits: u64) -> usize {
        let extra = (bits & ((1 << self.bits()) - 1)) >> ((self.0 >> 8) & 15);
        (self.0 >> 16) as usize + extra as usize
    }
}

/// Symbols that a code can have, at most: literals, the end, and lengths.
const MAX_SYMBOLS: usize = 288;

/// The table of a code, indexed by `BITS` bits at first. `SIZE` is a power of two that holds the largest such table with
/// all second ones.
pub(super) struct Table<const BITS: u32, const SIZE: usize>(Box<[Entry; SIZE]>);

/// Of literals and lengths. The largest has 2,342 entries (`enough 288 11 15` of zlib's examples).
pub(super) type Literals = Table<11, 4096>;

/// Of distances. The largest has 402 entries (`enough 32 8 15`).
pub(super) type Distances = Table<8, 512>;

/// Of the lengths of codes.
pub(super) type Lengths = Table<7, 128>;

impl<const BITS: u32, const SIZE: usize> Table<BITS, SIZE> {
    pub(super) fn new() -> Self {
        Self(Box::new([Entry::NONE; SIZE]))
    }

    /// Whether no code leads anywhere.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|entry| *entry == Entry::NONE)
    }

    /// What the next bits stand for.
    #[inline(always)]
    pub(super) fn look_up(&self, bits: u64) -> Entry {
        let entry = self.0[bits as usize & ((1 << BITS) - 1)];
        if !entry.is_longer() {
            return entry;
        }
        let second = (bits >> BITS) as usize & ((1 << entry.bits()) - 1);
        self.0[((entry.0 >> 16) as usize + second) & (SIZE - 1)]
    }

    /// Makes the table of the code in which symbol `s` has `lengths[s]` bits, 0 to 15; 0 is none. `entry` says what a
    /// symbol with a code of that length stands for.
    fn build(&mut self, lengths: &[u8], entry: impl Fn(usize, u32) -> Entry) -> Result<(), Damaged> {
        let mut counts = [0_usize; 16];
        for length in lengths {
            counts[usize::from(*length & 15)] += 1;
        }
        let used = lengths.len() - counts[0];
        let space: usize = (1..16).map(|length| counts[length] << (15 - length)).sum();
        // A code may leave bits without meaning only if it has a single symbol, of one bit, or none.
        if space > 1 << 15 || (space < 1 << 15 && used != counts[1]) {
            return Err(Damaged);
        }
        let symbols = by_length(lengths, &counts);
        let mut symbols = symbols[..used].iter().map(|symbol| usize::from(*symbol));

        let table = &mut *self.0;
        // Code words from the least significant bit on, as they are read; the first table doubles with their length.
        let mut word = 0;
        table[0] = Entry::NONE;
        for length in 1..=BITS {
            let half = 1 << (length - 1);
            table.copy_within(..half, half);
            for symbol in symbols.by_ref().take(counts[length as usize]) {
                table[word] = entry(symbol, length);
                word = next_word(word, length);
            }
        }
        let (mut end, mut start, mut prefix) = (1 << BITS, 0, usize::MAX);
        for length in BITS + 1..16 {
            let mut left = counts[length as usize];
            for symbol in symbols.by_ref().take(left) {
                if word & ((1 << BITS) - 1) != prefix {
                    prefix = word & ((1 << BITS) - 1);
                    let (mut inner, mut space) = (length - BITS, left);
                    while space < 1 << inner && BITS + inner < 15 {
                        inner += 1;
                        space = 2 * space + counts[(BITS + inner) as usize];
                    }
                    start = end;
                    end += 1 << inner;
                    table[prefix] = Entry::longer(start, inner);
                }
                let entry = entry(symbol, length);
                let first = start + (word >> BITS);
                let places = table.get_mut(first..end).ok_or(Damaged)?;
                places.iter_mut().step_by(1 << (length - BITS)).for_each(|place| *place = entry);
                word = next_word(word, length);
                left -= 1;
            }
        }
        Ok(())
    }
}

/// The symbols that have codes, in the order of these: by length, then by symbol.
fn by_length(lengths: &[u8], counts: &[usize; 16]) -> [u16; MAX_SYMBOLS] {
    let (mut symbols, mut next) = ([0; MAX_SYMBOLS], [0; 16]);
    for length in 2..16 {
        next[length] = next[length - 1] + counts[length - 1];
    }
    for (symbol, length) in (0..).zip(lengths).filter(|(_, length)| **length > 0) {
        let place = &mut next[usize::from(*length & 15)];
        symbols[*place] = symbol;
        *place += 1;
    }
    symbols
}

/// The code word after this one, both with their first bit lowest. After the last one it is without meaning.
const fn next_word(word: usize, length: u32) -> usize {
    // Adding one from the highest bit down: what is set there is cleared, and the first that is not is set.
    let clear = !word & ((1 << length) - 1);
    match clear.checked_ilog2() {
        Some(bit) => (word & ((1 << bit) - 1)) | 1 << bit,
        None => 0,
    }
}

impl Literals {
    /// For lengths of up to 288 codes.
    pub(super) fn set(&mut self, lengths: &[u8]) -> Result<(), Damaged> {
        // Without an end, a block cannot be whole.
        if lengths.get(256).is_none_or(|length| *length == 0) {
            return Err(Damaged);
        }
        self.build(lengths, |symbol, length| match symbol {
            0..=255 => Entry::literal(symbol as u8, length),
            256 => Entry::end(length),
            257..=264 => Entry::number(symbol as u16 - 254, 0, length),
            265..=284 => {
                let extra = (symbol as u32 - 261) / 4;
                Entry::number(((4 + (symbol as u16 - 261) % 4) << extra) + 3, extra, length)
            }
            285 => Entry::number(258, 0, length),
            _ => Entry::invalid(length),
        })?;
        for bits in (1..2048).rev() {
            let first = self.0[bits];
            if first.literals() == 1 && first.bits() < 11 {
                let second = self.0[bits >> first.bits()];
                if second.literals() == 1 && first.bits() + second.bits() <= 11 {
                    self.0[bits] = first.and(second);
                }
            }
        }
        Ok(())
    }
}

impl Distances {
    /// For lengths of up to 32 codes.
    pub(super) fn set(&mut self, lengths: &[u8]) -> Result<(), Damaged> {
        self.build(lengths, |symbol, length| match symbol {
            0..=3 => Entry::number(symbol as u16 + 1, 0, length),
            4..=29 => {
                let extra = (symbol as u32 - 2) / 2;
                Entry::number(((2 + symbol as u16 % 2) << extra) + 1, extra, length)
            }
            _ => Entry::invalid(length),
        })
    }
}

impl Lengths {
    /// For the lengths of 19 codes.
    pub(super) fn set(&mut self, lengths: &[u8; 19]) -> Result<(), Damaged> {
        if lengths.iter().all(|length| *length == 0) {
            return Err(Damaged);
        }
        self.build(lengths, |symbol, length| Entry::number(symbol as u16, 0, length))
    }
}
