//! Bits out of bytes, the least significant first (RFC 1951 section 3.1.1).

/// Up to 63 bits that were taken from the input and not used.
#[derive(Default)]
pub(super) struct Bits {
    /// The next bit is the lowest one. Above `count` there are zeros.
    pub(super) buffer: u64,
    pub(super) count: u32,
}

impl Bits {
    /// Takes input until there are 56 bits or more, or no input.
    pub(super) fn fill(&mut self, input: &mut &[u8]) {
        while self.count < 56
            && let Some((byte, rest)) = input.split_first()
        {
            self.buffer |= u64::from(*byte) << self.count;
            self.count += 8;
            *input = rest;
        }
    }

    /// The next `count` bits, at most 32, if they are there; they stay.
    pub(super) fn peek(&self, count: u32) -> Option<u32> {
        (count <= self.count).then_some((self.buffer & ((1 << count) - 1)) as u32)
    }

    /// Drops bits that are there.
    pub(super) fn consume(&mut self, count: u32) {
        self.buffer >>= count;
        self.count -= count;
    }

    /// Drops what is left of a byte that was begun.
    pub(super) fn align(&mut self) {
        self.consume(self.count % 8);
    }

    /// The next byte, if it is there; after [`align`](Self::align).
    pub(super) fn byte(&mut self) -> Option<u8> {
        let byte = self.peek(8)?;
        self.consume(8);
        Some(byte as u8)
    }
}
