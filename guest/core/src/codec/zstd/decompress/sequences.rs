//! The sequences of a block (RFC 8878 section 3.1.1.3.2): literals, and matches with what is before.

use super::{
    super::{
        decoder::Damaged,
        symbols::{Alphabet, FIRST_OFFSETS, LITERAL_LENGTHS, MATCH_LENGTHS, OFFSETS, REPEATED},
    },
    bits::BackwardBits,
    copy::{Output, Sequence, Source},
    fse::{Described, Table},
};

/// What goes on from block to block.
pub(super) struct Sequences {
    tables: Box<Tables>,
    /// There are tables, of this block or one before.
    has_tables: bool,
    /// The offsets that can be repeated, the latest first.
    offsets: [u32; REPEATED as usize],
}

#[derive(Clone)]
pub(super) struct Tables {
    literal_lengths: Table<512>,
    match_lengths: Table<512>,
    offsets: Table<256>,
}

impl Tables {
    const fn new() -> Self {
        Self { literal_lengths: Table::new(), match_lengths: Table::new(), offsets: Table::new() }
    }

    /// Reads the three distributions of a dictionary (section 5), and takes them off `bytes`.
    pub(super) fn read(bytes: &mut &[u8]) -> Result<(Self, Distributions), Damaged> {
        let mut tables = Self::new();
        let offsets = describe(&mut tables.offsets, &OFFSETS, bytes)?;
        let match_lengths = describe(&mut tables.match_lengths, &MATCH_LENGTHS, bytes)?;
        let literal_lengths = describe(&mut tables.literal_lengths, &LITERAL_LENGTHS, bytes)?;
        Ok((tables, Distributions { literal_lengths, match_lengths, offsets }))
    }
}

/// What the tables of a dictionary were made of.
pub(in super::super) struct Distributions {
    pub(in super::super) literal_lengths: Described,
    pub(in super::super) match_lengths: Described,
    pub(in super::super) offsets: Described,
}

impl Sequences {
    pub(super) fn new() -> Self {
        Self { tables: Box::new(Tables::new()), has_tables: false, offsets: FIRST_OFFSETS }
    }

    /// A frame begins, with the tables of a dictionary or none, and with these offsets.
    pub(super) fn reset(&mut self, tables: Option<&Tables>, offsets: [u32; REPEATED as usize]) {
        self.has_tables = tables.is_some();
        if let Some(tables) = tables {
            (*self.tables).clone_from(tables);
        }
        self.offsets = offsets;
    }

    /// Executes the sequences of the section `bytes`, and appends the literals that remain. Returns where writing
    /// ended.
    pub(super) fn execute(
        &mut self,
        mut bytes: &[u8],
        literals: Source<'_>,
        output: Output<'_>,
    ) -> Result<usize, Damaged> {
        let count = read_count(&mut bytes)?;
        if count > 0 {
            self.read_tables(&mut bytes)?;
            self.run(BackwardBits::new(bytes)?, count, literals, output)
        } else if bytes.is_empty() {
            output.finish(&literals)
        } else {
            Err(Damaged)
        }
    }

    /// The modes of the three tables, and what describes them (section 3.1.1.3.2.1).
    fn read_tables(&mut self, bytes: &mut &[u8]) -> Result<(), Damaged> {
        let (modes, rest) = bytes.split_first().ok_or(Damaged)?;
        if modes & 3 != 0 {
            return Err(Damaged);
        }
        *bytes = rest;
        let can_repeat = std::mem::take(&mut self.has_tables);
        let Tables { literal_lengths, match_lengths, offsets } = &mut *self.tables;
        read_table(literal_lengths, &LITERAL_LENGTHS, modes >> 6, can_repeat, bytes)?;
        read_table(offsets, &OFFSETS, modes >> 4 & 3, can_repeat, bytes)?;
        read_table(match_lengths, &MATCH_LENGTHS, modes >> 2 & 3, can_repeat, bytes)?;
        self.has_tables = true;
        Ok(())
    }

    /// Reads and executes sequences in turns, a batch at a time: either loop has few enough values for the registers.
    fn run(
        &mut self,
        bits: BackwardBits<'_>,
        count: usize,
        mut literals: Source<'_>,
        mut output: Output<'_>,
    ) -> Result<usize, Damaged> {
        let mut batch = [Sequence::default(); BATCH];
        let mut reader = Reader::new(bits, &self.tables, self.offsets);
        let mut left = count;
        while left > 0 {
            let batch = &mut batch[..left.min(BATCH)];
            left -= batch.len();
            reader.read(batch, left == 0)?;
            output.execute_all(&mut literals, batch)?;
        }
        self.offsets = reader.offsets;
        if reader.bits.is_at_start() { output.finish(&literals) } else { Err(Damaged) }
    }
}

/// How many sequences are read before they are executed.
const BATCH: usize = 128;

/// How many are read in one round of the fast loop.
const ROUND: usize = 2;

/// Reads sequences.
#[derive(Clone, Copy)]
struct Reader<'a> {
    bits: BackwardBits<'a>,
    tables: &'a Tables,
    literal_state: usize,
    offset_state: usize,
    match_state: usize,
    offsets: [u32; REPEATED as usize],
}

impl<'a> Reader<'a> {
    fn new(mut bits: BackwardBits<'a>, tables: &'a Tables, offsets: [u32; REPEATED as usize]) -> Self {
        let literal_state = bits.take(tables.literal_lengths.accuracy_log()) as usize;
        let offset_state = bits.take(tables.offsets.accuracy_log()) as usize;
        let match_state = bits.take(tables.match_lengths.accuracy_log()) as usize;
        Self { bits, tables, literal_state, offset_state, match_state, offsets }
    }

    /// Reads as many as there is room for. After the last one of a block there are no states.
    fn read(&mut self, batch: &mut [Sequence], is_last: bool) -> Result<(), Damaged> {
        let with_states = batch.len() - usize::from(is_last);
        let fast = self.read_fast(&mut batch[..with_states]);
        for (place, sequence) in batch.iter_mut().enumerate().skip(fast) {
            self.bits.refill()?;
            *sequence = self.next(place < with_states, BackwardBits::refill)?;
        }
        Ok(())
    }

    /// Reads whole rounds while there is plenty of input, and says how many sequences. The loop stands
    /// [alone](super::super::super).
    #[inline(never)]
    fn read_fast(&mut self, batch: &mut [Sequence]) -> usize {
        let mut reader = *self;
        let mut count = 0;
        for round in batch.as_chunks_mut::<ROUND>().0 {
            // Each takes at most two refills.
            if !reader.bits.is_enough_for(2 * ROUND) {
                break;
            }
            for sequence in round {
                reader.bits.refill_fast();
                let refill = |bits: &mut BackwardBits<'_>| {
                    bits.refill_fast();
                    Ok(())
                };
                *sequence = reader.next(true, refill).unwrap_or_default();
            }
            count += ROUND;
        }
        *self = reader;
        count
    }

    /// The next one, out of bits that are refilled.
    #[inline(always)]
    fn next(
        &mut self,
        goes_on: bool,
        refill: impl Fn(&mut BackwardBits<'a>) -> Result<(), Damaged>,
    ) -> Result<Sequence, Damaged> {
        let Tables { literal_lengths, match_lengths, offsets } = self.tables;
        let bits = &mut self.bits;
        let literal_entry = literal_lengths.entry(self.literal_state);
        let match_entry = match_lengths.entry(self.match_state);
        let offset_entry = offsets.entry(self.offset_state);
        // Together with the states these may be a bit more than there are; but then the offset is out of reach.
        let value = offset_entry.baseline() + bits.take(offset_entry.extra_bits()) as u32;
        let (mut literals, mut length) = (literal_entry.baseline(), match_entry.baseline());
        if literal_entry.have_extra_bits(match_entry) {
            length += bits.take(match_entry.extra_bits()) as u32;
            refill(bits)?;
            literals += bits.take(literal_entry.extra_bits()) as u32;
        }
        if goes_on {
            self.literal_state = literal_entry.next() + bits.take(literal_entry.next_bits()) as usize;
            self.match_state = match_entry.next() + bits.take(match_entry.next_bits()) as usize;
            self.offset_state = offset_entry.next() + bits.take(offset_entry.next_bits()) as usize;
        }

        // Section 3.1.1.5: without literals in front, the latest offset is not among the repeated ones. Which case
        // applies cannot be predicted, so there is no branch.
        let [first, second, third] = self.offsets;
        let turn = value.wrapping_add(u32::from(literals == 0));
        let is_new = value > REPEATED;
        let repeated = if turn == 2 { second } else { third };
        let repeated = if turn == 4 { first.wrapping_sub(1) } else { repeated };
        let other = if is_new { value - REPEATED } else { repeated };
        let stays = turn == 1;
        let offset = if stays { first } else { other };
        self.offsets = [offset, if stays { second } else { first }, if turn <= 2 { third } else { second }];
        Ok(Sequence { literals, offset, length })
    }
}

fn read_count(bytes: &mut &[u8]) -> Result<usize, Damaged> {
    let (count, rest) = match **bytes {
        [count @ ..128, ref rest @ ..] => (count.into(), rest),
        [255, low, high, ref rest @ ..] => (usize::from(u16::from_le_bytes([low, high])) + 0x7f00, rest),
        [high @ 128..=254, low, ref rest @ ..] => (usize::from(u16::from_be_bytes([high - 128, low])), rest),
        _ => return Err(Damaged),
    };
    *bytes = rest;
    Ok(count)
}

fn read_table<const STATES: usize, const CODES: usize>(
    table: &mut Table<STATES>,
    alphabet: &Alphabet<CODES>,
    mode: u8,
    can_repeat: bool,
    bytes: &mut &[u8],
) -> Result<(), Damaged> {
    let Alphabet { baselines, extra_bits, predefined, .. } = alphabet;
    match mode {
        0 => table.build(predefined.accuracy_log, predefined.counts, baselines, extra_bits),
        1 => {
            let (code, rest) = bytes.split_first().ok_or(Damaged)?;
            let code = usize::from(*code);
            *bytes = rest;
            table.repeat(*baselines.get(code).ok_or(Damaged)?, *extra_bits.get(code).ok_or(Damaged)?);
            Ok(())
        }
        2 => describe(table, alphabet, bytes).map(drop),
        _ if can_repeat => Ok(()),
        _ => Err(Damaged),
    }
}

/// Builds the table of a distribution that is described there, and takes that off `bytes`.
fn describe<const STATES: usize, const CODES: usize>(
    table: &mut Table<STATES>,
    alphabet: &Alphabet<CODES>,
    bytes: &mut &[u8],
) -> Result<Described, Damaged> {
    let described = Described::read(bytes, alphabet.max_accuracy_log, CODES)?;
    table.build(described.accuracy_log, described.counts(), &alphabet.baselines, &alphabet.extra_bits)?;
    Ok(described)
}
