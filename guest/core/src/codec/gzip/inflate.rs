//! Inflate (RFC 1951), as a state machine that may be stopped at any byte.

mod bits;
mod code;
mod stage;
mod symbols;

use std::sync::LazyLock;

use super::decoder::{self, Damaged};

use bits::Bits;
use code::Lengths;
use stage::Stage;
use symbols::{Codes, Progress};

/// A stream of blocks.
pub(super) struct Inflate {
    state: State,
    /// The block is the last one.
    last: bool,
    bits: Bits,
    stage: Stage,
    lengths: Lengths,
    /// The codes of the last block that described its own.
    codes: Codes,
}

enum State {
    /// Before a block.
    Block,
    /// Before the length of a stored block.
    StoredLength,
    /// In a stored block, with this many bytes to come.
    Stored(usize),
    /// Before the numbers of codes.
    Counts,
    /// In the lengths of the code for lengths.
    LengthLengths(Announced, [u8; 19]),
    /// In the lengths of the two codes.
    Lengths(Announced, Box<[u8; 320]>),
    Symbols(Coded),
    Ended,
    Damaged,
}

/// How the symbols of a block are coded.
#[derive(Clone, Copy)]
enum Coded {
    /// As the standard has it.
    Fixed,
    /// As the block says.
    Told,
}

/// How many lengths there are, and how many were read.
#[derive(Clone, Copy)]
struct Announced {
    literals: usize,
    distances: usize,
    lengths: usize,
    read: usize,
}

/// Where a step ended.
enum Step {
    Onward(State),
    /// More input is needed.
    Starved,
    /// The stage is full.
    Full,
}

/// The order in which the lengths of the code for lengths are stored (section 3.2.7).
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

impl Inflate {
    pub(super) fn new() -> Self {
        Self {
            state: State::Block,
            last: false,
            bits: Bits::default(),
            stage: Stage::new(),
            lengths: Lengths::new(),
            codes: Codes::new(),
        }
    }

    fn step(&mut self, input: &mut &[u8]) -> Result<Step, Damaged> {
        let bits = &mut self.bits;
        bits.fill(input);
        Ok(match &mut self.state {
            State::Block => {
                let Some(header) = bits.peek(3) else { return Ok(Step::Starved) };
                self.last = header & 1 == 1;
                let next = match header >> 1 {
                    0 => State::StoredLength,
                    1 => State::Symbols(Coded::Fixed),
                    2 => State::Counts,
                    _ => return Err(Damaged),
                };
                bits.consume(3);
                Step::Onward(next)
            }
            State::StoredLength => {
                bits.align();
                let Some(length) = bits.peek(32) else { return Ok(Step::Starved) };
                let (length, complement) = (length as u16, (length >> 16) as u16);
                if length != !complement {
                    return Err(Damaged);
                }
                bits.consume(32);
                Step::Onward(State::Stored(length.into()))
            }
            State::Stored(0) => Step::Onward(if self.last { State::Ended } else { State::Block }),
            State::Stored(_) if self.stage.is_full() => Step::Full,
            State::Stored(left) => {
                // What `fill` took comes first.
                let mut taken = 0;
                while taken < *left
                    && !self.stage.is_full()
                    && let Some(byte) = bits.byte()
                {
                    taken += self.stage.take(&mut &[byte][..], 1);
                }
                if bits.count == 0 {
                    taken += self.stage.take(input, *left - taken);
                }
                *left -= taken;
                if taken == 0 { Step::Starved } else { Step::Onward(State::Stored(*left)) }
            }
            State::Counts => {
                let Some(counts) = bits.peek(14) else { return Ok(Step::Starved) };
                let counts = counts as usize;
                let announced = Announced {
                    literals: 257 + counts % 32,
                    distances: 1 + counts / 32 % 32,
                    lengths: 4 + counts / 1024,
                    read: 0,
                };
                if announced.literals > 286 || announced.distances > 30 {
                    return Err(Damaged);
                }
                bits.consume(14);
                Step::Onward(State::LengthLengths(announced, [0; 19]))
            }
            State::LengthLengths(announced, lengths) => {
                while announced.read < announced.lengths {
                    let Some(length) = bits.peek(3) else { return Ok(Step::Starved) };
                    bits.consume(3);
                    bits.fill(input);
                    lengths[ORDER[announced.read]] = length as u8;
                    announced.read += 1;
                }
                self.lengths.set(lengths)?;
                Step::Onward(State::Lengths(Announced { read: 0, ..*announced }, Box::new([0; 320])))
            }
            State::Lengths(announced, lengths) => {
                let all = announced.literals + announced.distances;
                while announced.read < all {
                    let entry = self.lengths.look_up(bits.buffer);
                    let symbol = entry.value(bits.buffer);
                    let (extra, least) = match symbol {
                        16 => (2, 3),
                        17 => (3, 3),
                        18 => (7, 11),
                        _ => (0, 1),
                    };
                    let Some(read) = bits.peek(entry.bits() + extra) else { return Ok(Step::Starved) };
                    let times = least + (read as usize >> entry.bits());
                    let length = match (symbol, announced.read.checked_sub(1)) {
                        (0..16, _) => symbol as u8,
                        (16, Some(before)) => lengths[before],
                        (17.., _) => 0,
                        (16, None) => return Err(Damaged),
                    };
                    if !entry.is_number() || times > all - announced.read {
                        return Err(Damaged);
                    }
                    lengths[announced.read..announced.read + times].fill(length);
                    announced.read += times;
                    bits.consume(entry.bits() + extra);
                    bits.fill(input);
                }
                let (literals, distances) = lengths[..all].split_at(announced.literals);
                self.codes.literals.set(literals)?;
                self.codes.distances.set(distances)?;
                Step::Onward(State::Symbols(Coded::Told))
            }
            State::Symbols(coded) => {
                let codes = match coded {
                    Coded::Fixed => &*FIXED,
                    Coded::Told => &self.codes,
                };
                match codes.decode(bits, input, &mut self.stage)? {
                    Progress::Starved => Step::Starved,
                    Progress::Full => Step::Full,
                    Progress::Ended => Step::Onward(if self.last { State::Ended } else { State::Block }),
                }
            }
            State::Ended | State::Damaged => Step::Full,
        })
    }
}

impl decoder::Inflate for Inflate {
    fn reset(&mut self) {
        self.state = State::Block;
        self.bits = Bits::default();
        self.stage.clear();
    }

    fn inflate(&mut self, input: &mut &[u8], output: &mut Vec<u8>) -> Result<bool, Damaged> {
        while self.stage.drain(output) {
            match self.state {
                State::Ended => return Ok(true),
                State::Damaged => return Err(Damaged),
                _ => {}
            }
            loop {
                match self.step(input) {
                    Ok(Step::Onward(state)) => {
                        self.state = state;
                        if let State::Ended = self.state {
                            break;
                        }
                    }
                    Ok(Step::Full) => break,
                    Ok(Step::Starved) => {
                        self.stage.drain(output);
                        return Ok(false);
                    }
                    Err(Damaged) => {
                        self.state = State::Damaged;
                        break;
                    }
                }
            }
        }
        Ok(false)
    }

    fn unused_count(&self) -> u64 {
        (self.bits.count / 8).into()
    }

    fn unused(&mut self) -> Option<u8> {
        self.bits.align();
        self.bits.byte()
    }
}

/// The codes of section 3.2.6, made once: a block of them may be ten bits long.
static FIXED: LazyLock<Codes> = LazyLock::new(|| {
    let mut codes = Codes::new();
    // They are complete codes, so nothing can be damaged here.
    let _ = codes.literals.set(&FIXED_LITERALS).and_then(|()| codes.distances.set(&[5; 32]));
    codes
});

const FIXED_LITERALS: [u8; 288] = {
    let mut lengths = [8; 288];
    let mut symbol = 144;
    while symbol < 280 {
        lengths[symbol] = if symbol < 256 { 9 } else { 7 };
        symbol += 1;
    }
    lengths
};

#[cfg(test)]
mod tests {
    use super::{super::decoder::Inflate as _, *};

    #[test]
    fn blocks_with_fixed_codes_make_none() {
        // Not the last one, fixed codes, the end: ten bits, of which the second is set. Then a last one.
        let mut data = vec![0; 1000 * 10 / 8];
        for block in 0..1000 {
            let bit = block * 10 + 1;
            data[bit / 8] |= 1 << (bit % 8);
        }
        data.extend([0b011, 0]);
        let (mut inflate, mut input, mut output) = (Inflate::new(), &data[..], Vec::with_capacity(10));
        assert!(inflate.inflate(&mut input, &mut output).unwrap());
        assert!(input.is_empty() && output.is_empty());
        assert!(inflate.codes.is_empty(), "what is always the same was made for a block");
    }
}
