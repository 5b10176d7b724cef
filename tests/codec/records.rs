//! Record readers and writers.

use crate::sandbox::{
    Batch, CODECS, Codec, CsvDialect, Encoding, Error, ErrorCode, Format, LengthPrefix, LineEnd, Sandbox,
    Validation,
};

pub(crate) fn of(format: Format) -> Encoding {
    Encoding { format, codec: None, level: None, max_record: None, validation: Validation::Framing }
}

pub(crate) fn ndjson() -> Encoding {
    of(Format::Ndjson)
}

pub(crate) fn dialect() -> CsvDialect {
    CsvDialect {
        delimiter: ',',
        quote: '"',
        header: true,
        columns: None,
        infer: false,
        lenient: false,
        line_end: LineEnd::Lf,
    }
}

pub(crate) fn csv() -> Encoding {
    of(Format::Csv(dialect()))
}

fn records(batch: &Batch) -> Vec<Vec<u8>> {
    let starts = [0].into_iter().chain(batch.ends.iter().copied());
    starts.zip(&batch.ends).map(|(start, &end)| batch.data[start as usize..end as usize].to_vec()).collect()
}

fn batch(records: &[&[u8]]) -> Batch {
    let mut batch = Batch { data: Vec::new(), ends: Vec::new() };
    for record in records {
        batch.data.extend_from_slice(record);
        batch.ends.push(batch.data.len() as u32);
    }
    batch
}

/// All records of a stream, driven as the interface says, and what ended it.
fn read<'a>(
    sandbox: &mut Sandbox,
    encoding: &Encoding,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Vec<u8>>, Result<(), Error>) {
    let reader = sandbox.record_reader(encoding).unwrap();
    let mut all = Vec::new();
    let drive = || {
        for mut chunk in chunks {
            loop {
                let batch = sandbox.read(reader, chunk)?;
                if batch.ends.is_empty() {
                    break;
                }
                all.extend(records(&batch));
                chunk = &[];
            }
        }
        loop {
            let batch = sandbox.finish_reading(reader)?;
            if batch.ends.is_empty() {
                return Ok(());
            }
            all.extend(records(&batch));
        }
    };
    let end = drive();
    sandbox.drop(reader);
    (all, end)
}

#[test]
fn records_survive_a_round_trip_in_chunks_of_any_size() {
    let mut sandbox = Sandbox::new();
    let lines: Vec<_> = (0..100).map(|n| format!("{n},\"ä😀, {n}\"").into_bytes()).collect();
    let lines: Vec<_> = lines.iter().map(Vec::as_slice).collect();
    let plain = CsvDialect { header: false, ..dialect() };
    for format in [Format::Ndjson, Format::LengthPrefixed(LengthPrefix::Varint), Format::Csv(plain)] {
        for codec in [None].into_iter().chain(CODECS.iter().copied().map(Some)) {
            let encoding = Encoding { codec, ..of(format.clone()) };
            let writer = sandbox.record_writer(&encoding).unwrap();
            let mut bytes = sandbox.write(writer, &batch(&lines)).unwrap();
            bytes.extend(sandbox.write(writer, &batch(&[])).unwrap());
            bytes.extend(sandbox.write(writer, &batch(&[b"1,2"])).unwrap());
            bytes.extend(sandbox.finish_writing(writer).unwrap());
            sandbox.drop(writer);
            assert_eq!(sandbox.detect(None, &bytes), codec);
            for size in [1, 7, bytes.len()] {
                let (all, end) = read(&mut sandbox, &encoding, bytes.chunks(size));
                end.unwrap();
                assert!(all == [&lines[..], &[b"1,2"]].concat(), "{encoding:?} by {size}");
            }
        }
    }
}

#[test]
fn the_header_is_told_apart() {
    let mut sandbox = Sandbox::new();
    let reader = sandbox.record_reader(&csv()).unwrap();
    assert_eq!(records(&sandbox.read(reader, b"a,\"b").unwrap()), [b""; 0]);
    assert_eq!(sandbox.header(reader), None);
    assert_eq!(records(&sandbox.read(reader, b"\"\r\n1,2\r\n").unwrap()), [b"1,2"]);
    assert_eq!(sandbox.header(reader).as_deref(), Some(&b"a,\"b\""[..]));
    let reader = sandbox.record_reader(&ndjson()).unwrap();
    sandbox.read(reader, b"{}\n").unwrap();
    assert_eq!(sandbox.header(reader), None);
}

#[test]
fn batches_are_bounded() {
    let mut sandbox = Sandbox::new();
    let lines = format!("\"{}\"\n", "x".repeat(1000)).repeat(5000);
    let packed = sandbox.compress(lines.as_bytes(), Codec::Gzip, None).unwrap();
    for (codec, mut chunk) in [(None, lines.as_bytes()), (Some(Codec::Gzip), &packed)] {
        let reader = sandbox.record_reader(&Encoding { codec, ..ndjson() }).unwrap();
        let mut count = 0;
        loop {
            let batch = sandbox.read(reader, chunk).unwrap();
            assert!(batch.data.len() <= (1 << 20) + 1002, "{}", batch.data.len());
            if batch.ends.is_empty() {
                break;
            }
            if count == 0 && codec.is_none() {
                let refused = sandbox.read(reader, b"{}\n").unwrap_err();
                assert_eq!(refused.code, ErrorCode::InvalidArgument, "{}", refused.message);
            }
            count += batch.ends.len();
            chunk = &[];
        }
        assert_eq!(count, 5000);
    }
}

#[test]
fn the_records_before_a_bad_one_come_first() {
    let mut sandbox = Sandbox::new();
    let checked = Encoding { validation: Validation::Syntax, ..ndjson() };
    for size in [1, 100] {
        let (all, end) = read(&mut sandbox, &checked, b"1\n2\n{]\n4\n".chunks(size));
        assert_eq!(all, [b"1", b"2"]);
        let error = end.unwrap_err();
        assert_eq!((error.code, error.offset), (ErrorCode::Corrupted, Some(3)), "{}", error.message);
    }
    let short = Encoding { max_record: Some(3), ..ndjson() };
    let (all, end) = read(&mut sandbox, &short, [&b"1\n1234"[..]]);
    assert_eq!(all, [b"1"]);
    let error = end.unwrap_err();
    assert_eq!((error.code, error.offset), (ErrorCode::LimitExceeded, Some(2)), "{}", error.message);
}

#[test]
fn what_is_cut_off_is_an_error_wherever() {
    let mut sandbox = Sandbox::new();
    let packed = sandbox.compress(b"1\n2\n3\n", Codec::Gzip, None).unwrap();
    let encoding = Encoding { codec: Some(Codec::Gzip), ..ndjson() };
    for end in 0..packed.len() {
        let error = read(&mut sandbox, &encoding, packed[..end].chunks(5)).1.unwrap_err();
        assert_eq!((error.code, error.offset), (ErrorCode::Corrupted, Some(end as u64)), "{}", error.message);
    }
    let prefixed = of(Format::LengthPrefixed(LengthPrefix::BigEndian));
    let (all, end) = read(&mut sandbox, &prefixed, [&b"\0\0\0\x01a\0\0\0\x02b"[..]]);
    let error = end.unwrap_err();
    assert_eq!((all, error.code, error.offset), (vec![b"a".to_vec()], ErrorCode::Corrupted, Some(2)));
}

#[test]
fn what_cannot_be_written_is_refused() {
    let mut sandbox = Sandbox::new();
    let writer = sandbox.record_writer(&ndjson()).unwrap();
    let error = sandbox.write(writer, &batch(&[b"1", b"2\n3"])).unwrap_err();
    assert_eq!((error.code, error.offset), (ErrorCode::InvalidArgument, Some(2)), "{}", error.message);
    assert_eq!(sandbox.write(writer, &batch(&[b"1"])).unwrap_err(), error, "it stays");
    assert_eq!(sandbox.finish_writing(writer).unwrap_err(), error, "it stays");

    let writer = sandbox.record_writer(&ndjson()).unwrap();
    for (data, ends) in [(&b"ab"[..], vec![1]), (b"ab", vec![2, 1]), (b"", vec![u32::MAX])] {
        let error = sandbox.write(writer, &Batch { data: data.to_vec(), ends }).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{}", error.message);
    }
    assert_eq!(
        sandbox.write(writer, &batch(&[b"1"])).unwrap(),
        b"1\n",
        "a batch that is none changes nothing"
    );
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let mut sandbox = Sandbox::new();
    let same = of(Format::Csv(CsvDialect { quote: ',', ..dialect() }));
    let level = Encoding { codec: Some(Codec::Gzip), level: Some(99), ..ndjson() };
    for error in [
        sandbox.record_reader(&same).unwrap_err(),
        sandbox.record_writer(&same).unwrap_err(),
        sandbox.record_writer(&level).unwrap_err(),
        sandbox.convert(b"", &ndjson(), &level).unwrap_err(),
    ] {
        assert_eq!((error.code, error.offset), (ErrorCode::InvalidArgument, None), "{}", error.message);
    }
}

#[test]
fn calls_after_the_end_are_refused() {
    let mut sandbox = Sandbox::new();
    let reader = sandbox.record_reader(&ndjson()).unwrap();
    assert_eq!(records(&sandbox.finish_reading(reader).unwrap()), [b""; 0]);
    assert_eq!(sandbox.read(reader, b"{}\n").unwrap_err().code, ErrorCode::Finished);
    let writer = sandbox.record_writer(&ndjson()).unwrap();
    assert_eq!(sandbox.finish_writing(writer).unwrap(), b"");
    assert_eq!(sandbox.finish_writing(writer).unwrap(), b"");
    assert_eq!(sandbox.write(writer, &batch(&[b"{}"])).unwrap_err().code, ErrorCode::Finished);
}

#[test]
fn the_name_tells_the_format() {
    let mut sandbox = Sandbox::new();
    let tabs = Format::Csv(CsvDialect { delimiter: '\t', ..dialect() });
    for (path, format) in [
        ("a.ndjson", Some(Format::Ndjson)),
        ("../a.JSONL.gz", Some(Format::Ndjson)),
        ("a.json", Some(Format::JsonArray)),
        ("/tmp//a.csv.zst", Some(Format::Csv(dialect()))),
        ("a.tsv", Some(tabs)),
        ("a.lp.sz", Some(Format::LengthPrefixed(LengthPrefix::BigEndian))),
        ("a.gz", None),
        ("a.csv/b", None),
        ("..", None),
        ("", None),
    ] {
        assert_eq!(sandbox.format(path), format, "{path:?}");
    }
}
