//! NDJSON against a plain model, in any chunks.
use omnistorage_core::record::{
    Batch, Format, RecordError, RecordErrorKind, RecordOptions, Validation, reader, writer,
};
use proptest::prelude::*;

use crate::{
    checked, limit, properties,
    properties::{reading_is_sound, write},
    records,
};

type Records = (Vec<Vec<u8>>, Result<(), RecordError>);

fn read(input: &[u8], chunk: usize, options: RecordOptions) -> Records {
    let reading = records(&Format::Ndjson, input, chunk, options);
    assert_eq!(reading.header, None);
    (reading.records, reading.outcome)
}

/// What reading must give, said simply.
fn model(input: &[u8]) -> Vec<Vec<u8>> {
    input
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(input)
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| line.iter().any(|byte| !b" \t\r".contains(byte)))
        .map(<[u8]>::to_vec)
        .collect()
}

#[test]
fn lines_are_records() {
    for input in [
        &b""[..],
        b"\n",
        b"1",
        b"1\n",
        b"1\n2",
        b"1\r\n2\r\n",
        b"1\r",
        b"1\r\r\n",
        b"\r\n\r\n",
        b" \t\n 1 \n",
        b"1\n\n\n2\n \n",
        b"\xff\0\n\xc3",
        b"\xef\xbb\xbf1\n2\n",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf\r\n1",
        b"\xef\xbb\xbf\xef\xbb\xbf1\n",
        b"1\n\xef\xbb\xbf2\n",
        b"\xef\xbb",
        b"\xef\xbb1\n",
    ] {
        for chunk in [1, 2, 3, 100] {
            let expected = (model(input), Ok(()));
            assert_eq!(
                read(input, chunk, RecordOptions::default()),
                expected,
                "{input:?} in chunks of {chunk}"
            );
        }
    }
}

#[test]
fn a_record_that_is_too_long_ends_the_reading() {
    for (input, before) in [
        (&b"123456"[..], 0),
        (b"123456\n1\n", 0),
        (b"1\n12345\n\n12345\r\n1234567890\n1\n", 3),
        (b"1\n123456\r\n", 1),
        (b"      \n1\n", 0),
    ] {
        for chunk in [1, 2, 4, 100] {
            let (records, result) = read(input, chunk, limit(5));
            let error = result.unwrap_err();
            assert_eq!((error.kind, error.record), (RecordErrorKind::LimitExceeded, before + 1), "{input:?}");
            assert_eq!(records.len() as u64, before);
            assert!(records.iter().all(|record| record.len() <= 5), "a cut record was handed out");
        }
    }
    assert_eq!(read(b"12345\r\n12345", 1, limit(5)), (vec![b"12345".to_vec(); 2], Ok(())));
}

#[test]
fn errors_are_final() {
    let mut reader = reader(&Format::Ndjson, limit(5)).unwrap();
    let mut batch = Batch::new();
    let error = reader.push(b"1\n1234567", &mut batch, 9).unwrap_err();
    assert_eq!(batch.iter().collect::<Vec<_>>(), [b"1"]);
    batch.clear();
    assert_eq!(reader.push(b"\n2\n", &mut batch, 9), Err(error.clone()));
    assert_eq!(reader.finish(&mut batch), Err(error));
    assert!(batch.is_empty());
}

#[test]
fn validation_names_the_record_and_the_column() {
    for (input, record, column) in [
        (&b"{\"a\": 1}\n{\"a\": }\n"[..], 2, "byte 7"),
        (b"[1, 2\n", 1, "byte 5"),
        (b"\n1\n\n2 3\n", 2, "byte 3"),
        (b"\"\xff\"", 1, "byte 2"),
        (b"nul", 1, "byte 3"),
        (b"01", 1, "byte 2"),
        (b"\"\x01\"", 1, "control character"),
        (b"'a'", 1, "byte 1"),
    ] {
        for chunk in [1, 100] {
            let (records, result) = read(input, chunk, checked());
            let error = result.unwrap_err();
            assert_eq!(
                (error.kind, error.record),
                (RecordErrorKind::Malformed, record),
                "{input:?}: {error}"
            );
            assert!(error.to_string().contains(column), "{input:?}: {error}");
            assert_eq!(records.len() as u64, record - 1);
        }
    }
    let good = "{\"é\": [1, -2.5e9, true, null, \"\\u00e9\\n\"]}\r\n \"x\" \n";
    assert_eq!(read(good.as_bytes(), 3, checked()).1, Ok(()));
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    assert_eq!(read(&deep, 1000, checked()).1, Ok(()), "depth costs no stack");
}

#[test]
fn a_batch_holds_about_a_mebibyte() {
    let line = [vec![b'1'; 400_000], b"\n".to_vec()].concat();
    let input = line.repeat(8);
    let mut reader = reader(&Format::Ndjson, RecordOptions::default()).unwrap();
    let mut batch = Batch::new();
    assert_eq!(reader.push(&input, &mut batch, usize::MAX), Ok(3 * line.len()));
    assert_eq!(batch.len(), 3);
    assert_eq!(reader.push(&input, &mut batch, usize::MAX), Ok(0), "a full batch takes nothing");
}

#[test]
fn what_reading_would_not_give_back_is_not_written() {
    for (record, kind) in [
        (&b"a\nb"[..], RecordErrorKind::Unrepresentable),
        (b"a\n", RecordErrorKind::Unrepresentable),
        (b"a\r", RecordErrorKind::Unrepresentable),
        (b"", RecordErrorKind::Unrepresentable),
        (b" \t", RecordErrorKind::Unrepresentable),
        (b"\r", RecordErrorKind::Unrepresentable),
        (b"123456", RecordErrorKind::LimitExceeded),
        (b"{", RecordErrorKind::Malformed),
    ] {
        let options = RecordOptions { max_record: 5, ..checked() };
        let (mut writer, mut output) = (writer(&Format::Ndjson, options).unwrap(), Vec::new());
        let mut batch = Batch::new();
        batch.push(b"1").unwrap();
        writer.write(&batch, &mut output).unwrap();
        batch.push(record).unwrap();
        let error = writer.write(&batch, &mut output).unwrap_err();
        assert_eq!((error.kind, error.record), (kind, 3), "{record:?}: {error}");
        assert_eq!(output, b"1\n1\n", "{record:?}");
    }
}

#[test]
fn a_line_one_byte_too_long_is_an_error_and_never_a_shorter_record() {
    // Exactly the limit passes, whatever the line end and however the input is cut.
    let max = 65_536;
    let (fits, too_long) = (vec![b'1'; max], vec![b'1'; max + 1]);
    for end in [&b"\n"[..], b"\r\n", b""] {
        for chunk in [1, 4096, usize::MAX] {
            let (records, outcome) = read(&[&fits, end].concat(), chunk, limit(max as u64));
            assert_eq!((records.len(), outcome), (1, Ok(())));
            let (records, outcome) =
                read(&[b"1\n", &too_long[..], end, b"\n1\n"].concat(), chunk, limit(max as u64));
            assert_eq!(records, [b"1"], "only what comes before it");
            assert_eq!(outcome.unwrap_err().kind, RecordErrorKind::LimitExceeded);
        }
    }
}

#[test]
fn a_record_that_is_cut_off_passes_only_unchecked() {
    let input = b"{\"a\":1}\n{\"a\":";
    assert_eq!(read(input, 5, RecordOptions::default()).0.len(), 2, "the last line may lack its end");
    let (records, outcome) = read(input, 5, checked());
    let error = outcome.unwrap_err();
    assert_eq!((records.len(), error.kind, error.record), (1, RecordErrorKind::Malformed, 2));
    assert!(error.to_string().contains("EOF"), "{error}");
}

#[test]
fn the_encoding_alone_can_be_checked() {
    let utf8 = RecordOptions { validation: Validation::Utf8, ..RecordOptions::default() };
    let (records, outcome) = read(b"no json\n\"\xc3\xa9\"\nab\xff\n", 4, utf8);
    assert_eq!(records.len(), 2);
    assert_eq!(outcome.unwrap_err().to_string(), "record 3: not UTF-8 at byte 3");
    let (written, outcome) = write(&Format::Ndjson, utf8, &[&b"ok"[..], b"\xc3"]);
    assert_eq!((&written[..], outcome.unwrap_err().record), (&b"ok\n"[..], 2));
}

#[test]
fn a_byte_order_mark_is_skipped_and_never_written() {
    let marked = b"\xef\xbb\xbf{\"a\":1}\n{\"a\":2}\n";
    assert_eq!(read(marked, 2, checked()), (vec![b"{\"a\":1}".to_vec(), b"{\"a\":2}".to_vec()], Ok(())));
    // It is no part of the record, whose length is what counts.
    assert_eq!(read(b"\xef\xbb\xbf12345\n", 1, limit(5)), (vec![b"12345".to_vec()], Ok(())));
    let mark = &b"\xef\xbb\xbf1"[..];
    let (written, outcome) = write(&Format::Ndjson, RecordOptions::default(), &[mark]);
    let error = outcome.unwrap_err();
    assert_eq!((error.kind, error.record, &written[..]), (RecordErrorKind::Unrepresentable, 1, &b""[..]));
    let (written, outcome) = write(&Format::Ndjson, RecordOptions::default(), &[&b"1"[..], mark]);
    assert_eq!((&written[..], outcome), (&b"1\n\xef\xbb\xbf1\n"[..], Ok(())));
}

proptest! {
    #[test]
    fn reading_does_not_depend_on_the_chunks(
        mark in prop::sample::select(vec![0, 1, 2, 3, 6]),
        rest in prop::collection::vec(prop::sample::select(&b"ab \t\r\n\n\xff"[..]), 0..200),
        chunk in 1_usize..50,
    ) {
        let input = [&b"\xef\xbb\xbf\xef\xbb\xbf"[..mark], &rest].concat();
        prop_assert_eq!(read(&input, chunk, RecordOptions::default()), (model(&input), Ok(())));
        reading_is_sound(&Format::Ndjson, RecordOptions::default(), &input, chunk);
        reading_is_sound(&Format::Ndjson, limit(5), &input, chunk);
    }

    #[test]
    fn what_is_written_is_read(
        records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..20),
        chunk in 1_usize..50,
    ) {
        let (output, written) = properties::write(&Format::Ndjson, RecordOptions::default(), &records);
        let expected = match written {
            Ok(()) => &records[..],
            Err(error) => &records[..error.record as usize - 1],
        };
        prop_assert_eq!(read(&output, chunk, RecordOptions::default()), (expected.to_vec(), Ok(())));
    }
}
