//! Conversions, in one pass or two.

use crate::{
    records::{csv, dialect, ndjson, of},
    sandbox::{CODECS, Codec, CsvDialect, Encoding, Error, ErrorCode, Format, LengthPrefix, Sandbox},
};

const TABLE: &[u8] = b"{\"a\":\"1\"}\n{\"b\":\"x, y\",\"a\":\"2\"}\n";
const ROWS: &[u8] = b"a,b\n1,\n2,\"x, y\"\n";

/// The chunks of a source in another encoding, driven as the interface says.
fn convert(
    sandbox: &mut Sandbox,
    source: &Encoding,
    target: &Encoding,
    chunks: &[&[u8]],
) -> Result<Vec<Vec<u8>>, Error> {
    let converter = match sandbox.survey(source, target)? {
        Some(survey) => {
            for chunk in chunks {
                sandbox.see(survey, chunk)?;
            }
            let converter = sandbox.surveyed(survey)?;
            sandbox.drop(survey);
            converter
        }
        None => sandbox.converter(source, target)?,
    };
    sandbox.drive(converter, chunks.iter().copied())
}

#[test]
fn streams_give_what_lists_give_whatever_the_formats_and_codecs() {
    let mut sandbox = Sandbox::new();
    let lines: String = (0..50).map(|n| format!("{{\"n\":\"{n}\",\"text\":\"ä, 😀\"}}\n")).collect();
    let plain = [ndjson(), of(Format::JsonArray), csv(), of(Format::LengthPrefixed(LengthPrefix::Varint))];
    let codecs = CODECS.iter().cycle().copied();
    let encodings: Vec<_> = plain
        .iter()
        .zip(codecs)
        .flat_map(|(plain, codec)| [plain.clone(), Encoding { codec: Some(codec), ..plain.clone() }])
        .collect();
    for source in &encodings {
        let packed = sandbox.convert(lines.as_bytes(), &ndjson(), source).unwrap();
        for target in &encodings {
            let expected = sandbox.convert(&packed, source, target);
            for size in [1, 100, packed.len()] {
                let chunks: Vec<_> = packed.chunks(size).collect();
                let pieces = convert(&mut sandbox, source, target, &chunks);
                match (&expected, pieces) {
                    (Ok(expected), Ok(pieces)) => {
                        let there = sandbox.convert(&pieces.concat(), target, target).unwrap();
                        assert!(
                            there == sandbox.convert(expected, target, target).unwrap(),
                            "{source:?} {target:?}"
                        );
                    }
                    (expected, pieces) => assert_eq!(pieces.unwrap_err(), *expected.as_ref().unwrap_err()),
                }
            }
        }
        assert!(sandbox.convert(&packed, source, &ndjson()).unwrap() == lines.as_bytes(), "{source:?}");
    }
}

#[test]
fn columns_are_taken_from_a_survey_or_given() {
    let mut sandbox = Sandbox::new();
    let converter = sandbox.converter(&ndjson(), &csv()).map(drop).unwrap_err();
    assert_eq!(converter.code, ErrorCode::InvalidArgument, "{}", converter.message);
    assert!(converter.message.contains("survey"), "{}", converter.message);
    assert_eq!(convert(&mut sandbox, &ndjson(), &csv(), &[TABLE]).unwrap().concat(), ROWS);
    assert_eq!(sandbox.convert(TABLE, &ndjson(), &csv()).unwrap(), ROWS);

    let given = |columns: &[&str]| {
        let columns = Some(columns.iter().map(|&name| name.to_owned()).collect());
        of(Format::Csv(CsvDialect { columns, ..dialect() }))
    };
    assert!(sandbox.survey(&ndjson(), &given(&["b", "a"])).unwrap().is_none());
    let converter = sandbox.converter(&ndjson(), &given(&["b", "a"])).unwrap();
    assert_eq!(sandbox.drive(converter, [TABLE]).unwrap().concat(), b"b,a\n,1\n\"x, y\",2\n");
    let error = sandbox.convert(TABLE, &ndjson(), &given(&["a"])).unwrap_err();
    assert_eq!((error.code, error.offset), (ErrorCode::InvalidArgument, Some(2)), "{}", error.message);
    assert!(error.message.contains("\"b\""), "{}", error.message);
}

#[test]
fn a_source_without_records_is_no_error() {
    let mut sandbox = Sandbox::new();
    for (source, bytes) in [(ndjson(), &b""[..]), (csv(), b""), (csv(), b"a,b"), (csv(), b"a,b\n")] {
        for target in [ndjson(), csv()] {
            let whole = sandbox.convert(bytes, &source, &target).unwrap();
            let chunks: Vec<_> = bytes.chunks(1).collect();
            assert_eq!(convert(&mut sandbox, &source, &target, &chunks).unwrap().concat(), whole);
            let header =
                if source == csv() && target == csv() && !bytes.is_empty() { &b"a,b\n"[..] } else { b"" };
            assert_eq!(whole, header, "{bytes:?}");
        }
    }
}

#[test]
fn a_call_gives_a_bounded_amount_whatever_it_takes() {
    let mut sandbox = Sandbox::new();
    let lines = format!("{{\"text\":\"{}\"}}\n", "x".repeat(1000)).repeat(3000);
    let packed = sandbox.compress(lines.as_bytes(), Codec::Gzip, None).unwrap();
    let source = Encoding { codec: Some(Codec::Gzip), ..ndjson() };
    let pieces = convert(&mut sandbox, &source, &ndjson(), &[&packed]).unwrap();
    assert!(pieces.iter().all(|piece| piece.len() <= 256 << 10));
    assert!(pieces.concat() == lines.as_bytes());
}

#[test]
fn memory_does_not_grow_with_columns_times_rows() {
    // Each of the rows is as long as all names together, and the sandbox could hold none but a few of them.
    let name = "x".repeat(1000);
    let names: Vec<_> = (0..1000).map(|n| format!("{name}{n}")).collect();
    let all: Vec<_> = names.iter().map(|name| format!("\"{name}\":\"\"")).collect();
    let rows = format!("{}\n{}", names.join(","), format!("{}\n", ",".repeat(999)).repeat(300));
    let objects = format!("{{{}}}\n", all.join(",")) + &format!("{{\"{}\":\"\"}}\n", names[7]).repeat(2000);
    for (source, target, input, records) in
        [(csv(), ndjson(), rows.as_bytes(), 300), (ndjson(), csv(), objects.as_bytes(), 2001)]
    {
        let mut sandbox = Sandbox::with_memory(32 << 20);
        let pieces = convert(&mut sandbox, &source, &target, &[input]).unwrap();
        assert!(pieces.iter().all(|piece| piece.len() <= 256 << 10));
        let lines: usize =
            pieces.iter().map(|piece| piece.iter().filter(|byte| **byte == b'\n').count()).sum();
        assert_eq!(lines - usize::from(target == csv()), records);
    }
}

#[test]
fn errors_stay_and_calls_out_of_turn_are_refused() {
    let mut sandbox = Sandbox::new();
    let bad = b"{\"a\":1}\n[]\n";
    let survey = sandbox.survey(&ndjson(), &csv()).unwrap().unwrap();
    let error = sandbox.see(survey, bad).unwrap_err();
    assert_eq!((error.code, error.offset), (ErrorCode::InvalidArgument, Some(2)), "{}", error.message);
    assert_eq!(sandbox.see(survey, b"").unwrap_err(), error);
    assert_eq!(sandbox.surveyed(survey).map(drop).unwrap_err(), error);
    assert_eq!(sandbox.convert(bad, &ndjson(), &csv()).unwrap_err(), error);

    let survey = sandbox.survey(&ndjson(), &csv()).unwrap().unwrap();
    sandbox.surveyed(survey).unwrap();
    assert_eq!(sandbox.see(survey, TABLE).unwrap_err().code, ErrorCode::Finished);
    assert_eq!(sandbox.surveyed(survey).map(drop).unwrap_err().code, ErrorCode::Finished);

    let converter = sandbox.converter(&csv(), &ndjson()).unwrap();
    assert_eq!(
        sandbox.drive(converter, [ROWS]).unwrap().concat(),
        b"{\"a\":\"1\",\"b\":\"\"}\n{\"a\":\"2\",\"b\":\"x, y\"}\n"
    );
    assert_eq!(sandbox.push(converter, b"").unwrap_err().code, ErrorCode::Finished);
    assert_eq!(sandbox.finish(converter).unwrap(), b"");

    let converter = sandbox.converter(&csv(), &ndjson()).unwrap();
    let error = sandbox.drive(converter, [&b"a\n1\n\"2"[..]]).unwrap_err();
    assert_eq!((error.code, error.offset), (ErrorCode::Corrupted, Some(2)), "{}", error.message);
    assert_eq!(sandbox.finish(converter).unwrap_err(), error);
}
