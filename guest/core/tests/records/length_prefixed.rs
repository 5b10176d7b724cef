//! Length-prefixed records, in each form of the length.

use omnistorage_core::record::{Format, RecordErrorKind, RecordOptions, length_prefixed::LengthPrefix};
use proptest::prelude::*;

use crate::{
    limit,
    properties::{reading_is_sound, write},
    records,
};

const PREFIXES: [LengthPrefix; 3] =
    [LengthPrefix::BigEndian, LengthPrefix::LittleEndian, LengthPrefix::Varint];

fn written(prefix: LengthPrefix, records: &[&[u8]]) -> Vec<u8> {
    let (output, outcome) = write(&Format::LengthPrefixed(prefix), RecordOptions::default(), records);
    outcome.unwrap();
    output
}

#[test]
fn lengths_are_as_specified() {
    let long = vec![b'x'; 300];
    for (prefix, expected) in [
        (LengthPrefix::BigEndian, &b"\0\0\0\0\0\0\x01\x2c"[..]),
        (LengthPrefix::LittleEndian, b"\0\0\0\0\x2c\x01\0\0"),
        (LengthPrefix::Varint, b"\0\xac\x02"),
    ] {
        assert_eq!(written(prefix, &[b"", &long]), [expected, &long].concat(), "{prefix:?}");
    }
}

#[test]
fn empty_records_are_records() {
    for prefix in PREFIXES {
        let input = written(prefix, &[b"", b"", b"a", b""]);
        let reading = records(&Format::LengthPrefixed(prefix), &input, 1, RecordOptions::default());
        assert_eq!((reading.records, reading.outcome), (vec![vec![], vec![], b"a".to_vec(), vec![]], Ok(())));
    }
}

#[test]
fn a_stream_that_ends_within_a_record_is_an_error() {
    for prefix in PREFIXES {
        let all = [&b"one"[..], b"", &[b'x'; 200]];
        let input = written(prefix, &all);
        let ends: Vec<usize> = (0..=all.len()).map(|count| written(prefix, &all[..count]).len()).collect();
        for cut in 0..=input.len() {
            for chunk in [1, 7, usize::MAX] {
                let reading =
                    records(&Format::LengthPrefixed(prefix), &input[..cut], chunk, RecordOptions::default());
                let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
                assert_eq!(reading.records, &all[..whole], "{prefix:?} cut at {cut}");
                match reading.outcome {
                    Ok(()) => assert!(ends.contains(&cut), "{prefix:?} cut at {cut} unnoticed"),
                    Err(error) => {
                        assert_eq!(
                            (error.kind, error.record),
                            (RecordErrorKind::Truncated, whole as u64 + 1)
                        );
                        assert!(!ends.contains(&cut), "{error}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_length_above_the_limit_is_refused_before_its_bytes_come() {
    for (prefix, input) in [
        (LengthPrefix::BigEndian, &b"\0\0\0\x06"[..]),
        (LengthPrefix::BigEndian, b"\xff\xff\xff\xff"),
        (LengthPrefix::LittleEndian, b"\x06\0\0\0"),
        (LengthPrefix::LittleEndian, b"\xff\xff\xff\xff"),
        (LengthPrefix::Varint, b"\x06"),
        (LengthPrefix::Varint, b"\xff\xff\xff\xff\x0f"),
    ] {
        for chunk in [1, usize::MAX] {
            let error = records(&Format::LengthPrefixed(prefix), input, chunk, limit(5)).outcome.unwrap_err();
            assert_eq!((error.kind, error.record), (RecordErrorKind::LimitExceeded, 1), "{prefix:?}");
        }
        let fits = written(prefix, &[b"12345"]);
        assert_eq!(records(&Format::LengthPrefixed(prefix), &fits, 1, limit(5)).outcome, Ok(()));
        assert!(write(&Format::LengthPrefixed(prefix), limit(5), &[b"123456"]).1.is_err());
    }
}

#[test]
fn longer_forms_of_a_length_are_read_up_to_five_bytes_and_32_bits() {
    let format = Format::LengthPrefixed(LengthPrefix::Varint);
    for (input, expected) in [
        (&b"\x81\x80\x80\x80\0a"[..], Ok(())),
        (b"\x81\x80\x80\x80\x80\0a", Err(RecordErrorKind::Malformed)),
        (b"\x80\x80\x80\x80\x10", Err(RecordErrorKind::Malformed)),
        (b"\x80\x80\x80\x80", Err(RecordErrorKind::Truncated)),
    ] {
        for chunk in [1, 100] {
            let reading = records(&format, input, chunk, RecordOptions::default());
            assert_eq!(reading.outcome.map_err(|error| error.kind), expected, "{input:02x?}");
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        all in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
        prefix in prop::sample::select(&PREFIXES[..]),
        chunk in 1_usize..400,
    ) {
        let slices: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        let reading =
            records(&Format::LengthPrefixed(prefix), &written(prefix, &slices), chunk, RecordOptions::default());
        prop_assert_eq!((reading.records, reading.outcome), (all, Ok(())));
    }

    #[test]
    fn noise_is_read_alike_in_any_chunks(
        input in prop::collection::vec(prop::sample::select(&b"\0\0\0\x01\x02\x80ab"[..]), 0..100),
        prefix in prop::sample::select(&PREFIXES[..]),
        chunk in 1_usize..20,
    ) {
        reading_is_sound(&Format::LengthPrefixed(prefix), limit(5), &input, chunk);
    }
}
