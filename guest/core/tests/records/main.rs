//! Record formats: against models and other implementations, in any chunks, and against damage.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails loudly, its helpers too"
)]

mod convert;
mod csv;
mod damage;
mod json_array;
mod length_prefixed;
mod ndjson;
mod properties;
mod python;
mod vectors;

use omnistorage_core::record::{Format, RecordOptions, Validation, csv::Dialect};

use properties::{Reading, read};

/// Reads in chunks, in batches of up to three records.
fn records(format: &Format, input: &[u8], chunk: usize, options: RecordOptions) -> Reading {
    read(format, options, input, chunk, 3)
}

/// Records of at most so many bytes.
fn limit(max_record: u64) -> RecordOptions {
    RecordOptions { max_record, ..RecordOptions::default() }
}

/// Records that are checked for everything.
fn checked() -> RecordOptions {
    RecordOptions { validation: Validation::Syntax, ..RecordOptions::default() }
}

/// CSV, changed.
fn csv(change: impl FnOnce(&mut Dialect)) -> Format {
    let mut dialect = Dialect::default();
    change(&mut dialect);
    Format::Csv(dialect)
}

/// CSV without a header.
fn rows() -> Format {
    csv(|dialect| dialect.header = false)
}
