//! What a block is made of, literals and matches in turns, and the section of the sequences (RFC 8878 section
//! 3.1.1.3.2).

use super::{
    super::symbols::{self, Alphabet, LITERAL_LENGTHS, MATCH_LENGTHS, OFFSETS},
    bits::BitWriter,
    fse::{self, Distribution, Table},
};

/// The shortest match that the format has.
const MIN_MATCH: usize = 3;

/// Literals are copied in steps of so many bytes.
const STEP: usize = 16;

/// The literals and matches of a block.
#[derive(Default)]
pub(super) struct Sequences {
    /// More than there are, so that whole steps can be copied.
    literals: Vec<u8>,
    literal_count: usize,
    packed: Vec<Sequence>,
}

/// Literals, and a match after them: 18 bits of literal length, 18 of match length less [`MIN_MATCH`], and the offset
/// value.
#[derive(Clone, Copy)]
struct Sequence(u64);

impl Sequence {
    const fn literal_length(self) -> u64 {
        self.0 & 0x3ffff
    }

    const fn match_length(self) -> u64 {
        self.0 >> 18 & 0x3ffff
    }

    const fn offset_value(self) -> u64 {
        self.0 >> 36
    }
}

impl Sequences {
    /// Begins a block of that length.
    pub(super) fn begin(&mut self, length: usize) {
        self.packed.clear();
        self.literal_count = 0;
        if self.literals.len() < length + 4 * STEP {
            self.literals.resize(length + 4 * STEP, 0);
        }
    }

    /// Adds the literals between two positions, and a match at the second one. The offset value is as in section
    /// 3.1.1.5.
    #[inline(always)]
    pub(super) fn push(&mut self, data: &[u8], from: usize, at: usize, offset_value: u32, length: usize) {
        let count = at - from;
        self.copy(data, from, count);
        let packed = count as u64 | ((length - MIN_MATCH) as u64) << 18 | u64::from(offset_value) << 36;
        self.packed.push(Sequence(packed));
    }

    /// Adds the literals after the last match.
    pub(super) fn end(&mut self, data: &[u8], from: usize) {
        self.copy(data, from, data.len() - from);
    }

    #[inline(always)]
    fn copy(&mut self, data: &[u8], from: usize, count: usize) {
        let at = self.literal_count;
        self.literal_count += count;
        match count {
            0..=STEP => {
                if let (Some(room), Some(source)) = (self.literals.get_mut(at..), data.get(from..))
                    && let (Some(room), Some(source)) =
                        (room.first_chunk_mut::<STEP>(), source.first_chunk::<STEP>())
                {
                    *room = *source;
                    return;
                }
                self.copy_exactly(data, from, count);
            }
            _ => self.copy_exactly(data, from, count),
        }
    }

    #[inline(never)]
    fn copy_exactly(&mut self, data: &[u8], from: usize, count: usize) {
        let at = self.literal_count - count;
        if count <= 4 * STEP
            && let Some(room) = self.literals[at..].first_chunk_mut::<{ 4 * STEP }>()
            && let Some(source) = data[from..].first_chunk()
        {
            *room = *source;
            return;
        }
        self.literals[at..at + count].copy_from_slice(&data[from..from + count]);
    }

    pub(super) fn literals(&self) -> &[u8] {
        &self.literals[..self.literal_count]
    }

    /// How many matches there are.
    pub(super) fn count(&self) -> usize {
        self.packed.len()
    }
}

const fn literal_length_code(length: u64) -> u8 {
    match length {
        0..64 => LITERAL_LENGTH_CODES[length as usize],
        _ => length.ilog2() as u8 + 19,
    }
}

const fn match_length_code(length: u64) -> u8 {
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

static LITERAL_LENGTH_BITS: [u8; fse::MAX_SYMBOLS] = extra_bits(&LITERAL_LENGTHS);
static MATCH_LENGTH_BITS: [u8; fse::MAX_SYMBOLS] = extra_bits(&MATCH_LENGTHS);

/// Writes the section, and remembers the tables that a decoder has.
#[derive(Default)]
pub(super) struct SequenceCoder {
    literal_lengths: Coder,
    offsets: Coder,
    match_lengths: Coder,
    coded: Vec<Coded>,
}

impl SequenceCoder {
    /// The block in work is not written as it is.
    pub(super) fn discard(&mut self) {
        for coder in self.coders() {
            coder.next = Next::Known;
        }
    }

    /// The block in work is written.
    pub(super) fn keep(&mut self) {
        for coder in self.coders() {
            coder.keep();
        }
    }

    /// A frame begins.
    pub(super) fn reset(&mut self) {
        for coder in self.coders() {
            *coder = Coder::default();
        }
    }

    fn coders(&mut self) -> [&mut Coder; 3] {
        [&mut self.literal_lengths, &mut self.offsets, &mut self.match_lengths]
    }

    /// Writes the section. Returns its length, unless there is no room.
    pub(super) fn write(&mut self, sequences: &Sequences, out: &mut [u8]) -> Option<usize> {
        let count = sequences.packed.len();
        let (header, mut at) = match count as u32 {
            0..128 => ([count as u8, 0, 0], 1),
            128..0x7f00 => ([(count >> 8) as u8 + 128, count as u8, 0], 2),
            _ => ([255, (count - 0x7f00) as u8, ((count - 0x7f00) >> 8) as u8], 3),
        };
        out.get_mut(..at)?.copy_from_slice(&header[..at]);
        if count == 0 {
            return Some(at);
        }
        let [literal_lengths, match_lengths, offsets] = self.count(sequences);
        let modes = at;
        at += 1;
        let count = count as u32;
        let mut mode = |coder: &mut Coder, histogram, max, predefined| {
            let (mode, length) = coder.choose(histogram, count, max, predefined, out.get_mut(at..)?)?;
            at += length;
            Some(mode)
        };
        let alphabets = (&LITERAL_LENGTHS, &OFFSETS, &MATCH_LENGTHS);
        let all = mode(
            &mut self.literal_lengths,
            &literal_lengths,
            alphabets.0.max_accuracy_log,
            &alphabets.0.predefined,
        )? << 6
            | mode(&mut self.offsets, &offsets, alphabets.1.max_accuracy_log, &alphabets.1.predefined)? << 4
            | mode(
                &mut self.match_lengths,
                &match_lengths,
                alphabets.2.max_accuracy_log,
                &alphabets.2.predefined,
            )? << 2;
        *out.get_mut(modes)? = all;
        Some(at + self.encode(out.get_mut(at..)?)?)
    }

    /// Finds the codes and what they leave open, and counts the codes.
    fn count(&mut self, sequences: &Sequences) -> [fse::Histogram; 3] {
        let mut histograms = [[0; fse::MAX_SYMBOLS]; 3];
        self.coded.clear();
        self.coded.extend(sequences.packed.iter().map(|sequence| {
            let codes = [
                literal_length_code(sequence.literal_length()),
                match_length_code(sequence.match_length()),
                sequence.offset_value().ilog2() as u8,
            ];
            for (histogram, code) in histograms.iter_mut().zip(codes) {
                histogram[usize::from(code) % fse::MAX_SYMBOLS] += 1;
            }
            Coded::new(*sequence, codes)
        }));
        histograms
    }

    /// Writes the bits, the last sequence first.
    fn encode(&self, out: &mut [u8]) -> Option<usize> {
        let (lengths, offsets, matches) =
            (self.literal_lengths.table()?, self.offsets.table()?, self.match_lengths.table()?);
        let mut writer = BitWriter::new(out);
        let (last, before) = self.coded.split_last()?;
        let [length, matched, offset, extra] = last.codes;
        let mut length_state = lengths.last(length);
        let mut match_state = matches.last(matched);
        let mut offset_state = offsets.last(offset);
        writer.put(last.extra, extra.into());
        writer.flush();
        let mut write = |&Coded { extra, codes: [length, matched, offset, bits] }: &Coded| {
            // At most 26 bits of the states, then 55 of the rest.
            offsets.code(&mut offset_state, offset, &mut writer);
            matches.code(&mut match_state, matched, &mut writer);
            lengths.code(&mut length_state, length, &mut writer);
            writer.flush();
            writer.put(extra, bits.into());
            writer.flush();
        };
        let (rest, pairs) = before.as_rchunks::<2>();
        for [first, second] in pairs.iter().rev() {
            write(second);
            write(first);
        }
        rest.iter().for_each(write);
        matches.end(match_state, &mut writer);
        offsets.end(offset_state, &mut writer);
        lengths.end(length_state, &mut writer);
        writer.finish()
    }
}

/// A sequence in its codes.
struct Coded {
    /// What the codes leave open: the low bits of the literal length, those of the match length, and those of the
    /// offset value. All baselines that have any end in as many zeros.
    extra: u64,
    /// Of the literal length, the match length, and the offset value; then how many extra bits there are.
    codes: [u8; 4],
}

impl Coded {
    #[inline(always)]
    fn new(sequence: Sequence, [length, matched, offset]: [u8; 3]) -> Self {
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

/// One of the three parts of sequences.
#[derive(Default)]
struct Coder {
    /// The last one that was described, if it is still what a decoder has.
    known: Option<Box<Table>>,
    /// Of the block in work.
    next: Next,
}

#[derive(Default)]
enum Next {
    #[default]
    Known,
    Described(Box<Table>),
    /// Of no use to a later block: what is agreed on, or of one symbol only.
    Once(Box<Table>),
}

impl Coder {
    fn keep(&mut self) {
        match std::mem::take(&mut self.next) {
            Next::Known => {}
            Next::Described(table) => self.known = Some(table),
            Next::Once(_) => self.known = None,
        }
    }

    fn table(&self) -> Option<&Table> {
        match &self.next {
            Next::Known => self.known.as_deref(),
            Next::Described(table) | Next::Once(table) => Some(table),
        }
    }

    /// Takes the table that makes the block shortest. Returns its mode, and the length of its description.
    fn choose(
        &mut self,
        histogram: &fse::Histogram,
        total: u32,
        max_accuracy_log: u32,
        predefined: &symbols::Distribution,
        out: &mut [u8],
    ) -> Option<(u8, usize)> {
        let one = histogram.iter().position(|count| *count == total);
        let agreed = Distribution::predefined(predefined.accuracy_log, predefined.counts);
        let fitting = one.is_none().then(|| Distribution::of(histogram, total, max_accuracy_log));
        let described = fitting.as_ref().and_then(|fitting| fitting.describe(out));
        let costs = [
            (PREDEFINED, agreed.cost(histogram)),
            (ONE, one.map(|_| 8)),
            (
                DESCRIBED,
                described.and_then(|bytes| Some(8 * bytes as u64 + fitting.as_ref()?.cost(histogram)?)),
            ),
            (KNOWN, self.known.as_ref().and_then(|known| known.distribution.cost(histogram))),
        ];
        let (_, mode) = costs.into_iter().filter_map(|(mode, cost)| Some((cost?, mode))).min()?;
        let table = |distribution| Box::new(Table::new(distribution));
        let mut length = 0;
        self.next = match mode {
            PREDEFINED => Next::Once(table(agreed)),
            ONE => {
                *out.first_mut()? = one? as u8;
                length = 1;
                Next::Once(table(Distribution::one(one?)))
            }
            DESCRIBED => {
                length = described?;
                Next::Described(table(fitting?))
            }
            _ => Next::Known,
        };
        Some((mode, length))
    }
}

/// Where a table comes from (section 3.1.1.3.2.1).
const PREDEFINED: u8 = 0;
const ONE: u8 = 1;
const DESCRIBED: u8 = 2;
const KNOWN: u8 = 3;
