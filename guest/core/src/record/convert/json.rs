//! Objects and arrays, one level deep, and what a field without quotes may stand for.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};

use crate::record::{RecordError, RecordErrorKind, ndjson::malformed};

/// A record with its values as they were written.
pub(super) enum Fields<'a> {
    Object(Vec<(Text<'a>, &'a RawValue)>),
    Array(Vec<&'a RawValue>),
}

impl<'a> Fields<'a> {
    /// # Errors
    /// [`RecordErrorKind::Malformed`] if it is not JSON, [`RecordErrorKind::Unrepresentable`] if it has no fields.
    pub(super) fn parse(record: &'a [u8], number: u64) -> Result<Self, RecordError> {
        serde_json::from_slice(record).map_err(|error| match error.classify() {
            Category::Data => {
                let message = "only an object or an array has fields for the columns of CSV";
                RecordError::new(RecordErrorKind::Unrepresentable, number, message)
            }
            _ => malformed(number, &error),
        })
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneLevel;

        impl<'de> Visitor<'de> for OneLevel {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or an array")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields::Object(fields))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = sequence.next_element()? {
                    fields.push(field);
                }
                Ok(Fields::Array(fields))
            }
        }

        deserializer.deserialize_any(OneLevel)
    }
}

/// A string, borrowed where it was written without escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;

        impl<'de> Visitor<'de> for Borrowing {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Borrowing)
    }
}

/// A value that fits into one field.
pub(super) enum Scalar<'a> {
    String(Cow<'a, str>),
    /// A number, `true` or `false`, as it was written.
    Literal(&'a str),
    Null,
}

impl<'a> Scalar<'a> {
    /// # Errors
    /// Why it does not fit.
    pub(super) fn of(value: &'a RawValue) -> Result<Self, String> {
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'"') => match serde_json::from_str::<Text<'a>>(text) {
                Ok(Text(text)) => Ok(Self::String(text)),
                Err(error) => Err(format!("not Unicode: {error}")),
            },
            Some(b'{') => Err("an object does not fit into one field of CSV".to_owned()),
            Some(b'[') => Err("an array does not fit into one field of CSV".to_owned()),
            Some(b'n') => Ok(Self::Null),
            _ => Ok(Self::Literal(text)),
        }
    }
}

/// What a field without quotes stands for, if values are inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inferred {
    Null,
    /// Its text is the JSON text.
    Literal,
    String,
}

impl Inferred {
    pub(super) fn of(text: &[u8]) -> Self {
        match text {
            b"" => Self::Null,
            b"true" | b"false" => Self::Literal,
            _ if is_number(text) => Self::Literal,
            _ => Self::String,
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
}
