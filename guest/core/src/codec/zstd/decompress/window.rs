//! The latest decompressed bytes, as far back as matches may reach.

use super::{
    super::decoder::Damaged,
    copy::{Output, SLACK},
};

/// A ring: it is filled from start to end, then from the start again. Bytes before the place of writing belong to this
/// lap, bytes after it to the lap before.
pub(super) struct Window {
    bytes: Vec<u8>,
    /// Where the next byte goes.
    at: usize,
    /// Where the lap before ended; 0 in the first lap.
    lap: usize,
    /// How far back matches may reach.
    reach: usize,
    /// The same once a window has gone by. Until then a dictionary is in reach, which lies at the start.
    reach_of_window: usize,
    /// How long the ring has to be.
    full: usize,
    /// The bytes from here to `at` are not drained yet.
    drained: usize,
}

impl Window {
    pub(super) const fn new() -> Self {
        Self { bytes: Vec::new(), at: 0, lap: 0, reach: 0, reach_of_window: 0, full: 0, drained: 0 }
    }

    /// Forgets everything, and prepares for matches and blocks of at most these lengths, behind the content of a
    /// dictionary if that is not empty.
    pub(super) fn reset(&mut self, window: usize, max_block: usize, dictionary: &[u8]) {
        let (bytes, reach) = (std::mem::take(&mut self.bytes), window + dictionary.len());
        // What a block and `SLACK` overwrite must be out of reach.
        let full = reach + max_block + 2 * SLACK;
        *self = Self { bytes, reach, reach_of_window: window, full, ..Self::new() };
        if self.bytes.capacity() < full {
            // Frees the old memory before taking the new.
            self.bytes = Vec::new();
        }
        self.bytes.truncate(full);
        self.bytes.shrink_to(full);
        if !dictionary.is_empty() {
            self.bytes.clear();
            self.bytes.reserve_exact(full);
            self.bytes.extend_from_slice(dictionary);
            (self.at, self.drained) = (dictionary.len(), dictionary.len());
        }
    }

    /// Makes room for a block of up to `room` bytes. Everything before it is drained.
    pub(super) fn begin(&mut self, room: usize) {
        let needed = self.at + room + SLACK;
        // Section 5: what is before the frame is there until a window has gone by. The first lap is longer than that.
        if self.reach > self.reach_of_window && self.at > self.reach {
            self.reach = self.reach_of_window;
        }
        if needed <= self.bytes.len() {
            return;
        }
        let full = self.full;
        if needed <= full {
            // Reserved at once, so that it never has to move, which would need the memory twice. It is touched only as
            // far as the contents go, and at most doubled, so memory follows the contents and not what the header asks
            // for.
            self.bytes.reserve_exact(full - self.bytes.len());
            let length = needed.max(2 * self.bytes.len()).min(full);
            self.bytes.resize(length, 0);
        } else {
            self.lap = self.at;
            self.at = 0;
            self.drained = 0;
        }
    }

    /// Appends any bytes, for which [`begin`](Self::begin) made room.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> Result<(), Damaged> {
        self.room(bytes.len())?.copy_from_slice(bytes);
        self.at += bytes.len();
        Ok(())
    }

    /// Appends one byte `count` times.
    pub(super) fn fill(&mut self, byte: u8, count: usize) -> Result<(), Damaged> {
        self.room(count)?.fill(byte);
        self.at += count;
        Ok(())
    }

    fn room(&mut self, count: usize) -> Result<&mut [u8], Damaged> {
        self.bytes.get_mut(self.at..self.at + count).ok_or(Damaged)
    }

    /// Where sequences are executed, as far as [`begin`](Self::begin) made room. Afterwards call
    /// [`advance`](Self::advance) with the place they reached.
    pub(super) fn output(&mut self, room: usize) -> Result<Output<'_>, Damaged> {
        Output::new(&mut self.bytes, self.at, self.at + room, self.lap, self.reach)
    }

    /// Takes what was executed.
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

#[cfg(test)]
mod tests {
    use super::{
        super::copy::{Sequence, Source},
        *,
    };

    /// Against the plainest of implementations, over several laps.
    #[test]
    fn matches_repeat_what_was_there() {
        const REACH: usize = 200;
        let mut window = Window::new();
        window.reset(REACH, 100, b"");
        let (mut expected, mut drained) = (Vec::new(), Vec::new());
        for round in 0..5000_usize {
            window.begin(100);
            let literals: Vec<u8> = (0..90 + SLACK).map(|place| (place * 31 + round) as u8).collect();
            let mut source = Source::new(&literals[..round % 7 + SLACK + 40]).unwrap();
            let mut output = window.output(100).unwrap();

            let count = round * 7 % 41;
            let (offset, length) = (1 + round * 13 % REACH, round * 11 % 51);
            expected.extend_from_slice(&literals[..count]);
            let is_there = offset <= expected.len();
            let executed = output.execute_all(&mut source, &[sequence(count, offset, length)]);
            assert_eq!(executed.is_ok(), is_there, "round {round}");
            if is_there {
                for _ in 0..length {
                    expected.push(expected[expected.len() - offset]);
                }
            }
            expected.extend_from_slice(&literals[count..round % 7 + 40]);
            let at = output.finish(&source).unwrap();
            window.advance(at);

            drained.extend_from_slice(window.pending());
            let count = window.pending().len();
            window.drain(count);
            assert!(drained == expected, "round {round}");

            if round % 5 == 0 {
                window.begin(20);
                window.copy(b"something").unwrap();
                window.fill(b'x', 11).unwrap();
                expected.extend_from_slice(b"somethingxxxxxxxxxxx");
                drained.extend_from_slice(window.pending());
                window.drain(20);
            }
        }
        assert!(window.bytes.len() <= REACH + 100 + 2 * SLACK);
    }

    fn sequence(literals: usize, offset: usize, length: usize) -> Sequence {
        Sequence { literals: literals as u32, offset: offset as u32, length: length as u32 }
    }

    #[test]
    fn nothing_goes_beyond_the_block_or_the_reach() {
        let mut window = Window::new();
        window.reset(50, 100, b"");
        let literals = [7; 30 + SLACK];
        let mut execute = |count, offset, length| {
            window.begin(100);
            let mut output = window.output(40).unwrap();
            let sequences = [sequence(count, offset, length)];
            output.execute_all(&mut Source::new(&literals).unwrap(), &sequences).is_ok()
        };
        assert!(execute(10, 10, 30) && execute(30, 30, 10));
        assert!(!execute(10, 10, 31), "too long");
        assert!(!execute(31, 1, 3), "more literals than there are");
        assert!(!execute(10, 0, 3) && !execute(10, 11, 3) && !execute(30, 51, 3));
    }
}
