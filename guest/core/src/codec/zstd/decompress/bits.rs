//! Streams of bits: forwards for descriptions of tables, backwards for all that is coded with them.

use super::super::decoder::Damaged;

/// Reads from the last bit to the first one, as RFC 8878 section 4.1 has it.
///
/// Between two refills [`Self::REFILLED`] bits may be taken. Beyond the start there are zeros; that too much was taken
/// shows at the next refill, or in [`is_at_start`](Self::is_at_start).
#[derive(Clone, Copy)]
pub(super) struct BackwardBits<'a> {
    /// The bytes up to the highest one that has bits in `bits`.
    bytes: &'a [u8],
    /// The next bits are at the top. Below the bits of the stream there is a 1 that moves up with them, so the zeros at
    /// the bottom count how many were taken.
    bits: u64,
    /// The first bytes of the stream, at most 8, as a number.
    first: u64,
}

impl<'a> BackwardBits<'a> {
    /// How many are there after a refill: of 64, up to 7 were taken before, and the lowest is the mark.
    pub(super) const REFILLED: u32 = 64 - 7 - 1;

    /// Begins below the 1 that ends the stream.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Damaged> {
        let last = bytes.last().filter(|last| **last != 0).ok_or(Damaged)?;
        let first =
            bytes.iter().zip(0..8).fold(0, |first, (byte, place)| first | u64::from(*byte) << (8 * place));
        let mut bits = Self { bytes, bits: 1 << (last.leading_zeros() + 1), first };
        bits.refill()?;
        Ok(bits)
    }

    #[inline(always)]
    pub(super) fn refill(&mut self) -> Result<(), Damaged> {
        let taken = self.bits.trailing_zeros();
        let left = self.bytes.len().wrapping_sub(taken as usize >> 3);
        self.bytes = self.bytes.get(..left).ok_or(Damaged)?;
        let word = match self.bytes.last_chunk() {
            Some(word) => u64::from_le_bytes(*word),
            // Fewer than 8 bytes, on top of zeros.
            None => self.first << 8 << (56 - 8 * self.bytes.len()),
        };
        self.bits = (word | 1) << (taken & 7);
        Ok(())
    }

    /// Whether so many refills find all they need, so that [`refill_fast`](Self::refill_fast) will do.
    #[inline(always)]
    pub(super) const fn is_enough_for(&self, refills: usize) -> bool {
        self.bytes.len() >= (refills + 1) * 8
    }

    /// The same as [`refill`](Self::refill) where there is plenty.
    #[inline(always)]
    pub(super) fn refill_fast(&mut self) {
        let taken = self.bits.trailing_zeros();
        // Nothing is left out: the compiler sees that there are enough.
        self.bytes = self.bytes.get(..self.bytes.len() - (taken as usize >> 3)).unwrap_or_default();
        let word = self.bytes.last_chunk().map_or(0, |word| u64::from_le_bytes(*word));
        self.bits = (word | 1) << (taken & 7);
    }

    /// The next `count` bits as a number, at most 56.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> u64 {
        let value = self.bits >> 1 >> (63 - count);
        self.skip(count);
        value
    }

    /// The next `COUNT` bits as a number, which stay.
    #[inline(always)]
    pub(super) fn peek<const COUNT: u32>(&self) -> usize {
        (self.bits >> (64 - COUNT)) as usize
    }

    /// Passes over the next bits; only the lowest 6 bits of `count` matter.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.bits = self.bits.wrapping_shl(count);
    }

    /// The bits that are left; if negative, how many were taken too many.
    fn left(&self) -> i64 {
        self.bytes.len() as i64 * 8 - i64::from(self.bits.trailing_zeros())
    }

    /// Whether exactly all bits were taken.
    pub(super) fn is_at_start(&self) -> bool {
        self.left() == 0
    }

    /// More bits were taken than there are.
    pub(super) fn is_beyond_start(&self) -> bool {
        self.left() < 0
    }
}

/// Reads from the lowest bit of the first byte on; beyond the end there are zeros.
pub(super) struct ForwardBits<'a> {
    bytes: &'a [u8],
    taken: usize,
}

impl<'a> ForwardBits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, taken: 0 }
    }

    /// The next `count` bits as a number, at most 24, which stay.
    pub(super) fn peek(&self, count: u32) -> u32 {
        let at = self.taken >> 3;
        let byte = |place: usize| self.bytes.get(at + place).copied().unwrap_or_default();
        let word = u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)]);
        word >> (self.taken & 7) & ((1 << count) - 1)
    }

    pub(super) fn skip(&mut self, count: u32) {
        self.taken += count as usize;
    }

    pub(super) fn take(&mut self, count: u32) -> u32 {
        let value = self.peek(count);
        self.skip(count);
        value
    }

    /// The bytes after the one with the last bit that was taken.
    pub(super) fn rest(&self) -> Result<&'a [u8], Damaged> {
        self.bytes.get(self.taken.div_ceil(8)..).ok_or(Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_from_the_end() {
        let stream = [0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0x01];
        let mut bits = BackwardBits::new(&stream).unwrap();
        for digit in 0..16 {
            assert!(!bits.is_at_start());
            assert_eq!(bits.take(4), digit);
            bits.refill().unwrap();
        }
        assert!(bits.is_at_start());
        assert_eq!((bits.take(5), bits.is_beyond_start()), (0, true));
        bits.skip(3);
        assert!(bits.refill().is_err());
        assert!(BackwardBits::new(&[]).is_err() && BackwardBits::new(&[1, 0]).is_err());
    }

    #[test]
    fn bits_come_from_the_start() {
        let mut bits = ForwardBits::new(&[0b1010_0101, 0xff]);
        assert_eq!((bits.take(3), bits.take(5), bits.peek(12), bits.take(1)), (0b101, 0b10100, 0xff, 1));
        assert_eq!(bits.rest().unwrap(), b"");
        bits.skip(8);
        assert!(bits.rest().is_err());
    }
}
