//! What holds for the records of any format: the same that the tests of the core hold damaged files to.

#![allow(dead_code, reason = "each target uses a part")]

#[path = "../../../guest/core/tests/records/properties.rs"]
pub(crate) mod properties;

use omnistorage_core::record::{Format, RecordOptions, Validation};

/// Reads with what the first bytes choose: how the input is cut, the limit, what is checked, and the format.
pub(crate) fn read(format: impl Fn(u8) -> Format, input: &[u8]) {
    let Some((&[chunk, limit, validation, choice], input)) = input.split_first_chunk::<4>() else { return };
    let validation = [Validation::Framing, Validation::Utf8, Validation::Syntax][usize::from(validation % 3)];
    let options = RecordOptions { max_record: u64::from(limit), validation };
    properties::reading_is_sound(&format(choice), options, input, usize::from(chunk) + 1);
}
