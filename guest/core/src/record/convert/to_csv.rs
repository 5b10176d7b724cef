//! From JSON texts to rows.

use serde_json::value::RawValue;

use super::{
    ConvertOne,
    columns::Columns,
    draft::Draft,
    json::{Fields, Text},
    unrepresentable,
    value::Value,
};
use crate::record::{
    RecordError, RecordErrorKind,
    csv::{Dialect, Encoder},
};

/// Objects by their keys, arrays by their elements.
pub(super) struct ToCsv {
    encoder: Encoder,
    infer: bool,
    lenient: bool,
    /// Without columns, records are arrays.
    columns: Option<Columns>,
}

impl ToCsv {
    pub(super) fn new(dialect: &Dialect, columns: Option<Columns>) -> Self {
        let Dialect { infer, lenient, .. } = *dialect;
        Self { encoder: Encoder::new(dialect), infer, lenient, columns }
    }

    /// Appends a value to a row.
    fn append(&mut self, value: &RawValue, draft: &mut Draft<'_>) -> Result<(), String> {
        Value::of_json(value)?.write_field(self.infer, &mut self.encoder, draft.bytes);
        Ok(())
    }

    fn object(
        &mut self,
        fields: Vec<(Text<'_>, &RawValue)>,
        number: u64,
        draft: &mut Draft<'_>,
    ) -> Result<(), RecordError> {
        let Some(columns) = &self.columns else {
            let message = "an object without columns: give them";
            return Err(RecordError::new(RecordErrorKind::Unrepresentable, number, message));
        };
        // By place, and not one for every column: of those, a record may have few.
        let (mut placed, mut guess) = (Vec::with_capacity(fields.len()), 0);
        for (name, value) in &fields {
            let place = columns.place(&name.0, guess);
            let place = place.ok_or_else(|| unrepresentable(number, &name.0, "it is none of the columns"))?;
            placed.push((place, *value));
            guess = place + 1;
        }
        let width = columns.len();
        if !placed.is_sorted_by(|(one, _), (next, _)| one < next) {
            placed.sort_by_key(|(place, _)| *place);
            if let Some(twice) = placed.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                let name = columns.name(twice[0].0).unwrap_or_default();
                return Err(unrepresentable(number, name, "the key is there twice"));
            }
        }
        let mut next = 0;
        for (place, value) in placed {
            self.encoder.empty(place - next, draft.bytes);
            self.append(value, draft).map_err(|why| {
                let name = self.columns.as_ref().and_then(|columns| columns.name(place));
                unrepresentable(number, name.unwrap_or_default(), &why)
            })?;
            draft.check()?;
            next = place + 1;
        }
        self.encoder.empty(width - next, draft.bytes);
        draft.check()
    }

    fn array(
        &mut self,
        fields: Vec<&RawValue>,
        number: u64,
        draft: &mut Draft<'_>,
    ) -> Result<(), RecordError> {
        let (found, columns) = (fields.len(), self.columns.as_ref().map(Columns::len));
        let is_other = columns.is_some_and(|columns| columns != found);
        if (is_other && !self.lenient) || (found == 0 && columns.is_none()) {
            let message = format!("an array of {found} values for {} columns", columns.unwrap_or_default());
            return Err(RecordError::new(RecordErrorKind::Unrepresentable, number, message));
        }
        for (place, value) in fields.into_iter().enumerate() {
            let appended = self.append(value, draft);
            appended.map_err(|why| unrepresentable(number, &(place + 1).to_string(), &why))?;
            draft.check()?;
        }
        self.encoder.empty(columns.unwrap_or_default().saturating_sub(found), draft.bytes);
        Ok(())
    }
}

impl ConvertOne for ToCsv {
    fn convert_one(&mut self, record: &[u8], number: u64, draft: &mut Draft<'_>) -> Result<(), RecordError> {
        match Fields::parse(record, number)? {
            Fields::Object(fields) => self.object(fields, number, draft)?,
            Fields::Array(fields) => self.array(fields, number, draft)?,
        }
        if self.infer && draft.is_empty() {
            let message = "null alone in a row would be read as an empty line";
            return Err(RecordError::new(RecordErrorKind::Unrepresentable, number, message));
        }
        self.encoder.end(draft.bytes);
        Ok(())
    }
}
