//! Decompression of a block of the raw format (`format_description.txt` of google/snappy, version 2011-10-05).

use super::super::window::Window;

/// Short literals are copied in two pieces of this size, where there is that much input.
const PIECE: usize = 16;

/// What each tag of a copy means: its length (bits 0–6), the high bits of its distance (8–10), and how many bytes of
/// the distance follow (11–13).
const COPIES: [u16; 256] = {
    let mut copies = [0; 256];
    let mut tag = 0;
    while tag < 256 {
        copies[tag] = match tag & 3 {
            1 => ((tag >> 2) & 7) + 4 + ((tag >> 5) << 8) + (1 << 11),
            2 => (tag >> 2) + 1 + (2 << 11),
            _ => (tag >> 2) + 1 + (4 << 11),
        } as u16;
        tag += 1;
    }
    copies
};

/// The low bytes of a number, by how many of them.
const LOW: [u64; 8] = [0, 0xff, 0xffff, 0xff_ffff, 0xffff_ffff, 0, 0, 0];

/// A copy of what came before.
struct Copy {
    /// How many bytes of the distance follow the tag, at most 4.
    extra: usize,
    distance: usize,
    count: usize,
}

impl Copy {
    /// From a tag and the bytes behind it.
    #[inline(always)]
    fn of(tag: u8, number: u64) -> Self {
        let copy = usize::from(COPIES[usize::from(tag)]);
        let extra = copy >> 11;
        let distance = (copy & 0x700) + (number & LOW[extra & 7]) as usize;
        Self { extra, distance, count: copy & 0x7f }
    }
}

/// Decompresses elements to exactly `length` bytes, which the window can hold; returns whether they made that many.
pub(super) fn decompress(mut elements: &[u8], window: &mut Window, length: usize) -> bool {
    let mut end = 0;
    loop {
        (elements, end) = short_elements(elements, window, end, length);
        if elements.is_empty() {
            return end == length;
        }
        let Some(next) = element(elements, window, end, length) else { return false };
        (elements, end) = next;
    }
}

/// Decompresses elements up to one that is long or at the end, or is wrong. Returns the rest, from that one on, and the
/// end of the contents. The loop stands [alone](super::super).
#[inline(never)]
fn short_elements<'e>(
    mut elements: &'e [u8],
    window: &mut Window,
    mut end: usize,
    length: usize,
) -> (&'e [u8], usize) {
    while let Some(word) = elements.first_chunk::<8>() {
        let word = u64::from_le_bytes(*word);
        let (tag, number) = (word as u8, word >> 8);
        if tag & 3 != 0 {
            let Copy { extra, distance, count } = Copy::of(tag, number);
            if distance.wrapping_sub(1) >= end || count > length - end {
                break;
            }
            end = window.repeat(end, distance, count);
            elements = &elements[1 + (extra & 7)..];
        } else {
            let count = usize::from(tag >> 2) + 1;
            let Some((bytes, _)) = elements[1..].split_first_chunk::<{ 2 * PIECE }>() else { break };
            if count > bytes.len() || count > length - end {
                break;
            }
            let (pieces, _) = bytes.as_chunks::<PIECE>();
            window.store(end, pieces[0]);
            window.store(end + PIECE, pieces[1]);
            end += count;
            elements = &elements[1 + count..];
        }
    }
    (elements, end)
}

/// Decompresses the first element, whatever it is. Returns the rest and the end of the contents, unless it is wrong.
fn element<'e>(
    elements: &'e [u8],
    window: &mut Window,
    end: usize,
    length: usize,
) -> Option<(&'e [u8], usize)> {
    // A tag and what may belong to it: up to four bytes.
    let word = match elements.first_chunk::<8>() {
        Some(word) => u64::from_le_bytes(*word),
        None => elements.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    let (tag, number) = (word as u8, word >> 8);
    if tag & 3 != 0 {
        let Copy { extra, distance, count } = Copy::of(tag, number);
        let rest = elements.get(1 + extra..)?;
        if distance.wrapping_sub(1) >= end || count > length - end {
            return None;
        }
        return Some((rest, window.repeat(end, distance, count)));
    }
    let (used, count) = match usize::from(tag >> 2) {
        short @ ..60 => (1, short + 1),
        long => (long - 58, (number & LOW[(long - 59) & 7]) as usize + 1),
    };
    let (bytes, rest) = elements.get(used..)?.split_at_checked(count)?;
    if count > length - end {
        return None;
    }
    Some((rest, window.append(end, bytes)))
}
