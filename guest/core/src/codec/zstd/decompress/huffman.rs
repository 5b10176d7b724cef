//! Huffman codes of literals (RFC 8878 section 4.2).

use super::{
    super::{
        decoder::Damaged,
        symbols::{MAX_HUFFMAN_BITS, MAX_WEIGHTS_ACCURACY_LOG},
    },
    bits::BackwardBits,
    fse,
};

/// How many symbols one refill is enough for.
const ROUND: usize = (BackwardBits::REFILLED / MAX_HUFFMAN_BITS) as usize;

/// Weights that can be described: that of the last symbol follows from them.
const MAX_WEIGHTS: usize = 255;

/// For each value of the next [`MAX_HUFFMAN_BITS`] bits: the symbol they begin with in the high byte, and its length in
/// bits in the low byte.
#[derive(Clone)]
pub(super) struct Table([u16; 1 << MAX_HUFFMAN_BITS]);

impl Table {
    pub(super) const fn new() -> Self {
        Self([0; 1 << MAX_HUFFMAN_BITS])
    }

    /// Reads the description of a tree, and takes it off `bytes`.
    pub(super) fn read(&mut self, bytes: &mut &[u8]) -> Result<(), Damaged> {
        let mut weights = [0; MAX_WEIGHTS + 1];
        let count = read_weights(&mut weights, bytes)?;
        self.build(&mut weights, count)
    }

    /// Section 4.2.1: from weights, all but the last, to codes.
    fn build(&mut self, weights: &mut [u8; MAX_WEIGHTS + 1], count: usize) -> Result<(), Damaged> {
        // How many symbols have each weight.
        let mut ranks = [0_u32; MAX_HUFFMAN_BITS as usize + 2];
        let mut sum = 0;
        for weight in &weights[..count] {
            *ranks.get_mut(usize::from(*weight)).ok_or(Damaged)? += 1;
            sum += 1 << weight >> 1;
        }
        let max_bits = u32::checked_ilog2(sum).ok_or(Damaged)? + 1;
        let rest = (1 << max_bits) - sum;
        if max_bits > MAX_HUFFMAN_BITS || !rest.is_power_of_two() {
            return Err(Damaged);
        }
        let last = rest.ilog2() + 1;
        weights[count] = last as u8;
        ranks[last as usize] += 1;
        // The longest codes come in pairs. The reference refuses a tree without any of the length that it has room for.
        if ranks[1] < 2 {
            return Err(Damaged);
        }

        // The longest codes are the lowest ones.
        let scale = MAX_HUFFMAN_BITS - max_bits;
        let mut starts = [0; MAX_HUFFMAN_BITS as usize + 2];
        let mut next = 0;
        for (weight, (start, count)) in starts.iter_mut().zip(ranks).enumerate().skip(1) {
            *start = next;
            next += (count as usize) << (weight - 1) << scale;
        }
        for (symbol, weight) in (0..).zip(&weights[..=count]).filter(|(_, weight)| **weight > 0) {
            let start = &mut starts[usize::from(*weight)];
            let end = *start + (1 << (weight - 1) << scale);
            let bits = max_bits as u16 + 1 - u16::from(*weight);
            self.0.get_mut(*start..end).ok_or(Damaged)?.fill(symbol << 8 | bits);
            *start = end;
        }
        Ok(())
    }

    /// The length in bits of each symbol's code; 0 where there is none.
    pub(super) fn lengths(&self) -> [u8; 256] {
        let mut lengths = [0; 256];
        for entry in self.0 {
            lengths[usize::from(entry >> 8)] = entry as u8;
        }
        lengths
    }

    #[inline(always)]
    fn symbol(&self, bits: &mut BackwardBits<'_>) -> u8 {
        let entry = self.0[bits.peek::<MAX_HUFFMAN_BITS>()];
        bits.skip(entry.into());
        (entry >> 8) as u8
    }

    /// Decodes as many symbols as there is room for, which must be all that the stream has.
    pub(super) fn decode(&self, stream: &[u8], literals: &mut [u8]) -> Result<(), Damaged> {
        self.decode_rest(BackwardBits::new(stream)?, literals)
    }

    fn decode_rest(&self, mut bits: BackwardBits<'_>, literals: &mut [u8]) -> Result<(), Damaged> {
        for round in literals.chunks_mut(ROUND) {
            bits.refill()?;
            for literal in round {
                *literal = self.symbol(&mut bits);
            }
        }
        if bits.is_at_start() { Ok(()) } else { Err(Damaged) }
    }

    /// The same of four streams, each for its quarter (section 4.2.2); the lengths of three come first.
    pub(super) fn decode_four(&self, bytes: &[u8], literals: &mut [u8]) -> Result<(), Damaged> {
        let (&[a0, a1, b0, b1, c0, c1], mut streams) = bytes.split_first_chunk().ok_or(Damaged)?;
        let mut stream = |length: [u8; 2]| {
            let (stream, rest) =
                streams.split_at_checked(u16::from_le_bytes(length).into()).ok_or(Damaged)?;
            streams = rest;
            BackwardBits::new(stream)
        };
        let (mut a, mut b, mut c) = (stream([a0, a1])?, stream([b0, b1])?, stream([c0, c1])?);
        let mut d = BackwardBits::new(streams)?;

        let quarter = literals.len().div_ceil(4);
        let mut quarters = literals.chunks_mut(quarter.max(1));
        let (Some(to_a), Some(to_b), Some(to_c), Some(to_d)) =
            (quarters.next(), quarters.next(), quarters.next(), quarters.next())
        else {
            return Err(Damaged);
        };
        // The last is the shortest.
        let whole = to_d.len() / ROUND * ROUND;
        let (fast_a, rest_a) = to_a.split_at_mut(whole);
        let (fast_b, rest_b) = to_b.split_at_mut(whole);
        let (fast_c, rest_c) = to_c.split_at_mut(whole);
        let (fast_d, rest_d) = to_d.split_at_mut(whole);
        let rounds = fast_a.as_chunks_mut::<ROUND>().0.iter_mut().zip(fast_b.as_chunks_mut::<ROUND>().0);
        let rounds = rounds.zip(fast_c.as_chunks_mut::<ROUND>().0).zip(fast_d.as_chunks_mut::<ROUND>().0);
        for (((to_a, to_b), to_c), to_d) in rounds {
            a.refill()?;
            b.refill()?;
            c.refill()?;
            d.refill()?;
            for place in 0..ROUND {
                to_a[place] = self.symbol(&mut a);
                to_b[place] = self.symbol(&mut b);
                to_c[place] = self.symbol(&mut c);
                to_d[place] = self.symbol(&mut d);
            }
        }
        self.decode_rest(a, rest_a)?;
        self.decode_rest(b, rest_b)?;
        self.decode_rest(c, rest_c)?;
        self.decode_rest(d, rest_d)
    }
}

/// Section 4.2.1.1; says how many there are.
fn read_weights(weights: &mut [u8; MAX_WEIGHTS + 1], bytes: &mut &[u8]) -> Result<usize, Damaged> {
    let (header, rest) = bytes.split_first().ok_or(Damaged)?;
    let header = usize::from(*header);
    let length = if header < 128 { header } else { (header - 127).div_ceil(2) };
    let (description, rest) = rest.split_at_checked(length).ok_or(Damaged)?;
    *bytes = rest;
    if header < 128 {
        return read_compressed_weights(weights, description);
    }
    for (pair, byte) in weights.chunks_mut(2).zip(description) {
        pair.copy_from_slice(&[byte >> 4, byte & 15]);
    }
    Ok(header - 127)
}

/// Section 4.2.1.2: two states in turns, until the bits are used up.
fn read_compressed_weights(
    weights: &mut [u8; MAX_WEIGHTS + 1],
    mut description: &[u8],
) -> Result<usize, Damaged> {
    const BASELINES: [u32; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    let described = fse::Described::read(&mut description, MAX_WEIGHTS_ACCURACY_LOG, BASELINES.len())?;
    let mut table = fse::Table::<{ 1 << MAX_WEIGHTS_ACCURACY_LOG }>::new();
    table.build(described.accuracy_log, described.counts(), &BASELINES, &[0; BASELINES.len()])?;
    let mut bits = BackwardBits::new(description)?;
    let mut states = [0; 2];
    for state in &mut states {
        *state = bits.take(table.accuracy_log()) as usize;
    }
    let mut count = 0;
    loop {
        for turn in 0..2 {
            // One place is for the last weight, which is not described, and one for that of the other state.
            if count >= MAX_WEIGHTS - 1 {
                return Err(Damaged);
            }
            let entry = table.entry(states[turn]);
            weights[count] = entry.baseline() as u8;
            count += 1;
            bits.refill()?;
            states[turn] = entry.next() + bits.take(entry.next_bits()) as usize;
            if bits.is_beyond_start() {
                weights[count] = table.entry(states[1 - turn]).baseline() as u8;
                return Ok(count + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 4.2.1 has this example: weights 4, 3, 2, 0, 1, and 1 for the last.
    #[test]
    fn codes_follow_from_weights() {
        let mut table = Table::new();
        let mut description = &[127 + 5, 0x43, 0x20, 0x10, 9][..];
        table.read(&mut description).unwrap();
        assert_eq!(description, [9]);
        // The mark; 1, 01, 001; 0000 and 0001 for the fifth and the sixth.
        let mut literals = [9; 5];
        let bits = 0b0110_1001_0000_0001_u16;
        table.decode(&bits.to_le_bytes(), &mut literals).unwrap();
        assert_eq!(literals, [0, 1, 2, 4, 5]);
        table.decode(&bits.to_le_bytes(), &mut literals[..4]).unwrap_err();
        table.decode(&bits.to_le_bytes(), &mut [0; 6]).unwrap_err();
    }

    #[test]
    fn weights_that_make_no_tree_are_refused() {
        for description in [&[128, 0x00][..], &[129, 0x13], &[128, 0x20], &[131, 0xcc, 0xcc], &[128], &[]] {
            assert!(Table::new().read(&mut &*description).is_err(), "{description:02x?}");
        }
    }
}
