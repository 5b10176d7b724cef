//! The contents of a compressed block: literals, and matches with what was before.

use super::{
    super::decoder::Damaged,
    bits::Bits,
    code::{Distances, Literals},
    stage::Stage,
};

/// How far it went.
pub(super) enum Progress {
    /// All input was taken, and the block goes on.
    Starved,
    /// The stage is full.
    Full,
    /// The block has ended.
    Ended,
}

/// The codes of a block.
pub(super) struct Codes {
    pub(super) literals: Literals,
    pub(super) distances: Distances,
}

impl Codes {
    /// Without any symbol.
    pub(super) fn new() -> Self {
        Self { literals: Literals::new(), distances: Distances::new() }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.literals.is_empty() && self.distances.is_empty()
    }

    /// Decodes as far as input and room go. After an error the next bits are those of the wrong symbol.
    pub(super) fn decode(
        &self,
        bits: &mut Bits,
        input: &mut &[u8],
        stage: &mut Stage,
    ) -> Result<Progress, Damaged> {
        loop {
            *input = self.run(bits, input, stage);
            if stage.is_full() {
                return Ok(Progress::Full);
            }
            // One symbol with care: near the end of the input, at the end of the block, or what is wrong.
            bits.fill(input);
            let entry = self.literals.look_up(bits.buffer);
            if entry.bits() > bits.count {
                return Ok(Progress::Starved);
            }
            if entry.is_literal() {
                bits.consume(entry.bits());
                stage.window.store(stage.end, entry.bytes());
                stage.end += entry.literals();
                continue;
            }
            if entry.is_end() {
                bits.consume(entry.bits());
                return Ok(Progress::Ended);
            }
            if !entry.is_number() {
                return Err(Damaged);
            }
            let behind = bits.buffer >> entry.bits();
            let far = self.distances.look_up(behind);
            let used = entry.bits() + far.bits();
            if used > bits.count {
                return Ok(Progress::Starved);
            }
            let distance = far.value(behind);
            if !far.is_number() || distance > stage.end {
                return Err(Damaged);
            }
            stage.end = stage.window.repeat(stage.end, distance, entry.value(bits.buffer));
            bits.consume(used);
        }
    }

    /// Decodes while there are eight bytes of input and enough room, up to a symbol that needs care; returns the rest
    /// of the input. The loop stands [alone](super::super::super).
    #[inline(never)]
    fn run<'i>(&self, bits: &mut Bits, mut input: &'i [u8], stage: &mut Stage) -> &'i [u8] {
        let (mut buffer, mut count, mut end) = (bits.buffer, bits.count, stage.end);
        let window = &mut stage.window;
        // Fills up to 56 bits or more, without a branch: bits that were there already are simply written again.
        macro_rules! refill {
            () => {
                let Some(word) = input.first_chunk::<8>() else { break };
                buffer |= u64::from_le_bytes(*word) << count;
                input = &input[(63 - count as usize) / 8 % 8..];
                count |= 56;
            };
        }
        macro_rules! put {
            ($entry:ident) => {
                window.store(end, $entry.bytes());
                end += $entry.literals();
                buffer >>= $entry.bits();
                count -= $entry.bits();
            };
        }
        while end <= Stage::LIMIT {
            refill!();
            let mut entry = self.literals.look_up(buffer);
            if entry.is_literal() {
                put!(entry);
                entry = self.literals.look_up(buffer);
                if entry.is_literal() {
                    put!(entry);
                    entry = self.literals.look_up(buffer);
                    if entry.is_literal() {
                        put!(entry);
                        continue;
                    }
                }
                // A match takes up to 48 bits.
                refill!();
            }
            if !entry.is_number() {
                break;
            }
            let behind = buffer >> entry.bits();
            let far = self.distances.look_up(behind);
            let distance = far.value(behind);
            if !far.is_number() || distance > end {
                break;
            }
            let length = entry.value(buffer);
            buffer = behind >> far.bits();
            count -= entry.bits() + far.bits();
            end = window.repeat(end, distance, length);
        }
        *bits = Bits { buffer: buffer & ((1 << count) - 1), count };
        stage.end = end;
        input
    }
}
