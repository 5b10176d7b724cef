//! Writes bits, least significant first: the streams that a decoder reads from their end.

/// Writes into a slice. What does not fit is lost, and [`finish`](Self::finish) reports it.
pub(super) struct BitWriter<'a> {
    out: &'a mut [u8],
    at: usize,
    /// Not yet written, from the lowest bit on.
    bits: u64,
    /// How many of them: less than 8 after each flush, and at most 63.
    count: u32,
    is_full: bool,
}

impl<'a> BitWriter<'a> {
    pub(super) const fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0, bits: 0, count: 0, is_full: false }
    }

    /// Adds the low `count` bits of a value. At most 56 fit between two flushes.
    #[inline(always)]
    pub(super) const fn add(&mut self, value: u64, count: u32) {
        self.put(value & !(!0 << count), count);
    }

    /// Adds a value of at most `count` bits.
    #[inline(always)]
    pub(super) const fn put(&mut self, value: u64, count: u32) {
        self.bits |= value << self.count;
        self.count += count;
    }

    /// Writes the whole bytes out.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        match self.out.get_mut(self.at..).and_then(<[u8]>::first_chunk_mut) {
            Some(room) => *room = self.bits.to_le_bytes(),
            None => self.is_full = true,
        }
        self.at += (self.count >> 3) as usize;
        self.bits >>= self.count & !7;
        self.count &= 7;
    }

    /// Ends the stream with a 1, which shows a decoder where to begin. Returns how many bytes there are, unless they did
    /// not fit.
    pub(super) fn finish(mut self) -> Option<usize> {
        self.add(1, 1);
        self.end()
    }

    /// Ends the stream without a mark.
    pub(super) fn end(mut self) -> Option<usize> {
        self.flush();
        (!self.is_full).then_some(self.at + usize::from(self.count > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_follow_each_other_and_need_room() {
        let mut out = [0; 16];
        let mut writer = BitWriter::new(&mut out);
        writer.add(0b101, 3);
        writer.add(0xfff, 8);
        writer.flush();
        writer.add(0, 4);
        assert_eq!(writer.finish(), Some(2));
        assert_eq!(out[..2], [0b1111_1101, 0b1000_0111]);

        let mut writer = BitWriter::new(&mut out[..8]);
        writer.add(0, 8);
        writer.flush();
        assert_eq!(writer.finish(), None);
    }
}
