//! The section of the sequences in a block (RFC 8878 section 3.1.1.3.2).

use super::{
    super::symbols::{self, Alphabet, LITERAL_LENGTHS, MATCH_LENGTHS, OFFSETS},
    bits::BitWriter,
    codes::Coded,
    fse::{self, Distribution, Table},
    sequences::Sequences,
    tables::Tables,
};

/// Writes the section, and remembers the tables that a decoder has.
#[derive(Default)]
pub(super) struct SequenceCoder {
    literal_lengths: Coder,
    offsets: Coder,
    match_lengths: Coder,
    coded: Vec<Coded>,
}

impl SequenceCoder {
    /// The block was not written compressed: the decoder never sees its tables.
    pub(super) fn discard(&mut self) {
        for coder in self.coders() {
            coder.next = Next::Known;
        }
    }

    /// The block was written compressed: the decoder has its tables now.
    pub(super) fn keep(&mut self) {
        for coder in self.coders() {
            coder.keep();
        }
    }

    /// A frame begins, with the tables of a dictionary or none.
    pub(super) fn reset(&mut self, known: Option<&Tables>) {
        let coder = |table: fn(&Tables) -> &Box<Table>| Coder {
            known: known.map(|known| table(known).clone()),
            next: Next::Known,
        };
        self.literal_lengths = coder(|known| &known.literal_lengths);
        self.offsets = coder(|known| &known.offsets);
        self.match_lengths = coder(|known| &known.match_lengths);
    }

    fn coders(&mut self) -> [&mut Coder; 3] {
        [&mut self.literal_lengths, &mut self.offsets, &mut self.match_lengths]
    }

    /// Writes the section. Returns its length, unless there is no room.
    pub(super) fn write(&mut self, sequences: &Sequences, out: &mut [u8]) -> Option<usize> {
        let count = sequences.matches().len();
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
        let parts = [
            (&mut self.literal_lengths, literal_lengths, limits(&LITERAL_LENGTHS)),
            (&mut self.offsets, offsets, limits(&OFFSETS)),
            (&mut self.match_lengths, match_lengths, limits(&MATCH_LENGTHS)),
        ];
        let mut all = 0;
        for (coder, histogram, (max_accuracy_log, predefined)) in parts {
            let room = out.get_mut(at..)?;
            let (mode, length) =
                coder.choose(&histogram, count as u32, max_accuracy_log, predefined, room)?;
            all = all << 2 | mode;
            at += length;
        }
        *out.get_mut(modes)? = all << 2;
        Some(at + self.encode(out.get_mut(at..)?)?)
    }

    /// Finds the codes and their extra bits, and counts the codes.
    fn count(&mut self, sequences: &Sequences) -> [fse::Histogram; 3] {
        let mut histograms = [[0; fse::MAX_SYMBOLS]; 3];
        self.coded.clear();
        self.coded.extend(sequences.matches().iter().map(|sequence| {
            let coded = Coded::new(*sequence);
            for (histogram, code) in histograms.iter_mut().zip(coded.codes) {
                histogram[usize::from(code) % fse::MAX_SYMBOLS] += 1;
            }
            coded
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

/// What is agreed about the tables of an alphabet: the most bits of a state, and the table that needs no description.
const fn limits<const CODES: usize>(alphabet: &Alphabet<CODES>) -> (u32, &symbols::Distribution) {
    (alphabet.max_accuracy_log, &alphabet.predefined)
}

/// One of the three parts of sequences.
#[derive(Default)]
struct Coder {
    /// The last table that was described, if a decoder still has it.
    known: Option<Box<Table>>,
    /// Of the current block.
    next: Next,
}

#[derive(Default)]
enum Next {
    #[default]
    Known,
    Described(Box<Table>),
    /// Of no use to a later block: the predefined table, or one of a single symbol.
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
