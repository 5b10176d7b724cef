//! From a row to its fields and back.

use std::borrow::Cow;

use memchr::memchr;

use super::{Dialect, scanner::Classes};
use crate::record::{append::append, mark::BYTE_ORDER_MARK, word::Word};

/// A field as it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::record) struct Field<'a> {
    pub(in crate::record) text: Cow<'a, [u8]>,
    /// It had quotes: it is no number, whatever it looks like.
    pub(in crate::record) quoted: bool,
}

/// The fields of a row that a reader of the dialect handed out.
pub(in crate::record) fn fields<'a>(row: &'a [u8], dialect: &Dialect) -> Fields<'a> {
    let (delimiter, quote) = (dialect.punctuation.delimiter(), dialect.punctuation.quote());
    Fields { rest: Some(row), delimiter, quote }
}

/// See [`fields`].
pub(in crate::record) struct Fields<'a> {
    rest: Option<&'a [u8]>,
    delimiter: u8,
    quote: u8,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    // A hot loop stands alone: see `codec`.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn next(&mut self) -> Option<Field<'a>> {
        let row = self.rest?;
        let (field, length) = match row.split_first() {
            Some((first, inner)) if *first == self.quote => {
                let (text, length) = unquote(inner, self.quote, self.delimiter);
                (Field { text, quoted: true }, length + 1)
            }
            _ => {
                let length = first_of(self.delimiter, row).unwrap_or(row.len());
                (Field { text: Cow::Borrowed(&row[..length]), quoted: false }, length)
            }
        };
        self.rest = row.get(length + 1..);
        Some(field)
    }
}

/// Where a byte is for the first time. Most fields are so short that the call of a faster search would take longer.
#[inline]
fn first_of(byte: u8, bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    while let Some((word, behind)) = Word::split_first(rest) {
        if let Some(at) = word.equal(Word::repeat(byte)).first() {
            return Some(bytes.len() - rest.len() + at);
        }
        rest = behind;
    }
    let at = rest.iter().position(|other| *other == byte)?;
    Some(bytes.len() - rest.len() + at)
}

/// The text behind an opening quote, up to the delimiter behind the closing one; and the length of what it takes.
/// Apart from the hot loops, which have no other loop in them: see [`codec`](crate::codec).
#[inline(never)]
fn unquote(inner: &[u8], quote: u8, delimiter: u8) -> (Cow<'_, [u8]>, usize) {
    let mut text = Cow::Borrowed(&inner[..0]);
    let mut start = 0;
    loop {
        let end = memchr(quote, &inner[start..]).map_or(inner.len(), |at| start + at);
        join(&mut text, &inner[start..end]);
        if inner.get(end + 1) != Some(&quote) {
            // Nothing is left but the delimiter, unless the dialect is lenient.
            let tail = inner.get(end + 1..).unwrap_or_default();
            let length = memchr(delimiter, tail).unwrap_or(tail.len());
            join(&mut text, &tail[..length]);
            return (text, inner.len().min(end + 1 + length));
        }
        text.to_mut().push(quote);
        start = end + 2;
    }
}

fn join<'a>(text: &mut Cow<'a, [u8]>, part: &'a [u8]) {
    if text.is_empty() {
        *text = Cow::Borrowed(part);
    } else if !part.is_empty() {
        text.to_mut().extend_from_slice(part);
    }
}

/// Makes rows.
pub(in crate::record) struct Encoder {
    classes: Classes,
    delimiter: u8,
    quote: u8,
    /// Of the row under way.
    fields: usize,
    /// Where that begins in the output.
    start: usize,
}

impl Encoder {
    pub(in crate::record) fn new(dialect: &Dialect) -> Self {
        Self {
            classes: Classes::of(dialect),
            delimiter: dialect.punctuation.delimiter(),
            quote: dialect.punctuation.quote(),
            fields: 0,
            start: 0,
        }
    }

    /// Appends a field to the row at the end of the output, with quotes if it needs them or `quoted` asks for them.
    #[inline]
    pub(in crate::record) fn field(&mut self, text: &[u8], quoted: bool, row: &mut Vec<u8>) {
        if self.fields > 0 {
            row.push(self.delimiter);
        } else {
            self.start = row.len();
        }
        self.fields += 1;
        // At the start of the file, a reader would skip the mark.
        if quoted || !self.classes.are_plain(text) || text.starts_with(BYTE_ORDER_MARK) {
            self.quote(text, row);
        } else {
            append(row, text);
        }
    }

    /// Appends empty fields.
    #[inline]
    pub(in crate::record) fn empty(&mut self, count: usize, row: &mut Vec<u8>) {
        let delimiters = if self.fields > 0 {
            count
        } else {
            self.start = row.len();
            count.saturating_sub(1)
        };
        row.resize(row.len() + delimiters, self.delimiter);
        self.fields += count;
    }

    /// Ends the row, so that another may begin.
    pub(in crate::record) fn end(&mut self, row: &mut Vec<u8>) {
        let is_empty = self.fields == 0 || row.len() == self.start;
        self.fields = 0;
        if is_empty {
            // A reader would skip an empty line.
            self.quote(b"", row);
        }
    }

    fn quote(&self, text: &[u8], row: &mut Vec<u8>) {
        row.push(self.quote);
        let mut rest = text;
        while let Some(at) = memchr(self.quote, rest) {
            append(row, &rest[..=at]);
            row.push(self.quote);
            rest = &rest[at + 1..];
        }
        append(row, rest);
        row.push(self.quote);
    }
}
