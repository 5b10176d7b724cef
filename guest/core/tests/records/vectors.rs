//! Files, each with what it holds beside it: `NAME.EXTENSION` and `NAME.EXTENSION.json`.
//!
//! The JSON object has `records`, the records as strings; `header`, if there is one; and `error`, what reading ends with
//! if it fails. The extension names the format as everywhere; `options` changes it.

use std::{fs, path::Path};

use omnistorage_core::{
    encoding::encoding_from_path,
    record::{Format, RecordOptions, csv::Dialect, length_prefixed::LengthPrefix},
};
use serde::Deserialize;

use crate::records;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    records: Vec<String>,
    header: Option<String>,
    error: Option<String>,
    #[serde(default)]
    options: Vec<String>,
}

fn format(name: &str, options: &[String]) -> Format {
    let mut format = encoding_from_path(&omnistorage_core::Path::parse(name).unwrap()).0.unwrap();
    for option in options {
        match (option.as_str(), &mut format) {
            ("no-header", Format::Csv(dialect)) => dialect.header = false,
            ("lenient", Format::Csv(dialect)) => dialect.lenient = true,
            ("semicolon", Format::Csv(dialect)) => *dialect = Dialect::new(';', '"').unwrap(),
            ("little-endian", Format::LengthPrefixed(prefix)) => *prefix = LengthPrefix::LittleEndian,
            ("varint", Format::LengthPrefixed(prefix)) => *prefix = LengthPrefix::Varint,
            _ => panic!("{name}: unknown option {option}"),
        }
    }
    format
}

#[test]
fn files_hold_what_stands_beside_them() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records/vectors");
    let mut seen = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(data) = name.strip_suffix(".json").filter(|data| path.with_file_name(data).exists()) else {
            continue; // what holds the records, some of it with this extension
        };
        let expected: Expected = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let input = fs::read(path.with_file_name(data)).unwrap();
        for chunk in [1, 3, usize::MAX] {
            let format = format(data, &expected.options);
            let reading = records(&format, &input, chunk, RecordOptions::default());
            let strings: Vec<_> =
                reading.records.iter().map(|record| String::from_utf8_lossy(record)).collect();
            assert_eq!(strings, expected.records, "{data}");
            let header = reading.header.map(|header| String::from_utf8(header).unwrap());
            assert_eq!(header, expected.header, "{data}");
            let error = reading.outcome.err().map(|error| error.to_string());
            assert_eq!(error, expected.error, "{data}");
        }
        seen += 1;
    }
    assert_eq!(seen, 23, "a file without its expectation, or the other way round");
}
