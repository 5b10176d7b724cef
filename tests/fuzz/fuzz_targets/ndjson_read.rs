//! The records do not depend on how the input is cut, and writing them gives the same records again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omnistorage_core::record::{
    Batch, RecordError, RecordOptions, RecordReader, RecordWriter,
    ndjson::{Reader, Writer},
};

fn read(
    input: &[u8],
    options: RecordOptions,
    chunk: usize,
    max_records: usize,
) -> (Batch, Result<(), RecordError>) {
    let (mut reader, mut all, mut batch) = (Reader::new(options), Batch::new(), Batch::new());
    let mut hand_on = |batch: &mut Batch| {
        for record in batch.iter() {
            all.push(record).expect("small enough");
        }
        batch.clear();
    };
    let mut drive = || {
        for mut part in input.chunks(chunk) {
            while !part.is_empty() {
                part = &part[reader.push(part, &mut batch, max_records)?..];
                hand_on(&mut batch);
            }
        }
        reader.finish(&mut batch)
    };
    let result = drive();
    hand_on(&mut batch);
    (all, result)
}

fuzz_target!(|input: &[u8]| {
    let Some((&[chunk, limit, validate], input)) = input.split_first_chunk::<3>() else { return };
    let options = RecordOptions { max_record: u64::from(limit), validate: validate % 2 == 1 };
    let whole = read(input, options, usize::MAX, usize::MAX);
    assert_eq!(read(input, options, usize::from(chunk) + 1, 2), whole);

    // A line that ends with two CRs gives a record that ends with one, which cannot be written.
    let writable = whole.0.iter().all(|record| !record.ends_with(b"\r"));
    let mut written = Vec::new();
    assert_eq!(Writer::new(options).write(&whole.0, &mut written).is_ok(), writable);
    if writable {
        assert_eq!(read(&written, options, usize::MAX, usize::MAX), (whole.0, Ok(())));
    }
});
