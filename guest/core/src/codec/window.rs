//! Memory that holds unpacked contents and is copied from again: for the matches of deflate and the copies of Snappy.
//!
//! Places are taken modulo a power of two far beyond those in use. So no place is outside, and none has to be checked:
//! in the innermost loops checks would cost more than this memory, most of which is never touched.

/// The largest place and one.
const MODULUS: usize = 256 << 10;

/// The most that is read or written at once.
const WIDEST: usize = 16;

/// What [`repeat_short`](Window::repeat_short) repeats at most.
const SHORT: usize = 4 * WIDEST;

/// Contents, from place 0 on.
pub(super) struct Window(Box<[u8; MODULUS + SHORT]>);

impl Window {
    /// How much it can hold. Less than [`SHORT`] bytes may be written behind a match.
    pub(super) const CAPACITY: usize = MODULUS - SHORT;

    pub(super) fn new() -> Self {
        Self(Box::new([0; MODULUS + SHORT]))
    }

    /// Bytes that were written before; all that are there if there are fewer.
    pub(super) fn between(&self, start: usize, end: usize) -> &[u8] {
        self.0.get(start..end).unwrap_or_default()
    }

    /// Moves these bytes to the start.
    #[cfg(feature = "fast")]
    pub(super) fn keep(&mut self, start: usize, end: usize) {
        self.0.copy_within(start..end, 0);
    }

    #[inline(always)]
    fn load<const WIDE: usize>(&self, at: usize) -> [u8; WIDE] {
        const { assert!(WIDE <= WIDEST) }
        // Tells the compiler that they are there, so that it needs no branch.
        self.0[at % MODULUS..].first_chunk().copied().unwrap_or([0; WIDE])
    }

    /// Writes bytes at a place.
    #[inline(always)]
    pub(super) fn store<const WIDE: usize>(&mut self, at: usize, bytes: [u8; WIDE]) {
        const { assert!(WIDE <= WIDEST) }
        if let Some(place) = self.0[at % MODULUS..].first_chunk_mut() {
            *place = bytes;
        }
    }

    /// Writes bytes behind the end, within the capacity; gives the new end.
    pub(super) fn append(&mut self, end: usize, bytes: &[u8]) -> usize {
        self.0[end..end + bytes.len()].copy_from_slice(bytes);
        end + bytes.len()
    }

    /// Repeats `length` bytes from `distance` back (at least 1), and writes some more behind them; returns the new end.
    #[inline(always)]
    pub(super) fn repeat(&mut self, end: usize, distance: usize, length: usize) -> usize {
        match distance >= WIDEST && length <= SHORT {
            true => self.repeat_short(end, distance, length),
            false => self.repeat_any(end, distance, length),
        }
    }

    /// The same with loops, which a [hot loop](super) must not have in it.
    #[cold]
    #[inline(never)]
    fn repeat_any(&mut self, end: usize, distance: usize, length: usize) -> usize {
        let (from, after) = (end.wrapping_sub(distance), end + length);
        match distance {
            16.. => self.copy::<16>(from, end, after),
            8.. => self.copy::<8>(from, end, after),
            _ => self.fill(from, end, after),
        }
        after
    }

    /// The same for what most matches are: not long, and not overlapping within a piece.
    #[inline(always)]
    fn repeat_short(&mut self, end: usize, distance: usize, length: usize) -> usize {
        let (from, to) = (end.wrapping_sub(distance) % MODULUS, end % MODULUS);
        self.copy_piece(from, to);
        self.copy_piece(from + WIDEST, to + WIDEST);
        if length > 2 * WIDEST {
            self.copy_piece(from + 2 * WIDEST, to + 2 * WIDEST);
            self.copy_piece(from + 3 * WIDEST, to + 3 * WIDEST);
        }
        end + length
    }

    /// Copies from a place to another one, both at most three pieces beyond the modulus: the compiler sees that they are
    /// there.
    #[inline(always)]
    fn copy_piece(&mut self, from: usize, to: usize) {
        let piece: Option<[u8; WIDEST]> = self.0[from..].first_chunk().copied();
        if let (Some(piece), Some(place)) = (piece, self.0[to..].first_chunk_mut()) {
            *place = piece;
        }
    }

    /// Copies in steps that do not overlap their source, at least two of them, always to the end of a step.
    #[inline(always)]
    fn copy<const WIDE: usize>(&mut self, mut from: usize, mut to: usize, after: usize) {
        self.store::<WIDE>(to, self.load(from));
        self.store::<WIDE>(to + WIDE, self.load(from + WIDE));
        while to + 2 * WIDE < after {
            (from, to) = (from + 2 * WIDE, to + 2 * WIDE);
            self.store::<WIDE>(to, self.load(from));
            self.store::<WIDE>(to + WIDE, self.load(from + WIDE));
        }
    }

    /// Repeats less than eight bytes.
    fn fill(&mut self, from: usize, mut to: usize, after: usize) {
        // The repeated pattern as often as it fits into eight bytes, and the length of that.
        let period = (to - from).max(1);
        let mut pattern = u64::from_le_bytes(self.load(from)) & ((1 << (8 * period)) - 1);
        let mut width = period;
        while width < 8 {
            pattern |= pattern << (8 * width);
            width *= 2;
        }
        let whole = 8 / period * period;
        while to < after {
            self.store(to, pattern.to_le_bytes());
            to += whole;
        }
    }
}
