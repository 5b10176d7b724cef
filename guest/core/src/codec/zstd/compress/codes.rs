//! The codes of sequences (RFC 8878 section 3.1.1.3.2.1.1), and their extra bits.

use super::{
    super::symbols::{Alphabet, LITERAL_LENGTHS, MATCH_LENGTHS},
    fse,
    sequences::{MIN_MATCH, Sequence},
};

/// A sequence in its codes.
#[derive(Clone, Copy)]
pub(super) struct Coded {
    /// The extra bits: the low bits of the literal length, of the match length and of the offset value. Baselines end
    /// in as many zeros as their codes have extra bits.
    pub(super) extra: u64,
    /// The codes of the literal length, the match length and the offset value; then the number of extra bits.
    pub(super) codes: [u8; 4],
}

impl Coded {
    #[inline(always)]
    pub(super) fn new(sequence: Sequence) -> Self {
        let length = literal_length_code(sequence.literal_length());
        let matched = match_length_code(sequence.match_length());
        let offset = sequence.offset_value().ilog2() as u8;
        let bits = |bits: &[u8; fse::MAX_SYMBOLS], code: u8| bits[usize::from(code) % fse::MAX_SYMBOLS];
        let low = |value: u64, bits: u8| value & !(!0 << bits);
        let length_bits = bits(&LITERAL_LENGTH_BITS, length);
        let both_bits = length_bits + bits(&MATCH_LENGTH_BITS, matched);
        let extra = low(sequence.literal_length(), length_bits)
            | low(sequence.match_length() << length_bits, both_bits)
            | low(sequence.offset_value(), offset) << both_bits;
        Self { extra, codes: [length, matched, offset, both_bits + offset] }
    }
}

pub(super) const fn literal_length_code(length: u64) -> u8 {
    match length {
        0..64 => LITERAL_LENGTH_CODES[length as usize],
        _ => length.ilog2() as u8 + 19,
    }
}

pub(super) const fn match_length_code(length: u64) -> u8 {
    match length {
        0..128 => MATCH_LENGTH_CODES[length as usize],
        _ => length.ilog2() as u8 + 36,
    }
}

static LITERAL_LENGTH_CODES: [u8; 64] = codes(&LITERAL_LENGTHS, 0);
static MATCH_LENGTH_CODES: [u8; 128] = codes(&MATCH_LENGTHS, MIN_MATCH as u32);

/// The codes of the values from `first` on.
const fn codes<const CODES: usize, const VALUES: usize>(
    alphabet: &Alphabet<CODES>,
    first: u32,
) -> [u8; VALUES] {
    let (mut codes, mut value, mut code) = ([0; VALUES], 0, 0);
    while value < VALUES {
        while code + 1 < CODES && alphabet.baselines[code + 1] <= first + value as u32 {
            code += 1;
        }
        codes[value] = code as u8;
        value += 1;
    }
    codes
}

/// The extra bits of each code, in bounds of any masked code.
const fn extra_bits<const CODES: usize>(alphabet: &Alphabet<CODES>) -> [u8; fse::MAX_SYMBOLS] {
    let (mut bits, mut code) = ([0; fse::MAX_SYMBOLS], 0);
    while code < CODES {
        bits[code] = alphabet.extra_bits[code];
        code += 1;
    }
    bits
}

pub(super) static LITERAL_LENGTH_BITS: [u8; fse::MAX_SYMBOLS] = extra_bits(&LITERAL_LENGTHS);
pub(super) static MATCH_LENGTH_BITS: [u8; fse::MAX_SYMBOLS] = extra_bits(&MATCH_LENGTHS);
