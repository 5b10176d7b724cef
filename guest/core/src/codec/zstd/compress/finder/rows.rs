//! A table with many places for each hash, and a byte of the hash in each.
//!
//! Source: the idea is that of Swiss tables (Abseil), and the reference uses it for matches as well. The bytes of a row
//! are compared all at once, so few places are looked at in vain. They stand in the same words as the positions, so that a row
//! of 16 words is one line of the cache: rows are what a search waits for.

/// How many bits of a word are the position; the others are the tag.
const POSITION_BITS: u32 = 24;

const POSITION: u32 = (1 << POSITION_BITS) - 1;

/// The largest position that a row can hold.
pub(crate) const MAX_POSITION: usize = POSITION as usize;

/// Words that are compared at once.
const GROUP: usize = 16;

/// Where words were seen last: `WORDS` places for each hash, the latest first. `WORDS` is 16, 32 or 64.
#[derive(Clone)]
pub(super) struct Rows<const WORDS: usize> {
    rows: Box<[Row<WORDS>]>,
    /// The latest place of each row; earlier ones follow, round and round. They stand apart so that nothing waits for a row
    /// when a position is put into it.
    heads: Box<[u8]>,
    shift: u32,
}

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Row<const WORDS: usize>([u32; WORDS]);

/// A row, and what the places in it have to be tagged with.
#[derive(Clone, Copy)]
pub(super) struct Key {
    row: usize,
    tag: u32,
}

impl<const WORDS: usize> Rows<WORDS> {
    /// Of `2^log` words in all.
    pub(super) fn new(log: u32) -> Self {
        let rows_log = log.saturating_sub(WORDS.ilog2()).max(1);
        let rows = 1 << rows_log;
        Self { rows: vec![Row([0; WORDS]); rows].into(), heads: vec![0; rows].into(), shift: 64 - rows_log }
    }

    /// Of a hash, whose highest bits count.
    #[inline(always)]
    pub(super) const fn key(&self, hash: u64) -> Key {
        Key { row: (hash >> self.shift) as usize, tag: (hash >> (self.shift - 8)) as u32 & 0xff }
    }

    /// Puts a position in the place of the oldest. It is at most [`MAX_POSITION`].
    #[inline(always)]
    pub(super) fn insert(&mut self, Key { row, tag }: Key, position: usize) {
        debug_assert!(position <= MAX_POSITION);
        let head = &mut self.heads[row];
        *head = head.wrapping_sub(1) % WORDS as u8;
        self.rows[row].0[usize::from(*head) % WORDS] = tag << POSITION_BITS | position as u32 & POSITION;
    }

    /// Where the hash may have been seen, the latest first.
    #[inline(always)]
    pub(super) fn find(&self, Key { row, tag }: Key) -> Found<'_, WORDS> {
        let Row(words) = &self.rows[row];
        let mut same = 0;
        for (number, group) in words.as_chunks::<GROUP>().0.iter().enumerate() {
            same |= u64::from(places_of(tag, group)) << (GROUP * number);
        }
        let latest = u32::from(self.heads[row]);
        let places = (same >> latest | same << ((WORDS as u32 - latest) % 64)) & (!0 >> (64 - WORDS));
        Found { words, places, latest: latest as usize }
    }

    /// Lessens all positions; those that would be below 0 are forgotten.
    pub(super) fn slide(&mut self, by: usize) {
        for Row(words) in &mut self.rows {
            for word in words {
                *word = *word & !POSITION | (*word & POSITION).saturating_sub(by as u32);
            }
        }
    }
}

/// A bit for each word with that tag.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[inline(always)]
fn places_of(tag: u32, group: &[u32; GROUP]) -> u32 {
    let words = group.iter().enumerate();
    words.fold(0, |bits, (place, word)| bits | u32::from(word >> POSITION_BITS == tag) << place)
}

/// The same by vectors, which the compiler does not make of it.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline(always)]
fn places_of(tag: u32, group: &[u32; GROUP]) -> u32 {
    use core::arch::wasm32::{u32x4, u32x4_bitmask, u32x4_eq, u32x4_shr, u32x4_splat};

    let tag = u32x4_splat(tag);
    group.as_chunks::<4>().0.iter().rev().fold(0, |bits, [a, b, c, d]| {
        let tags = u32x4_shr(u32x4(*a, *b, *c, *d), POSITION_BITS);
        bits << 4 | u32::from(u32x4_bitmask(u32x4_eq(tags, tag)))
    })
}

/// Positions of a row.
pub(super) struct Found<'a, const WORDS: usize> {
    words: &'a [u32; WORDS],
    /// A bit for each, from the latest on.
    places: u64,
    latest: usize,
}

impl<const WORDS: usize> Iterator for Found<'_, WORDS> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.places == 0 {
            return None;
        }
        let place = self.places.trailing_zeros() as usize + self.latest;
        self.places &= self.places - 1;
        Some((self.words[place % WORDS] & POSITION) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_come_first_and_the_oldest_go() {
        check::<16>();
        check::<32>();
        check::<64>();
    }

    fn check<const WORDS: usize>() {
        let mut rows = Rows::<WORDS>::new(12);
        let (one, other) = (Key { row: 1, tag: 3 }, Key { row: 1, tag: 0 });
        for position in 0..3 * WORDS {
            rows.insert(one, 1000 + position);
            let found: Vec<_> = rows.find(one).collect();
            let expected: Vec<_> = (0..=position).rev().take(WORDS).map(|place| 1000 + place).collect();
            assert_eq!(found, expected);
            assert_eq!(rows.find(other).find(|place| *place > 0), None);
        }
        rows.slide(1000 + 2 * WORDS);
        let expected: Vec<_> = (0..WORDS).rev().collect();
        assert_eq!(rows.find(one).collect::<Vec<_>>(), expected);
    }
}
