//! CSV: the rules one by one, and against a plain model.

use omnistorage_core::record::{
    Format, RecordErrorKind, RecordOptions,
    csv::{Dialect, LineEnd},
};
use omnistorage_types::ErrorCode;
use proptest::prelude::*;

use crate::{
    checked, csv, limit,
    properties::{convert, read, reading_is_sound, write},
    records, rows,
};

/// Whatever the chunks.
const CHUNKS: [usize; 4] = [1, 2, 3, usize::MAX];

/// The fields of each row, told by the conversion to JSON; or why there are none.
fn fields(format: &Format, input: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let json = convert(format, &Format::Ndjson, RecordOptions::default(), input);
    let json = json.map_err(|error| error.to_string())?;
    Ok(json
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect())
}

#[test]
fn rows_are_taken_apart() {
    for (input, expected) in [
        ("", &[][..]),
        ("a", &[&["a"][..]]),
        ("a,b\n1,2\n", &[&["a", "b"], &["1", "2"]]),
        ("a,b\r\n1,2\r\n", &[&["a", "b"], &["1", "2"]]),
        ("a,b\r1,2\r", &[&["a", "b"], &["1", "2"]]),
        ("a,b\n\n\r\n1,2", &[&["a", "b"], &["1", "2"]]),
        ("\u{feff}a\nb\n", &[&["a"], &["b"]]),
        ("\u{feff}\"a,\"\nb\n", &[&["a,"], &["b"]]),
        ("\"a\"\"b\",\"\"\n", &[&["a\"b", ""]]),
        ("\"\"\"\"\n\"\"\n", &[&["\""], &[""]]),
        ("\"a\nb\r\nc\rd\",e\n", &[&["a\nb\r\nc\rd", "e"]]),
        (",\n,", &[&["", ""], &["", ""]]),
        (" a , b\n", &[&[" a ", " b"]]),
        ("é,\"😀\"\n", &[&["é", "😀"]]),
    ] {
        let read = fields(&rows(), input.as_bytes()).unwrap();
        assert_eq!(read, expected, "{input:?}");
        for chunk in CHUNKS {
            reading_is_sound(&rows(), RecordOptions::default(), input.as_bytes(), chunk);
        }
    }
}

#[test]
fn a_row_that_breaks_the_rules_is_an_error_with_its_record_and_line() {
    use RecordErrorKind::{Malformed, Truncated};
    for (input, kind, record, words) in [
        ("a,b\n1\n", Malformed, 1, "1 field instead of 2 (line 2)"),
        ("a,b\n1,2\n\n\n1,2,3\n", Malformed, 2, "3 fields instead of 2 (line 5)"),
        ("a,b\n\"x\ny\",2\n1,2\"\n", Malformed, 2, "a quote in a field without quotes (line 4)"),
        ("a,b\r\n1,\"2\"x\r\n", Malformed, 1, "something follows a closing quote (line 2)"),
        ("a,b\r1,\"\r\n\r2\" \r", Malformed, 1, "something follows a closing quote (line 2)"),
        ("a\n1\n\"2\n3\n", Truncated, 2, "the quotes opened on line 3 are never closed"),
        ("a,b\n1,\"\"\"", Truncated, 1, "the quotes opened on line 2 are never closed"),
        ("a,\"b\n", Truncated, 0, "header: the quotes opened on line 1"),
        ("a\"b\n", Malformed, 0, "header: a quote in a field without quotes (line 1)"),
    ] {
        for chunk in CHUNKS {
            let reading = records(&csv(|_| {}), input.as_bytes(), chunk, RecordOptions::default());
            let error = reading.outcome.unwrap_err();
            assert_eq!((error.kind, error.record), (kind, record), "{input:?}: {error}");
            assert!(error.to_string().contains(words), "{input:?}: {error}");
            assert_eq!(reading.records.len() as u64, record.saturating_sub(1), "{input:?}");
        }
    }
}

#[test]
fn lines_are_counted_through_every_line_end() {
    for before in ["\r\n", "\n", "\r", "\"\r\n\"\n", "\"\r\"\r\n", "\"\n\r\"\r", "\"\r\",\"\n\"\n"] {
        let lines = before.replace("\r\n", "\n").replace('\r', "\n").matches('\n').count() * 3;
        let input = format!("{}a\"\n", before.repeat(3));
        let lenient_columns = csv(|dialect| (dialect.header, dialect.lenient) = (false, false));
        for chunk in CHUNKS {
            let error = records(&lenient_columns, input.as_bytes(), chunk, RecordOptions::default()).outcome;
            let error = error.unwrap_err().to_string();
            assert!(error.contains(&format!("(line {})", lines + 1)), "{input:?} in {chunk}: {error}");
        }
    }
}

#[test]
fn lenient_reading_takes_such_rows() {
    let lenient = csv(|dialect| (dialect.header, dialect.lenient) = (false, true));
    let input = "a,b\n1\n1,2,3\nx\"y,\"p\"q\"r\n";
    let expected = [&["a", "b"][..], &["1"], &["1", "2", "3"], &["x\"y", "pq\"r"]];
    assert_eq!(fields(&lenient, input.as_bytes()).unwrap(), expected);
    for chunk in CHUNKS {
        reading_is_sound(&lenient, RecordOptions::default(), input.as_bytes(), chunk);
    }
    let open = records(&lenient, b"a\n\"b\n", 1, RecordOptions::default()).outcome.unwrap_err();
    assert_eq!(open.kind, RecordErrorKind::Truncated, "not even lenient reading swallows the rest");

    let named = csv(|dialect| dialect.lenient = true);
    let json = |input: &[u8]| convert(&named, &Format::Ndjson, RecordOptions::default(), input);
    assert_eq!(json(b"a,b\n1\n1,2,\n").unwrap(), b"{\"a\":\"1\"}\n{\"a\":\"1\",\"b\":\"2\"}\n");
    assert_eq!(json(b"a,b\n1,2,,x\n").unwrap(), b"{\"a\":\"1\",\"b\":\"2\",\"4\":\"x\"}\n");
    let error = json(b"a,3\n1,2\n1,2,x\n").unwrap_err();
    assert_eq!((error.kind, error.record), (RecordErrorKind::Unrepresentable, 2), "{error}");

    // As rows of another dialect, if that may have such rows.
    let tabs = |lenient| Format::Csv(Dialect { lenient, ..Dialect::tabs() });
    let rows = |target: &Format, input: &[u8]| convert(&named, target, RecordOptions::default(), input);
    let ragged = b"a,b\n1\n1,2,\n1,2,,x\n";
    assert_eq!(rows(&tabs(true), ragged).unwrap(), b"a\tb\n1\t\n1\t2\n1\t2\t\tx\n");
    let error = rows(&tabs(false), ragged).unwrap_err();
    assert_eq!((error.kind, error.record), (RecordErrorKind::Unrepresentable, 3), "{error}");
    let arrays = |target: &Format| {
        convert(&Format::Ndjson, target, RecordOptions::default(), b"[1,2]\n[3]\n[4,5,6]\n")
    };
    assert_eq!(arrays(&lenient).unwrap(), b"1,2\n3\n4,5,6\n");
    let columns =
        csv(|dialect| (dialect.lenient, dialect.columns) = (true, Some(vec!["a".into(), "b".into()])));
    assert_eq!(arrays(&columns).unwrap(), b"a,b\n1,2\n3,\n4,5,6\n");
}

#[test]
fn the_header_is_no_record_and_must_be_what_was_asked_for() {
    let named = csv(|dialect| dialect.columns = Some(vec!["a".into(), "b,c".into()]));
    for chunk in CHUNKS {
        let reading = records(&named, b"\"a\",\"b,c\"\n1,2\n", chunk, RecordOptions::default());
        assert_eq!(reading.header.as_deref(), Some(&b"\"a\",\"b,c\""[..]));
        assert_eq!((reading.records, reading.outcome), (vec![b"1,2".to_vec()], Ok(())));
        let other = records(&named, b"b,a\n1,2\n", chunk, RecordOptions::default()).outcome.unwrap_err();
        assert_eq!((other.kind, other.record), (RecordErrorKind::Malformed, 0), "{other}");
    }
    assert_eq!(
        read(&named, limit(3), b"abcd\n", 1, 1).outcome.unwrap_err().kind,
        RecordErrorKind::LimitExceeded
    );

    let write = |records: &[&str]| write(&named, RecordOptions::default(), records);
    assert_eq!(write(&["1,2"]), (b"a,\"b,c\"\n1,2\n".to_vec(), Ok(())));
    assert_eq!(write(&[]), (b"a,\"b,c\"\n".to_vec(), Ok(())), "columns without rows are still columns");
    assert_eq!(write(&["1"]).1.unwrap_err().kind, RecordErrorKind::Malformed);
}

#[test]
fn what_reading_would_not_give_back_is_not_written() {
    for (row, kind) in [
        (&b""[..], RecordErrorKind::Unrepresentable),
        (b"a\n", RecordErrorKind::Unrepresentable),
        (b"\na", RecordErrorKind::Unrepresentable),
        (b"a\rb", RecordErrorKind::Unrepresentable),
        (b"a,b", RecordErrorKind::Malformed),
        (b"\"a", RecordErrorKind::Malformed),
        (b"\"a\"b", RecordErrorKind::Malformed),
        (b"a\"", RecordErrorKind::Malformed),
        (b"123456", RecordErrorKind::LimitExceeded),
        (b"\xff", RecordErrorKind::Malformed),
    ] {
        let options = RecordOptions { max_record: 5, ..checked() };
        let (output, outcome) = write(&rows(), options, &[&b"1"[..], b"\"\n\"", row, b"2"]);
        let error = outcome.unwrap_err();
        assert_eq!((error.kind, error.record), (kind, 3), "{row:?}: {error}");
        assert_eq!(output, b"1\n\"\n\"\n", "{row:?}");
    }
    let mark = write(&rows(), RecordOptions::default(), &["\u{feff}a"]).1.unwrap_err();
    assert_eq!(mark.kind, RecordErrorKind::Unrepresentable);
    assert_eq!(write(&rows(), RecordOptions::default(), &["a", "\u{feff}a"]).1, Ok(()));
}

#[test]
fn dialects_differ() {
    let mut dialect = Dialect::new(';', '\'').unwrap();
    (dialect.header, dialect.line_end) = (false, LineEnd::Crlf);
    let format = Format::Csv(dialect);
    assert_eq!(fields(&format, b"'a;';b,\"c\"\n").unwrap(), [["a;", "b,\"c\""]]);
    assert_eq!(write(&format, RecordOptions::default(), &["a;b"]).0, b"a;b\r\n");
    for (delimiter, quote) in [('é', '"'), (',', '😀'), ('\n', '"'), (',', '\r'), ('x', 'x')] {
        assert_eq!(Dialect::new(delimiter, quote).unwrap_err().code(), ErrorCode::InvalidArgument);
    }
}

/// The rules said simply, byte by byte, as a lenient reader takes them.
fn model(quote: u8, delimiter: u8, input: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), Vec::new());
    let (mut quoted, mut begun) = (false, false);
    let mut bytes = input.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            _ if quoted && byte == quote && bytes.peek() == Some(&quote) => field.extend(bytes.next()),
            _ if quoted && byte == quote => quoted = false,
            _ if quoted => field.push(byte),
            b'\r' | b'\n' if !begun && row.is_empty() => {}
            b'\r' | b'\n' => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
                begun = false;
                continue;
            }
            _ if byte == delimiter => {
                row.push(std::mem::take(&mut field));
                begun = false;
                continue;
            }
            _ if byte == quote && !begun => quoted = true,
            _ => field.push(byte),
        }
        begun = !matches!(byte, b'\r' | b'\n') || begun;
    }
    if begun || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

proptest! {
    #[test]
    fn rows_are_those_of_a_plain_model(
        input in prop::collection::vec(prop::sample::select(&b"ab,,\"\"\"\r\n\n;"[..]), 0..60),
        lenient in any::<bool>(),
        chunk in 1_usize..20,
    ) {
        let dialect = Dialect { header: false, lenient, ..Dialect::default() };
        let format = Format::Csv(dialect.clone());
        reading_is_sound(&format, RecordOptions::default(), &input, chunk);
        reading_is_sound(&format, limit(4), &input, chunk);
        if let Ok(fields) = fields(&format, &input) {
            let fields: Vec<Vec<Vec<u8>>> =
                fields.into_iter().map(|row| row.into_iter().map(String::into_bytes).collect()).collect();
            prop_assert_eq!(fields, model(b'"', b',', &input));
        }
    }

    #[test]
    fn tables_survive(
        table in (1_usize..5).prop_flat_map(|width| {
            prop::collection::vec(prop::collection::vec("[ab,\"\r\n \u{feff}é]{0,6}", width), 1..6)
        }),
        crlf in any::<bool>(),
    ) {
        let json: String = table.iter().map(|row| serde_json::to_string(row).unwrap() + "\n").collect();
        let line_end = if crlf { LineEnd::Crlf } else { LineEnd::Lf };
        let format = csv(|dialect| (dialect.header, dialect.line_end) = (false, line_end));
        let written = convert(&Format::Ndjson, &format, checked(), json.as_bytes()).unwrap();
        prop_assert_eq!(fields(&format, &written).unwrap(), table.clone());
        let bytes: Vec<Vec<Vec<u8>>> = table.iter().map(|row| row.iter().map(|field| field.clone().into_bytes()).collect()).collect();
        prop_assert_eq!(model(b'"', b',', &written), bytes);
    }
}
