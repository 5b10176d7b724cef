//! Huffman coding of literals (RFC 8878 section 4.2), the writing side.

use super::{
    super::symbols::{MAX_HUFFMAN_BITS, MAX_WEIGHTS_ACCURACY_LOG},
    bits::BitWriter,
    fse,
};

/// How often each byte came.
pub(super) type Histogram = [u32; 256];

/// Counts bytes.
pub(super) fn count(bytes: &[u8]) -> Histogram {
    // Four tables, so that in a run of one byte no addition waits for the one before.
    let mut counts = [[0_u32; 256]; 4];
    let (words, rest) = bytes.as_chunks::<16>();
    for word in words {
        for (place, byte) in word.iter().enumerate() {
            counts[place % 4][usize::from(*byte)] += 1;
        }
    }
    for byte in rest {
        counts[0][usize::from(*byte)] += 1;
    }
    std::array::from_fn(|byte| counts.iter().map(|counts| counts[byte]).sum())
}

/// A code for bytes.
#[derive(Clone)]
pub(super) struct Code {
    /// In bits; 0 where there is none.
    lengths: [u8; 256],
    /// Each code from the highest bit down, its length in the lowest bits.
    entries: [u64; 256],
}

impl Code {
    /// The code that fits these counts of at least two bytes.
    pub(super) fn of(histogram: &Histogram) -> Self {
        let mut lengths = [0; 256];
        let sorted = sorted(histogram);
        let sorted = &sorted[..histogram.iter().filter(|count| **count > 0).count()];
        let mut depths = depths(sorted);
        limit(&mut depths[..sorted.len()]);
        for (symbol, depth) in sorted.iter().zip(depths) {
            lengths[usize::from(symbol.byte)] = depth;
        }
        Self::with(lengths)
    }

    /// The code with these lengths, which are those of a tree.
    pub(super) fn with(lengths: [u8; 256]) -> Self {
        Self { lengths, entries: entries(&lengths) }
    }

    /// In bits; 0 where there is no code.
    pub(super) const fn lengths(&self) -> &[u8; 256] {
        &self.lengths
    }

    /// What it costs to code these bytes with it, in bytes; `None` if it lacks one of them.
    pub(super) fn cost(&self, histogram: &Histogram) -> Option<usize> {
        let mut bits = 0;
        for (&count, &length) in histogram.iter().zip(&self.lengths) {
            if count > 0 && length == 0 {
                return None;
            }
            bits += count as usize * usize::from(length);
        }
        Some(bits.div_ceil(8))
    }

    /// Writes the description of the code (section 4.2.1): weights, either compressed or of 4 bits each. Returns the
    /// length; `None` if there is no room, or no way to describe it.
    pub(super) fn describe(&self, out: &mut [u8]) -> Option<usize> {
        let longest = self.lengths.iter().max().copied().unwrap_or(0);
        let last = self.lengths.iter().rposition(|length| *length > 0)?;
        // The last weight is not written: it follows from the others.
        let mut weights = [0; 255];
        for (weight, &length) in weights.iter_mut().zip(&self.lengths[..last]) {
            *weight = if length > 0 { longest + 1 - length } else { 0 };
        }
        let weights = &weights[..last];
        let (header, out) = out.split_first_mut()?;
        let plain = last.div_ceil(2);
        if let Some(length) = compress_weights(weights, out).filter(|length| *length < plain.min(128)) {
            *header = length as u8;
            return Some(1 + length);
        }
        if last > 128 {
            return None;
        }
        *header = 127 + last as u8;
        for (byte, pair) in out.get_mut(..plain)?.iter_mut().zip(weights.chunks(2)) {
            *byte = pair[0] << 4 | pair.get(1).copied().unwrap_or(0);
        }
        Some(1 + plain)
    }

    /// Writes one stream. Returns the length, unless there is no room.
    pub(super) fn encode(&self, bytes: &[u8], out: &mut [u8]) -> Option<usize> {
        let (groups, rest) = bytes.as_chunks::<8>();
        // Bits enter at the top. What is below them does not matter, so entries need no masks; their lengths add up in
        // the lowest bits.
        let (mut bits, mut count, mut at) = (0_u64, 0_u64, 0);
        let mut flush = |bits: u64, count: &mut u64| {
            let room = out.get_mut(at..)?.first_chunk_mut()?;
            *count &= 0xff;
            *room = bits.wrapping_shr((64 - *count) as u32).to_le_bytes();
            at += (*count >> 3) as usize;
            *count &= 7;
            Some(at)
        };
        let add = |byte: u8, bits: &mut u64, count: &mut u64| {
            let entry = self.entries[usize::from(byte)];
            *bits = bits.wrapping_shr(entry as u32) | entry;
            *count = count.wrapping_add(entry);
        };
        for byte in rest.iter().rev() {
            add(*byte, &mut bits, &mut count);
            flush(bits, &mut count)?;
        }
        for [first, second, third, fourth, fifth, sixth, seventh, eighth] in groups.iter().rev() {
            // Four codes have at most 44 bits, and up to seven wait for them.
            for byte in [eighth, seventh, sixth, fifth] {
                add(*byte, &mut bits, &mut count);
            }
            flush(bits, &mut count)?;
            for byte in [fourth, third, second, first] {
                add(*byte, &mut bits, &mut count);
            }
            flush(bits, &mut count)?;
        }
        bits = bits >> 1 | 1 << 63;
        count += 1;
        let end = flush(bits, &mut count)?;
        Some(end + usize::from(count > 0))
    }
}

/// A byte that occurs.
#[derive(Clone, Copy, Default)]
struct Symbol {
    byte: u8,
    count: u32,
}

/// The bytes that occur, rarest first; then nothing.
fn sorted(histogram: &Histogram) -> [Symbol; 256] {
    // Counts of one magnitude are few, or small: buckets for these, and insertion within.
    let mut starts = [0_usize; 33];
    for count in histogram.iter().filter(|count| **count > 0) {
        starts[count.ilog2() as usize + 1] += 1;
    }
    for bucket in 1..starts.len() {
        starts[bucket] += starts[bucket - 1];
    }
    let mut ends = starts;
    let mut sorted = [Symbol::default(); 256];
    for (byte, &count) in (0..=255).zip(histogram).filter(|(_, count)| **count > 0) {
        let bucket = count.ilog2() as usize;
        let mut place = ends[bucket];
        ends[bucket] += 1;
        while place > starts[bucket] && sorted[place - 1].count > count {
            sorted[place] = sorted[place - 1];
            place -= 1;
        }
        sorted[place] = Symbol { byte, count };
    }
    sorted
}

/// The depth of each symbol in Huffman's tree, deepest first, of at least two symbols.
///
/// Source: J. van Leeuwen, "On the construction of Huffman trees" (1976): of sorted symbols, two queues give the two
/// lightest nodes at once.
fn depths(sorted: &[Symbol]) -> [u8; 256] {
    let mut weights = [0_u32; 256];
    let (mut leaf_parents, mut parents) = ([0_u8; 256], [0_u8; 256]);
    let (mut leaf, mut node) = (0, 0);
    let nodes = sorted.len() - 1;
    for made in 0..nodes {
        for _ in 0..2 {
            if leaf < sorted.len() && (node == made || sorted[leaf].count <= weights[node]) {
                weights[made] += sorted[leaf].count;
                leaf_parents[leaf] = made as u8;
                leaf += 1;
            } else {
                weights[made] += weights[node];
                parents[node] = made as u8;
                node += 1;
            }
        }
    }
    // From the root, which is made last, down.
    let mut node_depths = [0_u8; 256];
    for node in (0..nodes.saturating_sub(1)).rev() {
        node_depths[node] = node_depths[usize::from(parents[node])] + 1;
    }
    let mut depths = [0; 256];
    for (depth, parent) in depths.iter_mut().zip(&leaf_parents[..sorted.len()]) {
        *depth = node_depths[usize::from(*parent)] + 1;
    }
    depths
}

/// Shortens codes to what the format allows, at the cost of the rarest of the others. Deepest first.
fn limit(depths: &mut [u8]) {
    const MAX: u8 = MAX_HUFFMAN_BITS as u8;
    // Kraft's sum, in units of the longest code: it has to be exactly one.
    let mut sum = 0_i32;
    for depth in depths.iter_mut() {
        *depth = (*depth).min(MAX);
        sum += 1 << (MAX - *depth);
    }
    let mut over = sum - (1 << MAX);
    while over > 0 {
        // The rarest that is not yet at the limit gives half its share.
        let Some(depth) = depths.iter_mut().find(|depth| **depth < MAX) else { return };
        *depth += 1;
        over -= 1 << (MAX - *depth);
    }
    // What that was too much goes to the most frequent symbol for which it is enough.
    while over < 0 {
        for depth in depths.iter_mut().rev() {
            while *depth > 1 && -over >= 1 << (MAX - *depth) {
                over += 1 << (MAX - *depth);
                *depth -= 1;
            }
        }
    }
}

/// The codes: longer ones first, and among those of one length, lower bytes first.
fn entries(lengths: &[u8; 256]) -> [u64; 256] {
    let mut next = [0_u64; 16];
    for length in lengths.iter().filter(|length| **length > 0) {
        next[usize::from(*length) % 16] += 1;
    }
    let mut first = 0;
    for number in next.iter_mut().rev() {
        let count = std::mem::replace(number, first);
        first = (first + count) >> 1;
    }
    std::array::from_fn(|byte| match lengths[byte] {
        0 => 0,
        length => {
            let next = &mut next[usize::from(length) % 16];
            let code = *next;
            *next += 1;
            code << (64 - length) | u64::from(length)
        }
    })
}

/// Writes weights in finite state entropy, with two states taking turns (section 4.2.1.2). `None` if there is no room,
/// or if these weights cannot be written this way.
fn compress_weights(weights: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut histogram = [0; fse::MAX_SYMBOLS];
    for weight in weights {
        histogram[usize::from(*weight)] += 1;
    }
    let total = weights.len() as u32;
    let most = histogram.iter().max().copied()?;
    if most == total || most == 1 {
        return None;
    }
    let distribution = fse::Distribution::of(&histogram, total, MAX_WEIGHTS_ACCURACY_LOG);
    let described = distribution.describe(out)?;
    let table = fse::Table::new(distribution);
    let mut writer = BitWriter::new(out.get_mut(described..)?);
    // Weights at even places belong to the first state.
    let mut states = [None, None];
    for (place, weight) in weights.iter().enumerate().rev() {
        match &mut states[place % 2] {
            Some(state) => table.code(state, *weight, &mut writer),
            state => *state = Some(table.last(*weight)),
        }
        writer.flush();
    }
    let [Some(first), Some(second)] = states else { return None };
    table.end(second, &mut writer);
    table.end(first, &mut writer);
    Some(described + writer.finish()?)
}
