//! Columns by name.

use std::collections::HashMap;

use crate::record::{RecordError, RecordErrorKind};

/// The names of columns, no two the same.
#[derive(Debug, Default)]
pub(super) struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Columns {
    /// # Errors
    /// [`RecordErrorKind::InvalidOption`] if two have one name.
    pub(super) fn new(names: Vec<String>) -> Result<Self, RecordError> {
        let mut columns = Self::default();
        for name in names {
            if columns.place(&name, 0).is_some() {
                let message = format!("two columns have the name {name:?}: a record has one field of a name");
                return Err(RecordError::new(RecordErrorKind::InvalidOption, 0, message));
            }
            columns.push(&name);
        }
        Ok(columns)
    }

    /// Adds a name that is not there.
    pub(super) fn push(&mut self, name: &str) {
        self.places.insert(name.to_owned(), self.names.len());
        self.names.push(name.to_owned());
    }

    /// Where the column of that name is. `guess` is looked at first: records tend to have their keys in one order.
    pub(super) fn place(&self, name: &str, guess: usize) -> Option<usize> {
        match self.names.get(guess) {
            Some(guessed) if guessed == name => Some(guess),
            _ => self.places.get(name).copied(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn name(&self, place: usize) -> &str {
        self.names.get(place).map_or("", String::as_str)
    }

    pub(super) fn into_names(self) -> Vec<String> {
        self.names
    }
}
