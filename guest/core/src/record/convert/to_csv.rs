//! From JSON texts to rows.

use serde_json::value::RawValue;

use super::{
    ConvertOne,
    columns::Columns,
    json::{Fields, Inferred, Scalar},
    unrepresentable,
};
use crate::record::{
    RecordError, RecordErrorKind,
    csv::{Dialect, Encoder},
};

/// Objects by their keys, arrays by their elements.
pub(super) struct ToCsv {
    encoder: Encoder,
    infer: bool,
    /// Without columns, records are arrays.
    columns: Option<Columns>,
}

impl ToCsv {
    pub(super) fn new(dialect: &Dialect, columns: Option<Columns>) -> Self {
        Self { encoder: Encoder::new(dialect), infer: dialect.infer, columns }
    }
}

impl ConvertOne for ToCsv {
    fn convert_one(&mut self, record: &[u8], number: u64, row: &mut Vec<u8>) -> Result<(), RecordError> {
        match (Fields::parse(record, number)?, &self.columns) {
            (Fields::Object(fields), Some(columns)) => {
                let mut values = vec![None; columns.len()];
                for (index, (name, value)) in fields.iter().enumerate() {
                    let place = columns.place(&name.0, index);
                    let slot = place
                        .and_then(|place| values.get_mut(place))
                        .ok_or_else(|| unrepresentable(number, &name.0, "it is none of the columns"))?;
                    if slot.replace(*value).is_some() {
                        return Err(unrepresentable(number, &name.0, "the key is there twice"));
                    }
                }
                for (place, value) in values.into_iter().enumerate() {
                    let appended = append(&mut self.encoder, self.infer, value, row);
                    appended.map_err(|why| unrepresentable(number, columns.name(place), &why))?;
                }
            }
            (Fields::Object(_), None) => {
                return Err(RecordError::new(
                    RecordErrorKind::Unrepresentable,
                    number,
                    "an object without columns: give them",
                ));
            }
            (Fields::Array(fields), columns) => {
                let expected = columns.as_ref().map_or(fields.len(), Columns::len);
                if fields.is_empty() || fields.len() != expected {
                    let message = format!("an array of {} values for {expected} columns", fields.len());
                    return Err(RecordError::new(RecordErrorKind::Unrepresentable, number, message));
                }
                for (place, value) in fields.into_iter().enumerate() {
                    let appended = append(&mut self.encoder, self.infer, Some(value), row);
                    appended.map_err(|why| unrepresentable(number, &(place + 1).to_string(), &why))?;
                }
            }
        }
        if self.infer && row.is_empty() {
            let message = "null alone in a row would be read as an empty line";
            return Err(RecordError::new(RecordErrorKind::Unrepresentable, number, message));
        }
        self.encoder.end(row);
        Ok(())
    }
}

/// Appends a value to a row; a missing one is an empty field.
fn append(
    encoder: &mut Encoder,
    infer: bool,
    value: Option<&RawValue>,
    row: &mut Vec<u8>,
) -> Result<(), String> {
    match value.map_or(Ok(Scalar::Null), Scalar::of)? {
        Scalar::String(text) => {
            let ambiguous = infer && Inferred::of(text.as_bytes()) != Inferred::String;
            encoder.field(text.as_bytes(), ambiguous, row);
        }
        Scalar::Literal(text) => encoder.field(text.as_bytes(), false, row),
        Scalar::Null => encoder.field(b"", false, row),
    }
    Ok(())
}
