//! Record formats read as native Rust mostly reads them: with what the standard library and the usual crates offer,
//! a record at a time, into memory that is used again.

use std::{
    fmt,
    hint::black_box,
    io::{BufRead, BufReader, ErrorKind, Read},
};

use anyhow::{Result, bail};
use omnistorage_core::record::{Format, Validation};
use serde::de::{Deserializer as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The records in the bytes, through a buffer of `chunk` bytes.
///
/// # Errors
/// What the reader refuses.
pub(super) fn count(format: &Format, validation: Validation, bytes: &[u8], chunk: usize) -> Result<u64> {
    match format.name() {
        "ndjson" => lines(BufReader::with_capacity(chunk, bytes), validation),
        "length-prefixed" => length_prefixed(BufReader::with_capacity(chunk, bytes)),
        "json" => array(bytes),
        "csv" => rows(csv::ReaderBuilder::new().buffer_capacity(chunk).from_reader(bytes)),
        other => bail!("nothing here reads {other}"),
    }
}

/// How it is done, for people.
pub(super) fn name(format: &Format) -> &'static str {
    match format.name() {
        "ndjson" => "`BufRead::read_until`, native",
        "length-prefixed" => "`Read::read_exact`, native",
        "json" => "`serde_json`, a visitor, native",
        "csv" => "the crate `csv`, native",
        _ => "nothing",
    }
}

fn lines(mut input: impl BufRead, validation: Validation) -> Result<u64> {
    let (mut line, mut count) = (Vec::new(), 0);
    while input.read_until(b'\n', &mut line)? > 0 {
        if validation == Validation::Syntax {
            serde_json::from_slice::<IgnoredAny>(&line)?;
        }
        black_box(&line);
        line.clear();
        count += 1;
    }
    Ok(count)
}

/// Element by element: what parses the whole would keep the whole.
fn array(bytes: &[u8]) -> Result<u64> {
    struct Elements;

    impl<'de> Visitor<'de> for Elements {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<u64, A::Error> {
            let mut count = 0;
            while elements.next_element::<&RawValue>()?.map(black_box).is_some() {
                count += 1;
            }
            Ok(count)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let count = deserializer.deserialize_seq(Elements)?;
    deserializer.end()?;
    Ok(count)
}

fn length_prefixed(mut input: impl Read) -> Result<u64> {
    let (mut length, mut record, mut count) = ([0; 4], Vec::new(), 0);
    loop {
        match input.read_exact(&mut length) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(count),
            read => read?,
        }
        record.resize(u32::from_be_bytes(length) as usize, 0);
        input.read_exact(&mut record)?;
        black_box(&record);
        count += 1;
    }
}

fn rows(mut input: csv::Reader<impl Read>) -> Result<u64> {
    let (mut row, mut count) = (csv::ByteRecord::new(), 0);
    while input.read_byte_record(&mut row)? {
        black_box(&row);
        count += 1;
    }
    Ok(count)
}
