//! Chooses the content of a dictionary: the pieces of the samples that cover most of what samples have in common.
//!
//! Source: Liao, Petri, Moffat, Wirth, "Effective Construction of Relative Lempel-Ziv Dictionaries" (WWW 2016). The samples
//! are cut into as many parts as there are pieces to choose, and each part gives the piece whose words come in most samples.
//! Words that were chosen count no more. Words are known by a hash, as in the reference's fast variant.

use std::ops::Range;

/// Bytes of a word: a match of that length pays off.
pub(super) const WORD: usize = 8;

/// Different words that are told apart, as a power of two.
const LOG: u32 = 20;

/// In how many samples each word comes.
pub(super) struct Frequencies(Vec<u32>);

impl Frequencies {
    pub(super) fn of(samples: &[&[u8]]) -> Self {
        let mut counts = vec![0; 1 << LOG];
        // Which sample had the word last: what comes again in a sample repeats the sample itself.
        let mut last = vec![0_u32; 1 << LOG];
        for (number, sample) in (1..).zip(samples) {
            for word in words(sample) {
                if std::mem::replace(&mut last[word], number) != number {
                    counts[word] += 1;
                }
            }
        }
        Self(counts)
    }
}

/// Chooses pieces of at most `piece` bytes, `size` bytes together or less. The best come last, where offsets are short.
pub(super) fn choose(samples: &[&[u8]], frequencies: &Frequencies, size: usize, piece: usize) -> Vec<u8> {
    // What comes in one sample alone is of no use.
    let mut worth: Vec<u32> = frequencies.0.iter().map(|count| count.saturating_sub(1)).collect();
    let mut content = vec![0; size];
    let mut left = size;
    // Pieces turn out shorter than they may be, so that one round of parts seldom fills it.
    let parts = parts(samples, (size / piece / 4).max(1));
    let (mut idle, mut window) = (0, Window::new());
    for part in parts.iter().cycle() {
        if left == 0 || idle == parts.len() {
            break;
        }
        match window.best(&samples[part.clone()], &worth, piece) {
            Some(found) => {
                idle = 0;
                words(found).for_each(|word| worth[word] = 0);
                let taken = &found[..found.len().min(left)];
                content[left - taken.len()..left].copy_from_slice(taken);
                left -= taken.len();
            }
            None => idle += 1,
        }
    }
    content.split_off(left)
}

/// Cuts the samples into so many ranges of about the same number of bytes.
fn parts(samples: &[&[u8]], count: usize) -> Vec<Range<usize>> {
    let total: usize = samples.iter().map(|sample| sample.len()).sum();
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (number, sample) in samples.iter().enumerate() {
        bytes += sample.len();
        if bytes * count >= total * (parts.len() + 1) {
            parts.push(start..number + 1);
            start = number + 1;
        }
    }
    parts
}

/// The words in the piece that is looked at.
struct Window {
    /// How often each word comes in it: it is worth something once.
    counts: Vec<u16>,
}

impl Window {
    fn new() -> Self {
        Self { counts: vec![0; 1 << LOG] }
    }

    /// The piece of the samples that is worth most, without what is worth nothing at its ends.
    fn best<'a>(&mut self, samples: &[&'a [u8]], worth: &[u32], piece: usize) -> Option<&'a [u8]> {
        let most = piece.saturating_sub(WORD - 1).max(1);
        let mut best: (u64, &[u8]) = (0, &[]);
        for sample in samples {
            let (mut score, mut start) = (0, 0);
            for (at, word) in words(sample).enumerate() {
                let count = &mut self.counts[word];
                *count += 1;
                if *count == 1 {
                    score += u64::from(worth[word]);
                }
                if at - start == most {
                    score -= self.leave(sample, start, worth);
                    start += 1;
                }
                if score > best.0 {
                    best = (score, &sample[start..at + WORD]);
                }
            }
            for at in start..(sample.len() + 1).saturating_sub(WORD) {
                self.leave(sample, at, worth);
            }
        }
        let (score, found) = best;
        (score > 0).then(|| trim(found, worth))
    }

    /// Takes the word at the start of the piece out of it; returns what that was worth.
    fn leave(&mut self, sample: &[u8], at: usize, worth: &[u32]) -> u64 {
        let Some(word) = words(&sample[at..]).next() else { return 0 };
        let count = &mut self.counts[word];
        *count -= 1;
        if *count == 0 { worth[word].into() } else { 0 }
    }
}

/// Without the words at both ends that are worth nothing.
fn trim<'a>(found: &'a [u8], worth: &[u32]) -> &'a [u8] {
    let is_worth = |word: usize| worth[word] > 0;
    let first = words(found).position(is_worth);
    let last = words(found).enumerate().filter(|(_, word)| is_worth(*word)).last();
    match (first, last) {
        (Some(first), Some((last, _))) => &found[first..last + WORD],
        _ => found,
    }
}

/// The words of a sample, one from each byte on, by their hashes.
fn words(sample: &[u8]) -> impl Iterator<Item = usize> {
    sample.windows(WORD).filter_map(|word| {
        let number = u64::from_le_bytes(*word.first_chunk()?);
        Some((number.wrapping_mul(0x9e37_79b1_85eb_ca87) >> (64 - LOG)) as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_samples_have_in_common_is_chosen() {
        let samples: Vec<Vec<u8>> = (0..40_u64)
            .map(|number| {
                let own = number.wrapping_mul(0x1234_5678_9abc_def1).to_le_bytes();
                [&own[..], b"what all of them share, at some length", &own, &own].concat()
            })
            .collect();
        let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
        let content = choose(&samples, &Frequencies::of(&samples), 1000, 64);
        assert_eq!(content, b"what all of them share, at some length");
    }

    #[test]
    fn parts_are_all_of_the_samples() {
        let samples = [&b"a"[..], b"bcd", b"", b"efghijkl", b"m"];
        for count in 1..10 {
            let parts = parts(&samples, count);
            assert!(parts.len() <= count);
            assert_eq!(parts.into_iter().flatten().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        }
    }
}
