//! The kernel: executes sequences, 16 bytes at a time.
#![allow(
    unsafe_code,
    reason = "with a check for every piece that is copied, decompression takes an eighth longer"
)]

use std::{marker::PhantomData, ptr};

use super::super::decoder::Damaged;

/// Copies go in pieces of this size, and may write up to a piece too far.
const PIECE: usize = 16;

/// How many bytes must follow the end of whatever is read or written.
pub(super) const SLACK: usize = 2 * PIECE;

/// Literals, and a match with what was before.
#[derive(Clone, Copy, Default)]
pub(super) struct Sequence {
    /// How many literals are taken.
    pub(super) literals: u32,
    /// How many bytes back the match begins.
    pub(super) offset: u32,
    /// How long the match is.
    pub(super) length: u32,
}

/// Literals, taken one after the other.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// From here on `left` bytes can be read, and [`SLACK`] more.
    at: *const u8,
    left: usize,
    bytes: PhantomData<&'a [u8]>,
}

impl<'a> Source<'a> {
    /// All of `bytes` but the last [`SLACK`].
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Damaged> {
        let left = bytes.len().checked_sub(SLACK).ok_or(Damaged)?;
        Ok(Self { at: bytes.as_ptr(), left, bytes: PhantomData })
    }
}

/// Where sequences are executed: a part of a ring of bytes.
///
/// Invariant: `start <= at <= end`. Everything from `start` to [`SLACK`] behind `end` belongs to one slice, which is
/// borrowed for `'a`; so do the first `lap` bytes from `start` on, and [`SLACK`] behind them.
pub(super) struct Output<'a> {
    start: *mut u8,
    at: *mut u8,
    end: *mut u8,
    lap: usize,
    reach: usize,
    bytes: PhantomData<&'a mut [u8]>,
}

impl<'a> Output<'a> {
    /// Writes from `at` to `end`. Matches reach back at most `reach` bytes: to the start, and then further back from
    /// `lap`. [`SLACK`] bytes must follow `end`, and `lap`.
    pub(super) fn new(
        bytes: &'a mut [u8],
        at: usize,
        end: usize,
        lap: usize,
        reach: usize,
    ) -> Result<Self, Damaged> {
        if at > end || bytes.len().checked_sub(SLACK).is_none_or(|most| end.max(lap) > most) {
            return Err(Damaged);
        }
        let start = bytes.as_mut_ptr();
        // SAFETY: neither is beyond the end of the slice: that was checked above.
        let (at, end) = unsafe { (start.add(at), start.add(end)) };
        Ok(Self { start, at, end, lap, reach, bytes: PhantomData })
    }

    /// Takes the remaining literals. Returns where writing ended, counted from the start of the slice.
    pub(super) fn finish(mut self, literals: &Source<'_>) -> Result<usize, Damaged> {
        if literals.left > self.end.addr() - self.at.addr() {
            return Err(Damaged);
        }
        // SAFETY: `left` bytes can be read there and written here, as was checked. They are two slices.
        unsafe {
            ptr::copy_nonoverlapping(literals.at, self.at, literals.left);
            self.at = self.at.add(literals.left);
        }
        Ok(self.written())
    }

    /// How far it was written.
    #[inline(always)]
    fn written(&self) -> usize {
        self.at.addr() - self.start.addr()
    }

    /// Executes sequences. The loop stands [alone](super::super::super), but for what takes more than a few pieces, or
    /// pieces that overlap, or is wrong.
    #[inline(never)]
    pub(super) fn execute_all(
        &mut self,
        literals: &mut Source<'_>,
        sequences: &[Sequence],
    ) -> Result<(), Damaged> {
        let Self { start, mut at, end, lap, reach, .. } = *self;
        let Source { at: mut from, mut left, .. } = *literals;
        for &sequence in sequences {
            let Sequence { literals: count, offset, length } = sequence;
            // None of these numbers has more than 31 bits. What is in the lap before is as frequent as not to be
            // predicted.
            let (count, offset, length) = (count as usize, offset as usize, length as usize);
            let written = at.addr() - start.addr() + count;
            let (lap, matched_end) = if offset > written { (lap, lap) } else { (0, usize::MAX / 2) };
            let matched = written.wrapping_sub(offset).wrapping_add(lap);
            if count > left
                || count > 2 * PIECE
                || length > 4 * PIECE
                || count + length > end.addr() - at.addr()
                || offset < PIECE
                || offset > reach
                || matched > matched_end
                || matched + length > matched_end
            {
                self.at = at;
                (literals.at, literals.left) = (from, left);
                self.execute(literals, sequence)?;
                at = self.at;
                (from, left) = (literals.at, literals.left);
                continue;
            }
            // SAFETY: `count` and `length` bytes, and SLACK, can be read and written, as was checked. The offset is at
            // least a piece, so that a piece is written before it is read again, and reaches no further than the start,
            // or the match lies in the lap before as a whole, which SLACK follows.
            unsafe {
                copy_piece(from, at);
                if count > PIECE {
                    copy_piece(from.add(PIECE), at.add(PIECE));
                }
                from = from.add(count);
                at = at.add(count);
                let matched = start.add(matched).cast_const();
                copy_piece(matched, at);
                copy_piece(matched.add(PIECE), at.add(PIECE));
                if length > 2 * PIECE {
                    copy_piece(matched.add(2 * PIECE), at.add(2 * PIECE));
                    copy_piece(matched.add(3 * PIECE), at.add(3 * PIECE));
                }
                at = at.add(length);
            }
            left -= count;
        }
        self.at = at;
        (literals.at, literals.left) = (from, left);
        Ok(())
    }

    /// Takes the literals of any sequence, then repeats what it says.
    #[cold]
    #[inline(never)]
    fn execute(&mut self, literals: &mut Source<'_>, sequence: Sequence) -> Result<(), Damaged> {
        let Sequence { literals: count, offset, length } = sequence;
        let (count, offset, length) = (count as usize, offset as usize, length as usize);
        // Neither number has more than 18 bits.
        if count > literals.left || count + length > self.end.addr() - self.at.addr() {
            return Err(Damaged);
        }
        // SAFETY: `count` bytes and SLACK can be read there and written here, as was checked; so moving on by `count`
        // keeps both invariants. They are two slices.
        unsafe {
            copy(literals.at, self.at, count);
            literals.at = literals.at.add(count);
            self.at = self.at.add(count);
        }
        literals.left -= count;

        // An offset of 0 is wrong, too.
        if offset.wrapping_sub(1) >= self.reach {
            return Err(Damaged);
        }
        if offset > self.written() {
            return self.repeat_lap(offset, length);
        }
        // SAFETY: what was checked before leaves room for `length` bytes and SLACK; the offset is at least 1, and reaches
        // no further than the start.
        unsafe {
            repeat(self.at, offset, length);
            self.at = self.at.add(length);
        }
        Ok(())
    }

    /// Repeats what begins `offset` bytes back, in the lap before.
    fn repeat_lap(&mut self, offset: usize, length: usize) -> Result<(), Damaged> {
        let before = offset.checked_sub(self.written()).ok_or(Damaged)?;
        let from = self.lap.checked_sub(before).ok_or(Damaged)?;
        if offset.wrapping_sub(1) >= self.reach || length > self.end.addr() - self.at.addr() {
            return Err(Damaged);
        }
        let part = before.min(length);
        // SAFETY: there is room for `length` bytes, as was checked; `from + part` is at most `lap`. What is behind that part
        // is `offset` back as well, and begins at the start.
        unsafe {
            ptr::copy(self.start.add(from), self.at, part);
            self.at = self.at.add(part);
            if part < length {
                repeat(self.at, offset, length - part);
                self.at = self.at.add(length - part);
            }
        }
        Ok(())
    }
}

/// Copies `count` bytes, and less than [`SLACK`] more. Only long copies use a loop.
///
/// # Safety
/// `count` bytes and [`SLACK`] can be read and written. If they overlap, `to` is at least a [`PIECE`] behind `from`.
#[inline(always)]
unsafe fn copy(from: *const u8, to: *mut u8, count: usize) {
    // SAFETY: as this function, for two pieces. In the loop a pair begins less than `count` bytes from the start.
    unsafe {
        copy_piece(from, to);
        if count > PIECE {
            copy_piece(from.add(PIECE), to.add(PIECE));
            let mut done = 2 * PIECE;
            while done < count {
                copy_piece(from.add(done), to.add(done));
                copy_piece(from.add(done + PIECE), to.add(done + PIECE));
                done += 2 * PIECE;
            }
        }
    }
}

/// # Safety
/// A piece can be read and written.
#[inline(always)]
unsafe fn copy_piece(from: *const u8, to: *mut u8) {
    // SAFETY: as this function.
    unsafe { to.cast::<[u8; PIECE]>().write_unaligned(from.cast::<[u8; PIECE]>().read_unaligned()) }
}

/// Repeats what is `offset` bytes back.
///
/// # Safety
/// There are `offset` bytes before `to`, at least one; behind it `length` and [`SLACK`] can be written and read.
#[inline(always)]
unsafe fn repeat(to: *mut u8, offset: usize, length: usize) {
    // SAFETY: as this function; a piece is no longer than the offset, so it is written before it is read again.
    unsafe {
        let from = to.sub(offset);
        if offset >= PIECE {
            copy(from, to, length);
        } else {
            spread(to, offset, length);
        }
    }
}

/// Repeats less than a piece: writes a piece of it, then a multiple of it can be the distance.
///
/// # Safety
/// As [`repeat`], with an offset below [`PIECE`].
unsafe fn spread(to: *mut u8, offset: usize, length: usize) {
    // SAFETY: as this function, which has SLACK of two pieces; words are half as long. The distance is at least a piece and
    // less than two of them, so that `next` is at most a piece and the offset further than `from`, and behind the end of
    // what was written less than a piece.
    unsafe {
        let from = to.sub(offset);
        let (low, high);
        if offset < 8 {
            // Eight bytes of the pattern, then the eight that follow them.
            let width = 8 * offset as u32;
            let one = word(from) & ((1 << width) - 1);
            let two = one | one << width;
            let four = two | two.checked_shl(2 * width).unwrap_or(0);
            low = four | four.checked_shl(4 * width).unwrap_or(0);
            let turn = 8 * (8 % offset as u32);
            high = low >> turn | low << (width - turn);
            put(to, low);
        } else {
            low = word(from);
            put(to, low);
            high = word(from.add(8));
        }
        put(to.add(8), high);
        let distance = PIECE.next_multiple_of(offset);
        let done = distance - offset;
        if done < length {
            copy(from, from.add(distance), length - done);
        }
    }
}

/// # Safety
/// Eight bytes can be read.
unsafe fn word(from: *const u8) -> u64 {
    // SAFETY: as this function.
    u64::from_le_bytes(unsafe { from.cast::<[u8; 8]>().read_unaligned() })
}

/// # Safety
/// Eight bytes can be written.
unsafe fn put(to: *mut u8, word: u64) {
    // SAFETY: as this function.
    unsafe { to.cast::<[u8; 8]>().write_unaligned(word.to_le_bytes()) }
}
