//! CRC-32 (gzip: RFC 1952 section 8) and CRC-32C (Snappy: RFC 3720 appendix B.4), without special instructions:
//! WebAssembly has none.
//!
//! Bytes far from the end are folded forward with XOR alone. A CRC is the remainder of the message, as a polynomial over
//! GF(2), by a generator `G`. If `Q` is a multiple of `G` with few terms, `Q(x) = x^a + ... + x^z + 1`, then adding a
//! multiple of `Q` leaves the remainder as it is, and may remove a byte of the message and add it to a few later ones
//! instead. Squaring in GF(2) gives `Q(x)^2 = Q(x^2)`, so the exponents may be taken as counts of any power of two of
//! bits: here of [`UNIT`]s. What is left of any message is as long as the largest exponent, and for that there are
//! tables.
//!
//! Sources: K. Russell, "Chorba: A novel CRC32 implementation", 2024 (arXiv 2412.16398) for removal by sparse multiples;
//! M. Kounavis and F. Berry, "A Systematic Approach to Building High Performance, Software-based, CRC Generators", 2005,
//! for the tables. The multiples were searched for: they have the lowest degree of those with that number of terms.

/// How many bytes one step of an exponent stands for. With more, a longer rest is left to the tables; with fewer, a run
/// reads what was only just stored, and the processor has to wait for it.
const UNIT: usize = 4;

/// Bytes folded at once: not more than the shortest distance.
const RUN: usize = 128;

/// Bytes folded before the last of them are moved to the start of the buffer.
const BLOCK: usize = 64 * RUN;

/// The longest reach of a multiple, in bytes.
const MAX_REACH: usize = 300 * UNIT;

/// A CRC of 32 bits, its bits reflected; the sparse multiple of its generator has `TERMS` terms beside the highest one.
pub(super) struct Crc<const TERMS: usize> {
    /// `tables[k][b]`: what the byte `b` with `k` zero bytes behind it leaves.
    tables: [[u32; 256]; 8],
    /// How far ahead, in bytes, a removed unit has to be added, the longest distance last.
    distances: [usize; TERMS],
}

/// The checksum of gzip.
pub(super) static CRC32: Crc<4> = Crc::new(0xedb8_8320, [145, 183, 211, 300]);

/// The checksum of Snappy.
pub(super) static CRC32C: Crc<5> = Crc::new(0x82f6_3b78, [65, 155, 170, 195, 209]);

impl<const TERMS: usize> Crc<TERMS> {
    const fn new(generator: u32, mut distances: [usize; TERMS]) -> Self {
        let mut tables = [[0; 256]; 8];
        let mut byte = 0;
        while byte < 256 {
            let mut rest = byte as u32;
            let mut table = 0;
            while table < 8 {
                let mut bit = 0;
                while bit < 8 {
                    rest = (rest >> 1) ^ (generator * (rest & 1));
                    bit += 1;
                }
                tables[table][byte] = rest;
                table += 1;
            }
            byte += 1;
        }
        let mut term = 0;
        while term < TERMS {
            distances[term] *= UNIT;
            term += 1;
        }
        assert!(distances[0] >= RUN && distances[TERMS - 1] <= MAX_REACH);
        Self { tables, distances }
    }

    /// Continues the checksum `crc` with these bytes. The checksum of nothing is 0.
    pub(super) fn update(&self, crc: u32, bytes: &[u8]) -> u32 {
        let reach = self.distances[TERMS - 1];
        if bytes.len() < 2 * reach {
            return !self.divide(!crc, bytes);
        }
        let (runs, rest) = bytes.as_chunks::<RUN>();
        let mut history = [0; MAX_REACH + BLOCK];
        let mut at = reach;
        // Adding what came before to the first bytes has the same effect.
        let mut before = !crc;
        for run in runs {
            if at == reach + BLOCK {
                history.copy_within(BLOCK..BLOCK + reach, 0);
                at = reach;
            }
            let mut run = *run;
            if before != 0 {
                add(&mut run, &before.to_le_bytes());
                before = 0;
            }
            for distance in self.distances {
                if let Some(earlier) = history[at - distance..].first_chunk::<RUN>() {
                    add(&mut run, earlier);
                }
            }
            history[at..at + RUN].copy_from_slice(&run);
            at += RUN;
        }
        // The last units have nothing ahead to be added to, so they stay: take back what they gave to each other.
        let folded = &history[at - reach..at];
        let mut kept = [0; MAX_REACH];
        let kept = &mut kept[..reach];
        kept.copy_from_slice(folded);
        for distance in self.distances {
            add(&mut kept[distance..], folded);
        }
        !self.divide(self.divide(0, kept), rest)
    }

    /// The remainder of the bytes after those with the remainder `rest`.
    fn divide(&self, mut rest: u32, bytes: &[u8]) -> u32 {
        let (words, bytes) = bytes.as_chunks::<8>();
        let [t0, t1, t2, t3, t4, t5, t6, t7] = &self.tables;
        for word in words {
            let [b0, b1, b2, b3, b4, b5, b6, b7] =
                (u64::from_le_bytes(*word) ^ u64::from(rest)).to_le_bytes().map(usize::from);
            rest = t7[b0] ^ t6[b1] ^ t5[b2] ^ t4[b3] ^ t3[b4] ^ t2[b5] ^ t1[b6] ^ t0[b7];
        }
        for byte in bytes {
            rest = (rest >> 8) ^ t0[usize::from(rest as u8 ^ byte)];
        }
        rest
    }
}

/// Adds the two, as far as the shorter one goes: over GF(2) that is XOR.
fn add(bytes: &mut [u8], more: &[u8]) {
    for (byte, more) in bytes.iter_mut().zip(more) {
        *byte ^= more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit by bit, as the format defines it.
    fn definition(generator: u32, bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (generator * (crc & 1)))
        })
    }

    #[test]
    fn known_checksums() {
        assert_eq!(CRC32.update(0, b"123456789"), 0xcbf4_3926);
        assert_eq!(CRC32C.update(0, b"123456789"), 0xe306_9283);
        // RFC 3720 appendix B.4.
        assert_eq!(CRC32C.update(0, &[0; 32]), 0x8a91_36aa);
        assert_eq!((CRC32.update(0, b""), CRC32C.update(0, b"")), (0, 0));
    }

    #[test]
    fn any_length_in_any_parts_has_the_checksum_of_the_definition() {
        let bytes: Vec<u8> =
            (0_u32..60_000).map(|n| (n.wrapping_mul(0x9e37_79b9) >> (n % 23)) as u8).collect();
        let reach = MAX_REACH;
        for length in
            [1, 7, 8, 9, 2 * reach - 1, 2 * reach, 2 * reach + 1, reach + BLOCK, 3 * BLOCK + 77, 60_000]
        {
            let bytes = &bytes[..length];
            for parts in [length, length / 2 + 1, 5000] {
                let of = |update: &dyn Fn(u32, &[u8]) -> u32| bytes.chunks(parts).fold(0, update);
                assert_eq!(of(&|crc, part| CRC32.update(crc, part)), definition(0xedb8_8320, bytes));
                assert_eq!(of(&|crc, part| CRC32C.update(crc, part)), definition(0x82f6_3b78, bytes));
            }
        }
    }
}
