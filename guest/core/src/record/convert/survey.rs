//! Which columns a source of JSON texts has.

use super::{
    columns::Columns,
    json::{Fields, Shape},
};
use crate::record::{Batch, RecordError, RecordErrorKind, RecordOptions};

/// Sees every record of a source, and keeps its keys. See the [module](super).
#[derive(Debug)]
pub struct Survey {
    /// The rows get a header: arrays, which have no names for it, are an error.
    header: bool,
    options: RecordOptions,
    found: Option<Found>,
    /// Bytes of the names: those of a header.
    size: usize,
    records: u64,
    fields: Fields,
}

#[derive(Debug)]
enum Found {
    Objects(Columns),
    Arrays,
}

impl Survey {
    pub(super) fn new(header: bool, options: RecordOptions) -> Self {
        Self { header, options, found: None, size: 0, records: 0, fields: Fields::default() }
    }

    /// Sees the next records: those of a batch from `first` on, counted from 0.
    ///
    /// # Errors
    /// The first record that cannot be a row: neither an object nor an array, one among the others, or an array where
    /// the columns need names; [`RecordErrorKind::LimitExceeded`] if there are more than a million names, or all
    /// together are longer than a record may be.
    pub fn see(&mut self, records: &Batch, first: usize) -> Result<(), RecordError> {
        for record in records.iter_from(first) {
            self.records += 1;
            self.see_one(record)?;
        }
        Ok(())
    }

    /// Goes on behind so many records of the source, which brought no further column.
    pub fn go_on_behind(&mut self, records: u64) {
        self.records = records;
    }

    fn see_one(&mut self, record: &[u8]) -> Result<(), RecordError> {
        let number = self.records;
        let refuse =
            |message: &'static str| RecordError::new(RecordErrorKind::Unrepresentable, number, message);
        match self.fields.parse(record, number)? {
            Shape::Array if self.header => {
                Err(refuse("an array has no names for a header: give the columns, or write none"))
            }
            Shape::Array => match self.found.get_or_insert(Found::Arrays) {
                Found::Arrays => Ok(()),
                Found::Objects(_) => Err(refuse("an array among objects")),
            },
            Shape::Object => {
                let found = self.found.get_or_insert_with(|| Found::Objects(Columns::default()));
                let Found::Objects(columns) = found else { return Err(refuse("an object among arrays")) };
                let mut guess = 0;
                for field in self.fields.iter() {
                    let name = field.name(record);
                    guess = 1 + match columns.place(&name, guess) {
                        Some(place) => place,
                        None => {
                            self.size += name.len() + 1;
                            self.options.check_length(self.size, number).map_err(all_together)?;
                            columns.push(&String::from_utf8_lossy(&name), number)?;
                            columns.len() - 1
                        }
                    };
                }
                Ok(())
            }
        }
    }

    /// Whether the records so far tell how to write rows.
    pub(super) fn has_columns(&self) -> bool {
        match &self.found {
            Some(Found::Objects(columns)) => columns.len() > 0,
            Some(Found::Arrays) => true,
            None => false,
        }
    }

    /// The names of the columns; `None` if the records are arrays, or there is none.
    pub(super) fn columns(&self) -> Result<Option<Vec<String>>, RecordError> {
        match &self.found {
            Some(Found::Objects(columns)) if columns.len() == 0 => {
                let message = "no object has any key, so that there is no column for CSV";
                Err(RecordError::new(RecordErrorKind::Unrepresentable, 1, message))
            }
            Some(Found::Objects(columns)) => Ok(Some(columns.names().map(str::to_owned).collect())),
            Some(Found::Arrays) | None => Ok(None),
        }
    }
}

/// Of the limit of a record, for a header.
fn all_together(error: RecordError) -> RecordError {
    let message = format!("the names of all columns are {}: give those to write, `columns`", error.message);
    RecordError::new(error.kind, error.record, message)
}
