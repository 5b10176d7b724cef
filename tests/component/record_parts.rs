//! Records in parts: on several cores there is the same as on one, byte for byte and word for word.

use std::{num::NonZero, sync::Arc};

use bytes::Bytes;
use futures::TryStreamExt;
use omnistorage::{
    MemoryBackend, Path,
    backend::{
        ReadOptions, WriteOptions,
        layer::{Layered, Operation},
        observe::Observe,
    },
    runtime::{Codec, CsvDialect, DecompressOptions, Encoding, Format, Storage},
};

use crate::setup::{at, memory, storage};

const CORES: NonZero<usize> = NonZero::new(2).unwrap();

/// Enough for several parts.
const SIZE: usize = 7 << 20;

/// A storage whose source `here` holds this, and how often that was read.
async fn source(path: &str, contents: Vec<u8>) -> (Storage, Arc<Layered<Observe>>) {
    let backend = memory();
    let path = Path::parse(path).unwrap();
    backend.write_all(&path, Bytes::from(contents), &WriteOptions::default()).await.unwrap();
    let observed = Arc::new(Layered::new(backend, Observe::default()));
    (storage([("here", observed.clone()), ("there", Arc::new(MemoryBackend::new()) as _)]), observed)
}

async fn bytes(storage: &Storage, path: &str, decompress: Option<DecompressOptions>) -> Option<Vec<u8>> {
    let reader = storage.read(&at("there", path), &ReadOptions::default(), decompress).await.ok()?;
    let chunks: Vec<Bytes> = reader.contents.try_collect().await.unwrap();
    Some(chunks.concat())
}

/// Lines made from their numbers, until there are so many bytes.
fn lines(line: impl Fn(usize) -> String) -> Vec<u8> {
    let mut text = Vec::with_capacity(SIZE + 100);
    for number in 0.. {
        if text.len() >= SIZE {
            break;
        }
        text.extend_from_slice(line(number).as_bytes());
    }
    text
}

fn object(number: usize) -> String {
    format!(
        "{{\"number\":{number},\"text\":\"a \\\"record\\\", the {number}th\",\"more\":[{number}, null]}}\n"
    )
}

/// A row that has line ends in quotes, where a part that begins there goes wrong at first.
fn row(number: usize) -> String {
    match number {
        0 => "number,text\r\n".to_owned(),
        _ if number.is_multiple_of(3) => {
            format!("{number},\"{}\"\n", "one\nline,\"\"and\"\"\nanother".repeat(20))
        }
        _ => format!("{number},plain\r\n"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_are_put_together_as_one_core_would_write_the_whole() {
    let default = Encoding::default();
    let lenient = CsvDialect { lenient: true, infer: true, ..CsvDialect::default() };
    let lenient = Encoding { format: Some(Format::Csv(lenient)), ..Encoding::default() };
    let marked = |text: Vec<u8>| [b"\xef\xbb\xbf", &text[..]].concat();
    for (name, contents, encoding, target) in [
        ("x.ndjson", lines(object), &default, "x.csv"),
        ("x.ndjson", marked(lines(object)), &default, "x.lp"),
        ("x.ndjson", lines(|number| object(number).replace('\n', "\r\n\n")), &default, "x.ndjson"),
        ("x.csv", lines(row), &default, "x.ndjson"),
        ("x.csv", marked(lines(row)), &lenient, "x.tsv"),
    ] {
        let size = contents.len() as u64;
        let (storage, observed) = source(name, contents).await;
        let from = at("here", name);
        let one = storage.convert(&from, encoding, &at("there", target), &default).await.unwrap();
        let whole = bytes(&storage, target, None).await.unwrap();
        let metrics = observed.layer().metrics();
        let before = (metrics.calls(Operation::Read), metrics.bytes_read());
        let to = at("there", "parts");
        let format = omnistorage_types::encoding_from_path(&Path::parse(target).unwrap()).0;
        let told = Encoding { format, ..Encoding::default() };
        let several = storage.convert_on_cores(&from, encoding, &to, &told, CORES).await.unwrap();
        assert_eq!(several, one, "{name} to {target}");
        assert!(bytes(&storage, "parts", None).await.unwrap() == whole, "{name} to {target}");
        // It was read in ranges, and not as a whole behind them.
        let reads = metrics.calls(Operation::Read) - before.0;
        assert!(reads > size >> 21, "{reads} reads of {name}");
        assert!(metrics.bytes_read() - before.1 < 3 * size, "{name}");
        // Compressed behind it, in blocks.
        let packed = Encoding { codec: Some(Codec::Gzip), level: Some(1), ..told.clone() };
        let report = storage.convert_on_cores(&from, encoding, &at("there", "packed"), &packed, CORES).await;
        assert_eq!(report.unwrap().records, one.records);
        let unpacked = bytes(&storage, "packed", Some(DecompressOptions::default())).await.unwrap();
        assert!(unpacked == whole, "{name} to {target}, compressed");
        // Counted.
        for cores in [NonZero::<usize>::MIN, CORES] {
            let counted = storage.count_records(&from, encoding, cores).await.unwrap();
            assert_eq!((counted.records, counted.header), (one.records, one.header.clone()), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_the_parts_before_is_told_as_one_core_tells_it() {
    let default = Encoding::default();
    let with = |text: Vec<u8>, last: &str| [&text[..], last.as_bytes()].concat();
    let long =
        lines(|number| if number == 5 { format!("\"{}\"\n", "x".repeat(3 << 20)) } else { "[1]\n".into() });
    for (name, contents, target) in [
        // A later column; and an array among objects, which is one of the records that are wrong.
        ("x.ndjson", with(lines(object), "{\"late\":1}\n"), "x.csv"),
        ("x.ndjson", with(lines(object), "[1,2,3]\n"), "x.csv"),
        ("x.ndjson", with(lines(object), "{\"number\":1"), "x.csv"),
        ("x.csv", with(lines(row), "1,2,3\n4,5\n"), "x.ndjson"),
        ("x.csv", with(lines(row), "1,\"open\n"), "x.ndjson"),
        ("x.csv", lines(|number| format!("{number}\r")), "x.ndjson"),
        // A record longer than a part.
        ("x.ndjson", long, "x.ndjson"),
    ] {
        let (storage, _) = source(name, contents).await;
        let (from, to) = (at("here", name), at("there", target));
        let words =
            |outcome: omnistorage::Result<_>| outcome.map_err(|error| (error.code(), error.to_string()));
        let one = words(storage.convert(&from, &default, &to, &default).await);
        let whole = bytes(&storage, target, None).await;
        storage.remove(&to).await.ok();
        let several = words(storage.convert_on_cores(&from, &default, &to, &default, CORES).await);
        assert_eq!(several, one, "{name} to {target}");
        assert!(bytes(&storage, target, None).await == whole, "{name} to {target}");
        let count = async |cores| {
            let counted = storage.count_records(&from, &default, cores).await;
            counted.map_err(|error| error.to_string())
        };
        assert_eq!(count(CORES).await, count(NonZero::<usize>::MIN).await, "{name}");
    }
}
