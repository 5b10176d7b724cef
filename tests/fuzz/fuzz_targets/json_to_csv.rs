//! What CSV takes of NDJSON is what it gives back: the second way there and back changes nothing more.
#![no_main]

mod records;

use libfuzzer_sys::fuzz_target;
use omnistorage_core::record::{Format, RecordOptions, csv::Dialect};
use records::properties::convert;

fuzz_target!(|input: &[u8]| {
    let Some((choice, input)) = input.split_first() else { return };
    let (header, infer) = (choice & 1 == 0, choice & 2 == 0);
    let csv = Format::Csv(Dialect { header, infer, ..Dialect::default() });
    let (options, ndjson) = (RecordOptions::default(), Format::Ndjson);
    let Ok(rows) = convert(&ndjson, &csv, options, input) else { return };
    let json = convert(&csv, &ndjson, options, &rows).expect("rows that were written are read");
    if !json.is_empty() {
        assert_eq!(convert(&ndjson, &csv, options, &json).as_ref(), Ok(&rows));
    }
});
