//! Columns by name.

use std::{collections::HashMap, rc::Rc};

use crate::record::{RecordError, RecordErrorKind};

/// The names of columns, no two the same.
#[derive(Debug, Default)]
pub(super) struct Columns {
    names: Vec<Rc<str>>,
    places: HashMap<Rc<str>, usize>,
}

impl Columns {
    /// How many there may be: their names take up to 100 MiB in every place that keeps them.
    pub(super) const MOST: usize = 1 << 20;

    /// # Errors
    /// [`RecordErrorKind::InvalidOption`] if two have one name, [`RecordErrorKind::LimitExceeded`] if there are too
    /// many.
    pub(super) fn new(names: Vec<String>) -> Result<Self, RecordError> {
        let mut columns = Self::default();
        for name in names {
            if columns.place(name.as_bytes(), 0).is_some() {
                let message = format!("two columns have the name {name:?}: a record has one field of a name");
                return Err(RecordError::new(RecordErrorKind::InvalidOption, 0, message));
            }
            columns.push(&name, 0)?;
        }
        Ok(columns)
    }

    /// Adds a name that is not there, of a record of that number.
    ///
    /// # Errors
    /// [`RecordErrorKind::LimitExceeded`].
    pub(super) fn push(&mut self, name: &str, number: u64) -> Result<(), RecordError> {
        if self.names.len() == Self::MOST {
            return Err(too_many(number));
        }
        let name: Rc<str> = name.into();
        self.places.insert(name.clone(), self.names.len());
        self.names.push(name);
        Ok(())
    }

    /// Where the column of that name is. `guess` is looked at first: records tend to have their keys in one order.
    #[inline]
    pub(super) fn place(&self, name: &[u8], guess: usize) -> Option<usize> {
        match self.names.get(guess) {
            Some(guessed) if guessed.as_bytes() == name => Some(guess),
            _ => self.places.get(std::str::from_utf8(name).ok()?).copied(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn name(&self, place: usize) -> Option<&str> {
        self.names.get(place).map(|name| &**name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }
}

/// For more columns than there may be.
pub(super) fn too_many(number: u64) -> RecordError {
    let message = format!("more than {} columns", Columns::MOST);
    RecordError::new(RecordErrorKind::LimitExceeded, number, message)
}
