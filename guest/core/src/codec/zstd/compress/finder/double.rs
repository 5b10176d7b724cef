//! Two tables: one of long matches, which are preferred, and one of short ones.

use super::{
    super::sequences::Sequences, Finder, Offsets, Table, common_before, common_length, half, hash, word,
};

/// Positions without a match after which the steps become longer.
const PATIENCE: usize = 256;

/// The finder of the levels around the default one.
pub(crate) struct Double {
    /// Of words of 8 bytes.
    long: Table,
    short: Table,
    /// Bits of a word that the short hash leaves out.
    ignored: u32,
}

impl Double {
    /// With tables of `2^long_log` positions of 8 bytes, and of `2^short_log` positions of `min_match` bytes, 4 to 7.
    pub(crate) fn new(long_log: u32, short_log: u32, min_match: u32) -> Self {
        Self { long: Table::new(long_log), short: Table::new(short_log), ignored: 64 - 8 * min_match }
    }
}

impl Finder for Double {
    fn find(
        &mut self,
        data: &[u8],
        start: usize,
        lowest: usize,
        offsets: &mut Offsets,
        sequences: &mut Sequences,
    ) {
        let (long, short, ignored) = (&mut self.long, &mut self.short, self.ignored);
        let [mut latest, mut before] = offsets.map(|offset| offset as usize);
        let mut anchor = start;
        let mut at = start;
        'block: loop {
            let (mut step, mut patience) = (1, at + PATIENCE);
            let place = loop {
                let Some(bytes) = word(data, at) else { break 'block };
                let far = long.replace(hash(bytes, 0), at);
                let near = short.replace(hash(bytes, ignored), at);
                let repeated = (at + 1).wrapping_sub(latest);
                if repeated >= lowest && half(data, repeated) == Some((bytes >> 8) as u32) {
                    let length = 4 + common_length(data, repeated + 4, at + 5);
                    sequences.push(data, anchor, at + 1, 1, length);
                    anchor = at + 1 + length;
                    break at;
                }
                let (mut from, mut matched, mut length);
                if far > lowest && word(data, far) == Some(bytes) {
                    (from, matched) = (at, far);
                    length = 8 + common_length(data, far + 8, at + 8);
                } else if near > lowest && half(data, near) == Some(bytes as u32) {
                    (from, matched) = (at, near);
                    length = 4 + common_length(data, near + 4, at + 4);
                    // A long match one byte later may be worth the wait.
                    if let Some(bytes) = word(data, at + 1) {
                        let far = long.replace(hash(bytes, 0), at + 1);
                        if far > lowest && word(data, far) == Some(bytes) {
                            let longer = 8 + common_length(data, far + 8, at + 9);
                            if longer > length {
                                (from, matched, length) = (at + 1, far, longer);
                            }
                        }
                    }
                } else {
                    at += step;
                    if at >= patience {
                        step += 1;
                        patience += PATIENCE;
                    }
                    continue;
                }
                let back = common_before(data, matched, lowest, from, anchor);
                from -= back;
                matched -= back;
                length += back;
                sequences.push(data, anchor, from, (from - matched) as u32 + 3, length);
                (latest, before) = (from - matched, latest);
                anchor = from + length;
                break at;
            };
            at = anchor;
            if let (Some(early), Some(last), Some(after)) =
                (word(data, place + 2), word(data, at - 2), word(data, at - 1))
            {
                long.set(hash(early, 0), place + 2);
                long.set(hash(last, 0), at - 2);
                short.set(hash(early, ignored), place + 2);
                short.set(hash(after, ignored), at - 1);
            }
            // Here, without literals, a 1 means the offset before the latest.
            while let Some(bytes) = word(data, at) {
                let repeated = at.wrapping_sub(before);
                if repeated < lowest || half(data, repeated) != Some(bytes as u32) {
                    break;
                }
                let length = 4 + common_length(data, repeated + 4, at + 4);
                (latest, before) = (before, latest);
                short.set(hash(bytes, ignored), at);
                long.set(hash(bytes, 0), at);
                sequences.push(data, at, at, 1, length);
                at += length;
                anchor = at;
            }
        }
        sequences.end(data, anchor);
        *offsets = [latest as u32, before as u32];
    }

    fn slide(&mut self, by: usize) {
        self.long.slide(by);
        self.short.slide(by);
    }
}
