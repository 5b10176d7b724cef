//! Where the contents are assembled: the last 32 KiB, since matches may reach back that far, and then what is new.

use super::super::super::window::Window;

/// How far back a match may reach.
const HISTORY: usize = 32 << 10;

/// How much is assembled before it is moved down. More would fall out of the caches.
const FRESH: usize = 96 << 10;

/// The longest match.
const LONGEST: usize = 258;

/// The contents, as far as they are needed.
pub(super) struct Stage {
    pub(super) window: Window,
    /// Where the contents end.
    pub(super) end: usize,
    /// Everything before this place was handed out.
    sent: usize,
}

impl Stage {
    /// Up to here, one more symbol may be appended.
    pub(super) const LIMIT: usize = HISTORY + FRESH;

    pub(super) fn new() -> Self {
        const { assert!(Self::LIMIT + LONGEST <= Window::CAPACITY) }
        Self { window: Window::new(), end: 0, sent: 0 }
    }

    /// Forgets all contents.
    pub(super) fn clear(&mut self) {
        (self.end, self.sent) = (0, 0);
    }

    pub(super) const fn is_full(&self) -> bool {
        self.end > Self::LIMIT
    }

    /// Appends bytes as they are, and takes them from the input, as far as there is room.
    pub(super) fn take(&mut self, input: &mut &[u8], count: usize) -> usize {
        let count = count.min(input.len()).min((Self::LIMIT + 1).saturating_sub(self.end));
        let (bytes, rest) = input.split_at(count);
        self.end = self.window.append(self.end, bytes);
        *input = rest;
        count
    }

    /// Hands out what fits within the capacity of `output`; returns whether that was all.
    pub(super) fn drain(&mut self, output: &mut Vec<u8>) -> bool {
        let room = output.capacity() - output.len();
        let end = self.end.min(self.sent + room);
        output.extend_from_slice(self.window.between(self.sent, end));
        self.sent = end;
        if end < self.end {
            return false;
        }
        if self.is_full() {
            self.window.keep(self.end - HISTORY, self.end);
            (self.end, self.sent) = (HISTORY, HISTORY);
        }
        true
    }
}
