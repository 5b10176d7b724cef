//! What was decompressed last, as far back as matches may reach.

use super::super::decoder::Damaged;

/// Copies go in pieces of this size, and may write up to so much too far.
const PIECE: usize = 16;

/// What has to be there behind the end of what is read or written.
pub(super) const SLACK: usize = 2 * PIECE;

/// A ring: it is filled from the start to its end, then again. What is in front of the place where it is written is of
/// this lap, what is behind of the lap before.
pub(super) struct Window {
    bytes: Vec<u8>,
    /// Where the next byte goes.
    at: usize,
    /// Where the lap before ended; 0 in the first lap.
    lap: usize,
    /// How far back matches may reach.
    reach: usize,
    /// The longest block.
    max_block: usize,
    /// The bytes from here to `at` were not drained.
    drained: usize,
}

impl Window {
    pub(super) const fn new() -> Self {
        Self { bytes: Vec::new(), at: 0, lap: 0, reach: 0, max_block: 0, drained: 0 }
    }

    /// Forgets everything, for matches and blocks of at most these lengths.
    pub(super) fn reset(&mut self, reach: usize, max_block: usize) {
        *self = Self { bytes: std::mem::take(&mut self.bytes), reach, max_block, ..Self::new() };
        let full = self.full();
        self.bytes.truncate(full);
        self.bytes.shrink_to(full);
    }

    /// How long the ring has to be: what a block and [`SLACK`] overwrite must be out of reach.
    const fn full(&self) -> usize {
        self.reach + self.max_block + 2 * SLACK
    }

    /// Makes room for a block, of which there may be so many bytes.
    pub(super) fn begin(&mut self, room: usize) {
        let needed = self.at + room + SLACK;
        if needed <= self.bytes.len() {
            return;
        }
        let full = self.full();
        if needed <= full {
            // At most doubled: memory follows the contents, not what the header asks for.
            let length = needed.max(2 * self.bytes.len()).min(full);
            self.bytes.reserve_exact(length - self.bytes.len());
            self.bytes.resize(length, 0);
        } else {
            self.lap = self.at;
            self.at = 0;
            self.drained = 0;
        }
    }

    /// Where to write; the block must not be longer than [`begin`](Self::begin) was told.
    pub(super) fn writer(&mut self, room: usize) -> Writer<'_> {
        Writer { end: self.at + room, at: self.at, lap: self.lap, reach: self.reach, bytes: &mut self.bytes }
    }

    /// Takes what a writer wrote.
    pub(super) fn advance(&mut self, at: usize) {
        self.at = at;
    }

    /// What was not drained.
    pub(super) fn pending(&self) -> &[u8] {
        &self.bytes[self.drained..self.at]
    }

    /// Takes as drained.
    pub(super) fn drain(&mut self, count: usize) {
        self.drained += count;
    }
}

/// Appends to a window.
pub(super) struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
    /// Where to stop.
    end: usize,
    lap: usize,
    reach: usize,
}

impl Writer<'_> {
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Appends any bytes.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> Result<&Self, Damaged> {
        self.room(bytes.len())?.copy_from_slice(bytes);
        self.at += bytes.len();
        Ok(self)
    }

    /// Appends one byte so many times.
    pub(super) fn fill(&mut self, byte: u8, count: usize) -> Result<&Self, Damaged> {
        self.room(count)?.fill(byte);
        self.at += count;
        Ok(self)
    }

    fn room(&mut self, count: usize) -> Result<&mut [u8], Damaged> {
        if count > self.end - self.at {
            return Err(Damaged);
        }
        self.bytes.get_mut(self.at..self.at + count).ok_or(Damaged)
    }

    /// Appends the first `count` of `literals`, which have [`SLACK`] behind them.
    #[inline(always)]
    pub(super) fn literals(&mut self, literals: &[u8], count: usize) -> Result<(), Damaged> {
        let end = self.at + count;
        if end > self.end {
            return Err(Damaged);
        }
        put(self.bytes, self.at, piece(literals, 0)?)?;
        let mut done = PIECE;
        while done < count {
            put(self.bytes, self.at + done, piece(literals, done)?)?;
            done += PIECE;
        }
        self.at = end;
        Ok(())
    }

    /// Appends a match.
    #[inline(always)]
    pub(super) fn repeat(&mut self, offset: usize, length: usize) -> Result<(), Damaged> {
        if length > self.end - self.at || offset > self.reach {
            return Err(Damaged);
        }
        if offset <= self.at { self.repeat_here(offset, length) } else { self.repeat_lap(offset, length) }
    }

    #[inline(always)]
    fn repeat_here(&mut self, offset: usize, length: usize) -> Result<(), Damaged> {
        let (mut to, end) = (self.at, self.at + length);
        let mut from = to - offset;
        if offset < PIECE {
            to = self.spread(offset)?;
        }
        loop {
            put(self.bytes, to, piece(self.bytes, from)?)?;
            to += PIECE;
            from += PIECE;
            if to >= end {
                break;
            }
        }
        self.at = end;
        Ok(())
    }

    /// Begins a match of an offset below [`PIECE`], which cannot be copied in pieces: repeats it until a multiple of it
    /// can be the distance. Returns to where the match is to be copied from its start on.
    fn spread(&mut self, offset: usize) -> Result<usize, Damaged> {
        let from = self.at - offset;
        let (low, high);
        if let Some(pattern) = 1_u64.checked_shl(8 * offset as u32) {
            // Eight bytes of the pattern, then the eight that follow them.
            let one = word(self.bytes, from)? & pattern.wrapping_sub(1);
            let two = one | one << (8 * offset);
            let four = two | two.checked_shl(16 * offset as u32).unwrap_or(0);
            low = four | four.checked_shl(32 * offset as u32).unwrap_or(0);
            let turn = 8 % offset;
            high = low >> (8 * turn) | low << (8 * (offset - turn));
            put_word(self.bytes, self.at, low)?;
        } else {
            low = word(self.bytes, from)?;
            put_word(self.bytes, self.at, low)?;
            high = word(self.bytes, from + 8)?;
        }
        put_word(self.bytes, self.at + 8, high)?;
        Ok(from + PIECE.next_multiple_of(offset))
    }

    /// Appends a match that begins in the lap before.
    #[cold]
    #[inline(never)]
    fn repeat_lap(&mut self, offset: usize, length: usize) -> Result<(), Damaged> {
        let before = offset - self.at;
        let from = self.lap.checked_sub(before).ok_or(Damaged)?;
        let part = before.min(length);
        self.bytes.copy_within(from..from + part, self.at);
        self.at += part;
        if part < length { self.repeat_here(offset, length - part) } else { Ok(()) }
    }
}

#[inline(always)]
fn piece(bytes: &[u8], at: usize) -> Result<[u8; PIECE], Damaged> {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).copied().ok_or(Damaged)
}

#[inline(always)]
fn put(bytes: &mut [u8], at: usize, piece: [u8; PIECE]) -> Result<(), Damaged> {
    *bytes.get_mut(at..).and_then(|bytes| bytes.first_chunk_mut()).ok_or(Damaged)? = piece;
    Ok(())
}

fn word(bytes: &[u8], at: usize) -> Result<u64, Damaged> {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map(|word| u64::from_le_bytes(*word)).ok_or(Damaged)
}

fn put_word(bytes: &mut [u8], at: usize, word: u64) -> Result<(), Damaged> {
    *bytes.get_mut(at..).and_then(|bytes| bytes.first_chunk_mut()).ok_or(Damaged)? = word.to_le_bytes();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the plainest of implementations, over several laps.
    #[test]
    fn matches_repeat_what_was_there() {
        const REACH: usize = 200;
        let mut window = Window::new();
        window.reset(REACH, 100);
        let (mut expected, mut drained) = (Vec::new(), Vec::new());
        let mut literals = [0; 50 + SLACK];
        for round in 0..3000_usize {
            window.begin(100);
            let mut writer = window.writer(100);
            let count = round * 7 % 51;
            literals.iter_mut().enumerate().for_each(|(place, byte)| *byte = (place * 31 + round) as u8);
            writer.literals(&literals, count).unwrap();
            expected.extend_from_slice(&literals[..count]);

            let (offset, length) = (1 + round * 13 % REACH, round * 11 % 51);
            let result = writer.repeat(offset, length);
            assert_eq!(result.is_ok(), offset <= expected.len());
            if result.is_ok() {
                for _ in 0..length {
                    expected.push(expected[expected.len() - offset]);
                }
            }
            let at = writer.at();
            window.advance(at);
            drained.extend_from_slice(window.pending());
            window.drain(window.pending().len());
            assert!(drained == expected, "round {round}");
        }
        assert!(window.bytes.len() <= REACH + 100 + 2 * SLACK);
        let mut writer = window.writer(10);
        assert!(writer.repeat(REACH + 1, 3).is_err(), "out of reach");
        assert!(writer.repeat(1, 11).is_err(), "too long");
        assert!(writer.copy(&[0; 11]).is_err() && writer.fill(0, 11).is_err());
    }
}
