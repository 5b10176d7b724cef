//! The byte order mark that a file of text may begin with, which is none of its text.

/// EF BB BF: U+FEFF in UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Passes over the mark at the start of a stream, however the stream is cut.
#[derive(Default)]
pub(super) struct Mark {
    /// Bytes of it so far; all of them once it is known whether there is one.
    seen: usize,
}

/// What to do with the input at the start of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passed {
    /// So many bytes of it are of the mark.
    pub(super) taken: usize,
    /// What looked like the start of a mark before, and is none: it comes before this input.
    pub(super) before: &'static [u8],
}

impl Mark {
    /// Whether nothing more is to be passed over.
    #[inline]
    pub(super) const fn is_past(&self) -> bool {
        self.seen == BYTE_ORDER_MARK.len()
    }

    /// Looks at the next input.
    pub(super) fn pass(&mut self, input: &[u8]) -> Passed {
        let seen = self.seen;
        for (taken, byte) in input.iter().enumerate() {
            match BYTE_ORDER_MARK.get(self.seen) {
                Some(expected) if expected == byte => self.seen += 1,
                Some(_) => return Passed { taken: 0, before: self.undo(seen) },
                None => return Passed { taken, before: b"" },
            }
        }
        Passed { taken: input.len(), before: b"" }
    }

    /// Ends the stream: gives what looked like the start of a mark, and is none.
    pub(super) fn finish(&mut self) -> &'static [u8] {
        if self.is_past() { b"" } else { self.undo(self.seen) }
    }

    fn undo(&mut self, seen: usize) -> &'static [u8] {
        self.seen = BYTE_ORDER_MARK.len();
        &BYTE_ORDER_MARK[..seen]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a stream.
    fn left(stream: &[u8], chunk: usize) -> Vec<u8> {
        let (mut mark, mut left) = (Mark::default(), Vec::new());
        for input in stream.chunks(chunk) {
            let Passed { taken, before } = mark.pass(input);
            left.extend(before);
            left.extend(&input[taken..]);
        }
        left.extend(mark.finish());
        left
    }

    #[test]
    fn the_first_mark_goes_and_nothing_else() {
        for (stream, expected) in [
            (&b""[..], &b""[..]),
            (b"\xef\xbb\xbf", b""),
            (b"\xef\xbb\xbfa", b"a"),
            (b"\xef\xbb\xbf\xef\xbb\xbfa", b"\xef\xbb\xbfa"),
            (b"a\xef\xbb\xbf", b"a\xef\xbb\xbf"),
            (b"\xef\xbb", b"\xef\xbb"),
            (b"\xef\xbba", b"\xef\xbba"),
            (b"\xef\xef\xbb\xbf", b"\xef\xef\xbb\xbf"),
        ] {
            for chunk in [1, 2, 3, 4, 100] {
                assert_eq!(left(stream, chunk), expected, "{stream:?} in chunks of {chunk}");
            }
        }
    }
}
