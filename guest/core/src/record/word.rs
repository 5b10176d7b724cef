//! Eight bytes at a time, in one word of 64 bits: as fast in a component as outside it, and without `unsafe`.
//!
//! Marks are the high bits of the bytes that are meant. How to find them: Henry S. Warren, "Hacker's Delight", second
//! edition, section 6-1, in the form that no carry crosses from byte to byte, so that every mark is exact.

/// Bytes of a word.
pub(in crate::record) const SIZE: usize = 8;

const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const ONES: u64 = 0x0101_0101_0101_0101;

/// Eight bytes, the first of them in the lowest bits.
#[derive(Clone, Copy)]
pub(in crate::record) struct Word(u64);

impl Word {
    /// The first eight bytes, and those behind them; `None` if there are fewer.
    #[inline]
    pub(in crate::record) fn split_first(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (word, rest) = bytes.split_first_chunk::<SIZE>()?;
        Some((Self(u64::from_le_bytes(*word)), rest))
    }

    /// Fewer than eight bytes, and another byte as often as there is room behind them.
    #[inline]
    pub(in crate::record) fn padded(bytes: &[u8], with: u8) -> Self {
        let length = bytes.len() % SIZE;
        let last = |word: u64, size: usize| word << (8 * (length - size));
        let word = match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>(), bytes) {
            (Some(first), Some(end), _) => {
                u64::from(u32::from_le_bytes(*first)) | last(u32::from_le_bytes(*end).into(), 4)
            }
            (.., [first, .., end]) => {
                u64::from(*first)
                    | u64::from(bytes[length / 2]) << (8 * (length / 2))
                    | last((*end).into(), 1)
            }
            (.., [one]) => u64::from(*one),
            _ => 0,
        };
        Self(word | (ONES * u64::from(with)) << (8 * length))
    }

    /// A byte eight times over.
    pub(in crate::record) const fn repeat(byte: u8) -> Self {
        Self(ONES * byte as u64)
    }

    /// The bytes that are the same in both.
    #[inline]
    pub(in crate::record) const fn equal(self, other: Self) -> Marks {
        let difference = self.0 ^ other.0;
        Marks(zeros(difference))
    }

    /// The bytes below 0x20.
    #[inline]
    pub(in crate::record) const fn control_characters(self) -> Marks {
        Marks(zeros(self.0 & (ONES * 0xe0)))
    }

    /// The bytes that are not ASCII.
    #[inline]
    pub(in crate::record) const fn not_ascii(self) -> Marks {
        Marks(self.0 & !LOW_BITS)
    }

    #[inline]
    pub(in crate::record) const fn is_ascii(self) -> bool {
        self.0 & !LOW_BITS == 0
    }

    /// The bytes before a position below [`SIZE`]; the others are zero.
    #[inline]
    pub(in crate::record) const fn first_bytes(self, position: usize) -> Self {
        Self(self.0 & ((1 << (8 * position)) - 1))
    }
}

/// The high bit of each byte that is zero.
#[inline]
const fn zeros(word: u64) -> u64 {
    !(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS)
}

/// Some of the bytes of a [`Word`].
#[derive(Clone, Copy)]
pub(in crate::record) struct Marks(u64);

impl Marks {
    /// Those in either.
    #[inline]
    pub(in crate::record) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The position of the first one.
    #[inline]
    pub(in crate::record) const fn first(self) -> Option<usize> {
        if self.0 == 0 { None } else { Some(self.0.trailing_zeros() as usize / 8) }
    }

    /// Those before a position below [`SIZE`].
    #[inline]
    pub(in crate::record) const fn before(self, position: usize) -> Self {
        Self(self.0 & ((1 << (8 * position)) - 1))
    }

    /// How many. Not `count_ones`: processors have it, but not every build may use it.
    #[inline]
    pub(in crate::record) const fn count(self) -> usize {
        ((self.0 >> 7).wrapping_mul(ONES) >> 56) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_padded() {
        for length in 0..SIZE {
            let bytes = &b"abcdefg"[..length];
            let padded = [bytes, &b"xxxxxxxx"[length..]].concat();
            assert_eq!(Word::padded(bytes, b'x').0.to_le_bytes(), *padded, "{length}");
        }
    }

    #[test]
    fn marks_are_exact() {
        // Neighbours that a borrow or a carry would touch: 0x80 and 0x81 beside 0x01, 0x00 beside 0xff.
        for bytes in [*b"a,\x2d,,\xac,,", [0, 0xff, 0, 1, 0x80, 0x81, 0, 0], *b"\n\x0b\x8a\n\n\x09\n\xff"] {
            let (word, rest) = Word::split_first(&bytes).unwrap();
            assert!(rest.is_empty());
            for byte in 0..=u8::MAX {
                let marks = word.equal(Word::repeat(byte));
                assert_eq!(marks.first(), bytes.iter().position(|other| *other == byte), "{bytes:?} {byte}");
                for end in 0..SIZE {
                    let count = bytes[..end].iter().filter(|other| **other == byte).count();
                    assert_eq!(marks.before(end).count(), count, "{bytes:?} {byte} {end}");
                }
                assert_eq!(marks.count(), bytes.iter().filter(|other| **other == byte).count());
            }
        }
        assert!(Word::split_first(&[0; SIZE - 1]).is_none());
    }
}
