//! One object from its replicas: what is read is one version, whole, whichever of them fail on the way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use omnistorage::{
    Backend, ErrorCode, Location, Path, Result,
    backend::{Contents, ReadOptions},
    runtime::{Codec, Compression, DecompressOptions, Storage},
};

use crate::{
    setup::{at, memory, put, runtime, two_memories},
    twisted::{Twisted, failing_after, first, running_on},
};

const SIZE: usize = 700_000;

fn version(seed: usize) -> Bytes {
    (0..SIZE).map(|index| (index / 3 + index / 1000 + seed) as u8).collect()
}

async fn all(contents: Contents) -> Result<Vec<u8>> {
    contents
        .try_fold(Vec::new(), async |mut all, chunk| {
            all.extend_from_slice(&chunk);
            Ok(all)
        })
        .await
}

/// A replica: a backend with a version of the object, or none, whose bodies are twisted.
async fn replica(
    version: Option<Bytes>,
    twist: impl Fn(Contents) -> Contents + Send + Sync + 'static,
) -> Arc<dyn Backend> {
    let backend = memory();
    if let Some(bytes) = version {
        backend.write_all(&Path::parse("x").unwrap(), bytes, &Default::default()).await.unwrap();
    }
    Twisted::new(&backend).contents(move |_, contents| twist(contents))
}

fn storage(replicas: Vec<Arc<dyn Backend>>) -> (Storage, Vec<Location>) {
    let mut builder = Storage::builder(runtime());
    let mut places = Vec::new();
    for (number, backend) in replicas.into_iter().enumerate() {
        let name = format!("replica {number}");
        places.push(at(&name, "x"));
        builder = builder.mount(name, backend);
    }
    (builder.build(), places)
}

/// Reads from replicas, to the end or to the error.
async fn read(replicas: Vec<Arc<dyn Backend>>, options: &ReadOptions) -> Result<Vec<u8>> {
    let (storage, places) = storage(replicas);
    all(storage.read_any(&places, options, None).await?.contents).await
}

#[tokio::test]
async fn the_next_goes_on_where_one_fails() {
    for count in [0, 1, 262_143, 262_144, 262_145, SIZE - 1, SIZE] {
        let bad = replica(Some(version(1)), move |contents| failing_after(contents, count)).await;
        let good = replica(Some(version(1)), |contents| contents).await;
        let read = read(vec![bad, good], &ReadOptions::default()).await;
        assert!(read.unwrap() == version(1), "{count}");
    }
}

#[tokio::test]
async fn many_may_fail_as_long_as_one_reaches_the_end() {
    let mut replicas = Vec::new();
    for count in [300_000, 10, 400_000, 650_000] {
        replicas.push(replica(Some(version(1)), move |contents| failing_after(contents, count)).await);
    }
    replicas.push(replica(Some(version(1)), |contents| contents).await);
    assert!(read(replicas, &ReadOptions::default()).await.unwrap() == version(1));
}

#[tokio::test]
async fn ranges_are_kept() {
    for (offset, length) in [(0, Some(600_000)), (1000, None), (99_999, Some(400_000)), (800_000, None)] {
        for fails_after in [0, 5, 300_000] {
            let bad = replica(Some(version(1)), move |contents| failing_after(contents, fails_after)).await;
            let good = replica(Some(version(1)), |contents| contents).await;
            let options = ReadOptions { offset, length, if_match: None };
            let read = read(vec![bad, good], &options).await.unwrap();
            let start = (offset as usize).min(SIZE);
            let end = length.map_or(SIZE, |length| (start + length as usize).min(SIZE));
            assert!(read == version(1)[start..end], "{offset} {length:?} {fails_after}");
        }
    }
}

#[tokio::test]
async fn versions_are_never_mixed() {
    // Of the same size, and different from the first byte, from the middle of what was read, or from its last byte.
    for difference in [0, 150_000, 299_999] {
        let bad = replica(Some(version(1)), |contents| failing_after(contents, 300_000)).await;
        let mut other = version(1).to_vec();
        other[difference] ^= 1;
        let other = replica(Some(other.into()), |contents| contents).await;
        let error = read(vec![bad, other], &ReadOptions::default()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
        assert_eq!(error.location().unwrap().0, "replica 0");
        assert!(error.message().contains("`replica 1:x` cannot go on: it is of another version"), "{error}");
    }
    // Of another size; and then one of the same version is found behind it.
    let bad = || replica(Some(version(1)), |contents| failing_after(contents, 300_000));
    let longer = [version(1), version(1)].concat();
    let other = || replica(Some(longer.clone().into()), |contents| contents);
    let good = replica(Some(version(1)), |contents| contents).await;
    let options = ReadOptions::default();
    assert!(read(vec![bad().await, other().await, good], &options).await.unwrap() == version(1));
    assert!(read(vec![bad().await, other().await], &options).await.is_err());
}

#[tokio::test]
async fn a_hash_that_both_know_spares_the_reading() {
    // Memory knows hashes only where it is not twisted: the second replica is read from where the first one failed.
    let bytes = Arc::new(AtomicUsize::new(0));
    let (count, inner) = (bytes.clone(), memory());
    inner.write_all(&Path::parse("x").unwrap(), version(1), &Default::default()).await.unwrap();
    let counting = Twisted::new(&inner).contents(move |_, contents| {
        let count = count.clone();
        contents.inspect_ok(move |chunk| _ = count.fetch_add(chunk.len(), Ordering::SeqCst)).boxed()
    });
    let bad = replica(Some(version(1)), |contents| failing_after(contents, 600_000)).await;
    let info = inner.stat(&Path::parse("x").unwrap()).await.unwrap();
    assert!(read(vec![bad, counting], &ReadOptions::default()).await.unwrap() == version(1));
    let expected = if info.hashes.is_empty() { SIZE } else { SIZE - 600_000 };
    assert_eq!(bytes.load(Ordering::SeqCst), expected);
}

#[tokio::test]
async fn a_replica_that_ends_early_or_late_is_no_end() {
    let short = replica(Some(version(1)), |contents| first(contents, 500_000)).await;
    let good = replica(Some(version(1)), |contents| contents).await;
    assert!(read(vec![short, good], &ReadOptions::default()).await.unwrap() == version(1));
    for twist in [|contents| first(contents, 500_000), running_on] {
        let error = read(vec![replica(Some(version(1)), twist).await], &ReadOptions::default()).await;
        assert_eq!(error.unwrap_err().code(), ErrorCode::Corrupted);
    }
}

#[tokio::test]
async fn replicas_that_cannot_be_opened_are_passed_over() {
    let good = || replica(Some(version(1)), |contents| contents);
    let missing = || replica(None, |contents| contents);
    let options = ReadOptions::default();
    assert!(read(vec![missing().await, good().await], &options).await.unwrap() == version(1));
    assert_eq!(
        read(vec![missing().await, missing().await], &options).await.unwrap_err().code(),
        ErrorCode::NotFound
    );

    let (storage, mut places) = storage(vec![missing().await]);
    places.push(at("nowhere", "x"));
    let error = storage.read_any(&places, &options, None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnknownBackend, "it says more than that one lacks the object");
}

#[tokio::test]
async fn the_last_error_is_told_with_what_the_others_said() {
    let bad = || replica(Some(version(1)), |contents| failing_after(contents, 300_000));
    let missing = replica(None, |contents| contents).await;
    let error = read(vec![bad().await, bad().await, missing], &ReadOptions::default()).await.unwrap_err();
    assert_eq!((error.code(), error.location()), (ErrorCode::Unavailable, Some(("replica 1", "x"))));
    assert!(error.message().contains("`replica 2:x` cannot go on"), "{error}");
}

#[tokio::test]
async fn compressed_replicas_are_one_object() {
    let storage = two_memories();
    let gzip = Some(Compression { codec: Codec::Gzip, level: None, dictionary: None });
    let x = at("here", "x");
    let contents = futures::stream::once(async { Ok(version(3)) }).boxed();
    storage.write(&x, contents, &Default::default(), gzip).await.unwrap();
    let packed = all(storage.read(&x, &Default::default(), None).await.unwrap().contents).await.unwrap();
    let half = packed.len() / 2;
    let bad = replica(Some(packed.clone().into()), move |contents| failing_after(contents, half)).await;
    let good = replica(Some(packed.into()), |contents| contents).await;
    let (storage, places) = self::storage(vec![bad, good]);
    let decompress = Some(DecompressOptions::default());
    let reader = storage.read_any(&places, &Default::default(), decompress).await.unwrap();
    assert!(all(reader.contents).await.unwrap() == version(3));
}

#[tokio::test]
async fn a_reader_that_leaves_ends_it_all() {
    let open = Arc::new(AtomicUsize::new(0));
    let inner = memory();
    inner.write_all(&Path::parse("x").unwrap(), version(1), &Default::default()).await.unwrap();
    let (storage, places) = storage(vec![Twisted::new(&inner).counting(&open)]);
    let mut reader = storage.read_any(&places, &Default::default(), None).await.unwrap();
    reader.contents.next().await.unwrap().unwrap();
    drop(reader);
    for _ in 0..200 {
        if open.load(Ordering::SeqCst) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the replica is still open");
}

#[tokio::test]
async fn calls_that_make_no_sense_are_refused() {
    let storage = two_memories();
    put(&storage, "here", &[("x", "1")]).await;
    for places in [vec![], vec![at("here", "x"), at("here", "x")]] {
        let error = storage.read_any(&places, &Default::default(), None).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
    }
}
