//! What a sandbox may use is bounded, and reaching a bound harms nobody else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use omnistorage::{
    Backend, ErrorCode, Path,
    backend::{ReadOptions, WriteOptions},
    runtime::{Codec, Compression, DecompressOptions, Limits, Runtime, RuntimeOptions, Storage},
};

use crate::{
    guest::misbehaving,
    setup::{at, memory, runtime},
    twisted::Twisted,
};

/// A backend with an object.
async fn with(path: &str, contents: impl Into<Bytes>) -> Arc<dyn Backend> {
    let backend = memory();
    backend.write_all(&Path::parse(path).unwrap(), contents.into(), &Default::default()).await.unwrap();
    backend
}

/// The code of the error that an attempt ends with.
async fn attempt(storage: &Storage, path: &str) -> ErrorCode {
    storage.stat(&at("here", path)).await.unwrap_err().code()
}

/// After whatever happened in one sandbox, the next works.
async fn is_usable(storage: &Storage) {
    let contents = stream::iter([Ok(Bytes::from_static(b"fine"))]).boxed();
    storage.write(&at("here", "whole/after"), contents, &WriteOptions::default(), None).await.unwrap();
}

#[tokio::test]
async fn resources_are_bounded() {
    let storage = misbehaving(memory(), Limits { resources: 1000, ..Default::default() });
    assert_eq!(attempt(&storage, "hoard/backends").await, ErrorCode::LimitExceeded);
    is_usable(&storage).await;
}

#[tokio::test]
async fn memory_is_bounded_also_where_the_host_fills_it() {
    let limits = Limits { memory: 8 << 20, ..Default::default() };
    let storage = misbehaving(with("read-all/x", vec![0; 9 << 20]).await, limits.clone());
    assert_eq!(attempt(&storage, "read-all/x").await, ErrorCode::LimitExceeded);
    is_usable(&storage).await;
    // The largest `max` there is asks for nothing by itself.
    let storage = misbehaving(with("read-all/x", vec![0; 1 << 20]).await, limits);
    assert_eq!(storage.stat(&at("here", "read-all/x")).await.unwrap().size, Some(1 << 20));
}

#[tokio::test]
async fn what_a_call_hands_to_the_host_is_bounded() {
    let storage = misbehaving(memory(), Limits::default());
    assert_eq!(attempt(&storage, "long-path").await, ErrorCode::LimitExceeded);
    is_usable(&storage).await;
}

#[tokio::test]
async fn time_is_bounded_but_waiting_is_not() {
    let limits = Limits { guest_time: Duration::from_millis(100), ..Default::default() };
    let storage = misbehaving(memory(), limits);
    let options = WriteOptions::default();
    let place = at("here", "spin/x");
    let spin = storage.write(&place, stream::empty().boxed(), &options, None);
    let spin = tokio::time::timeout(Duration::from_secs(10), spin).await.unwrap();
    assert_eq!(spin.unwrap_err().code(), ErrorCode::Timeout);
    let slow = stream::once(async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        Ok(Bytes::from_static(b"late"))
    });
    storage.write(&at("here", "whole/x"), slow.boxed(), &options, None).await.unwrap();
}

#[tokio::test]
async fn paths_that_lead_out_are_refused() {
    let storage = misbehaving(with("x", "").await, Limits::default());
    storage.stat(&at("here", "escape")).await.unwrap();
}

#[tokio::test]
async fn reads_that_are_left_half_way_leave_nothing_open() {
    let open = Arc::new(AtomicUsize::new(0));
    let counted = Twisted::new(&with("leave-read/x", vec![1; 1 << 20]).await).counting(&open);
    let limits = Limits { resources: 100, ..Default::default() };
    misbehaving(counted, limits).stat(&at("here", "leave-read/x")).await.unwrap();
    assert_eq!(open.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_end_that_is_not_the_true_one_is_an_error_of_the_reader() {
    let storage = misbehaving(with("half/x", vec![1; 1 << 20]).await, Limits::default());
    let reader = storage.read(&at("here", "half/x"), &Default::default(), None).await.unwrap();
    let error = reader.contents.try_for_each(async |_| Ok(())).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Cancelled);
}

/// Bytes that are on their way from a backend through a component to a slow reader, whatever the size of the object.
const MOST_IN_FLIGHT: usize = 4 << 20;

#[tokio::test]
async fn a_slow_reader_holds_the_backend_back() {
    const CHUNK: usize = 256 << 10;
    const SIZE: usize = 256 << 20;
    let produced = Arc::new(AtomicUsize::new(0));
    let count = produced.clone();
    let backend = Twisted::new(&with("pump/x", "").await).contents(move |_, _| {
        let (count, chunk) = (count.clone(), Bytes::from_static(&[7; CHUNK]));
        let chunks = stream::iter(0..SIZE / CHUNK).map(move |_| {
            count.fetch_add(CHUNK, Ordering::SeqCst);
            Ok(chunk.clone())
        });
        chunks.boxed()
    });
    let storage = misbehaving(backend, Limits::default());
    let mut reader = storage.read(&at("here", "pump/x"), &Default::default(), None).await.unwrap();
    let (mut consumed, mut ahead, mut chunks) = (0, 0, 0);
    while let Some(chunk) = reader.contents.next().await {
        consumed += chunk.unwrap().len();
        chunks += 1;
        if chunks % 64 == 0 {
            // Long enough for the backend to run away, were it let.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        ahead = ahead.max(produced.load(Ordering::SeqCst) - consumed);
    }
    assert_eq!(consumed, SIZE);
    assert!(ahead <= MOST_IN_FLIGHT, "{ahead} bytes ahead");
}

#[tokio::test]
async fn bombs_stop_at_the_limits_of_decompression() {
    let limits = Limits { memory: 32 << 20, ..Default::default() };
    let storage = Storage::builder(runtime()).limits(limits).mount("here", memory()).build();
    let (seed, bomb) = (at("here", "seed"), at("here", "bomb"));
    for (codec, level) in [(Codec::Gzip, 9), (Codec::Zstd, 3)] {
        let zeros = stream::iter(vec![Ok(Bytes::from_static(&[0; 1 << 20])); 16]).boxed();
        let compress = Some(Compression { codec, level: Some(level), dictionary: None });
        storage.write(&seed, zeros, &WriteOptions::default(), compress).await.unwrap();
        let packed = storage.read(&seed, &ReadOptions::default(), None).await.unwrap().contents;
        let packed = packed.try_collect::<Vec<_>>().await.unwrap().concat();
        // 64 members or frames make a GiB.
        storage.write_all(&bomb, packed.repeat(64).into(), &WriteOptions::default()).await.unwrap();
        for (max_output, max_ratio) in [(Some(100 << 20), None), (None, Some(100)), (None, None)] {
            let limits = DecompressOptions { max_output, max_ratio, ..Default::default() };
            let reader = storage.read(&bomb, &ReadOptions::default(), Some(limits)).await.unwrap();
            let mut size = 0;
            let end = reader.contents.try_for_each(|chunk| {
                size += chunk.len();
                std::future::ready(Ok(()))
            });
            let end = end.await.map_err(|error| error.code());
            match (max_output, max_ratio) {
                (None, None) => assert_eq!((end, size), (Ok(()), 1 << 30), "{codec:?}"),
                _ => assert_eq!(end, Err(ErrorCode::LimitExceeded), "{codec:?}"),
            }
            assert!(max_output.is_none_or(|limit| size as u64 <= limit), "{codec:?}: {size}");
        }
    }
}

#[tokio::test]
async fn sandboxes_beyond_the_limit_wait_for_their_turn() {
    let mut options = RuntimeOptions::default();
    options.sandboxes = 1;
    let runtime = Runtime::new(&options).unwrap();
    let storage = Storage::builder(&runtime).mount("here", memory()).build();
    let x = at("here", "x.ndjson");
    let writer = storage.write_records(&x, &Default::default()).await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(50), storage.stat(&x)).await;
    assert!(waiting.is_err(), "the writer keeps the only sandbox");
    writer.finish().await.unwrap();
    assert_eq!(storage.stat(&x).await.unwrap().size, Some(0));
}
