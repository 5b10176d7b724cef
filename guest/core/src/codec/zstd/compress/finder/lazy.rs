//! Compares many earlier places, and before it takes a match, looks whether a better one begins a byte or two later.

use super::{
    super::{sequences::Sequences, tables::Tables},
    Finder, Offsets, common_before, common_length, half, hash,
    rows::Rows,
    word,
};

/// How far ahead of the search positions are put into the table: their rows are in the cache by the time they are
/// searched. Less than the smallest row has places, since in a run of one byte all of them go to one row.
const AHEAD: usize = 12;

/// Fewer bytes are no match.
const MIN_LENGTH: usize = 4;

/// Of a match that covers more positions than this, only those at both ends enter the table.
const LONG: usize = 384;
const LONG_HEAD: usize = 96;
const LONG_TAIL: usize = 32;

/// The finder of the higher levels, with rows of `WORDS`.
#[derive(Clone)]
pub(crate) struct Lazy<const WORDS: usize> {
    rows: Rows<WORDS>,
    /// Bits of a word that are not hashed.
    ignored: u32,
    /// How many earlier places are compared, at most.
    attempts: usize,
    /// How many bytes a match waits.
    patience: u32,
    /// The first position that is not in the table.
    next: usize,
    /// The candidates for the current position.
    candidates: [usize; WORDS],
}

/// A match, or none.
#[derive(Clone, Copy)]
struct Match {
    at: usize,
    length: usize,
    /// As it is coded: 1 is the latest offset.
    value: u32,
}

impl Match {
    /// What it saves in quarters of a byte, roughly: an offset costs its magnitude in bits.
    const fn gain(self, quarters: i32) -> i32 {
        self.length as i32 * quarters - self.value.ilog2() as i32
    }

    /// No shorter match with an offset of its own, whose value is at least 4, has a higher gain in quarters than `gain`.
    fn least_for(gain: i32) -> usize {
        usize::try_from((gain + 2) / 4 + 1).map_or(MIN_LENGTH, |length| length.max(MIN_LENGTH))
    }
}

impl<const WORDS: usize> Lazy<WORDS> {
    /// With a table of `2^log` positions of `min_match` bytes, 4 to 7.
    pub(crate) fn new(log: u32, attempts: usize, min_match: u32, patience: u32) -> Self {
        Self {
            rows: Rows::new(log),
            ignored: 64 - 8 * min_match,
            attempts,
            patience,
            next: 0,
            candidates: [0; WORDS],
        }
    }

    #[inline(always)]
    fn insert(&mut self, data: &[u8], at: usize) {
        if let Some(bytes) = word(data, at) {
            let key = self.rows.key(hash(bytes, self.ignored));
            self.rows.insert(key, at);
        }
    }

    /// Inserts what is before a position.
    #[inline(never)]
    fn catch_up(&mut self, data: &[u8], at: usize) {
        if at - self.next > LONG {
            let end = self.next + LONG_HEAD;
            (self.next..end).for_each(|place| self.insert(data, place));
            self.next = at - LONG_TAIL;
        }
        (self.next..at).for_each(|place| self.insert(data, place));
        self.next = at;
    }

    /// The longest match of at least `least` bytes at a position; of several, the latest. Its length is `least - 1` if
    /// there is none.
    fn longest(&mut self, data: &[u8], at: usize, lowest: usize, least: usize) -> Match {
        let mut best = Match { at, length: least - 1, value: 1 };
        let Some(bytes) = word(data, at) else { return best };
        let ahead = (at + AHEAD).min(data.len() - 7);
        if self.next < ahead {
            self.catch_up(data, ahead);
        }
        let key = self.rows.key(hash(bytes, self.ignored));
        // Only a candidate that agrees in the last of the bytes that make it long enough, and the three before it, will do.
        let end = least - MIN_LENGTH;
        let (Some(ends), Some(wanted)) = (data.get(end..), half(data, at + end)) else { return best };
        // Neither at the lowest place, nor put into the table ahead.
        let (first, room) = (lowest + 1, at.saturating_sub(lowest + 1));
        let earlier = self.rows.find(key).filter(|place| place.wrapping_sub(first) < room);
        // All are loaded before any is compared, so that we do not wait for memory one by one. The loop is short, so that
        // the processor has several rounds of it under way.
        let mut count = 0;
        for place in earlier.take(self.attempts) {
            if let Some(bytes) = ends.get(place..place + 4) {
                self.candidates[count % WORDS] = place;
                count += usize::from(bytes == wanted.to_le_bytes());
            }
        }
        for &place in &self.candidates[..count.min(WORDS)] {
            let end = best.length - (MIN_LENGTH - 1);
            if half(data, place + end) != half(data, at + end) {
                continue;
            }
            let length = common_length(data, place, at);
            if length > best.length {
                best = Match { at, length, value: (at - place) as u32 + 3 };
                if at + length == data.len() {
                    break;
                }
            }
        }
        best
    }

    /// The match of the latest offset at a position.
    fn repeated(data: &[u8], at: usize, lowest: usize, offset: usize) -> Option<Match> {
        let place = at.checked_sub(offset).filter(|place| *place >= lowest)?;
        let same = half(data, at)? == half(data, place)?;
        same.then(|| Match { at, length: 4 + common_length(data, place + 4, at + 4), value: 1 })
    }
}

impl<const WORDS: usize> Finder for Lazy<WORDS> {
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
        self.next = self.next.max(start.saturating_sub(LONG_TAIL));
        while at + 8 < data.len() {
            let mut best = Match { at, length: 0, value: 1 };
            if let Some(repeated) = Self::repeated(data, at + 1, lowest, latest) {
                best = repeated;
            }
            if best.length == 0 || self.patience > 0 {
                let least = MIN_LENGTH.max(best.length + 1);
                let found = self.longest(data, at, lowest, least);
                if found.length >= least {
                    best = found;
                }
            }
            if best.length < MIN_LENGTH {
                // The longer nothing is found, the larger the steps.
                at += ((at - anchor) >> 8) + 1;
                continue;
            }
            let mut waited = 0;
            while waited < self.patience && at + 9 < data.len() {
                at += 1;
                waited += 1;
                let handicap = if waited == 1 { 4 } else { 7 };
                let quarters = if waited == 1 { 3 } else { 4 };
                if let Some(repeated) = Self::repeated(data, at, lowest, latest)
                    && repeated.gain(quarters) > best.gain(quarters) + 1
                {
                    best = repeated;
                }
                let enough = best.gain(4) + handicap;
                let least = Match::least_for(enough);
                let found = self.longest(data, at, lowest, least);
                if found.length >= least && found.gain(4) > enough {
                    best = found;
                    waited = 0;
                }
            }
            if best.value > 1 {
                let offset = best.value as usize - 3;
                let back = common_before(data, best.at - offset, lowest, best.at, anchor);
                best.at -= back;
                best.length += back;
                (latest, before) = (offset, latest);
            }
            sequences.push(data, anchor, best.at, best.value, best.length);
            at = best.at + best.length;
            anchor = at;
            // Here, without literals, a 1 means the offset before the latest.
            while let Some(repeated) = Self::repeated(data, at, lowest, before) {
                (latest, before) = (before, latest);
                sequences.push(data, at, at, 1, repeated.length);
                at += repeated.length;
                anchor = at;
            }
        }
        sequences.end(data, anchor);
        *offsets = [latest as u32, before as u32, third as u32];
    }

    fn slide(&mut self, by: usize) {
        self.rows.slide(by);
        self.next = self.next.saturating_sub(by);
    }

    fn learn(&mut self, content: &[u8], _: Option<&Tables>) {
        // The last positions have too few bytes yet: they come with the first of the frame.
        self.next = content.len().saturating_sub(7);
        (0..self.next).for_each(|place| self.insert(content, place));
    }

    fn copy(&self) -> Box<dyn Finder> {
        Box::new(self.clone())
    }
}
