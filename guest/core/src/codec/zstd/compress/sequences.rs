//! What a block is made of: literals and matches, alternating.

/// The shortest match that the format has.
pub(super) const MIN_MATCH: usize = 3;

/// Literals are copied in steps of this many bytes.
const STEP: usize = 16;

/// The literals and matches of a block.
#[derive(Default)]
pub(super) struct Sequences {
    /// Longer than the literals, so that whole steps can be copied.
    literals: Vec<u8>,
    literal_count: usize,
    packed: Vec<Sequence>,
}

/// Literals, and a match after them: 18 bits of literal length, 18 of match length less [`MIN_MATCH`], and the offset
/// value.
#[derive(Clone, Copy)]
pub(super) struct Sequence(u64);

impl Sequence {
    pub(super) const fn literal_length(self) -> u64 {
        self.0 & 0x3ffff
    }

    /// Less [`MIN_MATCH`].
    pub(super) const fn match_length(self) -> u64 {
        self.0 >> 18 & 0x3ffff
    }

    pub(super) const fn offset_value(self) -> u64 {
        self.0 >> 36
    }
}

impl Sequences {
    /// Begins a block of that length.
    pub(super) fn begin(&mut self, length: usize) {
        self.packed.clear();
        self.literal_count = 0;
        if self.literals.len() < length + 4 * STEP {
            self.literals.resize(length + 4 * STEP, 0);
        }
    }

    /// Adds the literals between two positions, and a match at the second one. The offset value is as in section
    /// 3.1.1.5.
    #[inline(always)]
    pub(super) fn push(&mut self, data: &[u8], from: usize, at: usize, offset_value: u32, length: usize) {
        let count = at - from;
        self.copy(data, from, count);
        let packed = count as u64 | ((length - MIN_MATCH) as u64) << 18 | u64::from(offset_value) << 36;
        self.packed.push(Sequence(packed));
    }

    /// Adds the literals after the last match.
    pub(super) fn end(&mut self, data: &[u8], from: usize) {
        self.copy(data, from, data.len() - from);
    }

    #[inline(always)]
    fn copy(&mut self, data: &[u8], from: usize, count: usize) {
        let at = self.literal_count;
        self.literal_count += count;
        match count {
            0..=STEP => {
                if let (Some(room), Some(source)) = (self.literals.get_mut(at..), data.get(from..))
                    && let (Some(room), Some(source)) =
                        (room.first_chunk_mut::<STEP>(), source.first_chunk::<STEP>())
                {
                    *room = *source;
                    return;
                }
                self.copy_exactly(data, from, count);
            }
            _ => self.copy_exactly(data, from, count),
        }
    }

    #[inline(never)]
    fn copy_exactly(&mut self, data: &[u8], from: usize, count: usize) {
        let at = self.literal_count - count;
        if count <= 4 * STEP
            && let Some(room) = self.literals[at..].first_chunk_mut::<{ 4 * STEP }>()
            && let Some(source) = data[from..].first_chunk()
        {
            *room = *source;
            return;
        }
        self.literals[at..at + count].copy_from_slice(&data[from..from + count]);
    }

    pub(super) fn literals(&self) -> &[u8] {
        &self.literals[..self.literal_count]
    }

    /// The matches, each with the literals before it.
    pub(super) fn matches(&self) -> &[Sequence] {
        &self.packed
    }
}
