//! Plans for the parts of a source, which are converted each by itself, and whose results make up the whole.
//!
//! All that a record has to know of those before it are the names of the columns, and whether a header came before. What
//! depends on the other records in any other way is converted as a whole.

use omnistorage_types::Form;

use super::{Plan, Survey, names};
use crate::record::{Format, RecordError, csv::Dialect};

/// What all parts of a source have to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// The names of the columns: those of rows that are read, or those that rows get which are made of objects. `None`
    /// where there are none, or they were given.
    pub columns: Option<Vec<String>>,
}

impl Plan {
    /// What its parts have to be told, by the header of the source and by what a [survey](Plan::survey) saw of its first
    /// records. `None`: it must be converted as a whole.
    ///
    /// # Errors
    /// What is wrong with the header, and records without any field.
    pub fn shared(
        &self,
        header: Option<&[u8]>,
        survey: Option<&Survey>,
    ) -> Result<Option<Shared>, RecordError> {
        if matches!(self.target, Format::JsonArray) {
            // It has a beginning and an end of its own.
            return Ok(None);
        }
        Ok(match (&self.source, survey) {
            (Format::Ndjson, None) => Some(Shared::default()),
            // Arrays without names: that all have as many fields is only seen by whoever sees all.
            (Format::Ndjson, Some(survey)) if !survey.has_columns() => None,
            (Format::Ndjson, Some(survey)) => survey.columns()?.map(Shared::of),
            (Format::Csv(dialect), _) => names(dialect, header)?.map(Shared::of),
            _ => None,
        })
    }

    /// The plan for one part. As with a [guess](Plan::guess), any error of its conversion may only mean that a record
    /// brings another column.
    #[must_use]
    pub fn of_part(mut self, shared: &Shared, is_first: bool) -> Self {
        if let Some(dialect) = self.source.dialect_mut().filter(|_| !is_first) {
            dialect.header = false;
            dialect.columns.clone_from(&shared.columns);
        }
        if self.source.form() == Form::Json
            && let Some(dialect @ Dialect { columns: None, .. }) = self.target.dialect_mut()
        {
            dialect.columns.clone_from(&shared.columns);
            self.is_guess = true;
        }
        if let Some(dialect) = self.target.dialect_mut().filter(|_| !is_first) {
            dialect.header = false;
        }
        self
    }
}

impl Shared {
    fn of(columns: Vec<String>) -> Self {
        Self { columns: Some(columns) }
    }
}
