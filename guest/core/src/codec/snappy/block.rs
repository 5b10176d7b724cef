//! Decompression of a block of the raw format (`format_description.txt` of google/snappy, version 2011-10-05).

use super::super::window::Window;

/// How much of a literal is copied at once where there is that much input.
const SHORT: usize = 16;

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

/// Decompresses elements to exactly `length` bytes, which the window can hold; returns whether they made that many.
pub(super) fn decompress(mut elements: &[u8], window: &mut Window, length: usize) -> bool {
    let mut end = 0;
    while !elements.is_empty() {
        // A tag and what may belong to it: up to four bytes.
        let word = match elements.first_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None => elements.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        let (tag, number) = (word as u8, word >> 8);
        if tag & 3 != 0 {
            let copy = usize::from(COPIES[usize::from(tag)]);
            let extra = copy >> 11;
            let distance = (copy & 0x700) + (number & LOW[extra & 7]) as usize;
            let count = copy & 0x7f;
            let Some(rest) = elements.get(1 + extra..) else { return false };
            if distance.wrapping_sub(1) >= end || count > length - end {
                return false;
            }
            end = window.repeat(end, distance, count);
            elements = rest;
            continue;
        }
        let (used, count) = match usize::from(tag >> 2) {
            short @ ..60 => (1, short + 1),
            long => (long - 58, (number & LOW[(long - 59) & 7]) as usize + 1),
        };
        let Some(rest) = elements.get(used..) else { return false };
        if count > length - end {
            return false;
        }
        if count <= SHORT
            && let Some(bytes) = rest.first_chunk::<SHORT>()
        {
            window.store(end, *bytes);
            end += count;
            elements = &rest[count..];
        } else if let Some((bytes, behind)) = rest.split_at_checked(count) {
            end = window.append(end, bytes);
            elements = behind;
        } else {
            return false;
        }
    }
    end == length
}
