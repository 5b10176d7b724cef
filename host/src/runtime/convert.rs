//! The WIT package in the vocabulary of this crate.

use super::bindings::{
    exports::omnistorage::storage::{bisync, compression, multi, objects, records, sync},
    omnistorage::storage::{backend, filters, types},
};
use crate::{Error, Result, backend::WriteOptions};

omnistorage_types::mirror_types!(types);
omnistorage_types::mirror_backend!(backend);
omnistorage_types::mirror_filters!(filters);
omnistorage_types::mirror_objects!(compression, objects);
omnistorage_types::mirror_multi!(multi);
omnistorage_types::mirror_sync!(sync);
omnistorage_types::mirror_bisync!(bisync);
omnistorage_types::mirror_records!(records);
omnistorage_types::mirror_encoding!(records);

// Those of a backend have a meter and an allowance, which no guest sees.

impl TryFrom<types::WriteOptions> for WriteOptions {
    type Error = Error;
    fn try_from(wit: types::WriteOptions) -> Result<Self> {
        omnistorage_types::WriteOptions::try_from(wit).map(Self::from)
    }
}

impl From<&WriteOptions> for types::WriteOptions {
    fn from(options: &WriteOptions) -> Self {
        omnistorage_types::WriteOptions::from(options).into()
    }
}
