//! From JSON texts to rows.

use super::{
    ConvertOne,
    columns::Columns,
    draft::Draft,
    json::{Fields, Raw, Shape},
    unrepresentable,
    value::Value,
};
use crate::record::{
    RecordError, RecordErrorKind,
    csv::{Dialect, Encoder},
};

/// Objects by their keys, arrays by their elements.
pub(super) struct ToCsv {
    rows: Rows,
    /// Without columns, records are arrays.
    columns: Option<Columns>,
    /// The columns are those of the first records alone.
    is_guess: bool,
    fields: Fields,
    /// The column of each field of a record, and which field it is.
    places: Vec<(usize, usize)>,
}

/// Writes values into rows.
struct Rows {
    encoder: Encoder,
    infer: bool,
    lenient: bool,
}

impl Rows {
    /// Appends a value to a row.
    #[inline]
    fn append(&mut self, value: Raw, record: &[u8], draft: &mut Draft<'_>) -> Result<(), String> {
        match value {
            // What is mostly there.
            Raw::String(text)
                if !self.infer
                    && let Some(plain) = text.plain(record) =>
            {
                self.encoder.field(plain, false, draft.bytes);
            }
            _ => Value::of_json(value, record)?.write_field(self.infer, &mut self.encoder, draft.bytes),
        }
        Ok(())
    }
}

impl ToCsv {
    pub(super) fn new(dialect: &Dialect, columns: Option<Columns>, is_guess: bool) -> Self {
        let Dialect { infer, lenient, .. } = *dialect;
        let rows = Rows { encoder: Encoder::new(dialect), infer, lenient };
        Self { rows, columns, is_guess, fields: Fields::default(), places: Vec::new() }
    }

    fn object(&mut self, record: &[u8], number: u64, draft: &mut Draft<'_>) -> Result<(), RecordError> {
        let Self { rows, columns, fields, places, .. } = self;
        let Some(columns) = columns else {
            let message = "an object without columns: give them";
            return Err(RecordError::new(RecordErrorKind::Unrepresentable, number, message));
        };
        // By place, and not one for every column: of those, a record may have few.
        places.clear();
        let (mut guess, mut in_order) = (0, true);
        for (index, field) in fields.iter().enumerate() {
            let name = field.name(record);
            let Some(place) = columns.place(&name, guess) else {
                let name = String::from_utf8_lossy(&name);
                return Err(unrepresentable(number, &name, "it is none of the columns"));
            };
            in_order &= place >= guess;
            guess = place + 1;
            places.push((place, index));
        }
        if !in_order {
            places.sort_unstable();
            if let Some(twice) = places.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                let name = columns.name(twice[0].0).unwrap_or_default();
                return Err(unrepresentable(number, name, "the key is there twice"));
            }
        }
        let mut next = 0;
        for &(place, index) in &*places {
            rows.encoder.empty(place - next, draft.bytes);
            rows.append(fields.value(index), record, draft)
                .map_err(|why| unrepresentable(number, columns.name(place).unwrap_or_default(), &why))?;
            draft.check()?;
            next = place + 1;
        }
        rows.encoder.empty(columns.len() - next, draft.bytes);
        draft.check()
    }

    fn array(&mut self, record: &[u8], number: u64, draft: &mut Draft<'_>) -> Result<(), RecordError> {
        let Self { rows, fields, .. } = self;
        let (found, columns) = (fields.iter().len(), self.columns.as_ref().map(Columns::len));
        let is_other = columns.is_some_and(|columns| columns != found);
        if (is_other && !rows.lenient) || (found == 0 && columns.is_none()) {
            let message = format!("an array of {found} values for {} columns", columns.unwrap_or_default());
            return Err(RecordError::new(RecordErrorKind::Unrepresentable, number, message));
        }
        for (place, field) in fields.iter().enumerate() {
            let appended = rows.append(field.value(), record, draft);
            appended.map_err(|why| unrepresentable(number, &(place + 1).to_string(), &why))?;
            draft.check()?;
        }
        rows.encoder.empty(columns.unwrap_or_default().saturating_sub(found), draft.bytes);
        Ok(())
    }
}

impl ConvertOne for ToCsv {
    fn convert_one(&mut self, record: &[u8], number: u64, draft: &mut Draft<'_>) -> Result<(), RecordError> {
        match (self.fields.parse(record, number)?, &self.columns) {
            (Shape::Array, Some(_)) if self.is_guess => {
                let message = "an array among objects";
                return Err(RecordError::new(RecordErrorKind::Unrepresentable, number, message));
            }
            (Shape::Object, _) => self.object(record, number, draft)?,
            (Shape::Array, _) => self.array(record, number, draft)?,
        }
        if self.rows.infer && draft.is_empty() {
            let message = "null alone in a row would be read as an empty line";
            return Err(RecordError::new(RecordErrorKind::Unrepresentable, number, message));
        }
        self.rows.encoder.end(draft.bytes);
        Ok(())
    }
}
