//! Cuts input that comes in any chunks into pieces of known length.

use super::CodecError;

/// Collects a piece that is split over several chunks. A piece within one chunk is lent from the chunk itself.
#[derive(Default)]
pub(super) struct Gather {
    bytes: Vec<u8>,
    /// The bytes were handed out as a piece.
    complete: bool,
    /// How many bytes of the input were taken.
    taken: u64,
}

impl Gather {
    /// The next piece, once all of it is there. `length` computes how long it is from the bytes that are there so far:
    /// more bytes never give a smaller number, and the number is never smaller than that of the bytes.
    pub(super) fn piece<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
        length: impl Fn(&[u8]) -> Result<usize, CodecError>,
    ) -> Result<Option<&'a [u8]>, CodecError> {
        if self.complete {
            self.complete = false;
            self.bytes.clear();
        }
        if self.bytes.is_empty() {
            let mut whole = length(&[])?;
            while whole <= input.len() {
                let more = length(&input[..whole])?;
                if more == whole {
                    self.taken += whole as u64;
                    let (piece, rest) = input.split_at(whole);
                    *input = rest;
                    return Ok(Some(piece));
                }
                whole = more;
            }
        }
        loop {
            let missing = length(&self.bytes)?.saturating_sub(self.bytes.len());
            if missing == 0 {
                self.complete = true;
                return Ok(Some(&self.bytes));
            }
            if input.is_empty() {
                return Ok(None);
            }
            let (part, rest) = input.split_at(missing.min(input.len()));
            self.bytes.extend_from_slice(part);
            self.taken += part.len() as u64;
            *input = rest;
        }
    }

    /// Passes over bytes between two pieces, at most `count`; returns how many.
    pub(super) fn skip(&mut self, input: &mut &[u8], count: u64) -> u64 {
        let part = usize::try_from(count).unwrap_or(usize::MAX).min(input.len());
        *input = &input[part..];
        self.taken += part as u64;
        part as u64
    }

    /// The bytes of a piece that is not complete.
    pub(super) fn unfinished(&self) -> &[u8] {
        if self.complete { &[] } else { &self.bytes }
    }

    /// Where the next piece begins in the input, or has begun.
    pub(super) fn at(&self) -> u64 {
        self.taken - self.unfinished().len() as u64
    }

    /// The bytes of the input that were taken.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A length in the first byte, then so many bytes.
    fn prefixed(bytes: &[u8]) -> Result<usize, CodecError> {
        Ok(1 + bytes.first().map_or(0, |length| usize::from(*length)))
    }

    #[test]
    fn pieces_do_not_depend_on_the_chunks() {
        let input = b"\x03abc\0\x05hello\x02x";
        for chunk in 1..=input.len() {
            let (mut gather, mut pieces) = (Gather::default(), Vec::new());
            for mut part in input.chunks(chunk) {
                loop {
                    let at = gather.at();
                    let Some(piece) = gather.piece(&mut part, prefixed).unwrap() else { break };
                    pieces.push((at, piece.to_vec()));
                }
                assert!(part.is_empty());
            }
            let expected = [(0, &b"\x03abc"[..]), (4, b"\0"), (5, b"\x05hello")];
            assert_eq!(pieces, expected.map(|(at, piece)| (at, piece.to_vec())), "chunks of {chunk}");
            assert_eq!((gather.unfinished(), gather.at(), gather.taken()), (&b"\x02x"[..], 11, 13));
        }
    }
}
