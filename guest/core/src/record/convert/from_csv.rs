//! From rows to JSON texts, and to rows of another dialect.

use super::{ConvertOne, columns::Columns, json::Inferred, unrepresentable};
use crate::record::{
    RecordError, RecordErrorKind,
    csv::{Dialect, Encoder, Field, fields},
};

/// Rows with columns are objects, others arrays.
pub(super) struct ToJson {
    dialect: Dialect,
    /// Each name as a JSON string with a colon behind it.
    keys: Option<Vec<String>>,
    names: Vec<String>,
}

impl ToJson {
    pub(super) fn new(dialect: Dialect, names: Option<Vec<String>>) -> Result<Self, RecordError> {
        let names = names.map(Columns::new).transpose()?.map(Columns::into_names);
        let key = |name: &String| format!("{}:", serde_json::Value::from(name.as_str()));
        let keys = names.as_ref().map(|names| names.iter().map(key).collect());
        Ok(Self { dialect, keys, names: names.unwrap_or_default() })
    }
}

impl ConvertOne for ToJson {
    fn convert_one(&mut self, row: &[u8], number: u64, text: &mut Vec<u8>) -> Result<(), RecordError> {
        let (open, close) = if self.keys.is_some() { (b'{', b'}') } else { (b'[', b']') };
        text.push(open);
        for (place, field) in fields(row, &self.dialect).enumerate() {
            let key = self.keys.as_ref().map(|keys| keys.get(place));
            if let Some(None) = key {
                surplus(&field, number, self.names.len())?;
                continue;
            }
            if place > 0 {
                text.push(b',');
            }
            text.extend_from_slice(key.flatten().map_or("", String::as_str).as_bytes());
            append(&field, self.dialect.infer, text).map_err(|why| {
                let position = (place + 1).to_string();
                unrepresentable(number, self.names.get(place).unwrap_or(&position), &why)
            })?;
        }
        text.push(close);
        Ok(())
    }
}

/// Appends a field as a JSON text.
fn append(field: &Field<'_>, infer: bool, text: &mut Vec<u8>) -> Result<(), String> {
    match Inferred::of(&field.text) {
        Inferred::Null if infer && !field.quoted => text.extend_from_slice(b"null"),
        Inferred::Literal if infer && !field.quoted => text.extend_from_slice(&field.text),
        _ => {
            let string = std::str::from_utf8(&field.text)
                .map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to() + 1))?;
            serde_json::to_writer(text, string).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// A field beyond the columns: only lenient reading lets it through, and only an empty one can be left out.
fn surplus(field: &Field<'_>, record: u64, columns: usize) -> Result<(), RecordError> {
    if field.text.is_empty() {
        return Ok(());
    }
    let message = format!("more fields than the {columns} columns, and not empty ones");
    Err(RecordError::new(RecordErrorKind::Unrepresentable, record, message))
}

/// Rows in another dialect.
pub(super) struct ToCsv {
    source: Dialect,
    encoder: Encoder,
    infer: bool,
    /// Of the target, once it is known.
    columns: Option<usize>,
    /// Where each field of the source goes, if not to its own place.
    places: Option<Vec<usize>>,
}

impl ToCsv {
    pub(super) fn new(
        source: Dialect,
        names: Option<&[String]>,
        target: &Dialect,
    ) -> Result<Self, RecordError> {
        let places = match (names, &target.columns) {
            (Some(names), Some(columns)) => {
                let columns = Columns::new(columns.clone())?;
                let place = |(index, name): (usize, &String)| {
                    columns.place(name, index).ok_or_else(|| {
                        let message = format!("the column {name:?} of the source is none of those to write");
                        RecordError::new(RecordErrorKind::InvalidOption, 0, message)
                    })
                };
                let names = Columns::new(names.to_vec())?.into_names();
                Some(names.iter().enumerate().map(place).collect::<Result<_, _>>()?)
            }
            _ => None,
        };
        let columns = target.columns.as_ref().map(Vec::len).or(names.map(<[String]>::len));
        let (encoder, infer) = (Encoder::new(target), target.infer);
        Ok(Self { source, encoder, infer, columns, places })
    }
}

impl ConvertOne for ToCsv {
    fn convert_one(&mut self, row: &[u8], number: u64, output: &mut Vec<u8>) -> Result<(), RecordError> {
        let mut cells: Vec<Option<Field<'_>>> = Vec::new();
        for (index, field) in fields(row, &self.source).enumerate() {
            let place = self.places.as_ref().map_or(Some(index), |places| places.get(index).copied());
            match (place, self.columns) {
                (Some(place), columns) if columns.is_none_or(|columns| place < columns) => {
                    cells.resize_with(cells.len().max(place + 1), || None);
                    cells[place] = Some(field);
                }
                (_, columns) => surplus(&field, number, columns.unwrap_or_default())?,
            }
        }
        let columns = *self.columns.get_or_insert(cells.len());
        cells.resize_with(columns, || None);
        for cell in cells {
            let (text, quoted) = cell.map_or_else(Default::default, |field| (field.text, field.quoted));
            let kept = quoted || !self.source.infer;
            let ambiguous = self.infer && kept && Inferred::of(&text) != Inferred::String;
            self.encoder.field(&text, ambiguous, output);
        }
        self.encoder.end(output);
        Ok(())
    }
}
