//! Formats through the component: what they hold, and what one becomes in another.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use omnistorage::{
    ErrorCode, Path,
    runtime::{Codec, CsvDialect, Encoding, Format, LengthPrefix, LineEnd, Storage, Validation},
};

use crate::{
    setup::{at, memory, put, storage, tree, two_memories},
    target::Target,
    twisted::Twisted,
};

fn csv(dialect: CsvDialect) -> Encoding {
    Encoding { format: Some(Format::Csv(dialect)), ..Default::default() }
}

async fn text(storage: &Storage, path: &str) -> String {
    let reader = storage.read(&at("here", path), &Default::default(), None).await.unwrap();
    let bytes: Vec<Bytes> = reader.contents.try_collect().await.unwrap();
    String::from_utf8(bytes.concat()).unwrap()
}

/// Converts within `here`, by the names of the files.
async fn convert(storage: &Storage, from: &str, to: &str) -> omnistorage::Result<u64> {
    let (from, to, default) = (at("here", from), at("here", to), Encoding::default());
    Ok(storage.convert(&from, &default, &to, &default).await?.records)
}

#[tokio::test]
async fn every_format_is_reached_from_every_other_and_back() {
    let storage = two_memories();
    let rows: String = (0..5000).map(|n| format!("{n},\"a \"\"b\"\"\nc {n}\",\n")).collect();
    put(&storage, "here", &[("x.csv", &format!("id,text,\u{e9}\n{rows}"))]).await;
    for way in [
        &["x.csv", "1.ndjson.gz", "1.tsv", "1.csv"][..],
        &["x.csv", "2.jsonl", "2.lp.gz", "3.jsonl", "2.csv"],
        &["x.csv", "3.lp", "3.csv.gz", "4.csv"],
        &["x.csv", "5.json.zst", "5.ndjson", "6.json", "5.lp", "7.json", "5.csv"],
    ] {
        for step in way.windows(2) {
            // Carried as it is, the header is a record, too.
            let carried = step.iter().any(|name| name.starts_with("3.lp"));
            assert_eq!(
                convert(&storage, step[0], step[1]).await.unwrap(),
                5000 + u64::from(carried),
                "{step:?}"
            );
        }
        assert_eq!(text(&storage, way[way.len() - 1]).await, text(&storage, "x.csv").await, "{way:?}");
    }
    assert!(
        text(&storage, "2.jsonl")
            .await
            .starts_with("{\"id\":\"0\",\"text\":\"a \\\"b\\\"\\nc 0\",\"é\":\"\"}\n")
    );
}

#[tokio::test]
async fn options_of_the_formats_reach_the_component() {
    let storage = two_memories();
    put(&storage, "here", &[("x.ndjson", "{\"a\":1,\"b\":\"x;y\"}\n{\"b\":\"2\"}\n")]).await;
    let dialect = CsvDialect {
        columns: Some(vec!["b".into(), "a".into()]),
        infer: true,
        line_end: LineEnd::Crlf,
        ..CsvDialect::new(';', '\'').unwrap()
    };
    let (source, target, default) = (at("here", "x.ndjson"), at("here", "x"), Encoding::default());
    storage.convert(&source, &default, &target, &csv(dialect.clone())).await.unwrap();
    assert_eq!(text(&storage, "x").await, "b;a\r\n'x;y';1\r\n'2';\r\n");

    let prefix = |prefix| Encoding { format: Some(Format::LengthPrefixed(prefix)), ..Default::default() };
    for (encoding, first) in [
        (prefix(LengthPrefix::BigEndian), "\0\0\0\u{11}{"),
        (prefix(LengthPrefix::LittleEndian), "\u{11}\0\0\0{"),
        (prefix(LengthPrefix::Varint), "\u{11}{"),
    ] {
        storage.convert(&source, &default, &target, &encoding).await.unwrap();
        assert!(text(&storage, "x").await.starts_with(first), "{encoding:?}");
        assert_eq!(
            storage.convert(&target, &encoding, &at("here", "y.ndjson"), &default).await.unwrap().records,
            2
        );
        assert_eq!(text(&storage, "y.ndjson").await, text(&storage, "x.ndjson").await);
    }

    put(&storage, "here", &[("ragged.csv", "a,b\n1\n")]).await;
    let strict = convert(&storage, "ragged.csv", "r.ndjson").await.unwrap_err();
    assert_eq!((strict.code(), strict.offset()), (ErrorCode::Corrupted, Some(1)), "{strict}");
    let lenient = csv(CsvDialect { lenient: true, ..Default::default() });
    storage.convert(&at("here", "ragged.csv"), &lenient, &at("here", "r.ndjson"), &default).await.unwrap();
    assert_eq!(text(&storage, "r.ndjson").await, "{\"a\":\"1\"}\n");

    let refused = CsvDialect::new('"', '"').unwrap_err();
    assert_eq!((refused.code(), refused.offset()), (ErrorCode::InvalidArgument, None), "{refused}");

    put(&storage, "here", &[("latin.lp", "\0\0\0\u{1}a")]).await;
    storage
        .write_all(&at("here", "latin.lp"), Bytes::from_static(b"\0\0\0\x01\xe9"), &Default::default())
        .await
        .unwrap();
    let utf8 = Encoding { validation: Validation::Utf8, ..Default::default() };
    let mut reader = storage.read_records(&at("here", "latin.lp"), &utf8).await.unwrap();
    assert_eq!(reader.read().await.unwrap_err().code(), ErrorCode::Corrupted);
}

#[tokio::test]
async fn formats_are_told_by_the_name() {
    let storage = two_memories();
    let tabs = CsvDialect::tabs();
    for (path, format) in [
        ("d/x.ndjson.gz", Some(Format::Ndjson)),
        ("x.JSONL", Some(Format::Ndjson)),
        ("x.json.lz4", Some(Format::JsonArray)),
        ("x.csv", Some(Format::Csv(CsvDialect::default()))),
        ("x.tsv.zst", Some(Format::Csv(tabs))),
        ("x.lp", Some(Format::LengthPrefixed(LengthPrefix::BigEndian))),
        ("x.txt", None),
        ("", None),
    ] {
        assert_eq!(storage.detect_format(&Path::parse(path).unwrap()).await.unwrap(), format, "{path}");
    }
}

#[tokio::test]
async fn the_header_comes_apart_from_the_records() {
    let storage = two_memories();
    put(&storage, "here", &[("x.csv", "a,b\n1,2\n3,4\n"), ("bad.csv", "a,\"b\n"), ("x.ndjson", "1\n")]).await;
    let mut reader = storage.read_records(&at("here", "x.csv"), &Encoding::default()).await.unwrap();
    assert_eq!(reader.read().await.unwrap(), Some(&b"1,2"[..]));
    assert_eq!(reader.header().await.unwrap(), Some(&b"a,b"[..]));
    assert_eq!(reader.into_stream().try_collect::<Vec<_>>().await.unwrap(), ["3,4"]);

    let mut reader = storage.read_records(&at("here", "x.ndjson"), &Encoding::default()).await.unwrap();
    assert_eq!(reader.header().await.unwrap(), None);
    assert_eq!(reader.read().await.unwrap(), Some(&b"1"[..]));

    let mut reader = storage.read_records(&at("here", "bad.csv"), &Encoding::default()).await.unwrap();
    let error = reader.header().await.unwrap_err();
    assert_eq!((error.code(), error.offset()), (ErrorCode::Corrupted, None), "{error}");
    assert_eq!(reader.header().await.unwrap_err(), error);
    assert_eq!(reader.read().await.unwrap_err(), error);
}

#[tokio::test]
async fn a_stream_of_records_ends_with_the_error() {
    let storage = two_memories();
    put(&storage, "here", &[("x.csv", "a,b\n1,2\n3,4\n5\n6,7\n")]).await;
    let reader = storage.read_records(&at("here", "x.csv"), &Encoding::default()).await.unwrap();
    let items: Vec<_> = reader.into_stream().collect().await;
    assert_eq!(items.len(), 3);
    assert_eq!(items[1].as_ref().unwrap(), "3,4");
    assert_eq!(items[2].as_ref().unwrap_err().offset(), Some(3));
}

#[tokio::test]
async fn a_reader_that_is_closed_has_let_go_of_the_source() {
    let source = memory();
    put(&storage([("here", source.clone())]), "here", &[("x.ndjson", &"1\n".repeat(1 << 20))]).await;
    let open = Arc::new(AtomicUsize::new(0));
    let storage = storage([("here", Twisted::new(&source).counting(&open))]);
    let mut reader = storage.read_records(&at("here", "x.ndjson"), &Encoding::default()).await.unwrap();
    assert!(reader.read().await.unwrap().is_some());
    assert_eq!(open.load(Ordering::SeqCst), 1);
    reader.close().await;
    assert_eq!(open.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_writer_that_is_aborted_leaves_the_target() {
    for target in Target::all("x.csv").await {
        let encoding = csv(CsvDialect { columns: Some(vec!["a".into()]), ..Default::default() });
        let mut writer = target.storage().write_records(&at("here", "x.csv"), &encoding).await.unwrap();
        for _ in 0..10_000 {
            writer.write(b"some text").await.unwrap();
        }
        writer.flush().await.unwrap();
        writer.abort().await;
        target.is_as_it_was().await;
    }
}

#[tokio::test]
async fn columns_without_records_are_written() {
    let storage = two_memories();
    let encoding = csv(CsvDialect { columns: Some(vec!["a".into(), "b c".into()]), ..Default::default() });
    storage.write_records(&at("here", "x.csv"), &encoding).await.unwrap().finish().await.unwrap();
    assert_eq!(text(&storage, "x.csv").await, "a,b c\n");
    assert_eq!(convert(&storage, "x.csv", "y.csv").await.unwrap(), 0);
    assert_eq!(text(&storage, "y.csv").await, "a,b c\n");
}

#[tokio::test]
async fn what_the_target_cannot_hold_leaves_it_and_is_named() {
    for target in Target::all("x.csv").await {
        let source = memory();
        let lines = "{\"a\":1}\n".repeat(100_000) + "{\"b\":\"\\ud800\"}\n";
        put(&storage([("here", source.clone())]), "here", &[("x.ndjson", &lines)]).await;
        let storage = storage([("source", source), ("here", target.backend.clone())]);
        let (from, to, default) = (at("source", "x.ndjson"), at("here", "x.csv"), Encoding::default());
        let error = storage.convert(&from, &default, &to, &default).await.unwrap_err();
        assert_eq!((error.code(), error.offset()), (ErrorCode::InvalidArgument, Some(100_001)), "{error}");
        assert_eq!(error.location(), Some(("source", "x.ndjson")));
        assert!(error.message().contains("\"b\""), "{error}");
        target.is_as_it_was().await;
    }
}

#[tokio::test]
async fn a_source_that_changes_between_two_readings_is_an_error() {
    let source = memory();
    let plain = storage([("here", source.clone())]);
    // So long that the column of the last record is not known from the first ones.
    let lines = "{\"a\":1}\n".repeat(200_000) + "{\"b\":1}\n";
    put(&plain, "here", &[("x.ndjson", &lines)]).await;
    // Whoever reads it to its end changes it.
    let changing = Twisted::new(&source).contents({
        let source = source.clone();
        move |path, contents| {
            let (source, path) = (source.clone(), path.clone());
            let change = stream::once(async move {
                source
                    .write_all(&path, Bytes::from_static(b"{\"c\":1}\n{\"d\":2}\n"), &Default::default())
                    .await?;
                Ok(Bytes::new())
            });
            contents.chain(change).boxed()
        }
    });
    let storage = storage([("here", changing)]);
    let error = convert(&storage, "x.ndjson", "x.csv").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable, "{error}");
    assert_eq!(tree(&*source).await.len(), 1, "nothing was written");
}

#[tokio::test]
async fn a_length_that_lies_costs_no_memory() {
    let storage = two_memories();
    for (bytes, code) in
        [(&b"\0\xff\xff\xffx"[..], ErrorCode::Corrupted), (b"\xff\xff\xff\xffx", ErrorCode::LimitExceeded)]
    {
        storage.write_all(&at("here", "x.lp"), Bytes::from_static(bytes), &Default::default()).await.unwrap();
        let mut reader = storage.read_records(&at("here", "x.lp"), &Encoding::default()).await.unwrap();
        assert_eq!(reader.read().await.unwrap_err().code(), code);
    }
    let gzip = Encoding { codec: Some(Codec::Gzip), ..Default::default() };
    put(&storage, "here", &[("y.lp", "\0\0\0\u{1}a")]).await;
    let error =
        storage.read_records(&at("here", "y.lp"), &gzip).await.unwrap().read().await.unwrap_err().code();
    assert_eq!(error, ErrorCode::Corrupted, "no gzip");
}
