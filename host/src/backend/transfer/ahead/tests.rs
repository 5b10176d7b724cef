//! What is read at once and what by ranges; that these come in order, in bounds, and of one version.

use std::{
    any::Any,
    num::NonZeroU32,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::{FutureExt, TryStreamExt, stream};

use super::*;
use crate::{
    HashAlgorithm, Hasher, MemoryBackend,
    backend::{
        Capabilities, ListOptions, Listing, Meter, Upload, WriteOptions,
        layer::Layered,
        limit::{Limit, LimitOptions},
        retry::{Retry, RetryOptions},
        transfer::transfer_by,
    },
};

const PIECE: u64 = 100_000;
/// Eight pieces, the last of which is a short one.
const SIZE: u64 = 8 * PIECE - 1;

fn path() -> Path {
    Path::parse("large").unwrap()
}

fn contents(seed: u8) -> Bytes {
    (0..SIZE).map(|at| (at % 251) as u8 ^ seed).collect()
}

/// By four connections from a size below that of the object on.
fn ranges(room: &Semaphore) -> Ranges<'_> {
    Ranges { threshold: SIZE, piece: PIECE, connections: 4, room }
}

fn expecting(size: impl Into<Option<u64>>) -> WriteOptions {
    WriteOptions { expected_size: size.into(), ..WriteOptions::default() }
}

/// Counts who is inside, and how many they were at most.
#[derive(Debug, Default)]
struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

struct Inside(Arc<Gauge>);

impl Gauge {
    fn enter(self: &Arc<Self>) -> Inside {
        self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Inside(Arc::clone(self))
    }

    fn now(&self) -> usize {
        self.now.load(Ordering::SeqCst)
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

type Halfway = Box<dyn Fn(usize) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// A store behind a network, with one object.
struct Distant {
    memory: Arc<MemoryBackend>,
    /// What differs from the memory.
    able: fn(&mut Capabilities),
    told: fn(&mut ObjectInfo),
    /// So many bytes more or fewer than asked for are given for a range.
    surplus: i64,
    /// What happens in the middle of the piece of that number.
    halfway: Halfway,
    asked: Mutex<Vec<ReadOptions>>,
    /// Bodies that were opened, and those whose bytes come.
    open: Arc<Gauge>,
    flowing: Arc<Gauge>,
    given: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Distant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Distant")
    }
}

impl Distant {
    async fn new() -> Self {
        Self::with_halfway(|_| tokio::task::yield_now().map(Ok)).await
    }

    async fn with_halfway<F>(halfway: impl Fn(usize) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let memory = Arc::new(MemoryBackend::new());
        let kept = WriteOptions {
            content_type: Some("text/css".to_owned()),
            metadata: vec![("key".to_owned(), "value".to_owned())],
            ..WriteOptions::default()
        };
        memory.write_all(&path(), contents(0), &kept).await.unwrap();
        Self {
            memory,
            able: |_| {},
            told: |_| {},
            surplus: 0,
            halfway: Box::new(move |piece| halfway(piece).boxed()),
            asked: Mutex::default(),
            open: Arc::default(),
            flowing: Arc::default(),
            given: Arc::default(),
        }
    }

    async fn transfer(&self, room: &Semaphore, options: &WriteOptions) -> Result<Bytes> {
        let target = MemoryBackend::new();
        target.write_all(&path(), "old".into(), &WriteOptions::default()).await.unwrap();
        let transferred = transfer_by(ranges(room), self, &path(), &target, &path(), options).await;
        let there = target.read_all(&path(), &ReadOptions::default(), usize::MAX).await.unwrap();
        match transferred {
            Ok(info) => {
                let from = self.memory.stat(&path()).await.unwrap();
                assert_eq!((info.content_type, info.metadata), (from.content_type, from.metadata));
                Ok(there)
            }
            Err(error) => {
                assert_eq!(there, "old");
                Err(error)
            }
        }
    }

    fn asked(&self) -> Vec<ReadOptions> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl Backend for Distant {
    fn kind(&self) -> &str {
        "distant"
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.memory.capabilities();
        capabilities.features.batches = false;
        (self.able)(&mut capabilities);
        capabilities
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        self.asked.lock().unwrap().push(options.clone());
        let open = self.open.enter();
        tokio::task::yield_now().await;
        let mut wanted = options.clone();
        wanted.length = options.length.map(|length| length.saturating_add_signed(self.surplus));
        let Reader { info, contents } = self.memory.read(path, &wanted).await?;
        let all = contents.try_collect::<Vec<_>>().await?.concat();
        let [first, second] = [&all[..all.len() / 2], &all[all.len() / 2..]].map(Bytes::copy_from_slice);
        let halfway = (self.halfway)((options.offset / PIECE) as usize);
        let halves = [
            std::future::ready(Ok(first)).boxed(),
            async move {
                halfway.await?;
                Ok(second)
            }
            .boxed(),
        ];
        let (flowing, given) = (Arc::clone(&self.flowing), Arc::clone(&self.given));
        let mut inside = None;
        let contents = stream::iter(halves)
            .then(move |half| {
                let _ = (&open, inside.get_or_insert_with(|| flowing.enter()));
                half
            })
            .inspect_ok(move |half| {
                given.fetch_add(half.len(), Ordering::SeqCst);
            });
        Ok(Reader { info, contents: contents.boxed() })
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        self.memory.write(path, options).await
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        let mut info = self.memory.stat(path).await?;
        (self.told)(&mut info);
        Ok(info)
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        self.memory.list(prefix, options).await
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        self.memory.delete(paths).await
    }

    async fn close(&self) -> Result<()> {
        self.memory.close().await
    }
}

/// Of each four pieces the last one comes first.
#[tokio::test]
async fn pieces_that_come_in_any_order_are_handed_out_in_theirs() {
    let ended: Arc<[Semaphore; 9]> = Arc::new(std::array::from_fn(|_| Semaphore::new(0)));
    let source = Distant::with_halfway(move |piece| {
        let ended = Arc::clone(&ended);
        async move {
            if piece % 4 < 3 {
                drop(ended[piece + 1].acquire().await.unwrap());
            }
            ended[piece].add_permits(1);
            Ok(())
        }
    });
    let (source, room) = (source.await, Semaphore::new(8));
    let options = WriteOptions { meter: Meter::new(), ..expecting(SIZE) };
    assert!(source.transfer(&room, &options).await.unwrap() == contents(0), "other bytes");
    assert_eq!((options.meter.bytes(), room.available_permits()), (SIZE, 8));
    assert_eq!((source.open.most(), source.flowing.most()), (4, 4));
    let etag = source.memory.stat(&path()).await.unwrap().etag;
    for (number, asked) in (0..).zip(source.asked()) {
        let (offset, if_match) = (number * PIECE, etag.clone());
        assert_eq!(asked, ReadOptions { offset, length: Some(PIECE.min(SIZE - offset)), if_match });
    }
}

#[tokio::test]
async fn no_more_is_read_ahead_than_there_is_room_for() {
    for (permits, flowing) in [(0, 1), (1, 2), (2, 3), (3, 4)] {
        let source = Distant::with_halfway(|_| tokio::time::sleep(Duration::from_millis(2)).map(Ok)).await;
        let room = Semaphore::new(permits);
        assert!(source.transfer(&room, &expecting(SIZE)).await.unwrap() == contents(0), "other bytes");
        assert_eq!((source.flowing.most(), room.available_permits()), (flowing, permits));
        // The answer that comes next is waited for all the same.
        assert_eq!(source.open.most(), flowing.max(2));
    }
}

#[tokio::test]
async fn who_takes_nothing_stops_the_reading() {
    let (source, room, path) = (Distant::new().await, Semaphore::new(2), path());
    let (_, mut body) = ranges(&room).open(&source, &path, Some(SIZE)).await.unwrap();
    let first = body.next().await.unwrap().unwrap();
    body.during(tokio::time::sleep(Duration::from_millis(20))).await;
    let ahead = source.given.load(Ordering::SeqCst) - first.len();
    assert_eq!((ahead as u64, room.available_permits()), (2 * PIECE, 0));
    drop(body);
    assert_eq!((source.open.now(), room.available_permits()), (0, 2));
}

#[tokio::test]
async fn an_error_stands_in_its_place() {
    let source = Distant::with_halfway(|piece| {
        let broken = Error::new(ErrorCode::Unavailable, "the line is cut");
        std::future::ready(if piece == 2 { Err(broken) } else { Ok(()) })
    });
    let (source, room, path) = (source.await, Semaphore::new(8), path());
    let (_, mut body) = ranges(&room).open(&source, &path, Some(SIZE)).await.unwrap();
    let mut all = Vec::new();
    let error = loop {
        match body.next().await {
            Ok(chunk) => all.extend_from_slice(&chunk.unwrap()),
            Err(error) => break error,
        }
    };
    let at = 2 * PIECE + PIECE / 2;
    assert!(all == contents(0)[..at as usize], "{} bytes", all.len());
    assert_eq!((error.code(), error.offset()), (ErrorCode::Unavailable, Some(at)));
    assert_eq!(error.location(), Some(("distant", "large")));
    drop(body);
    let error = source.transfer(&room, &expecting(SIZE)).await.unwrap_err();
    assert!(error.to_string().contains("the line is cut"), "{error}");
    assert_eq!((source.open.now(), room.available_permits()), (0, 8));
}

#[tokio::test]
async fn versions_are_never_mixed() {
    for is_deleted in [false, true] {
        let memory: Arc<Mutex<Option<Arc<MemoryBackend>>>> = Arc::default();
        let changed = Arc::clone(&memory);
        let source = Distant::with_halfway(move |piece| {
            let memory = changed.lock().unwrap().clone().filter(|_| piece == 2);
            async move {
                match memory {
                    Some(memory) if is_deleted => memory.delete(&[path()]).await.remove(0),
                    Some(memory) => {
                        memory.write_all(&path(), contents(1), &WriteOptions::default()).await.map(drop)
                    }
                    None => Ok(()),
                }
            }
        });
        let source = source.await;
        *memory.lock().unwrap() = Some(Arc::clone(&source.memory));
        let error = source.transfer(&Semaphore::new(1), &expecting(SIZE)).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
        assert!(error.to_string().contains("replaced or deleted while it was read"), "{error}");
    }
}

#[tokio::test]
async fn all_bytes_are_held_to_what_the_store_knows_of_them() {
    let mut source = Distant::new().await;
    source.told = |info| {
        let mut hasher = Hasher::new(HashAlgorithm::Crc32c);
        hasher.update(&contents(0));
        info.hashes = vec![md5_of_nothing(), hasher.finish()];
    };
    source.transfer(&Semaphore::new(8), &expecting(SIZE)).await.unwrap();
    source.told = |info| info.hashes = vec![md5_of_nothing()];
    let error = source.transfer(&Semaphore::new(8), &expecting(SIZE)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Corrupted);
    assert!(error.to_string().contains("do not have the md5 that the store keeps"), "{error}");
}

fn md5_of_nothing() -> crate::Hash {
    Hasher::new(HashAlgorithm::Md5).finish()
}

#[tokio::test]
async fn a_range_is_held_to_its_length() {
    for (surplus, says) in [(-1, "too early"), (1, "more than the range")] {
        let mut source = Distant::new().await;
        source.surplus = surplus;
        let error = source.transfer(&Semaphore::new(8), &expecting(SIZE)).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Corrupted);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn whatever_is_not_certain_is_read_at_once() {
    let able: [fn(&mut Capabilities); 3] = [
        |_| {},
        |capabilities| capabilities.features.batches = true,
        |capabilities| capabilities.features.range_read = false,
    ];
    let told: [fn(&mut ObjectInfo); 5] = [
        |_| {},
        |info| info.etag = None,
        |info| info.etag = Some("W/\"1\"".to_owned()),
        |info| info.size = None,
        |info| info.size = Some(SIZE + 1),
    ];
    let plain = [(able[1], told[0]), (able[2], told[0])]
        .into_iter()
        .chain(told[1..].iter().map(|told| (able[0], *told)));
    for (able, told) in plain {
        let source = Distant { able, told, ..Distant::new().await };
        assert!(source.transfer(&Semaphore::new(8), &expecting(SIZE)).await.unwrap() == contents(0));
        assert_eq!(source.asked(), [ReadOptions::default()]);
    }
    // Another size than expected is told as ever; none is none.
    let source = Distant::new().await;
    for size in [SIZE - 1, SIZE + 1] {
        let error = source.transfer(&Semaphore::new(8), &expecting(size)).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Corrupted);
    }
    source.transfer(&Semaphore::new(8), &expecting(None)).await.unwrap();
    source.memory.delete(&[path()]).await.remove(0).unwrap();
    let error = source.transfer(&Semaphore::new(8), &expecting(SIZE)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotFound);
    assert!(source.asked().iter().all(|asked| *asked == ReadOptions::default()));
}

#[tokio::test]
async fn a_drop_cancels_all_that_is_on_its_way() {
    let source = Distant::with_halfway(|_| std::future::pending()).await;
    let (room, options) = (Semaphore::new(8), expecting(SIZE));
    let stuck = source.transfer(&room, &options);
    assert!(tokio::time::timeout(Duration::from_millis(20), stuck).await.is_err());
    assert_eq!((source.open.most(), source.open.now(), room.available_permits()), (4, 0, 8));
}

/// A single call at a time, for those that read and the one that writes.
#[tokio::test]
async fn nobody_waits_in_a_circle() {
    let source = Arc::new(Distant::new().await);
    let one = LimitOptions { concurrency: NonZeroU32::new(1), ..LimitOptions::default() };
    let limited = Layered::new(source.clone(), Limit::new(one));
    let (room, copy, options) = (Semaphore::new(8), Path::parse("copy").unwrap(), expecting(SIZE));
    let path = path();
    let transferred = transfer_by(ranges(&room), &limited, &path, &limited, &copy, &options);
    tokio::time::timeout(Duration::from_secs(20), transferred).await.unwrap().unwrap();
    let there = source.memory.read_all(&copy, &ReadOptions::default(), usize::MAX).await.unwrap();
    assert!(there == contents(0) && source.asked().len() == 8);
}

#[tokio::test]
async fn a_piece_that_breaks_off_is_read_on() {
    let breaks = Mutex::new(vec![1, 2, 5]);
    let source = Distant::with_halfway(move |piece| {
        let mut breaks = breaks.lock().unwrap();
        let is_broken = breaks.iter().position(|at| *at == piece).map(|at| breaks.remove(at)).is_some();
        let broken = Error::new(ErrorCode::Unavailable, "the line is cut");
        std::future::ready(if is_broken { Err(broken) } else { Ok(()) })
    });
    let source = Arc::new(source.await);
    let quick = RetryOptions { delay: Duration::from_micros(10), ..RetryOptions::default() };
    let (retry, room, target) = (Retry::new(source.clone(), quick), Semaphore::new(8), MemoryBackend::new());
    transfer_by(ranges(&room), &retry, &path(), &target, &path(), &expecting(SIZE)).await.unwrap();
    let there = target.read_all(&path(), &ReadOptions::default(), usize::MAX).await.unwrap();
    assert!(there == contents(0), "other bytes");
    let again = source.asked().into_iter().filter(|asked| asked.offset % PIECE != 0).count();
    assert_eq!(again, 3);
}
