//! Objects and arrays, one level deep.

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
