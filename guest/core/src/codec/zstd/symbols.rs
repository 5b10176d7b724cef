//! What sequences are coded with: three alphabets, and what is agreed about them beforehand.
//!
//! Source: RFC 8878 sections 3.1.1.3.2.1 (codes, limits) and 3.1.1.3.2.2 (predefined distributions).

/// The codes of one part of a sequence. A code stands for a baseline, to which the number in its extra bits is added.
pub(super) struct Alphabet<const CODES: usize> {
    /// Of each code, the least value that it stands for.
    pub(super) baselines: [u32; CODES],
    /// Of each code, how many extra bits follow it.
    pub(super) extra_bits: [u8; CODES],
    /// The most bits that a state of an FSE table for it may have.
    pub(super) max_accuracy_log: u32,
    /// The distribution that needs no description.
    pub(super) predefined: Distribution,
}

/// How often each symbol of an alphabet comes, for an FSE table.
pub(super) struct Distribution {
    /// The counts add up to 2 to this power.
    pub(super) accuracy_log: u32,
    /// The count of each symbol; -1 means less than one, which takes one place as well.
    pub(super) counts: &'static [i16],
}

/// Codes without gaps: each baseline follows from what the codes before it cover.
const fn baselines<const CODES: usize>(first: u32, extra_bits: &[u8; CODES]) -> [u32; CODES] {
    let (mut baselines, mut next, mut code) = ([0; CODES], first, 0);
    while code < CODES {
        baselines[code] = next;
        next = next.wrapping_add(1 << extra_bits[code]);
        code += 1;
    }
    baselines
}

const LITERAL_LENGTH_BITS: [u8; 36] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13,
    14, 15, 16,
];

const MATCH_LENGTH_BITS: [u8; 53] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1,
    1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
];

const OFFSET_BITS: [u8; 32] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
    29, 30, 31,
];

/// How many literals precede a match: 0 to 131,071.
pub(super) static LITERAL_LENGTHS: Alphabet<36> = Alphabet {
    baselines: baselines(0, &LITERAL_LENGTH_BITS),
    extra_bits: LITERAL_LENGTH_BITS,
    max_accuracy_log: 9,
    predefined: Distribution {
        accuracy_log: 6,
        counts: &[
            4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1,
            -1, -1, -1, -1,
        ],
    },
};

/// How long a match is: 3 to 131,074.
pub(super) static MATCH_LENGTHS: Alphabet<53> = Alphabet {
    baselines: baselines(3, &MATCH_LENGTH_BITS),
    extra_bits: MATCH_LENGTH_BITS,
    max_accuracy_log: 9,
    predefined: Distribution {
        accuracy_log: 6,
        counts: &[
            1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
            1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
        ],
    },
};

/// Where a match begins, as an offset value: 1 to [`REPEATED`] mean an earlier offset, from 4 on it is the offset plus
/// 3.
pub(super) static OFFSETS: Alphabet<32> = Alphabet {
    baselines: baselines(1, &OFFSET_BITS),
    extra_bits: OFFSET_BITS,
    max_accuracy_log: 8,
    predefined: Distribution {
        accuracy_log: 5,
        counts: &[1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
    },
};

/// Offset values up to this one stand for earlier offsets (section 3.1.1.5).
pub(super) const REPEATED: u32 = 3;

/// The earlier offsets at the start of a frame, the latest first (section 3.1.1.5).
pub(super) const FIRST_OFFSETS: [u32; REPEATED as usize] = [1, 4, 8];

/// The most bits of a Huffman code of literals (section 4.2.1).
pub(super) const MAX_HUFFMAN_BITS: u32 = 11;

/// The most bits of a state of the FSE table of Huffman weights (section 4.2.1.2).
pub(super) const MAX_WEIGHTS_ACCURACY_LOG: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    fn is_whole<const CODES: usize>(alphabet: &Alphabet<CODES>) -> bool {
        let Distribution { accuracy_log, counts } = alphabet.predefined;
        let places: u32 = counts.iter().map(|count| u32::from(count.unsigned_abs())).sum();
        places == 1 << accuracy_log && counts.len() <= CODES && accuracy_log <= alphabet.max_accuracy_log
    }

    #[test]
    fn the_last_codes_and_the_distributions_are_those_of_the_rfc() {
        assert_eq!(LITERAL_LENGTHS.baselines[16..20], [16, 18, 20, 22]);
        assert_eq!(LITERAL_LENGTHS.baselines[24..27], [48, 64, 128]);
        assert_eq!(LITERAL_LENGTHS.baselines[35], 65_536);
        assert_eq!(MATCH_LENGTHS.baselines[31..36], [34, 35, 37, 39, 41]);
        assert_eq!(MATCH_LENGTHS.baselines[42..45], [99, 131, 259]);
        assert_eq!(MATCH_LENGTHS.baselines[52], 65_539);
        assert_eq!(OFFSETS.baselines, std::array::from_fn(|code| 1 << code));
        assert!(is_whole(&LITERAL_LENGTHS) && is_whole(&MATCH_LENGTHS) && is_whole(&OFFSETS));
    }
}
