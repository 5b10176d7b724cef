//! The interface `records`.

use crate::sandbox::{Batch, Error, ErrorCode, Format, RecordOptions, Sandbox};

const OPTIONS: RecordOptions = RecordOptions { max_record: None, validate: false };

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
    options: RecordOptions,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Vec<u8>>, Result<(), Error>) {
    let reader = sandbox.record_reader(Format::Ndjson, options).unwrap();
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
    let lines: Vec<_> = (0..500).map(|n| format!("{{\"n\":{n},\"text\":\"ä😀\\n\"}}").into_bytes()).collect();
    let lines: Vec<_> = lines.iter().map(Vec::as_slice).collect();
    let writer = sandbox.record_writer(Format::Ndjson, OPTIONS).unwrap();
    let mut bytes = sandbox.write(writer, &batch(&lines)).unwrap();
    bytes.extend(sandbox.write(writer, &batch(&[])).unwrap());
    bytes.extend(sandbox.write(writer, &batch(&[b"\"last\""])).unwrap());
    bytes.extend(sandbox.finish_writing(writer).unwrap());
    sandbox.drop(writer);
    assert!(bytes == [&lines.join(&b'\n')[..], b"\n\"last\"\n"].concat());

    for size in [1, 7, 4096, bytes.len()] {
        let (all, end) = read(&mut sandbox, RecordOptions { validate: true, ..OPTIONS }, bytes.chunks(size));
        end.unwrap();
        assert!(all == [&lines[..], &[b"\"last\""]].concat(), "by {size}");
    }
}

#[test]
fn batches_are_bounded() {
    let mut sandbox = Sandbox::new();
    let lines = format!("\"{}\"\n", "x".repeat(1000)).repeat(5000);
    let reader = sandbox.record_reader(Format::Ndjson, OPTIONS).unwrap();
    let (mut count, mut chunk) = (0, lines.as_bytes());
    loop {
        let batch = sandbox.read(reader, chunk).unwrap();
        assert!(batch.data.len() <= (1 << 20) + 1002, "{}", batch.data.len());
        if batch.ends.is_empty() {
            break;
        }
        count += batch.ends.len();
        if count < 5000 {
            let refused = sandbox.read(reader, b"{}\n").unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidArgument, "{}", refused.message);
        }
        chunk = &[];
    }
    assert_eq!(count, 5000);
}

#[test]
fn the_records_before_a_bad_one_come_first() {
    let mut sandbox = Sandbox::new();
    let options = RecordOptions { validate: true, ..OPTIONS };
    for size in [1, 100] {
        let (all, end) = read(&mut sandbox, options, b"1\n2\n{]\n4\n".chunks(size));
        assert_eq!(all, [b"1", b"2"]);
        let error = end.unwrap_err();
        assert_eq!((error.code, error.offset), (ErrorCode::Corrupted, Some(3)), "{}", error.message);
    }
    let (all, end) = read(&mut sandbox, RecordOptions { max_record: Some(3), ..OPTIONS }, [&b"1\n1234"[..]]);
    assert_eq!(all, [b"1"]);
    let error = end.unwrap_err();
    assert_eq!((error.code, error.offset), (ErrorCode::LimitExceeded, Some(2)), "{}", error.message);
}

#[test]
fn what_cannot_be_written_is_refused() {
    let mut sandbox = Sandbox::new();
    let writer = sandbox.record_writer(Format::Ndjson, OPTIONS).unwrap();
    let error = sandbox.write(writer, &batch(&[b"1", b"2\n3"])).unwrap_err();
    assert_eq!((error.code, error.offset), (ErrorCode::InvalidArgument, Some(2)), "{}", error.message);
    assert_eq!(sandbox.write(writer, &batch(&[b"1"])).unwrap_err(), error, "it stays");
    assert_eq!(sandbox.finish_writing(writer).unwrap_err(), error, "it stays");

    let writer = sandbox.record_writer(Format::Ndjson, OPTIONS).unwrap();
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
fn calls_after_the_end_are_refused() {
    let mut sandbox = Sandbox::new();
    let reader = sandbox.record_reader(Format::Ndjson, OPTIONS).unwrap();
    assert_eq!(records(&sandbox.finish_reading(reader).unwrap()), [b""; 0]);
    assert_eq!(sandbox.read(reader, b"{}\n").unwrap_err().code, ErrorCode::Finished);
    let writer = sandbox.record_writer(Format::Ndjson, OPTIONS).unwrap();
    assert_eq!(sandbox.finish_writing(writer).unwrap(), b"");
    assert_eq!(sandbox.finish_writing(writer).unwrap(), b"");
    assert_eq!(sandbox.write(writer, &batch(&[b"{}"])).unwrap_err().code, ErrorCode::Finished);
}
