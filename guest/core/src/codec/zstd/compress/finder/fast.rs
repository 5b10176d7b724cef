//! One table, looked up at every position, or at fewer where nothing is found.

use super::{
    super::{sequences::Sequences, tables::Tables},
    Finder, Offsets, Table, common_before, common_length, half, hash, word, words,
};

/// After this many positions without a match the steps become longer.
const PATIENCE: usize = 128;

/// The finder of the lowest levels.
#[derive(Clone)]
pub(crate) struct Fast {
    table: Table,
    /// Bits of a word that are not hashed.
    ignored: u32,
    /// From one pair of positions to the next: at least 2.
    step: usize,
}

impl Fast {
    /// With a table of `2^log` positions of `min_match` bytes, 4 to 7, and `skipped` positions between the pairs that
    /// are looked up.
    pub(crate) fn new(log: u32, min_match: u32, skipped: usize) -> Self {
        Self { table: Table::new(log), ignored: 64 - 8 * min_match, step: 2 + skipped }
    }
}

/// Where a match was found.
struct Hit {
    /// What was looked up.
    place: usize,
    from: usize,
    matched: usize,
    /// It has the latest offset.
    is_repeated: bool,
}

impl Fast {
    /// Looks up a position and the one after it, and tries the latest offset at the one after that.
    #[inline(always)]
    fn probe(&mut self, data: &[u8], at: usize, lowest: usize, latest: usize) -> Option<Hit> {
        let bytes = word(data, at)?;
        let first = self.table.replace(hash(bytes, self.ignored), at);
        let second = self.table.replace(hash(bytes >> 8, self.ignored), at + 1);
        let repeated = (at + 2).wrapping_sub(latest);
        if repeated >= lowest && half(data, repeated) == Some((bytes >> 16) as u32) {
            return Some(Hit { place: at, from: at + 2, matched: repeated, is_repeated: true });
        }
        if first > lowest && half(data, first) == Some(bytes as u32) {
            return Some(Hit { place: at, from: at, matched: first, is_repeated: false });
        }
        if second > lowest && half(data, second) == Some((bytes >> 8) as u32) {
            return Some(Hit { place: at, from: at + 1, matched: second, is_repeated: false });
        }
        None
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
        let [mut latest, mut before, third] = offsets.map(|offset| offset as usize);
        let mut anchor = start;
        let mut at = start;
        'block: loop {
            let (mut step, mut patience) = (self.step, at + PATIENCE);
            let Hit { place, mut from, mut matched, is_repeated } = loop {
                let next = at + step;
                if next + 8 > data.len() {
                    break 'block;
                }
                if let Some(hit) = self.probe(data, at, lowest, latest) {
                    break hit;
                }
                if let Some(hit) = self.probe(data, next, lowest, latest) {
                    break hit;
                }
                at = next + step;
                if at >= patience {
                    step += 1;
                    patience += PATIENCE;
                }
            };
            let length = 4 + common_length(data, matched + 4, from + 4);
            // A repeated offset has another meaning without literals before it.
            let back = common_before(data, matched, lowest, from, anchor + usize::from(is_repeated));
            from -= back;
            matched -= back;
            let offset = from - matched;
            let value = if is_repeated { 1 } else { offset as u32 + 3 };
            sequences.push(data, anchor, from, value, length + back);
            if !is_repeated {
                (latest, before) = (offset, latest);
            }
            at = from + length + back;
            anchor = at;
            if let (Some(bytes), Some(last)) = (word(data, place + 2), word(data, at - 2)) {
                self.table.set(hash(bytes, self.ignored), place + 2);
                self.table.set(hash(last, self.ignored), at - 2);
            }
            // Here, without literals, a 1 means the offset before the latest.
            while let Some(bytes) = word(data, at) {
                let repeated = at.wrapping_sub(before);
                if repeated < lowest || half(data, repeated) != Some(bytes as u32) {
                    break;
                }
                let length = 4 + common_length(data, repeated + 4, at + 4);
                (latest, before) = (before, latest);
                self.table.set(hash(bytes, self.ignored), at);
                sequences.push(data, at, at, 1, length);
                at += length;
                anchor = at;
            }
        }
        sequences.end(data, anchor);
        *offsets = [latest as u32, before as u32, third as u32];
    }

    fn slide(&mut self, by: usize) {
        self.table.slide(by);
    }

    fn learn(&mut self, content: &[u8], _: Option<&Tables>) {
        for (at, bytes) in words(content) {
            self.table.set(hash(bytes, self.ignored), at);
        }
    }

    fn copy(&self) -> Box<dyn Finder> {
        Box::new(self.clone())
    }
}
