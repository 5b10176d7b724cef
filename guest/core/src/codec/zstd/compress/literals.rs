//! The literals section of a block (RFC 8878 section 3.1.1.3.1).

use super::{
    huffman::{self, Code},
    tables::Tables,
};

/// Fewer literals gain less than their code costs.
const MIN_LENGTH: usize = 64;

/// The same where the code is known already.
const MIN_LENGTH_OF_KNOWN: usize = 8;

/// Up to this length one stream is enough.
const MAX_LENGTH_OF_ONE_STREAM: usize = 255;

/// The same where the code is known already: as long as the header allows it, so that lengths of streams are saved.
const MAX_LENGTH_OF_ONE_STREAM_OF_KNOWN: usize = 1023;

/// Bytes at each end that are looked at first, to see whether the whole is worth it.
const SAMPLE: usize = 4096;

/// Writes literals, and remembers the code that a decoder has.
pub(super) struct Literals {
    is_coding: bool,
    code: Option<Box<Code>>,
    /// Of the current block.
    next: Option<Box<Code>>,
}

impl Literals {
    /// `is_coding`: otherwise literals stay as they are.
    pub(super) const fn new(is_coding: bool) -> Self {
        Self { is_coding, code: None, next: None }
    }

    /// The block was not written compressed: the decoder never sees its code.
    pub(super) fn discard(&mut self) {
        self.next = None;
    }

    /// The block was written compressed: the decoder has its tables now.
    pub(super) fn keep(&mut self) {
        if self.next.is_some() {
            self.code = self.next.take();
        }
    }

    /// A frame begins, with the code of a dictionary or none.
    pub(super) fn reset(&mut self, known: Option<&Tables>) {
        (self.code, self.next) = (known.map(|known| known.code.clone()), None);
    }

    /// Writes a section. `are_suspect`: they may well be noise. Returns its length, unless there is no room.
    pub(super) fn write(&mut self, literals: &[u8], are_suspect: bool, out: &mut [u8]) -> Option<usize> {
        let least = if self.code.is_some() { MIN_LENGTH_OF_KNOWN } else { MIN_LENGTH };
        if !self.is_coding || literals.len() < least || are_suspect && is_noise(literals) {
            return plain(literals, 0, literals, out);
        }
        let histogram = huffman::count(literals);
        let most = histogram.iter().max().map_or(0, |most| *most as usize);
        if most == literals.len() {
            return plain(&literals[..1], 1, literals, out);
        }
        // With a code that is known even a little is worth it.
        let is_short = self.code.is_some() && literals.len() <= MAX_LENGTH_OF_ONE_STREAM_OF_KNOWN;
        if !is_short && is_flat(most, literals.len()) {
            return plain(literals, 0, literals, out);
        }
        self.compress(literals, &histogram, out).or_else(|| {
            self.next = None;
            plain(literals, 0, literals, out)
        })
    }

    fn compress(&mut self, literals: &[u8], histogram: &huffman::Histogram, out: &mut [u8]) -> Option<usize> {
        let length = literals.len();
        // Bits of each of the two lengths; two bits for the type and two for the format come before them.
        let (format, bits) = match length {
            0..1024 => (1, 10),
            1024..16_384 => (2, 14),
            _ => (3, 18),
        };
        let header = (4 + 2 * bits) / 8;
        let code = (length >= MIN_LENGTH).then(|| Box::new(Code::of(histogram)));
        let described = match &code {
            Some(code) => code.describe(out.get_mut(header..)?),
            None => None,
        };
        let with_new = described
            .zip(code.as_ref())
            .and_then(|(described, code)| Some(described + code.cost(histogram)?));
        let with_known = self.code.as_ref().and_then(|code| code.cost(histogram));
        let is_known = match (with_known, with_new) {
            (Some(known), Some(new)) => known <= new,
            (known, _) => known.is_some(),
        };
        let (kind, described, code) = match &self.code {
            Some(known) if is_known => (3, 0, &**known),
            _ => (2, described?, &**self.next.insert(code?)),
        };
        let most = if kind == 3 { MAX_LENGTH_OF_ONE_STREAM_OF_KNOWN } else { MAX_LENGTH_OF_ONE_STREAM };
        let is_one = length <= most;
        let format = if is_one { 0 } else { format };
        let streams = header + described;
        let written = described + encode(code, literals, is_one, out.get_mut(streams..)?)?;
        if written + header >= length - min_gain(length) {
            return None;
        }
        let fields = kind | format << 2 | (length as u64) << 4 | (written as u64) << (4 + bits);
        out.get_mut(..header)?.copy_from_slice(&fields.to_le_bytes()[..header]);
        Some(header + written)
    }
}

/// How much compression has to save to be worth a decoder's time, as in the reference.
pub(super) const fn min_gain(length: usize) -> usize {
    (length >> 6) + 2
}

/// Whether even the most frequent byte is hardly more frequent than in noise.
const fn is_flat(most: usize, length: usize) -> bool {
    most <= (length >> 7) + 4
}

fn is_noise(literals: &[u8]) -> bool {
    let (Some(head), Some(tail)) = (literals.first_chunk::<SAMPLE>(), literals.last_chunk::<SAMPLE>()) else {
        return false;
    };
    let (head, tail) = (huffman::count(head), huffman::count(tail));
    let most = head.iter().zip(tail).map(|(head, tail)| head + tail).max();
    most.is_some_and(|most| is_flat(most as usize, 2 * SAMPLE))
}

/// Writes literals as they are (`kind` 0), or one of them for all (`kind` 1).
fn plain(contents: &[u8], kind: u32, literals: &[u8], out: &mut [u8]) -> Option<usize> {
    let length = literals.len() as u32;
    let (header, fields) = match length {
        0..32 => (1, kind | length << 3),
        32..4096 => (2, kind | 1 << 2 | length << 4),
        _ => (3, kind | 3 << 2 | length << 4),
    };
    let end = header + contents.len();
    out.get_mut(..header)?.copy_from_slice(&fields.to_le_bytes()[..header]);
    out.get_mut(header..end)?.copy_from_slice(contents);
    Some(end)
}

/// One stream, or the lengths of three streams and then four streams.
fn encode(code: &Code, literals: &[u8], is_one: bool, out: &mut [u8]) -> Option<usize> {
    if is_one {
        return code.encode(literals, out);
    }
    let mut at = 6;
    for (number, part) in literals.chunks(literals.len().div_ceil(4)).enumerate() {
        let length = code.encode(part, out.get_mut(at..)?)?;
        at += length;
        if number < 3 {
            out[2 * number..2 * number + 2].copy_from_slice(&u16::try_from(length).ok()?.to_le_bytes());
        }
    }
    Some(at)
}
