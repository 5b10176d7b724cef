//! Match finders: they cut a block into literals and matches with what came before.

mod double;
mod fast;
mod lazy;
mod rows;

pub(super) use double::Double;
pub(super) use fast::Fast;
pub(super) use lazy::Lazy;

use super::sequences::Sequences;

/// The last offsets, the latest first, as a decoder knows them. The format has a third, which no finder uses.
pub(super) type Offsets = [u32; 2];

/// Finds matches. Positions are places in the history; place 0 is never matched.
pub(super) trait Finder {
    /// Finds those of the block from `start` to the end of the history, none of which begins before `lowest`.
    fn find(
        &mut self,
        history: &[u8],
        start: usize,
        lowest: usize,
        offsets: &mut Offsets,
        sequences: &mut Sequences,
    );

    /// The history lost so many bytes at its start.
    fn slide(&mut self, by: usize);
}

/// Where words were seen last, by their hash.
pub(super) struct Table {
    positions: Box<[u32]>,
    shift: u32,
}

impl Table {
    pub(super) fn new(log: u32) -> Self {
        Self { positions: vec![0; 1 << log].into(), shift: 64 - log }
    }

    /// The place of a hash, whose highest bits count.
    #[inline(always)]
    fn place(&mut self, hash: u64) -> &mut u32 {
        &mut self.positions[(hash >> self.shift) as usize]
    }

    /// Where that hash was seen last; from now on, `position`.
    #[inline(always)]
    fn replace(&mut self, hash: u64, position: usize) -> usize {
        std::mem::replace(self.place(hash), position as u32) as usize
    }

    #[inline(always)]
    fn set(&mut self, hash: u64, position: usize) {
        *self.place(hash) = position as u32;
    }

    fn slide(&mut self, by: usize) {
        for position in &mut self.positions {
            *position = position.saturating_sub(by as u32);
        }
    }
}

/// Of a word's 8 bytes, the first `8 - ignored / 8`.
///
/// The multiplier is 2^64 over the golden ratio, made prime, as Knuth advises for multiplicative hashing.
#[inline(always)]
const fn hash(word: u64, ignored: u32) -> u64 {
    (word << ignored).wrapping_mul(0x9e37_79b1_85eb_ca87)
}

/// Eight bytes from there on.
#[inline(always)]
fn word(data: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*data.get(at..)?.first_chunk()?))
}

/// Four bytes from there on.
#[inline(always)]
fn half(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*data.get(at..)?.first_chunk()?))
}

/// How many bytes are the same from both places on; `at` is the later one.
#[inline(always)]
fn common_length(data: &[u8], earlier: usize, at: usize) -> usize {
    let mut length = 0;
    while let (Some(ahead), Some(behind)) = (word(data, at + length), word(data, earlier + length)) {
        let difference = ahead ^ behind;
        if difference != 0 {
            return length + (difference.trailing_zeros() >> 3) as usize;
        }
        length += 8;
    }
    while data.get(at + length).is_some_and(|byte| data.get(earlier + length) == Some(byte)) {
        length += 1;
    }
    length
}

/// How many bytes are the same before both places, down to the limits of each.
#[inline(always)]
fn common_before(data: &[u8], earlier: usize, lowest: usize, at: usize, from: usize) -> usize {
    let mut length = 0;
    while earlier - length > lowest
        && at - length > from
        && data[earlier - length - 1] == data[at - length - 1]
    {
        length += 1;
    }
    length
}
