//! Records in and out.

use std::{
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, SinkExt, StreamExt, stream};
use omnistorage::{
    Backend, Error, ErrorCode, FileBackend, Location, Path,
    backend::{
        file::FileOptions,
        layer::{Layered, Operation},
        observe::Observe,
    },
    runtime::{Codec, CsvDialect, Encoding, Format, RecordReader, Storage, Validation},
};

use crate::{
    setup::{at, memory, put, storage, tree, two_memories},
    target::Target,
    twisted::{Twisted, failing_after},
};

const MANY: usize = 100_000;

fn record(number: usize) -> String {
    format!(r#"{{"number":{number},"text":"record {number}"}}"#)
}

/// The number of records read before the end, or before an error, and that.
async fn count(reader: &mut RecordReader) -> (usize, omnistorage::Result<()>) {
    let mut number = 0;
    loop {
        match reader.read().await {
            Ok(Some(found)) => {
                assert_eq!(found, record(number).as_bytes());
                number += 1;
            }
            Ok(None) => return (number, Ok(())),
            Err(error) => return (number, Err(error)),
        }
    }
}

async fn write(storage: &Storage, path: &str, encoding: &Encoding, records: usize) {
    let mut writer = storage.write_records(&at("here", path), encoding).await.unwrap();
    for number in 0..records {
        writer.write(record(number).as_bytes()).await.unwrap();
    }
    writer.finish().await.unwrap();
}

fn ndjson() -> Encoding {
    Encoding { format: Some(Format::Ndjson), validation: Validation::Syntax, ..Default::default() }
}

#[tokio::test]
async fn what_is_written_is_read() {
    let storage = two_memories();
    let gzip = Encoding { codec: Some(Codec::Gzip), level: Some(1), ..ndjson() };
    for (path, encoding) in [
        ("x.ndjson", Encoding::default()),
        ("x.jsonl.gz", Encoding { level: Some(1), ..Default::default() }),
        ("x", gzip),
    ] {
        write(&storage, path, &encoding, MANY).await;
        // The codec shows in the first bytes, whatever the name.
        let mut reader = storage.read_records(&at("here", path), &ndjson()).await.unwrap();
        let (read, outcome) = count(&mut reader).await;
        assert_eq!((read, outcome), (MANY, Ok(())), "{path}");
        assert_eq!(reader.read().await.unwrap(), None);
    }
    let size = async |path| storage.stat(&at("here", path)).await.unwrap().size.unwrap();
    assert!(size("x.jsonl.gz").await < size("x.ndjson").await / 4);
}

#[tokio::test]
async fn conversion_there_and_back_changes_nothing() {
    let storage = two_memories();
    write(&storage, "x.ndjson", &ndjson(), 10_000).await;
    let (plain, packed, back) =
        (at("here", "x.ndjson"), at("there", "x.ndjson.gz"), at("here", "back.ndjson"));
    let default = Encoding::default();
    let there = storage.convert(&plain, &default, &packed, &default).await.unwrap();
    let returned = storage.convert(&packed, &default, &back, &default).await.unwrap();
    assert_eq!((there.records, returned.records), (10_000, 10_000));
    assert_eq!((there.bytes_read, there.bytes_written), (returned.bytes_written, returned.bytes_read));
    let hash = async |at| storage.hash(at, omnistorage::HashAlgorithm::Sha256).await.unwrap();
    assert_eq!(hash(&plain).await, hash(&back).await);
}

#[tokio::test]
async fn a_conversion_that_fails_leaves_the_target() {
    for target in Target::all("x.ndjson").await {
        let source = memory();
        let elsewhere = storage([("here", source.clone())]);
        write(&elsewhere, "x.ndjson.gz", &Encoding::default(), 50_000).await;
        let broken = Twisted::new(&source).contents(|_, contents| failing_after(contents, 50_000));
        let storage = storage([("source", broken), ("here", target.backend.clone())]);
        let (from, to) = (at("source", "x.ndjson.gz"), at("here", "x.ndjson"));
        let error = storage.convert(&from, &ndjson(), &to, &ndjson()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
        target.is_as_it_was().await;
    }
}

/// How often the source of a conversion to CSV is read and its target begun, beside the rows.
async fn passes(records: &[String]) -> (u64, u64, String) {
    let (source, target) = (memory(), memory());
    let source = Arc::new(Layered::new(source, Observe::default()));
    let target = Arc::new(Layered::new(target, Observe::default()));
    let storage = storage([("here", source.clone() as Arc<dyn Backend>), ("there", target.clone())]);
    put(&storage, "here", &[("x.ndjson", &records.concat())]).await;
    let (from, to, default) = (at("here", "x.ndjson"), at("there", "x.csv"), Encoding::default());
    let converted = storage.convert(&from, &default, &to, &default).await.unwrap();
    assert_eq!(converted.records, records.len() as u64);
    let (reads, writes) =
        (source.layer().metrics().calls(Operation::Read), target.layer().metrics().calls(Operation::Write));
    let [(_, rows)] = <[_; 1]>::try_from(tree(&*target).await).unwrap();
    (reads, writes, rows)
}

#[tokio::test]
async fn the_source_of_a_table_is_read_once_unless_a_later_record_brings_a_column() {
    let mut records: Vec<_> = (0..MANY).map(|number| record(number) + "\n").collect();
    let (reads, writes, rows) = passes(&records).await;
    assert_eq!((reads, writes, rows.lines().next()), (1, 1, Some("number,text")));
    assert_eq!(rows.lines().count(), MANY + 1);

    records.push("{\"text\":\"last\",\"late\":1}\n".to_owned());
    let (reads, writes, rows) = passes(&records).await;
    assert_eq!((reads, writes, rows.lines().next()), (2, 2, Some("number,text,late")));
    assert_eq!((rows.lines().nth(1), rows.lines().last()), (Some("0,record 0,"), Some(",last,1")));
    assert_eq!(rows.lines().count(), MANY + 2);
}

#[tokio::test]
async fn a_column_that_a_record_brings_late_does_not_hide_what_is_wrong_behind_it() {
    let target = memory();
    let storage = storage([("here", memory()), ("there", target.clone())]);
    let (from, to, default) = (at("here", "x.ndjson"), at("there", "x.csv"), Encoding::default());
    put(&storage, "there", &[("x.csv", "as it was")]).await;
    let records = |end: &str| (0..MANY).map(|number| record(number) + "\n").collect::<String>() + end;
    for (end, words) in [
        ("{\"late\":1}\n{\"number\":\n", format!("record {}: not JSON", MANY + 2)),
        ("{\"late\":1}\n[1]\n", format!("record {}: an array", MANY + 2)),
        ("[1,2]\n", format!("record {}: an array", MANY + 1)),
        ("{\"text\":1,\"text\":2}\n", format!("record {}: field \"text\"", MANY + 1)),
    ] {
        put(&storage, "here", &[("x.ndjson", &records(end))]).await;
        let error = storage.convert(&from, &default, &to, &default).await.unwrap_err();
        assert!(error.to_string().contains(&words), "{end:?}: {error}");
        assert_eq!(tree(&*target).await, [("x.csv".to_owned(), "as it was".to_owned())]);
    }
}

#[tokio::test]
async fn nothing_shows_before_the_end_and_a_drop_leaves_nothing() {
    for target in Target::all("x.ndjson").await {
        let mut writer = target.storage().write_records(&at("here", "x.ndjson"), &ndjson()).await.unwrap();
        for number in 0..20_000 {
            writer.write(record(number).as_bytes()).await.unwrap();
        }
        writer.flush().await.unwrap();
        assert_eq!(tree(&*target.backend).await, [("x.ndjson".to_owned(), crate::target::OLD.to_owned())]);
        drop(writer);
        target.is_as_it_was().await;
    }
}

#[tokio::test]
async fn a_stream_is_forwarded_to_a_sink_and_commits_at_its_end() {
    let storage = two_memories();
    let zstd = Encoding { codec: Some(Codec::Zstd), ..ndjson() };
    let sink = storage.write_records(&at("here", "x"), &zstd).await.unwrap().into_sink();
    let records = stream::iter(0..MANY).map(|number| Ok(record(number).into()));
    records.forward(sink).await.unwrap();
    let mut reader = storage.read_records(&at("here", "x"), &ndjson()).await.unwrap();
    assert_eq!(count(&mut reader).await, (MANY, Ok(())));
}

/// However it fails, it never says later that it did not.
#[tokio::test]
async fn a_sink_that_fails_or_is_given_up_leaves_the_target() {
    for target in Target::all("x.ndjson").await {
        let storage = target.storage();
        let sink =
            async || storage.write_records(&at("here", "x.ndjson"), &ndjson()).await.unwrap().into_sink();
        let broken = Error::new(ErrorCode::Other, "the source broke");
        let records = stream::iter([Ok(record(0).into()), Err(broken.clone())]);
        assert_eq!(records.forward(sink().await).await, Err(broken));
        target.has_no_debris().await;

        let mut failing = sink().await;
        failing.send(record(0).into()).await.unwrap();
        failing.feed("{\n}".into()).await.unwrap();
        let error = failing.flush().await.unwrap_err();
        assert_eq!((error.code(), error.offset()), (ErrorCode::InvalidArgument, Some(2)));
        assert_eq!(failing.close().await, Err(error.clone()));
        assert_eq!(failing.send(record(1).into()).await, Err(error));
        drop(failing);
        target.is_as_it_was().await;
    }
    let storage = two_memories();
    let mut sink = storage.write_records(&at("here", "x"), &ndjson()).await.unwrap().into_sink();
    sink.close().await.unwrap();
    sink.close().await.unwrap();
    assert_eq!(sink.send(record(0).into()).await.unwrap_err().code(), ErrorCode::WriterClosed);
}

#[tokio::test]
async fn a_record_that_cannot_be_written_is_named() {
    for target in Target::all("x.ndjson").await {
        for (bad, code) in [
            ("{\n}", ErrorCode::InvalidArgument),
            ("{\"a\":}", ErrorCode::Corrupted),
            (&*format!("\"{}\"", "x".repeat(100)), ErrorCode::LimitExceeded),
        ] {
            let encoding = Encoding { max_record: Some(64), ..ndjson() };
            let mut writer =
                target.storage().write_records(&at("here", "x.ndjson"), &encoding).await.unwrap();
            for number in 0..5 {
                writer.write(record(number).as_bytes()).await.unwrap();
            }
            writer.flush().await.unwrap();
            writer.write(b"6").await.unwrap();
            writer.write(bad.as_bytes()).await.unwrap();
            let error = writer.flush().await.unwrap_err();
            assert_eq!((error.code(), error.offset()), (code, Some(7)), "{error}");
            assert_eq!(
                writer.write(b"8").await.and(writer.flush().await).unwrap_err().code(),
                ErrorCode::WriterClosed
            );
        }
        target.is_as_it_was().await;
    }
}

#[tokio::test]
async fn a_write_that_is_given_up_loses_no_record() {
    let storage = two_memories();
    let mut writer = storage.write_records(&at("here", "x.ndjson"), &ndjson()).await.unwrap();
    let mut given_up = 0;
    for number in 0..MANY {
        match writer.write(record(number).as_bytes()).now_or_never() {
            Some(written) => written.unwrap(),
            None => given_up += 1,
        }
    }
    assert!(given_up > 0);
    writer.finish().await.unwrap();
    let mut reader = storage.read_records(&at("here", "x.ndjson"), &ndjson()).await.unwrap();
    assert_eq!(count(&mut reader).await, (MANY, Ok(())));
}

#[tokio::test]
async fn good_records_come_before_the_error_which_stays() {
    let storage = two_memories();
    let lines = [&*record(0), &record(1), "{broken", &record(3)].join("\n");
    put(&storage, "here", &[("x.ndjson", &lines)]).await;
    let mut reader = storage.read_records(&at("here", "x.ndjson"), &ndjson()).await.unwrap();
    let (read, outcome) = count(&mut reader).await;
    let error = outcome.unwrap_err();
    assert_eq!((read, error.code(), error.offset()), (2, ErrorCode::Corrupted, Some(3)));
    // An end would look like the true one.
    assert_eq!(reader.read().await.unwrap_err(), error);
    assert_eq!(reader.read_batch().await.unwrap_err(), error);
}

#[tokio::test]
async fn a_source_that_ends_too_early_is_an_error_after_its_good_records() {
    let source = memory();
    let elsewhere = storage([("here", source.clone())]);
    for (path, code) in [("x.ndjson", ErrorCode::Unavailable), ("x.ndjson.gz", ErrorCode::Unavailable)] {
        write(&elsewhere, path, &Encoding::default(), 50_000).await;
        let broken = Twisted::new(&source).contents(|_, contents| failing_after(contents, 100_000));
        let storage = storage([("here", broken)]);
        let mut reader = storage.read_records(&at("here", path), &ndjson()).await.unwrap();
        let (read, outcome) = count(&mut reader).await;
        assert_eq!(outcome.unwrap_err().code(), code);
        assert!(read > 1000 && read < 50_000, "{path}: {read}");
    }
}

#[tokio::test]
async fn a_reader_that_leaves_lets_go_of_the_source() {
    let source = memory();
    write(&storage([("here", source.clone())]), "x.ndjson", &ndjson(), MANY).await;
    let open = Arc::new(AtomicUsize::new(0));
    let counted = Twisted::new(&source).counting(&open);
    let storage = storage([("here", counted)]);
    let mut reader = storage.read_records(&at("here", "x.ndjson"), &ndjson()).await.unwrap();
    assert_eq!(reader.read().await.unwrap(), Some(record(0).as_bytes()));
    assert_eq!(open.load(Ordering::SeqCst), 1);
    drop(reader);
    for _ in 0..200 {
        if open.load(Ordering::SeqCst) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the source is still open");
}

#[tokio::test]
async fn what_cannot_be_is_said_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let file: Arc<dyn Backend> =
        Arc::new(FileBackend::open(directory.path(), FileOptions::default()).unwrap());
    file.mkdir(&Path::parse("d").unwrap()).await.unwrap();
    let storage = storage([("here", file)]);
    let refused = match storage.write_records(&at("here", "d"), &ndjson()).await {
        Ok(writer) => writer.finish().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!((refused.code(), refused.location()), (ErrorCode::IsDirectory, Some(("here", "d"))));
    let unknown = storage.write_records(&at("here", "x.txt"), &Encoding::default()).await.unwrap_err();
    assert_eq!(unknown.code(), ErrorCode::InvalidArgument);
    let missing = storage.read_records(&at("here", "x.ndjson"), &Encoding::default()).await.unwrap_err();
    assert_eq!((missing.code(), missing.location()), (ErrorCode::NotFound, Some(("here", "x.ndjson"))));
    let zstd = Encoding { codec: Some(Codec::Zstd), level: Some(23), ..ndjson() };
    let level = storage.write_records(&at("here", "x"), &zstd).await.unwrap_err();
    assert_eq!(level.code(), ErrorCode::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversion_on_several_cores_gives_the_same_records_and_counts_what_is_compressed() {
    let storage = two_memories();
    write(&storage, "x.ndjson.gz", &Encoding::default(), MANY).await;
    let (from, plain, default) = (at("here", "x.ndjson.gz"), at("there", "plain.csv"), Encoding::default());
    let alone = storage.convert(&from, &default, &plain, &default).await.unwrap();
    let cores = NonZero::new(2).unwrap();
    // Both sides, one side, none, and a codec that only the caller knows.
    let zstd = Encoding {
        format: Some(Format::Csv(CsvDialect::default())),
        codec: Some(Codec::Zstd),
        ..Default::default()
    };
    for (from, to, to_encoding) in [
        (&from, at("there", "x.csv.zst"), &default),
        (&from, at("there", "x.csv"), &default),
        (&from, at("there", "x"), &zstd),
        (&plain, at("here", "back.csv.gz"), &default),
        (&plain, at("here", "back.csv"), &default),
    ] {
        let report = storage.convert_on_cores(from, &default, &to, to_encoding, cores).await.unwrap();
        assert_eq!(report.records, MANY as u64, "{to}");
        let size = async |at: &Location| storage.stat(at).await.unwrap().size.unwrap();
        assert_eq!((report.bytes_read, report.bytes_written), (size(from).await, size(&to).await), "{to}");
        // As a table once more, it is the table that one core makes.
        let (table, unpacked) =
            (at("there", "table.csv"), Encoding { codec: to_encoding.codec, ..Default::default() });
        let unpacked = Encoding { format: Some(Format::Csv(CsvDialect::default())), ..unpacked };
        let again = storage.convert(&to, &unpacked, &table, &default).await.unwrap();
        assert_eq!(again.bytes_written, alone.bytes_written, "{to}");
        let hash = async |at| storage.hash(at, omnistorage::HashAlgorithm::Sha256).await.unwrap();
        assert_eq!(hash(&table).await, hash(&plain).await, "{to}");
    }
    // A later column: the first attempt leaves nothing, and what is counted is the second.
    let late = (0..MANY).map(|number| record(number) + "\n").collect::<String>() + "{\"late\":1}\n";
    put(&storage, "here", &[("late.ndjson", &late)]).await;
    let (late, to) = (at("here", "late.ndjson"), at("there", "late.csv.gz"));
    let report = storage.convert_on_cores(&late, &default, &to, &default, cores).await.unwrap();
    assert_eq!(report.records, MANY as u64 + 1);
    assert_eq!(report.bytes_written, storage.stat(&to).await.unwrap().size.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversion_on_several_cores_that_fails_leaves_the_target_and_names_the_place() {
    let cores = NonZero::new(2).unwrap();
    for target in Target::all("x.csv.gz").await {
        let source = memory();
        let elsewhere = storage([("here", source.clone())]);
        write(&elsewhere, "x.ndjson.gz", &Encoding::default(), 50_000).await;
        let broken = Twisted::new(&source).contents(|_, contents| failing_after(contents, 50_000));
        let storage =
            storage([("source", broken), ("whole", source.clone()), ("here", target.backend.clone())]);
        let (from, to, default) = (at("source", "x.ndjson.gz"), at("here", "x.csv.gz"), Encoding::default());
        let error = storage.convert_on_cores(&from, &default, &to, &default, cores).await.unwrap_err();
        assert_eq!(
            (error.code(), error.location()),
            (ErrorCode::Unavailable, Some(("source", "x.ndjson.gz")))
        );

        let level = Encoding { level: Some(99), ..Encoding::default() };
        let error = storage
            .convert_on_cores(&at("whole", "x.ndjson.gz"), &default, &to, &level, cores)
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
        target.is_as_it_was().await;
    }
}
