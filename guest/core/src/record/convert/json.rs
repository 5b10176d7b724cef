//! The fields of a JSON text: the members of an object, or the elements of an array, one level deep.
//!
//! Most bytes of a text are in strings and mean nothing by themselves, so strings are searched eight bytes at a time
//! for the few that do, as the first stage of simdjson does with wider words (Langdale and Lemire, "Parsing Gigabytes
//! of JSON per Second", 2019). Nested values, and the errors, are those of `serde_json`.

use std::{borrow::Cow, fmt, ops::Range};

use serde::{
    Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};

use crate::record::{RecordError, RecordErrorKind, ndjson::malformed, word::Word};

/// The fields of one record, as places in it. The memory is used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<Field>);

/// What a record with fields is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Object,
    Array,
}

/// A member of an object, or an element of an array, whose name is empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    name: Text,
    value: Raw,
}

/// A value as it is written, by its place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Raw {
    Null,
    /// A number, `true` or `false`.
    Literal(Span),
    /// An object or an array.
    Nested(Span),
    String(Text),
}

/// A string, without its quotation marks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Text {
    inside: Span,
    has_escapes: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Fields {
    /// Parses a record, and checks all of its syntax.
    ///
    /// # Errors
    /// [`RecordErrorKind::Malformed`] if it is not JSON, [`RecordErrorKind::Unrepresentable`] if it has no fields.
    pub(super) fn parse(&mut self, record: &[u8], number: u64) -> Result<Shape, RecordError> {
        self.0.clear();
        let mut parser = Parser { record, at: 0 };
        parser.fields(&mut self.0).ok_or_else(|| refusal(record, number))
    }

    /// The value of a field, by its number.
    pub(super) fn value(&self, index: usize) -> Raw {
        self.0.get(index).map_or(Raw::Null, |field| field.value)
    }

    /// The fields in their order.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Field> {
        self.0.iter()
    }
}

impl Field {
    /// The name of a member: its text in the record, or what its escapes stand for.
    #[inline]
    pub(super) fn name<'a>(&self, record: &'a [u8]) -> Cow<'a, [u8]> {
        // An escape that stands for no character was refused with the record.
        self.name.decode(record).unwrap_or_default()
    }

    pub(super) fn value(&self) -> Raw {
        self.value
    }
}

impl Text {
    /// The bytes of the string, if they are as they are written.
    #[inline]
    pub(super) fn plain<'a>(&self, record: &'a [u8]) -> Option<&'a [u8]> {
        (!self.has_escapes).then(|| self.inside.of(record))
    }

    /// The bytes of the string, in UTF-8.
    ///
    /// # Errors
    /// An escape that stands for no character, as half of a surrogate pair does.
    #[inline]
    pub(super) fn decode<'a>(&self, record: &'a [u8]) -> Result<Cow<'a, [u8]>, serde_json::Error> {
        let Span { start, end } = self.inside;
        if self.has_escapes {
            let quoted = Span { start: start - 1, end: end + 1 }.of(record);
            return serde_json::from_slice::<String>(quoted).map(|text| text.into_bytes().into());
        }
        Ok(self.inside.of(record).into())
    }
}

impl Span {
    fn new(range: Range<usize>) -> Option<Self> {
        Some(Self { start: u32::try_from(range.start).ok()?, end: u32::try_from(range.end).ok()? })
    }

    /// What is there in the record that it was found in.
    #[inline]
    pub(super) fn of(self, record: &[u8]) -> &[u8] {
        record.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Parses what is JSON, and nothing else. Why something is none, [`refusal`] says.
struct Parser<'a> {
    record: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    /// The whole record, which must be an object or an array.
    fn fields(&mut self, fields: &mut Vec<Field>) -> Option<Shape> {
        self.skip_blanks();
        let shape = match self.next()? {
            b'{' => Shape::Object,
            b'[' => Shape::Array,
            _ => return None,
        };
        let close = if shape == Shape::Object { b'}' } else { b']' };
        self.skip_blanks();
        if self.peek() == Some(close) {
            self.at += 1;
        } else {
            loop {
                let name = if shape == Shape::Object { self.name()? } else { Text::default() };
                fields.push(Field { name, value: self.value()? });
                self.skip_blanks();
                match self.next()? {
                    b',' => self.skip_blanks(),
                    byte if byte == close => break,
                    _ => return None,
                }
            }
        }
        self.skip_blanks();
        (self.at == self.record.len()).then_some(shape)
    }

    /// A name and its colon.
    #[inline]
    fn name(&mut self) -> Option<Text> {
        let name = self.expect(b'"')?.string()?;
        if name.has_escapes {
            name.decode(self.record).ok()?;
        }
        self.skip_blanks();
        self.expect(b':')?.skip_blanks();
        Some(name)
    }

    #[inline]
    fn value(&mut self) -> Option<Raw> {
        let start = self.at;
        match self.peek()? {
            b'"' => self.expect(b'"')?.string().map(Raw::String),
            b'{' | b'[' => self.nested(),
            b'n' => self.word(b"null").map(|()| Raw::Null),
            byte => {
                match byte {
                    b't' => self.word(b"true")?,
                    b'f' => self.word(b"false")?,
                    _ => self.number()?,
                }
                Span::new(start..self.at).map(Raw::Literal)
            }
        }
    }

    /// A string, behind its opening quotation mark.
    #[inline]
    fn string(&mut self) -> Option<Text> {
        let start = self.at;
        let (mut has_escapes, mut is_ascii) = (false, true);
        loop {
            self.at += plain_bytes(&self.record[self.at..], &mut is_ascii);
            match self.next()? {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    self.escape()?;
                }
                byte if byte.is_ascii() => return None,
                _ => is_ascii = false,
            }
        }
        let inside = start..self.at - 1;
        if !is_ascii {
            std::str::from_utf8(&self.record[inside.clone()]).ok()?;
        }
        Some(Text { inside: Span::new(inside)?, has_escapes })
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.record.get(self.at..self.at + 4)?;
                self.at += 4;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }

    /// A number of RFC 8259, section 6.
    #[inline]
    fn number(&mut self) -> Option<()> {
        self.skip(b'-');
        if !self.skip(b'0') {
            self.digits()?;
        }
        if self.skip(b'.') {
            self.digits()?;
        }
        if self.skip(b'e') || self.skip(b'E') {
            let _ = self.skip(b'+') || self.skip(b'-');
            self.digits()?;
        }
        Some(())
    }

    /// At least one digit.
    #[inline]
    fn digits(&mut self) -> Option<()> {
        let rest = &self.record[self.at..];
        let count = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        self.at += count;
        (count > 0).then_some(())
    }

    /// An object or an array, however deep.
    fn nested(&mut self) -> Option<Raw> {
        let start = self.at;
        let mut values =
            serde_json::Deserializer::from_slice(&self.record[start..]).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        let range = start..start + values.byte_offset();
        self.at = range.end;
        // What is skipped is not checked to be Unicode.
        std::str::from_utf8(&self.record[range.clone()]).ok()?;
        Span::new(range).map(Raw::Nested)
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let found = self.record[self.at..].starts_with(word);
        self.at += word.len();
        found.then_some(())
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<&mut Self> {
        self.skip(byte).then_some(self)
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.record.get(self.at).copied()
    }

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

/// How many bytes at the start are plain in a string: no quotation mark, backslash or control character. Stops early
/// where fewer than a word are left, at a byte that is not ASCII. Clears `is_ascii` if it passes one before that.
#[inline]
pub(super) fn plain_bytes(bytes: &[u8], is_ascii: &mut bool) -> usize {
    const QUOTE: Word = Word::repeat(b'"');
    const BACKSLASH: Word = Word::repeat(b'\\');
    let mut rest = bytes;
    while let Some((word, behind)) = Word::split_first(rest) {
        let special = word.equal(QUOTE).or(word.equal(BACKSLASH)).or(word.control_characters());
        match special.first() {
            None => {
                *is_ascii &= word.is_ascii();
                rest = behind;
            }
            Some(position) => {
                *is_ascii &= word.first_bytes(position).is_ascii();
                return bytes.len() - rest.len() + position;
            }
        }
    }
    let word = Word::padded(rest, b' ');
    let special =
        word.equal(QUOTE).or(word.equal(BACKSLASH)).or(word.control_characters()).or(word.not_ascii());
    bytes.len() - rest.len() + special.first().unwrap_or(rest.len())
}

/// Why a record has no fields.
#[cold]
fn refusal(record: &[u8], number: u64) -> RecordError {
    struct OneLevel;

    impl<'de> Visitor<'de> for OneLevel {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or an array")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while map.next_entry::<String, &RawValue>()?.is_some() {}
            Ok(())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
            while sequence.next_element::<&RawValue>()?.is_some() {}
            Ok(())
        }
    }

    let mut deserializer = serde_json::Deserializer::from_slice(record);
    let parsed = deserializer.deserialize_any(OneLevel).and_then(|()| deserializer.end());
    match parsed.map_err(|error| (error.classify(), error)) {
        Err((Category::Data, _)) => {
            let message = "only an object or an array has fields for the columns of CSV";
            RecordError::new(RecordErrorKind::Unrepresentable, number, message)
        }
        Err((_, error)) => malformed(number, &error),
        Ok(()) => malformed(number, &de::Error::custom("of another form than was expected")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value as Json};

    use super::*;

    /// The fields as `serde_json` finds them.
    fn oracle(record: &[u8]) -> Option<Vec<(String, String)>> {
        if let Ok(elements) = serde_json::from_slice::<Vec<&RawValue>>(record) {
            return Some(elements.into_iter().map(|value| (String::new(), value.get().to_owned())).collect());
        }
        // Not a map, which would drop a key that is there twice.
        struct Members(Vec<(String, String)>);
        impl<'de> de::Deserialize<'de> for Members {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Each;
                impl<'de> Visitor<'de> for Each {
                    type Value = Members;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                        let mut members = Vec::new();
                        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                            members.push((name, value.get().to_owned()));
                        }
                        Ok(Members(members))
                    }
                }
                deserializer.deserialize_map(Each)
            }
        }
        serde_json::from_slice::<Members>(record).ok().map(|members| members.0)
    }

    fn parse(record: &[u8]) -> Option<Vec<(String, String)>> {
        let mut fields = Fields::default();
        fields.parse(record, 1).ok()?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let raw = |value: Raw| match value {
            Raw::Null => "null".to_owned(),
            Raw::Literal(span) | Raw::Nested(span) => text(span.of(record)),
            Raw::String(Text { inside, .. }) => format!("\"{}\"", text(inside.of(record))),
        };
        Some(fields.iter().map(|field| (text(&field.name(record)), raw(field.value()))).collect())
    }

    fn json() -> impl Strategy<Value = Json> {
        let text = || prop_oneof!["[ -~]{0,20}", "\\PC{0,9}", Just("a\"b\\c\n\u{1}".to_owned())];
        let scalar = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            text().prop_map(Json::from),
        ];
        let value = scalar.prop_recursive(3, 12, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::vec((text(), inner), 0..4)
                    .prop_map(|members| Json::from(members.into_iter().collect::<Map<_, _>>())),
            ]
        });
        let texts = prop_oneof!["[a-z]{0,12}", "\\PC{0,4}"];
        prop_oneof![
            prop::collection::vec(value.clone(), 0..6).prop_map(Json::from),
            prop::collection::vec((texts, value), 0..6)
                .prop_map(|members| Json::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    }

    proptest! {
        #[test]
        fn fields_are_those_that_serde_finds(value in json(), pretty in any::<bool>()) {
            let record = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) };
            let record = record.unwrap();
            let expected = oracle(&record);
            prop_assert!(expected.is_some());
            prop_assert_eq!(parse(&record), expected);
        }

        #[test]
        fn what_is_damaged_is_refused_where_serde_refuses_it(
            value in json(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..4),
        ) {
            let mut record = serde_json::to_vec(&value).unwrap();
            for (at, how, byte) in damage {
                let at = at.index(record.len());
                match how {
                    0 => record[at] = byte,
                    1 => record.insert(at, byte),
                    2 => record.insert(at, b"{}[]\",:\\ue0-.\x00\x7f\xff\xc3 "[usize::from(byte) % 18]),
                    _ => { record.remove(at); }
                }
                if record.is_empty() { record.push(b'{'); }
            }
            prop_assert_eq!(parse(&record), oracle(&record), "{}", String::from_utf8_lossy(&record));
        }
    }

    #[test]
    fn every_rule_of_strings_numbers_and_blanks_is_kept() {
        for record in [
            "{}",
            "[]",
            " [ ] ",
            "\t{\r\n}",
            "[1,2]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\":1,}",
            "{\"a\" : 1 }",
            "{\"a\"}",
            "{a:1}",
            "{\"a\":}",
            "[",
            "{",
            "[1",
            "{\"a\":1",
            "[]x",
            "[1]]",
            "\"a\"",
            "1",
            "null",
            "",
            "  ",
            "[0]",
            "[-0]",
            "[00]",
            "[01]",
            "[-]",
            "[-01]",
            "[1.]",
            "[.5]",
            "[1.5]",
            "[1e5]",
            "[1e]",
            "[1E+]",
            "[1e+05]",
            "[+1]",
            "[NaN]",
            "[tru]",
            "[true]",
            "[truex]",
            "[false]",
            "[nul]",
            "[null]",
            "[nullx]",
            "[1e400]",
            "[\"\\u00e9\"]",
            "[\"\\u00E\"]",
            "[\"\\ud800\"]",
            "[\"\\ud83d\\ude00\"]",
            "[\"\\x\"]",
            "[\"\\\"]",
            "[\"\\\\\"]",
            "[\"tab\there\"]",
            "[\"\u{7f}\"]",
            "[\"é and more than a word of it\"]",
            "{\"é\":1}",
            "{\"\\u00e9\":1}",
            "{\"\\ud800\":1}",
            "{\"a\":1,\"a\":2}",
            "[{\"a\":[1,{\"b\":[]}]},[[]]]",
            "[{\"a\":1]",
            "[{]}",
            "[[1,2]",
            "[\"a",
            "[\"12345678",
            "[\"1234567\"]",
            "[\"12345678\"]",
            "[\"123456789\"]",
        ] {
            assert_eq!(parse(record.as_bytes()), oracle(record.as_bytes()), "{record}");
        }
        for record in [
            &b"[\"\xff\"]"[..],
            b"[\"\xc3\xa9 \xc3\"]",
            b"[{\"a\":\"\xff\"}]",
            b"{\"\xff\":1}",
            b"[1\xff]",
            b"\xff[]",
        ] {
            assert_eq!((parse(record), oracle(record)), (None, None), "{record:?}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = [&b"[".repeat(200_000)[..], &b"]".repeat(200_000)].concat();
        assert_eq!(parse(&deep).unwrap().len(), 1);
    }
}
