//! From rows to JSON texts, and to rows of another dialect.

use super::{
    ConvertOne,
    columns::Columns,
    draft::{Draft, NoText},
    unrepresentable,
    value::Value,
};
use crate::record::{
    Batch, RecordError, RecordErrorKind,
    append::append,
    csv::{Dialect, Encoder, Field, fields},
};

/// Rows with columns are objects, others arrays.
pub(super) struct ToJson {
    dialect: Dialect,
    named: Option<Named>,
}

/// Columns with names.
struct Named {
    columns: Columns,
    /// Each name as a JSON string with a colon behind it.
    keys: Batch,
}

impl ToJson {
    pub(super) fn new(dialect: Dialect, names: Option<Vec<String>>) -> Result<Self, RecordError> {
        Ok(Self { dialect, named: names.map(Named::new).transpose()? })
    }

    /// Why a field of a row cannot be written.
    #[cold]
    fn refused(&self, why: NoText, place: usize, number: u64) -> RecordError {
        match why {
            NoText::Limit(error) => error,
            NoText::Unicode { byte } => {
                let name = self.named.as_ref().and_then(|named| named.columns.name(place));
                let name = name.map_or_else(|| (place + 1).to_string(), str::to_owned);
                unrepresentable(number, &name, &format!("not UTF-8 at byte {byte}"))
            }
        }
    }
}

impl Named {
    fn new(names: Vec<String>) -> Result<Self, RecordError> {
        let columns = Columns::new(names)?;
        let mut keys = Batch::new();
        for name in columns.names() {
            keys.push(key(name).as_bytes()).map_err(RecordError::full(0))?;
        }
        Ok(Self { columns, keys })
    }

    /// The key of a field beyond the columns: its position.
    #[cold]
    fn key_beyond(&self, place: usize, number: u64) -> Result<String, RecordError> {
        let position = (place + 1).to_string();
        if self.columns.place(position.as_bytes(), 0).is_some() {
            let columns = self.columns.len();
            let message =
                format!("a field beyond the {columns} columns, and its position is the name of one");
            return Err(unrepresentable(number, &position, &message));
        }
        Ok(key(&position))
    }
}

fn key(name: &str) -> String {
    format!("{}:", serde_json::Value::from(name))
}

impl ConvertOne for ToJson {
    fn convert_one(&mut self, row: &[u8], number: u64, draft: &mut Draft<'_>) -> Result<(), RecordError> {
        let (dialect, named) = (&self.dialect, self.named.as_ref());
        let (open, close) = if named.is_some() { (b'{', b'}') } else { (b'[', b']') };
        let mut keys = named.map(|named| named.keys.iter());
        draft.bytes.push(open);
        for (place, field) in fields(row, dialect).enumerate() {
            match (keys.as_mut().map(Iterator::next), named) {
                (Some(Some(key)), _) => {
                    separate(place, draft);
                    append(draft.bytes, key);
                }
                // Only lenient reading gets here.
                (Some(None), _) if field.text.is_empty() => continue,
                (Some(None), Some(named)) => {
                    let key = named.key_beyond(place, number)?;
                    separate(place, draft);
                    append(draft.bytes, key.as_bytes());
                }
                _ => separate(place, draft),
            }
            if let Err(why) = Value::of_field(field, dialect.infer).write_json(draft) {
                return Err(self.refused(why, place, number));
            }
            draft.check()?;
        }
        draft.bytes.push(close);
        Ok(())
    }
}

fn separate(place: usize, draft: &mut Draft<'_>) {
    if place > 0 {
        draft.bytes.push(b',');
    }
}

/// Rows in another dialect.
pub(super) struct ToCsv {
    source: Dialect,
    encoder: Encoder,
    infer: bool,
    /// Rows of the target may have more fields than there are columns.
    lenient: bool,
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
                    columns.place(name.as_bytes(), index).ok_or_else(|| {
                        let message = format!("the column {name:?} of the source is none of those to write");
                        RecordError::new(RecordErrorKind::InvalidOption, 0, message)
                    })
                };
                Columns::new(names.to_vec())?;
                Some(names.iter().enumerate().map(place).collect::<Result<_, _>>()?)
            }
            _ => None,
        };
        let columns = target.columns.as_ref().map(Vec::len).or(names.map(<[String]>::len));
        let (encoder, infer, lenient) = (Encoder::new(target), target.infer, target.lenient);
        Ok(Self { source, encoder, infer, lenient, columns, places })
    }
}

impl ConvertOne for ToCsv {
    fn convert_one(&mut self, row: &[u8], number: u64, draft: &mut Draft<'_>) -> Result<(), RecordError> {
        let (mut cells, mut surplus): (Vec<Option<Field<'_>>>, Vec<Field<'_>>) = (Vec::new(), Vec::new());
        for (index, field) in fields(row, &self.source).enumerate() {
            let place = self.places.as_ref().map_or(Some(index), |places| places.get(index).copied());
            match (place, self.columns) {
                (Some(place), columns) if columns.is_none_or(|columns| place < columns) => {
                    cells.resize_with(cells.len().max(place + 1), || None);
                    cells[place] = Some(field);
                }
                _ => surplus.push(field),
            }
        }
        let columns = *self.columns.get_or_insert(cells.len());
        // Only lenient reading lets them through, and only empty ones can be left out.
        if surplus.iter().all(|field| field.text.is_empty()) {
            surplus.clear();
        } else if !self.lenient {
            let message = format!("more fields than the {columns} columns, and not empty ones");
            return Err(RecordError::new(RecordErrorKind::Unrepresentable, number, message));
        }
        cells.resize_with(columns, || None);
        for cell in cells.into_iter().chain(surplus.into_iter().map(Some)) {
            let value = cell.map_or(Value::Null, |field| Value::of_field(field, self.source.infer));
            value.write_field(self.infer, &mut self.encoder, draft.bytes);
            draft.check()?;
        }
        self.encoder.end(draft.bytes);
        Ok(())
    }
}
