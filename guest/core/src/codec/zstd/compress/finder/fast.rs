//! One table, looked up at every position, or at fewer where nothing is found.

use super::{
    super::sequences::Sequences, Finder, Offsets, Table, common_before, common_length, half, hash, word,
};

/// Positions without a match after which the steps become longer.
const PATIENCE: usize = 128;

/// The finder of the lowest levels.
pub(crate) struct Fast {
    table: Table,
    /// Bits of a word that are not hashed.
    ignored: u32,
    /// From one pair of positions to the next: at least 2.
    step: usize,
}

impl Fast {
    /// With a table of `2^log` positions of so many bytes, 4 to 7, and `skipped` positions between looked up pairs.
    pub(crate) fn new(log: u32, min_match: u32, skipped: usize) -> Self {
        Self { table: Table::new(log), ignored: 64 - 8 * min_match, step: 2 + skipped }
    }
}

impl Finder for Fast {
    fn find(
        &mut self,
        data: &[u8],
        start: usize,
        lowest: usize,
        offsets: &mut Offsets,
        sequences: &mut Sequences,
    ) {
        let (table, ignored) = (&mut self.table, self.ignored);
        let [mut latest, mut before] = offsets.map(|offset| offset as usize);
        let mut anchor = start;
        let mut at = start;
        'block: loop {
            let (mut step, mut patience) = (self.step, at + PATIENCE);
            let (place, mut from, mut matched) = loop {
                let Some(bytes) = word(data, at) else { break 'block };
                let first = table.replace(hash(bytes, ignored), at);
                let second = table.replace(hash(bytes >> 8, ignored), at + 1);
                let repeated = (at + 2).wrapping_sub(latest);
                if repeated >= lowest && half(data, repeated) == Some((bytes >> 16) as u32) {
                    break (at, at + 2, repeated);
                }
                if first > lowest && half(data, first) == Some(bytes as u32) {
                    break (at, at, first);
                }
                if second > lowest && half(data, second) == Some((bytes >> 8) as u32) {
                    break (at, at + 1, second);
                }
                at += step;
                if at >= patience {
                    step += 1;
                    patience += PATIENCE;
                }
            };
            let offset = from - matched;
            let is_repeated = offset == latest && from == place + 2;
            let length = 4 + common_length(data, matched + 4, from + 4);
            // A repeated offset has another meaning without literals before it.
            let back = common_before(data, matched, lowest, from, anchor + usize::from(is_repeated));
            from -= back;
            matched -= back;
            let value = if is_repeated { 1 } else { offset as u32 + 3 };
            sequences.push(data, anchor, from, value, length + back);
            if !is_repeated {
                (latest, before) = (from - matched, latest);
            }
            at = from + length + back;
            anchor = at;
            if let (Some(bytes), Some(last)) = (word(data, place + 2), word(data, at - 2)) {
                table.set(hash(bytes, ignored), place + 2);
                table.set(hash(last, ignored), at - 2);
            }
            // Here, without literals, a 1 means the offset before the latest.
            while let Some(bytes) = word(data, at) {
                let repeated = at.wrapping_sub(before);
                if repeated < lowest || half(data, repeated) != Some(bytes as u32) {
                    break;
                }
                let length = 4 + common_length(data, repeated + 4, at + 4);
                (latest, before) = (before, latest);
                table.set(hash(bytes, ignored), at);
                sequences.push(data, at, at, 1, length);
                at += length;
                anchor = at;
            }
        }
        sequences.end(data, anchor);
        *offsets = [latest as u32, before as u32];
    }

    fn slide(&mut self, by: usize) {
        self.table.slide(by);
    }
}
