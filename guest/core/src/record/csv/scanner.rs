//! Where rows end, and whether they keep the rules.

use memchr::memchr3;

use super::Dialect;
use crate::record::word::Word;

/// What a byte may mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Plain,
    Delimiter,
    Quote,
    LineEnd,
}

/// The class of every byte.
pub(super) struct Classes {
    of: [Class; 256],
    delimiter: Word,
    quote: Word,
}

impl Classes {
    pub(super) fn of(dialect: &Dialect) -> Self {
        let mut classes = [Class::Plain; 256];
        classes[usize::from(b'\r')] = Class::LineEnd;
        classes[usize::from(b'\n')] = Class::LineEnd;
        classes[usize::from(dialect.punctuation.delimiter())] = Class::Delimiter;
        classes[usize::from(dialect.punctuation.quote())] = Class::Quote;
        let (delimiter, quote) = (dialect.punctuation.delimiter(), dialect.punctuation.quote());
        Self { of: classes, delimiter: Word::repeat(delimiter), quote: Word::repeat(quote) }
    }

    /// Whether all bytes are plain.
    #[inline]
    pub(super) fn are_plain(&self, bytes: &[u8]) -> bool {
        const LINE_ENDS: (Word, Word) = (Word::repeat(b'\r'), Word::repeat(b'\n'));
        let mut rest = bytes;
        while let Some((word, behind)) = Word::split_first(rest) {
            let line_ends = word.equal(LINE_ENDS.0).or(word.equal(LINE_ENDS.1));
            if line_ends.or(word.equal(self.delimiter)).or(word.equal(self.quote)).first().is_some() {
                return false;
            }
            rest = behind;
        }
        rest.iter().all(|byte| self.class(*byte) == Class::Plain)
    }

    #[inline]
    fn class(&self, byte: u8) -> Class {
        self.of[usize::from(byte)]
    }
}

/// Where the scanner is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a row.
    Between,
    /// Before a field.
    Start,
    /// In a field without quotes.
    Plain,
    /// In quotes.
    Quoted,
    /// Behind a quote in quotes: it closes them, or is doubled.
    Closing,
}

/// A part of the input that belongs to one row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Where it begins: behind empty lines.
    pub(super) start: usize,
    /// Where it ends, if the row ends there: at the first byte of its line end.
    pub(super) end: Option<usize>,
}

/// A row that breaks a rule.
pub(super) struct Fault {
    /// As [`Part::start`].
    pub(super) start: usize,
    /// The byte that must not be there.
    pub(super) at: usize,
    pub(super) rule: &'static str,
}

/// Finds the ends of rows, for one stream.
pub(super) struct Scanner {
    classes: Classes,
    delimiter: u8,
    quote: u8,
    lenient: bool,
    state: State,
    /// Of the row so far.
    fields: usize,
    /// The line of the next byte, from 1.
    line: u64,
    /// The line on which the row begins, and the quotes that were opened last.
    row_line: u64,
    quote_line: u64,
    /// The last byte was a CR: an LF behind it is no further line end.
    after_cr: bool,
}

impl Scanner {
    pub(super) fn new(dialect: &Dialect) -> Self {
        Self {
            classes: Classes::of(dialect),
            delimiter: dialect.punctuation.delimiter(),
            quote: dialect.punctuation.quote(),
            lenient: dialect.lenient,
            state: State::Between,
            fields: 0,
            line: 1,
            row_line: 1,
            quote_line: 1,
            after_cr: false,
        }
    }

    /// Scans to the end of the row, or of the input. What is before [`Part::start`], and the byte at [`Part::end`],
    /// counts as scanned.
    ///
    /// # Errors
    /// Which rule is broken, and where.
    pub(super) fn scan(&mut self, input: &[u8]) -> Result<Part, Fault> {
        let (mut at, mut start) = (0, 0);
        let mut end = None;
        while let Some(&byte) = input.get(at) {
            if self.state == State::Quoted {
                at += self.skip_quoted(&input[at..]);
                continue;
            }
            match (self.classes.class(byte), self.state) {
                (Class::LineEnd, State::Between) => {
                    self.count_line(byte);
                    (at, start) = (at + 1, at + 1);
                }
                (Class::LineEnd, _) => {
                    self.count_line(byte);
                    self.state = State::Between;
                    end = Some(at);
                    break;
                }
                (_, State::Between) => {
                    self.row_line = self.line;
                    self.fields = 1;
                    self.after_cr = false;
                    self.state = State::Start;
                }
                (Class::Plain, State::Closing) if !self.lenient => {
                    return Err(Fault { start, at, rule: "something follows a closing quote" });
                }
                (Class::Plain | Class::Delimiter, _) => at += self.skip_plain(&input[at..]),
                (Class::Quote, State::Plain) if !self.lenient => {
                    return Err(Fault { start, at, rule: "a quote in a field without quotes" });
                }
                (Class::Quote, State::Plain) => at += 1,
                (Class::Quote, state) => {
                    if state == State::Start {
                        self.quote_line = self.line;
                    }
                    self.state = State::Quoted;
                    at += 1;
                }
            }
        }
        Ok(Part { start, end })
    }

    /// Goes on to the first quote or line end, and says how far; at least over the first byte, which is neither.
    /// The loop stands [alone](crate::codec).
    #[inline(never)]
    fn skip_plain(&mut self, input: &[u8]) -> usize {
        let [delimiter, quote, cr, lf] = [self.delimiter, self.quote, b'\r', b'\n'].map(Word::repeat);
        let (mut rest, mut delimiters) = (input, 0);
        let stop = loop {
            let Some((word, behind)) = Word::split_first(rest) else {
                let stop = rest.iter().take_while(|byte| !self.ends_plain(**byte)).count();
                delimiters += rest[..stop].iter().filter(|byte| **byte == self.delimiter).count();
                break input.len() - rest.len() + stop;
            };
            let found = word.equal(delimiter);
            match word.equal(quote).or(word.equal(cr)).or(word.equal(lf)).first() {
                None => delimiters += found.count(),
                Some(stop) => {
                    delimiters += found.before(stop).count();
                    break input.len() - rest.len() + stop;
                }
            }
            rest = behind;
        };
        self.fields += delimiters;
        let is_at_delimiter = input[..stop].last() == Some(&self.delimiter);
        self.state = if is_at_delimiter { State::Start } else { State::Plain };
        stop
    }

    fn ends_plain(&self, byte: u8) -> bool {
        matches!(self.classes.class(byte), Class::Quote | Class::LineEnd)
    }

    /// Goes on in quotes, and says how far. Its search stands [alone](crate::codec).
    #[inline(never)]
    fn skip_quoted(&mut self, input: &[u8]) -> usize {
        let found = memchr3(self.quote, b'\r', b'\n', input);
        self.after_cr &= found == Some(0);
        let Some(at) = found else { return input.len() };
        if input[at] == self.quote {
            self.state = State::Closing;
            self.after_cr = false;
        } else {
            self.count_line(input[at]);
        }
        at + 1
    }

    fn count_line(&mut self, byte: u8) {
        if byte == b'\r' || !self.after_cr {
            self.line += 1;
        }
        self.after_cr = byte == b'\r';
    }

    /// Whether a row has begun and not ended.
    pub(super) fn is_inside(&self) -> bool {
        self.state != State::Between
    }

    /// The line on which quotes were opened that are still open.
    pub(super) fn open_quote(&self) -> Option<u64> {
        (self.state == State::Quoted).then_some(self.quote_line)
    }

    /// The fields of the last row.
    pub(super) fn fields(&self) -> usize {
        self.fields
    }

    /// The line on which the last row begins.
    pub(super) fn row_line(&self) -> u64 {
        self.row_line
    }

    /// Forgets a row that was not ended.
    pub(super) fn restart(&mut self) {
        self.state = State::Between;
    }
}
