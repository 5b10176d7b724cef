//! The rows do not depend on how the input is cut, writing them gives the same rows again, and so does a conversion to
//! JSON and back.
#![no_main]

mod records;

use libfuzzer_sys::fuzz_target;
use omnistorage_core::record::{Format, csv::Dialect};

fuzz_target!(|input: &[u8]| {
    let dialect = |choice: u8| Dialect {
        header: choice & 1 == 0,
        lenient: choice & 2 == 0,
        infer: choice & 4 == 0,
        ..Dialect::default()
    };
    records::read(|choice| Format::Csv(dialect(choice)), input);
    if let Some((choice, input)) = input.split_first() {
        records::properties::rows_survive_json(&dialect(*choice), input);
    }
});
