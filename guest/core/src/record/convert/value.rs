//! What a field of CSV stands for, and how a value is written as one.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::{
    draft::{Draft, NoText},
    json::Raw,
};
use crate::record::{
    append::append,
    csv::{Encoder, Field},
};

/// A value of JSON that is one field of CSV.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Null,
    /// A number, `true` or `false`, as it was written.
    Literal(Cow<'a, [u8]>),
    /// An object or an array, without whitespace between its tokens.
    Nested(Cow<'a, [u8]>),
    /// Not necessarily Unicode.
    String(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    /// Of a field: a string, unless it is inferred what it stands for.
    #[inline]
    pub(super) fn of_field(Field { text, quoted }: Field<'a>, infer: bool) -> Self {
        if !infer {
            return Self::String(text);
        }
        match Inferred::of(&text) {
            Inferred::Null if !quoted => Self::Null,
            Inferred::Literal if !quoted => Self::Literal(text),
            // A delimiter or a quote in it asks for quotes, so that they tell nothing.
            Inferred::Nested => Self::Nested(compact(text)),
            Inferred::Quotation(quoted) => Self::String(quoted.into_bytes().into()),
            _ => Self::String(text),
        }
    }

    /// Of a value in a JSON record.
    ///
    /// # Errors
    /// Why no field can hold it.
    #[inline]
    pub(super) fn of_json(value: Raw, record: &'a [u8]) -> Result<Self, String> {
        Ok(match value {
            Raw::Null => Self::Null,
            Raw::Literal(span) => Self::Literal(span.of(record).into()),
            Raw::Nested(span) => Self::Nested(compact(span.of(record).into())),
            Raw::String(text) => {
                Self::String(text.decode(record).map_err(|error| format!("not Unicode: {error}"))?)
            }
        })
    }

    /// Appends it as a field; so that it can be inferred from that what it is, if it is to be.
    #[inline]
    pub(super) fn write_field(&self, infer: bool, encoder: &mut Encoder, row: &mut Vec<u8>) {
        match self {
            Self::Null => encoder.field(b"", false, row),
            Self::Literal(text) | Self::Nested(text) => encoder.field(text, false, row),
            Self::String(text) if !infer => encoder.field(text, false, row),
            Self::String(text) => match Inferred::of(text) {
                Inferred::String => encoder.field(text, false, row),
                Inferred::Null | Inferred::Literal => encoder.field(text, true, row),
                // Quotes are of no use here: as a quotation in JSON it is told from what it quotes.
                Inferred::Nested | Inferred::Quotation(_) => {
                    let quotation = serde_json::Value::from(String::from_utf8_lossy(text)).to_string();
                    encoder.field(quotation.as_bytes(), false, row);
                }
            },
        }
    }

    /// Appends it as a JSON text.
    ///
    /// # Errors
    /// Why it is none, or that it gets too long.
    #[inline]
    pub(super) fn write_json(&self, draft: &mut Draft<'_>) -> Result<(), NoText> {
        match self {
            Self::Null => draft.bytes.extend_from_slice(b"null"),
            Self::Literal(text) | Self::Nested(text) => append(draft.bytes, text),
            Self::String(text) => draft.json_string(text)?,
        }
        Ok(())
    }
}

/// What a field may stand for, if values are inferred.
#[derive(Debug, PartialEq, Eq)]
enum Inferred {
    Null,
    /// Its text is the JSON text.
    Literal,
    /// An object or an array.
    Nested,
    /// A JSON string that looks like one of these two in quotation marks: a string that was never anything else.
    Quotation(String),
    String,
}

impl Inferred {
    fn of(text: &[u8]) -> Self {
        match text {
            b"" => Self::Null,
            b"true" | b"false" => Self::Literal,
            [b'{' | b'[', ..] if is_json(text) => Self::Nested,
            [b'"', ..] => quotation(text).map_or(Self::String, Self::Quotation),
            _ if is_number(text) => Self::Literal,
            _ => Self::String,
        }
    }
}

fn is_json(text: &[u8]) -> bool {
    // The parser does not look at the encoding of strings that it skips.
    std::str::from_utf8(text).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// What a JSON string says that would be taken for something else without its quotation marks.
fn quotation(text: &[u8]) -> Option<String> {
    let quoted: String = serde_json::from_slice(text).ok()?;
    // Each level doubles its backslashes: there are few.
    matches!(Inferred::of(quoted.as_bytes()), Inferred::Nested | Inferred::Quotation(_)).then_some(quoted)
}

/// A JSON text without whitespace between its tokens.
fn compact(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let (mut in_string, mut escaped) = (false, false);
    let mut is_kept = |byte: u8| {
        if escaped {
            escaped = false;
        } else if byte == b'"' {
            in_string = !in_string;
        } else if in_string {
            escaped = byte == b'\\';
        } else {
            return !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        }
        true
    };
    match text.iter().position(|byte| !is_kept(*byte)) {
        None => text,
        Some(first) => {
            let (mut compact, rest) = (text[..first].to_vec(), &text[first + 1..]);
            compact.extend(rest.iter().copied().filter(|byte| is_kept(*byte)));
            compact.into()
        }
    }
}

/// Whether it is a number of RFC 8259, section 6: no sign but `-`, no leading zeros, no infinity.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text[0] == b'0') {
        return false;
    }
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+")).unwrap_or(exponent);
        let length = digits(exponent);
        return length > 0 && length == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_json() {
        for text in ["0", "-0", "10", "1.5", "-1.05e10", "1E+5", "1e-05", "123456789012345678901234567890"] {
            assert!(is_number(text.as_bytes()) && text.parse::<serde_json::Value>().is_ok(), "{text}");
        }
        for text in [
            "", "-", "+1", "01", "-01", ".5", "1.", "1.e5", "1e", "1e+", "1 ", " 1", "0x1", "inf", "NaN",
            "1_0", "1,5",
        ] {
            assert!(!is_number(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn whitespace_goes_from_between_tokens_alone() {
        for (text, expected) in [
            ("{}", "{}"),
            ("[1,\"a b\"]", "[1,\"a b\"]"),
            (" { \"a \\\" b\" :\t[ 1 ,\r\n2 ] } ", "{\"a \\\" b\":[1,2]}"),
            ("[\"\\\\\" , \" \"]", "[\"\\\\\",\" \"]"),
        ] {
            assert_eq!(*compact(text.as_bytes().into()), *expected.as_bytes(), "{text}");
        }
    }

    #[test]
    fn what_looks_nested_is_told_from_a_string_that_does() {
        for nested in ["{}", "[]", "[1, 2]", "{\"a\":[]}", "[\"é\"] "] {
            assert_eq!(Inferred::of(nested.as_bytes()), Inferred::Nested, "{nested}");
            let (mut text, mut levels) = (nested.to_owned(), 0);
            while levels < 4 {
                let quotation = serde_json::Value::from(text.as_str()).to_string();
                assert_eq!(Inferred::of(quotation.as_bytes()), Inferred::Quotation(text), "{quotation}");
                (text, levels) = (quotation, levels + 1);
            }
        }
        for string in ["{", "{a}", "[1", "[]x", "\"", "\"a\"", "\"1\"", "\"[\"", "\"[]\"x", "{} {}"] {
            assert_eq!(Inferred::of(string.as_bytes()), Inferred::String, "{string}");
        }
        assert_eq!(Inferred::of(b"[\"\xff\"]"), Inferred::String);
    }
}
