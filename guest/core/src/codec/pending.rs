//! Output that waits for room.

/// Bytes on their way out.
#[derive(Default)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    sent: usize,
}

impl Pending {
    /// The buffer, to be filled again once everything is out.
    pub(super) fn refill(&mut self) -> &mut Vec<u8> {
        debug_assert_eq!(self.sent, self.bytes.len(), "not all of it is out");
        self.bytes.clear();
        self.sent = 0;
        &mut self.bytes
    }

    /// Appends what fits within the capacity of `output`; returns whether that was all.
    pub(super) fn drain(&mut self, output: &mut Vec<u8>) -> bool {
        let room = output.capacity() - output.len();
        let end = self.bytes.len().min(self.sent + room);
        output.extend_from_slice(&self.bytes[self.sent..end]);
        self.sent = end;
        end == self.bytes.len()
    }
}

/// Whether nothing fits in any more.
pub(super) const fn is_full(output: &Vec<u8>) -> bool {
    output.len() == output.capacity()
}
