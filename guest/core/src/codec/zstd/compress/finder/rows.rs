//! A table with many places for each hash, and a byte of the hash beside each.
//!
//! Source: the idea is that of Swiss tables (Abseil), and the reference uses it for matches as well. The bytes of a row
//! are compared all at once, so few places are looked at in vain.

/// Where words were seen last: several places for each hash, the latest first.
pub(super) struct Rows {
    positions: Box<[u32]>,
    tags: Box<[u8]>,
    /// The latest place of each row; earlier ones follow, round and round.
    heads: Box<[u8]>,
    /// Places in a row, as a power of two: 3 to 6.
    row_log: u32,
    shift: u32,
}

/// A row, and what the places in it have to be tagged with.
#[derive(Clone, Copy)]
pub(super) struct Key {
    row: usize,
    tag: u8,
}

impl Rows {
    /// Of `2^log` places in all.
    pub(super) fn new(log: u32, row_log: u32) -> Self {
        let rows_log = log.saturating_sub(row_log).max(1);
        let rows = 1 << rows_log;
        Self {
            positions: vec![0; rows << row_log].into(),
            tags: vec![0; rows << row_log].into(),
            heads: vec![0; rows].into(),
            row_log,
            shift: 64 - rows_log,
        }
    }

    /// Of a hash, whose highest bits count.
    #[inline(always)]
    pub(super) const fn key(&self, hash: u64) -> Key {
        Key { row: (hash >> self.shift) as usize, tag: (hash >> (self.shift - 8)) as u8 }
    }

    /// Puts a position in the place of the oldest.
    #[inline(always)]
    pub(super) fn insert(&mut self, Key { row, tag }: Key, position: usize) {
        let head = &mut self.heads[row];
        *head = head.wrapping_sub(1) & ((1 << self.row_log) - 1);
        let place = (row << self.row_log) + usize::from(*head);
        self.positions[place] = position as u32;
        self.tags[place] = tag;
    }

    /// Where the hash may have been seen, the latest first.
    #[inline(always)]
    pub(super) fn find(&self, Key { row, tag }: Key) -> Found<'_> {
        const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        let (first, length) = (row << self.row_log, 1 << self.row_log);
        let (words, _) = self.tags[first..first + length].as_chunks();
        let wanted = u64::from_ne_bytes([tag; 8]);
        let mut places = 0;
        for (number, word) in words.iter().enumerate() {
            let differs = u64::from_le_bytes(*word) ^ wanted;
            // The high bit of each byte that does not differ; then all these bits side by side.
            let same = !(((differs & LOW) + LOW) | differs | LOW);
            places |= ((same >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * number);
        }
        let head = u32::from(self.heads[row]);
        let all = !0 >> (64 - length);
        let places = (places >> head | places << ((length as u32 - head) % 64)) & all;
        Found { positions: &self.positions[first..first + length], places, head: head as usize }
    }

    pub(super) fn slide(&mut self, by: usize) {
        for position in &mut self.positions {
            *position = position.saturating_sub(by as u32);
        }
    }
}

/// Positions of a row.
pub(super) struct Found<'a> {
    positions: &'a [u32],
    /// A bit for each, from the head on.
    places: u64,
    head: usize,
}

impl Iterator for Found<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.places == 0 {
            return None;
        }
        let place = self.places.trailing_zeros() as usize + self.head;
        self.places &= self.places - 1;
        Some(self.positions[place & (self.positions.len() - 1)] as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_come_first_and_the_oldest_go() {
        for row_log in 3..=6 {
            let mut rows = Rows::new(10, row_log);
            let (one, other) = (rows.key(0x8123 << 48), rows.key(0x8178 << 48));
            let length = 1 << row_log;
            for position in 0..3 * length {
                rows.insert(one, 1000 + position);
                let found: Vec<_> = rows.find(one).collect();
                let expected: Vec<_> = (0..=position).rev().take(length).map(|place| 1000 + place).collect();
                assert_eq!(found, expected);
            }
            if one.row == other.row && one.tag != other.tag {
                assert_eq!(rows.find(other).count(), 0);
            }
        }
    }
}
