//! Two tables: one of long matches, which are preferred, and one of short ones.

use super::{
    super::{sequences::Sequences, tables::Tables},
    Finder, Offsets, Table, common_before, common_length, half, hash, word, words,
};

/// After this many positions without a match the steps become longer.
const PATIENCE: usize = 256;

/// The finder of the levels around the default one.
#[derive(Clone)]
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

/// Where a match was found.
enum Hit {
    /// Of the latest offset, at the next position.
    Repeated(usize),
    /// Of eight bytes.
    Long(usize),
    /// Of four bytes.
    Short(usize),
}

impl Double {
    #[inline(always)]
    fn probe(&mut self, data: &[u8], at: usize, lowest: usize, latest: usize) -> Option<Hit> {
        let bytes = word(data, at)?;
        let far = self.long.replace(hash(bytes, 0), at);
        let near = self.short.replace(hash(bytes, self.ignored), at);
        let repeated = (at + 1).wrapping_sub(latest);
        if repeated >= lowest && half(data, repeated) == Some((bytes >> 8) as u32) {
            return Some(Hit::Repeated(repeated));
        }
        if far > lowest && word(data, far) == Some(bytes) {
            return Some(Hit::Long(far));
        }
        if near > lowest && half(data, near) == Some(bytes as u32) {
            return Some(Hit::Short(near));
        }
        None
    }

    /// A short match and its length, or a longer one that begins one byte later.
    #[inline(always)]
    fn better(&mut self, data: &[u8], at: usize, near: usize, lowest: usize) -> (usize, usize, usize) {
        let length = 4 + common_length(data, near + 4, at + 4);
        if let Some(bytes) = word(data, at + 1) {
            let far = self.long.replace(hash(bytes, 0), at + 1);
            if far > lowest && word(data, far) == Some(bytes) {
                let longer = 8 + common_length(data, far + 8, at + 9);
                if longer > length {
                    return (at + 1, far, longer);
                }
            }
        }
        (at, near, length)
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
        let [mut latest, mut before, third] = offsets.map(|offset| offset as usize);
        let mut anchor = start;
        let mut at = start;
        'block: loop {
            let (mut step, mut patience) = (1, at + PATIENCE);
            let (place, hit) = loop {
                let next = at + step;
                if next + 8 > data.len() {
                    break 'block;
                }
                if let Some(hit) = self.probe(data, at, lowest, latest) {
                    break (at, hit);
                }
                if let Some(hit) = self.probe(data, next, lowest, latest) {
                    break (next, hit);
                }
                at = next + step;
                if at >= patience {
                    step += 1;
                    patience += PATIENCE;
                }
            };
            let (mut from, mut matched, mut length) = match hit {
                Hit::Repeated(matched) => {
                    (place + 1, matched, 4 + common_length(data, matched + 4, place + 5))
                }
                Hit::Long(far) => (place, far, 8 + common_length(data, far + 8, place + 8)),
                Hit::Short(near) => self.better(data, place, near, lowest),
            };
            if let Hit::Repeated(_) = hit {
                sequences.push(data, anchor, from, 1, length);
            } else {
                let back = common_before(data, matched, lowest, from, anchor);
                from -= back;
                matched -= back;
                length += back;
                let offset = from - matched;
                sequences.push(data, anchor, from, offset as u32 + 3, length);
                (latest, before) = (offset, latest);
            }
            anchor = from + length;
            at = anchor;
            if let (Some(early), Some(last), Some(after)) =
                (word(data, place + 2), word(data, at - 2), word(data, at - 1))
            {
                self.long.set(hash(early, 0), place + 2);
                self.long.set(hash(last, 0), at - 2);
                self.short.set(hash(early, self.ignored), place + 2);
                self.short.set(hash(after, self.ignored), at - 1);
            }
            // Here, without literals, a 1 means the offset before the latest.
            while let Some(bytes) = word(data, at) {
                let repeated = at.wrapping_sub(before);
                if repeated < lowest || half(data, repeated) != Some(bytes as u32) {
                    break;
                }
                let length = 4 + common_length(data, repeated + 4, at + 4);
                (latest, before) = (before, latest);
                self.short.set(hash(bytes, self.ignored), at);
                self.long.set(hash(bytes, 0), at);
                sequences.push(data, at, at, 1, length);
                at += length;
                anchor = at;
            }
        }
        sequences.end(data, anchor);
        *offsets = [latest as u32, before as u32, third as u32];
    }

    fn slide(&mut self, by: usize) {
        self.long.slide(by);
        self.short.slide(by);
    }

    fn learn(&mut self, content: &[u8], _: Option<&Tables>) {
        for (at, bytes) in words(content) {
            self.long.set(hash(bytes, 0), at);
            self.short.set(hash(bytes, self.ignored), at);
        }
    }

    fn copy(&self) -> Box<dyn Finder> {
        Box::new(self.clone())
    }
}
