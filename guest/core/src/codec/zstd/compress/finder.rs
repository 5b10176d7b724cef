//! Match finders: they cut a block into literals and matches with what came before.

mod double;
mod fast;
mod lazy;
mod optimal;
mod prices;
mod rows;
mod tree;

pub(super) use double::Double;
pub(super) use fast::Fast;
pub(super) use lazy::Lazy;
pub(super) use optimal::{Effort, Optimal};

#[cfg(test)]
pub(super) use rows::MAX_POSITION as MAX_POSITION_OF_ROWS;

use super::{sequences::Sequences, tables::Tables};

/// The last offsets, the latest first, as a decoder knows them. Only [`Optimal`] uses the third, and keeps it right.
pub(super) type Offsets = [u32; 3];

/// Finds matches. Positions are places in the history; place 0 is never matched.
pub(super) trait Finder {
    /// Finds matches for the block from `start` to the end of the history. No match begins before `lowest`.
    fn find(
        &mut self,
        history: &[u8],
        start: usize,
        lowest: usize,
        offsets: &mut Offsets,
        sequences: &mut Sequences,
    );

    /// The history lost this many bytes at its start.
    fn slide(&mut self, by: usize);

    /// Takes in the content of a dictionary, which the history begins with, and what its tables tell. Nothing came before.
    fn learn(&mut self, content: &[u8], known: Option<&Tables>);

    /// Another one that knows the same.
    fn copy(&self) -> Box<dyn Finder>;
}

/// Where words were last seen, by their hash.
#[derive(Clone)]
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

    /// Lessens all positions; those that would be below 0 are forgotten.
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

/// Each position with eight bytes from there on.
fn words(data: &[u8]) -> impl Iterator<Item = (usize, u64)> {
    (0..).map_while(|at| Some((at, word(data, at)?)))
}

/// Four bytes from there on.
#[inline(always)]
fn half(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*data.get(at..)?.first_chunk()?))
}

/// How many bytes are the same from both places on; `at` is the later one.
///
/// Most matches are short. For them there is no loop, because a sandbox checks at the head of each loop whether time is
/// up.
#[inline(always)]
fn common_length(data: &[u8], earlier: usize, at: usize) -> usize {
    match common_word(data, earlier, at) {
        Some(8) => match common_word(data, earlier + 8, at + 8) {
            Some(8) => 16 + common_length_beyond(data, earlier + 16, at + 16),
            Some(length) => 8 + length,
            None => 8 + common_length_beyond(data, earlier + 8, at + 8),
        },
        Some(length) => length,
        None => common_length_beyond(data, earlier, at),
    }
}

/// How many of the eight bytes from both places on are the same, if there are eight.
#[inline(always)]
fn common_word(data: &[u8], earlier: usize, at: usize) -> Option<usize> {
    let difference = word(data, at)? ^ word(data, earlier)?;
    Some((difference.trailing_zeros() >> 3) as usize)
}

#[inline(never)]
fn common_length_beyond(data: &[u8], earlier: usize, at: usize) -> usize {
    let mut length = 0;
    while let Some(more) = common_word(data, earlier + length, at + length) {
        length += more;
        if more < 8 {
            return length;
        }
    }
    while data.get(at + length).is_some_and(|byte| data.get(earlier + length) == Some(byte)) {
        length += 1;
    }
    length
}

/// How many bytes before both places are the same, down to the limit of each.
#[inline(always)]
fn common_before(data: &[u8], earlier: usize, lowest: usize, at: usize, from: usize) -> usize {
    let most = (earlier - lowest).min(at - from);
    if let (Some(ahead), Some(behind)) = (word(data, at.wrapping_sub(8)), word(data, earlier.wrapping_sub(8)))
    {
        let length = ((ahead ^ behind).leading_zeros() >> 3) as usize;
        if length < 8 || most <= 8 {
            return most.min(length);
        }
    }
    common_length_before(data, earlier, at, most)
}

#[inline(never)]
fn common_length_before(data: &[u8], earlier: usize, at: usize, most: usize) -> usize {
    (0..most).take_while(|length| data[earlier - length - 1] == data[at - length - 1]).count()
}
