//! Compression on several cores: the contents are those of one core for every tool, and nothing else changes.

use std::{
    num::NonZero,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use futures::{StreamExt, TryStreamExt, stream};
use omnistorage::{
    Error, ErrorCode, MemoryBackend,
    backend::{Contents, ReadOptions},
    runtime::{Codec, Compression, DecompressOptions, Encoding, Limits, Runtime, RuntimeOptions, Storage},
};

use crate::setup::{at, put, runtime, storage, tree, two_memories};

fn cores(count: usize) -> NonZero<usize> {
    NonZero::new(count).unwrap()
}

fn quick(codec: Codec) -> Compression {
    Compression { codec, level: codec.levels().map(|_| 1), dictionary: None }
}

/// Lines that differ from block to block.
fn text(size: usize) -> Bytes {
    let mut text = Vec::with_capacity(size + 64);
    for n in 0_u64.. {
        if text.len() >= size {
            break;
        }
        let noise = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        text.extend_from_slice(format!("{n}: the same words on every line, then {noise:x}\n").as_bytes());
    }
    text.truncate(size);
    text.into()
}

fn chunks(contents: &Bytes, size: usize) -> Contents {
    let starts = (0..contents.len()).step_by(size);
    let chunks: Vec<_> =
        starts.map(|start| Ok(contents.slice(start..contents.len().min(start + size)))).collect();
    stream::iter(chunks).boxed()
}

async fn packed(codec: Codec, contents: &Bytes, count: usize) -> Vec<u8> {
    let storage = two_memories();
    let parts = storage.compress(chunks(contents, 300_000), quick(codec), cores(count));
    parts.try_collect::<Vec<_>>().await.unwrap().concat()
}

/// However few sandboxes there are, and however many jobs want several of them at once, none waits for ever.
#[tokio::test(flavor = "multi_thread")]
async fn few_sandboxes_are_enough() {
    const JOBS: usize = 6;
    let lines: Bytes = (0..400_000).map(|n| format!("{{\"n\":{n}}}\n")).collect::<String>().into();
    for sandboxes in [1, 2, 3, 5] {
        let mut options = RuntimeOptions::default();
        options.sandboxes = sandboxes;
        let runtime = Runtime::new(&options).unwrap();
        let storage = Storage::builder(&runtime).mount("here", Arc::new(MemoryBackend::new())).build();
        let source = at("here", "lines.ndjson");
        storage.write_all(&source, lines.clone(), &Default::default()).await.unwrap();
        let detected = Encoding::default();
        storage.convert(&source, &detected, &at("here", "lines.ndjson.gz"), &detected).await.unwrap();

        let jobs = (0..JOBS).map(|job| {
            let storage = storage.clone();
            tokio::spawn(async move {
                let plain = at("here", &format!("{job}.csv"));
                let packed = at("here", &format!("{job}.csv.gz"));
                for source in ["lines.ndjson", "lines.ndjson.gz"] {
                    for target in [&plain, &packed] {
                        let (source, detected) = (at("here", source), Encoding::default());
                        storage
                            .convert_on_cores(&source, &detected, target, &detected, cores(4))
                            .await
                            .unwrap();
                    }
                }
                let counted = storage.count_records(&plain, &Encoding::default(), cores(4)).await.unwrap();
                assert_eq!(counted.records, 400_000);
            })
        });
        let within = |seconds| Duration::from_secs(seconds);
        let all = tokio::time::timeout(within(300), futures::future::try_join_all(jobs));
        all.await.unwrap_or_else(|_| panic!("jobs wait for each other, {sandboxes} sandboxes")).unwrap();

        // Whoever writes what is compressed has a sandbox already.
        if sandboxes > 1 {
            let parts = storage.compress(chunks(&lines, 300_000), quick(Codec::Gzip), cores(4));
            let (target, options) = (at("here", "compressed"), Default::default());
            let written = tokio::time::timeout(within(60), storage.write(&target, parts, &options, None));
            written.await.unwrap_or_else(|_| panic!("{sandboxes} sandboxes")).unwrap();
        }
    }
}

/// What another implementation makes of it.
fn unpacked_elsewhere(codec: Codec, packed: &[u8]) -> Vec<u8> {
    use std::io::Read as _;

    let mut contents = Vec::new();
    let read = match codec {
        Codec::Gzip => MultiGzDecoder::new(packed).read_to_end(&mut contents),
        Codec::Zstd => zstd::Decoder::new(packed).unwrap().read_to_end(&mut contents),
        Codec::Snappy => snap::read::FrameDecoder::new(packed).read_to_end(&mut contents),
        Codec::Lz4 => {
            // A decoder reads one frame, and no byte of the next one.
            let (mut rest, mut read) = (packed, Ok(0));
            while read.is_ok() && !rest.is_empty() {
                read = lz4::Decoder::new(&mut rest).and_then(|mut frame| frame.read_to_end(&mut contents));
            }
            read
        }
    };
    read.unwrap();
    contents
}

#[tokio::test]
async fn others_read_what_several_cores_wrote() {
    for codec in Codec::ALL {
        // Nothing; less than a block; blocks to the byte; and some more.
        for size in [0, 1000, 4 << 20, (9 << 20) + 77] {
            let contents = text(size);
            let packed = packed(codec, &contents, 3).await;
            assert!(packed.len() < size * 3 / 4 + 300, "{codec:?}, {size}: {}", packed.len());
            assert!(unpacked_elsewhere(codec, &packed) == contents, "{codec:?}, {size}");
        }
    }
}

#[tokio::test]
async fn the_tools_of_the_system_read_what_several_cores_wrote() {
    let contents = text(9 << 20);
    for (codec, tool) in [(Codec::Gzip, "gzip"), (Codec::Zstd, "zstd"), (Codec::Lz4, "lz4")] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), packed(codec, &contents, 2).await).unwrap();
        let input = std::fs::File::open(file.path()).unwrap();
        match Command::new(tool).arg("-dc").stdin(input).output() {
            Ok(output) => assert!(output.status.success() && output.stdout == contents, "{tool}"),
            Err(error) => eprintln!("not tested: {tool}: {error}"),
        }
    }
}

#[tokio::test]
async fn the_bytes_do_not_depend_on_the_number_of_cores() {
    let contents = text(9 << 20);
    for codec in Codec::ALL {
        let one = packed(codec, &contents, 1).await;
        assert!(packed(codec, &contents, 8).await == one, "{codec:?}");
        // Short contents are one block, as if they had been written in one go.
        let (storage, short) = (two_memories(), contents.slice(..500_000));
        let options = &Default::default();
        storage.write(&at("here", "x"), chunks(&short, 300_000), options, Some(quick(codec))).await.unwrap();
        let reader = storage.read(&at("here", "x"), &ReadOptions::default(), None).await.unwrap();
        let single = reader.contents.try_collect::<Vec<_>>().await.unwrap().concat();
        assert!(packed(codec, &short, 8).await == single, "{codec:?}");
    }
}

#[tokio::test]
async fn what_several_cores_wrote_is_read_here() {
    let storage = two_memories();
    let contents = text(9 << 20);
    for codec in Codec::ALL {
        let parts = storage.compress(chunks(&contents, 1 << 20), quick(codec), cores(2));
        storage.write(&at("here", "x"), parts, &Default::default(), None).await.unwrap();
        let decompress = Some(DecompressOptions::default());
        let reader = storage.read(&at("here", "x"), &ReadOptions::default(), decompress).await.unwrap();
        assert!(reader.contents.try_collect::<Vec<_>>().await.unwrap().concat() == contents, "{codec:?}");
    }
}

#[tokio::test]
async fn nothing_is_written_if_the_contents_fail_or_the_level_is_wrong() {
    let memory = Arc::new(MemoryBackend::new());
    let storage = storage([("here", memory.clone() as _)]);
    put(&storage, "here", &[("x", "old")]).await;
    let failed = || Err(Error::new(ErrorCode::Unavailable, "gone"));
    let level = |level| Compression { codec: Codec::Gzip, level: Some(level), dictionary: None };
    for (contents, compression, code) in [
        (stream::iter([failed()]).boxed(), level(1), ErrorCode::Unavailable),
        (
            chunks(&text(5 << 20), 1 << 20).chain(stream::iter([failed()])).boxed(),
            level(1),
            ErrorCode::Unavailable,
        ),
        (chunks(&text(100), 10), level(10), ErrorCode::InvalidArgument),
    ] {
        let parts = storage.compress(contents, compression, cores(2));
        let written = storage.write(&at("here", "x"), parts, &Default::default(), None).await;
        assert_eq!(written.unwrap_err().code(), code);
        assert_eq!(tree(&*memory).await, [("x".to_owned(), "old".to_owned())]);
    }
}

#[tokio::test]
async fn a_limit_of_one_core_ends_the_whole_with_its_name() {
    let limits = Limits { memory: 4 << 20, ..Limits::default() };
    let storage = Storage::builder(runtime()).limits(limits).build();
    let contents = chunks(&text(30 << 20), 1 << 20);
    let parts = storage.compress(
        contents,
        Compression { codec: Codec::Zstd, level: Some(12), dictionary: None },
        cores(2),
    );
    let failed = parts.try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(failed.code(), ErrorCode::LimitExceeded, "{failed}");
}

#[tokio::test]
async fn contents_are_taken_no_faster_than_they_are_written() {
    let storage = two_memories();
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = taken.clone();
    // Without an end.
    let contents = stream::repeat_with(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(Bytes::from(vec![7; 1 << 20]))
    });
    let mut parts = storage.compress(contents.boxed(), quick(Codec::Gzip), cores(2));
    for _ in 0..3 {
        parts.next().await.unwrap().unwrap();
    }
    // Four blocks in memory for two cores, beside those that came out.
    let (before, most) = (taken.load(Ordering::Relaxed), 3 + 4);
    assert!(before <= most, "{before}");
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(taken.load(Ordering::Relaxed), before, "although nobody reads");
    // Dropped, everything ends: the sandboxes are given back.
    drop(parts);
    put(&storage, "here", &[("x", "still works")]).await;
}
