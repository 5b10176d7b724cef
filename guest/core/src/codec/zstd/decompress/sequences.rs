//! The sequences of a block (RFC 8878 section 3.1.1.3.2): literals, and matches with what is before.

use super::{
    super::{
        decoder::Damaged,
        symbols::{Alphabet, FIRST_OFFSETS, LITERAL_LENGTHS, MATCH_LENGTHS, OFFSETS, REPEATED},
    },
    bits::BackwardBits,
    fse::{Described, Table},
    window::Writer,
};

/// What goes on from block to block.
pub(super) struct Sequences {
    tables: Box<Tables>,
    /// There are tables, of this block or one before.
    has_tables: bool,
    /// The offsets that can be repeated, the latest first.
    offsets: [u32; REPEATED as usize],
}

struct Tables {
    literal_lengths: Table<512>,
    match_lengths: Table<512>,
    offsets: Table<256>,
}

/// The bits of three states, at most.
const STATE_BITS: u32 =
    LITERAL_LENGTHS.max_accuracy_log + MATCH_LENGTHS.max_accuracy_log + OFFSETS.max_accuracy_log;

impl Sequences {
    pub(super) fn new() -> Self {
        let tables =
            Tables { literal_lengths: Table::new(), match_lengths: Table::new(), offsets: Table::new() };
        Self { tables: Box::new(tables), has_tables: false, offsets: FIRST_OFFSETS }
    }

    /// Forgets tables and offsets: a frame begins.
    pub(super) fn reset(&mut self) {
        self.has_tables = false;
        self.offsets = FIRST_OFFSETS;
    }

    /// Executes the sequences of the section that `bytes` are, and appends what is left of the literals after them.
    pub(super) fn execute(
        &mut self,
        mut bytes: &[u8],
        (literals, length): (&[u8], usize),
        mut writer: Writer<'_>,
    ) -> Result<usize, Damaged> {
        let count = read_count(&mut bytes)?;
        let taken = if count > 0 {
            self.read_tables(&mut bytes)?;
            self.run(BackwardBits::new(bytes)?, count, literals, length, &mut writer)?
        } else if bytes.is_empty() {
            0
        } else {
            return Err(Damaged);
        };
        Ok(writer.copy(literals.get(taken..length).ok_or(Damaged)?)?.at())
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

    /// Tells how many literals it took.
    fn run(
        &mut self,
        mut bits: BackwardBits<'_>,
        count: usize,
        literals: &[u8],
        length: usize,
        writer: &mut Writer<'_>,
    ) -> Result<usize, Damaged> {
        let Tables { literal_lengths, match_lengths, offsets } = &*self.tables;
        let mut literal_state = bits.take(literal_lengths.accuracy_log()) as usize;
        let mut offset_state = bits.take(offsets.accuracy_log()) as usize;
        let mut match_state = bits.take(match_lengths.accuracy_log()) as usize;
        let [mut first, mut second, mut third] = self.offsets;
        let mut taken = 0;
        for left in (0..count).rev() {
            bits.refill()?;
            let literal_entry = literal_lengths.entry(literal_state);
            let match_entry = match_lengths.entry(match_state);
            let offset_entry = offsets.entry(offset_state);
            let value = offset_entry.baseline() + bits.take(offset_entry.extra_bits()) as u32;
            let match_length = match_entry.baseline() as usize + bits.take(match_entry.extra_bits()) as usize;
            let extra_bits =
                literal_entry.extra_bits() + match_entry.extra_bits() + offset_entry.extra_bits();
            if extra_bits > BackwardBits::REFILLED - STATE_BITS {
                bits.refill()?;
            }
            let literal_length =
                literal_entry.baseline() as usize + bits.take(literal_entry.extra_bits()) as usize;
            if left > 0 {
                literal_state = literal_entry.next() + bits.take(literal_entry.next_bits()) as usize;
                match_state = match_entry.next() + bits.take(match_entry.next_bits()) as usize;
                offset_state = offset_entry.next() + bits.take(offset_entry.next_bits()) as usize;
            }

            // Section 3.1.1.5: without literals in front, the latest offset is not among the repeated ones.
            if value > REPEATED {
                (first, second, third) = (value - REPEATED, first, second);
            } else {
                match value + u32::from(literal_length == 0) {
                    1 => {}
                    2 => (first, second) = (second, first),
                    3 => (first, second, third) = (third, first, second),
                    _ => {
                        (first, second, third) =
                            (first.checked_sub(1).filter(|offset| *offset > 0).ok_or(Damaged)?, first, second)
                    }
                }
            }

            let end = taken + literal_length;
            if end > length {
                return Err(Damaged);
            }
            writer.literals(literals.get(taken..).ok_or(Damaged)?, literal_length)?;
            writer.repeat(first as usize, match_length)?;
            taken = end;
        }
        self.offsets = [first, second, third];
        if bits.is_at_start() { Ok(taken) } else { Err(Damaged) }
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
    let Alphabet { baselines, extra_bits, max_accuracy_log, predefined } = alphabet;
    match mode {
        0 => table.build(predefined.accuracy_log, predefined.counts, baselines, extra_bits),
        1 => {
            let (code, rest) = bytes.split_first().ok_or(Damaged)?;
            let code = usize::from(*code);
            *bytes = rest;
            table.repeat(*baselines.get(code).ok_or(Damaged)?, *extra_bits.get(code).ok_or(Damaged)?);
            Ok(())
        }
        2 => {
            let described = Described::read(bytes, *max_accuracy_log, CODES)?;
            table.build(described.accuracy_log, described.counts(), baselines, extra_bits)
        }
        _ if can_repeat => Ok(()),
        _ => Err(Damaged),
    }
}
