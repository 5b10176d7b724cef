//! JSON arrays against serde's own reading, in any chunks.

use omnistorage_core::record::{Format, RecordError, RecordErrorKind, RecordOptions, Validation};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    checked, limit,
    properties::{self, reading_is_sound},
    records,
};

fn read(input: &[u8], options: RecordOptions) -> (Vec<String>, Result<(), RecordError>) {
    let whole = records(&Format::JsonArray, input, usize::MAX, options);
    for chunk in 1..=3 {
        assert_eq!(records(&Format::JsonArray, input, chunk, options), whole, "in chunks of {chunk}");
    }
    let strings = whole.records.into_iter().map(|record| String::from_utf8_lossy(&record).into_owned());
    (strings.collect(), whole.outcome)
}

fn write(options: RecordOptions, records: &[&[u8]]) -> (String, Result<(), RecordError>) {
    let (output, outcome) = properties::write(&Format::JsonArray, options, records);
    (String::from_utf8(output).unwrap(), outcome)
}

#[test]
fn elements_are_records_on_one_line() {
    for (input, expected) in [
        ("[]", &[][..]),
        (" \n[\t]\r\n ", &[]),
        ("[1]", &["1"]),
        ("[ 1 , \"a\" ,\nnull]", &["1", "\"a\"", "null"]),
        ("[[1, 2],{\"a\": {\"b\": []}}]", &["[1, 2]", "{\"a\": {\"b\": []}}"]),
        ("[{\n  \"a\" : 1,\r\n\t\"b\": [\n  ]\n}\n]", &["{\"a\" : 1,\"b\": []}"]),
        ("[ [1 \n , 2 \n] ]", &["[1, 2]"]),
        ("[\"],[ \\\" \", \"\\\\\"]", &["\"],[ \\\" \"", "\"\\\\\""]),
        ("\u{feff}[\"\u{feff}\"]", &["\"\u{feff}\""]),
    ] {
        let (found, outcome) = read(input.as_bytes(), checked());
        assert_eq!(outcome, Ok(()), "{input}");
        assert_eq!(found, expected, "{input}");
    }
}

#[test]
fn what_is_no_whole_array_is_an_error() {
    use RecordErrorKind::{Malformed, Truncated};
    for (input, before, kind, record, words) in [
        ("", 0, Truncated, 0, "empty"),
        (" \n", 0, Truncated, 0, "empty"),
        ("\u{feff}", 0, Truncated, 0, "empty"),
        ("[", 0, Truncated, 1, "no end"),
        ("[1", 0, Truncated, 1, "no end"),
        ("[1,", 1, Truncated, 2, "no end"),
        ("[1,\"]", 1, Truncated, 2, "no end"),
        ("[[1]", 0, Truncated, 1, "no end"),
        ("{\"a\":1}\n{\"a\":2}", 0, Malformed, 0, "not a JSON array, but an object"),
        ("\"[1]\"", 0, Malformed, 0, "not a JSON array, but a string"),
        ("1", 0, Malformed, 0, "not a JSON array, but a number"),
        ("null", 0, Malformed, 0, "not a JSON array"),
        ("\u{feff}\u{feff}[]", 0, Malformed, 0, "not a JSON array"),
        ("[1]x", 1, Malformed, 0, "behind the end"),
        ("[1] []", 1, Malformed, 0, "behind the end"),
        ("[1]]", 1, Malformed, 0, "behind the end"),
        ("[,1]", 0, Malformed, 1, "missing"),
        ("[1,,2]", 1, Malformed, 2, "missing"),
        ("[1,]", 1, Malformed, 2, "missing"),
        ("[1, \n]", 1, Malformed, 2, "missing"),
        ("[1 2]", 0, Malformed, 1, "without a comma"),
        ("[1,{\"a\" \n1}]", 1, Malformed, 2, "without a comma"),
        ("[1}]", 0, Malformed, 1, "not opened"),
    ] {
        let (found, outcome) = read(input.as_bytes(), RecordOptions::default());
        let error = outcome.unwrap_err();
        assert_eq!((found.len(), error.kind, error.record), (before, kind, record), "{input:?}: {error}");
        assert!(error.to_string().contains(words), "{input:?}: {error}");
    }
    assert_eq!(read(b"\xef\xbb[]", RecordOptions::default()).1.unwrap_err().kind, Malformed);
}

#[test]
fn elements_are_checked_on_demand() {
    for (input, validation, valid) in [
        (&b"[1, {a}]"[..], Validation::Framing, true),
        (b"[1, {a}]", Validation::Syntax, false),
        (b"[1, {\"a\":2]]", Validation::Framing, true),
        (b"[1, {\"a\":2]]", Validation::Syntax, false),
        (b"[1, \"\xff\"]", Validation::Framing, true),
        (b"[1, \"\xff\"]", Validation::Utf8, false),
        (b"[1, \"a\nb\"]", Validation::Utf8, true),
        (b"[1, \"a\nb\"]", Validation::Syntax, false),
    ] {
        let (found, outcome) = read(input, RecordOptions { validation, ..RecordOptions::default() });
        match outcome {
            Ok(()) => assert!(valid && found.len() == 2, "{input:?}"),
            Err(error) => {
                assert!(!valid, "{input:?}: {error}");
                assert_eq!((error.kind, error.record), (RecordErrorKind::Malformed, 2), "{error}");
            }
        }
    }
}

#[test]
fn an_element_too_long_is_an_error_whatever_its_whitespace() {
    for input in ["[12345,\"abc\"]", "[12345 ,\n\n\n\n\n\n\n\"abc\"      \n]", "[12345,       [ 1 ]]"] {
        let (found, outcome) = read(input.as_bytes(), limit(5));
        assert_eq!((found.len(), outcome), (2, Ok(())), "{input}");
    }
    for input in ["[1,123456]", "[1,\"abcd\"]", "[1,[      1]]", "[1,{\"a\":1}", "[1,\"abcdefgh"] {
        let (found, outcome) = read(input.as_bytes(), limit(5));
        let error = outcome.unwrap_err();
        assert_eq!(
            (found.len(), error.kind, error.record),
            (1, RecordErrorKind::LimitExceeded, 2),
            "{input}"
        );
    }
}

#[test]
fn an_element_a_line_is_written() {
    let (written, outcome) = write(checked(), &[b"{\"a\": 1}", b" [1,\n 2]\r\n", b"\"x\""]);
    assert_eq!((written.as_str(), outcome), ("[\n{\"a\": 1},\n[1,2],\n\"x\"\n]\n", Ok(())));
    assert_eq!(write(checked(), &[]), ("[]\n".to_owned(), Ok(())));
}

#[test]
fn what_is_not_one_element_is_not_written() {
    for record in ["", " ", "1,2", "1]", "]", "[1", "{", "\"a", "\"a\\", "1 2", "}", ","] {
        let (written, outcome) = write(RecordOptions::default(), &[b"0", record.as_bytes()]);
        let error = outcome.unwrap_err();
        assert_eq!((error.kind, error.record), (RecordErrorKind::Unrepresentable, 2), "{record:?}");
        assert_eq!(written, "[\n0", "{record:?}");
    }
    let (_, outcome) = write(checked(), &[b"{a}"]);
    assert_eq!(outcome.unwrap_err().kind, RecordErrorKind::Malformed);
    let (_, outcome) = write(limit(2), &[b"123"]);
    assert_eq!(outcome.unwrap_err().kind, RecordErrorKind::LimitExceeded);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[\\[\\]{},:\"\\\\ a\nb]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a,\\]]{0,3}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn any_array_is_what_serde_reads(values in prop::collection::vec(value(), 0..8), chunk in 1_usize..40) {
        for text in [serde_json::to_vec(&values).unwrap(), serde_json::to_vec_pretty(&values).unwrap()] {
            let reading = records(&Format::JsonArray, &text, chunk, checked());
            prop_assert_eq!(reading.outcome, Ok(()));
            for (record, value) in reading.records.iter().zip(&values) {
                // Without the line breaks of the pretty one, and not for what is in strings.
                prop_assert!(!record.contains(&b'\n'));
                prop_assert_eq!(&serde_json::from_slice::<Value>(record).unwrap(), value);
            }
            prop_assert_eq!(reading.records.len(), values.len());
        }
    }

    #[test]
    fn any_bytes_are_read_soundly(
        input in prop::collection::vec(prop::sample::select(&b"[]{},:\" \n\\1a\xef"[..]), 0..40),
        chunk in 1_usize..8,
    ) {
        for options in [RecordOptions::default(), limit(5), checked()] {
            let array = [b"[", &input[..]].concat();
            reading_is_sound(&Format::JsonArray, options, &array, chunk);
            reading_is_sound(&Format::JsonArray, options, &input, chunk);
        }
    }

    #[test]
    fn what_is_written_is_read_again(
        records in prop::collection::vec("[\\[\\]{},:\" \n\\\\1a]{0,12}", 0..5),
    ) {
        let (output, outcome) = properties::write(&Format::JsonArray, RecordOptions::default(), &records);
        if outcome.is_ok() {
            let again = properties::read(&Format::JsonArray, RecordOptions::default(), &output, 7, 3);
            prop_assert_eq!(again.outcome, Ok(()));
            prop_assert_eq!(again.records.len(), records.len());
            let without_space = |text: &[u8]| -> Vec<u8> {
                text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
            };
            for (found, record) in again.records.iter().zip(&records) {
                prop_assert_eq!(without_space(found), without_space(record.as_bytes()));
            }
        } else {
            prop_assert_eq!(outcome.unwrap_err().kind, RecordErrorKind::Unrepresentable);
        }
    }
}
