//! What earlier runs found is believed of the very pairs that they found it of, and costs nothing but listings.

use std::{sync::Arc, time::Duration};

use omnistorage::{
    Backend, Error, ErrorCode, Path, Timestamp,
    backend::{
        WriteOptions,
        fault::{Fault, Faults},
        layer::{Layered, Operation},
        observe::Observe,
    },
    runtime::{Codec, Comparison, Compression, Filter, MemoTrouble, Recoding, Report, Storage, SyncOptions},
};

use crate::{
    setup::{at, memory, storage, tree},
    twisted::Twisted,
    write_times::Store,
};

type Counted = Arc<Layered<Observe>>;

/// A source, a target and a memo.
struct Places {
    source: Counted,
    target: Counted,
    memo: Arc<dyn Backend>,
    storage: Storage,
}

fn counted(backend: Arc<dyn Backend>) -> Counted {
    Arc::new(Layered::new(backend, Observe::default()))
}

impl Places {
    fn new(source: Arc<dyn Backend>, target: Arc<dyn Backend>) -> Self {
        Self::with_memo(source, target, memory())
    }

    fn with_memo(source: Arc<dyn Backend>, target: Arc<dyn Backend>, memo: Arc<dyn Backend>) -> Self {
        let (source, target) = (counted(source), counted(target));
        let storage =
            storage([("source", source.clone()), ("target", target.clone()), ("memo", memo.clone())]);
        Self { source, target, memo, storage }
    }

    /// Files, as it were, and a store.
    fn up() -> Self {
        Self::new(memory(), Arc::new(Store::default()))
    }

    async fn sync_with(&self, options: &SyncOptions) -> Report {
        let job = self.storage.sync(&at("source", ""), &at("target", ""), options).await.unwrap();
        let report = job.outcome().await.unwrap();
        assert_eq!(report.errors, 0);
        report
    }

    async fn sync(&self) -> Report {
        self.sync_with(&options()).await
    }

    /// The calls to both sides while a run goes on, but for listings and the look at a source that is a directory.
    async fn calls_of(&self, run: impl Future<Output = Report>) -> (Report, Vec<(Operation, u64)>) {
        let count = || {
            Operation::ALL.map(|operation| {
                [&self.source, &self.target]
                    .iter()
                    .map(|side| side.layer().metrics().calls(operation))
                    .sum::<u64>()
            })
        };
        let looks = self.source.capabilities().features.directories;
        let before = count();
        let report = run.await;
        let calls = Operation::ALL.into_iter().zip(before.into_iter().zip(count()));
        let calls = calls.map(|(operation, (before, after))| {
            (operation, after - before - u64::from(operation == Operation::Stat && looks))
        });
        let listing = [Operation::List, Operation::ListNext];
        (report, calls.filter(|(operation, count)| *count > 0 && !listing.contains(operation)).collect())
    }

    async fn assert_equal(&self, what: &str) {
        assert_eq!(tree(&*self.source).await, tree(&*self.target).await, "{what}");
    }

    /// A run that has nothing to do and asks for nothing.
    async fn assert_free(&self, what: &str) {
        let (report, calls) = self.calls_of(self.sync()).await;
        assert_eq!((report.transferred, report.updated_times, calls), (0, 0, vec![]), "{what}");
    }

    async fn memo_bytes(&self) -> Vec<u8> {
        self.memo.read_all(&path("m/memo"), &Default::default(), usize::MAX).await.unwrap().to_vec()
    }
}

fn options() -> SyncOptions {
    SyncOptions { memo: Some(at("memo", "m/memo")), ..SyncOptions::default() }
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

async fn put(backend: &dyn Backend, at: &str, contents: &str, seconds: i64) {
    let modified = Some(Timestamp { seconds, nanoseconds: 0 });
    let options = WriteOptions { modified, ..WriteOptions::default() };
    backend.write_all(&path(at), contents.to_owned().into(), &options).await.unwrap();
}

/// What is not hashed only because it is small.
fn large(letter: &str) -> String {
    letter.repeat((256 << 10) + 1)
}

#[tokio::test]
async fn an_unchanged_run_over_ten_thousand_objects_costs_listings_alone_and_sees_a_rotation() {
    let places = Places::up();
    for number in 0..10_000 {
        put(&*places.source, &format!("d{}/{number:05}", number % 7), &format!("{number:05}"), 1000 + number)
            .await;
    }
    assert_eq!(places.sync().await.transferred, 10_000);
    places.assert_free("unchanged").await;
    // As `mv` does: time and contents come along.
    put(&*places.source, "d1/00008", "00001", 1001).await;
    put(&*places.source, "d1/00001", "00008", 1008).await;
    let (report, calls) = places.calls_of(places.sync()).await;
    assert_eq!(report.transferred, 2, "{calls:?}");
    places.assert_equal("rotated").await;
    places.assert_free("unchanged again").await;
}

#[tokio::test]
async fn a_first_run_over_what_others_wrote_converges_and_remembers() {
    let kinds: [fn() -> Arc<dyn Backend>; 3] =
        [memory, || Arc::new(Store::default()), || Arc::new(Store::encrypting())];
    for (from, source) in kinds.into_iter().enumerate() {
        for (to, target) in kinds.into_iter().enumerate() {
            if (from, to) == (0, 0) {
                continue;
            }
            let places = Places::new(source(), target());
            for (name, contents) in [("small", "x".to_owned()), ("large", large("x"))] {
                put(&*places.source, name, &contents, 1000).await;
                put(&*places.target, name, &contents, 1000).await;
            }
            let first = places.sync().await;
            assert_eq!((first.transferred, first.updated_times), (0, 0), "{from} {to}");
            places.assert_free("the second run").await;
        }
    }
}

/// As to WebDAV: neither times nor hashes say that what arrived is what was listed.
#[tokio::test]
async fn what_arrives_where_no_times_are_kept_is_remembered_by_the_version_that_was_read() {
    let places = Places::new(memory(), Twisted::new(&memory()).without_times());
    for name in ["a", "b", "d/c"] {
        put(&*places.source, name, "01234", 1000).await;
    }
    assert_eq!(places.sync().await.transferred, 3);
    places.assert_free("unchanged").await;
}

#[tokio::test]
async fn what_is_exchanged_before_it_is_read_is_not_remembered() {
    let (source, target) = (memory(), memory());
    put(&*source, "a", "first", 1000).await;
    // Another one of the same size and time is there as soon as the run begins to read.
    let other = source.clone();
    let exchanged = Faults::new(move |_, call| {
        let other = other.clone();
        if call.operation == Operation::Read {
            let exchange = async move { put(&*other, "a", "other", 1000).await };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            std::thread::spawn(move || runtime.block_on(exchange)).join().unwrap();
        }
        None
    });
    let source: Arc<dyn Backend> = Arc::new(Layered::new(source, exchanged));
    let places = Places::new(source, Twisted::new(&target).without_times());
    assert_eq!(places.sync().await.transferred, 1);
    let memo = String::from_utf8(places.memo_bytes().await).unwrap();
    assert!(!memo.contains("\"a\""), "{memo}");
    places.assert_equal("exchanged").await;
}

#[tokio::test]
async fn whoever_writes_to_the_target_is_noticed() {
    let places = Places::up();
    for name in ["a", "b"] {
        put(&*places.source, name, &large("x"), 1000).await;
    }
    places.sync().await;
    put(&*places.target, "a", &large("y"), 2000).await;
    assert_eq!(places.sync().await.transferred, 1);
    places.assert_equal("written over").await;
    // A version comes back that this run did not write.
    put(&*places.source, "b", &large("z"), 3000).await;
    places.sync_with(&SyncOptions { memo: None, ..options() }).await;
    put(&*places.source, "b", &large("x"), 1000).await;
    places.sync().await;
    places.assert_equal("restored").await;
}

#[tokio::test]
async fn what_may_change_and_look_the_same_is_not_remembered() {
    let places = Places::up();
    let tomorrow = Timestamp::now().seconds + 86_400;
    put(&*places.source, "fresh", &large("x"), tomorrow).await;
    put(&*places.source, "old", &large("x"), 1000).await;
    places.sync().await;
    let (report, calls) = places.calls_of(places.sync()).await;
    assert_eq!((report.transferred, calls), (0, vec![(Operation::Stat, 1)]));
}

#[tokio::test]
async fn a_memo_that_is_damaged_cut_off_or_of_others_is_not_believed_and_ends_no_run() {
    let places = Places::up();
    for number in 0..50 {
        put(&*places.source, &format!("{number:02}"), "x", 1000).await;
    }
    places.sync().await;
    let whole = places.memo_bytes().await;
    let (middle, end) = (whole.len() / 2, whole.len());
    let with = |at: usize, byte: u8| {
        let mut damaged = whole.clone();
        damaged[at] = byte;
        damaged
    };
    for (damaged, trouble) in [
        (with(middle, b'\n'), Some(MemoTrouble::Damaged)),
        (with(end - 3, 0), Some(MemoTrouble::Damaged)),
        (whole[..middle].to_vec(), Some(MemoTrouble::Damaged)),
        (with(0, b'x'), Some(MemoTrouble::Foreign)),
        (b"{}".to_vec(), Some(MemoTrouble::Damaged)),
        (b"something else\n".to_vec(), Some(MemoTrouble::Foreign)),
        (Vec::new(), None),
    ] {
        places.memo.write_all(&path("m/memo"), damaged.into(), &Default::default()).await.unwrap();
        let report = places.sync().await;
        assert_eq!((report.transferred, report.memo), (0, trouble));
        assert_eq!(places.memo_bytes().await, whole, "it is whole again");
    }
    // One of other places.
    let job = places.storage.sync(&at("source", ""), &at("target", "other"), &options()).await.unwrap();
    assert_eq!(job.outcome().await.unwrap().memo, Some(MemoTrouble::Foreign));
    assert_eq!(places.sync().await.memo, Some(MemoTrouble::Foreign));
    places.assert_free("and anew").await;
}

#[tokio::test]
async fn a_memo_that_cannot_be_read_or_kept_ends_no_run() {
    for (operation, trouble) in [
        (Operation::Read, MemoTrouble::Unreadable),
        (Operation::ReadChunk, MemoTrouble::Unreadable),
        (Operation::Write, MemoTrouble::NotKept),
        (Operation::Commit, MemoTrouble::NotKept),
    ] {
        let kept = memory();
        let faults = Faults::of(operation, Fault::Error(Error::new(ErrorCode::PermissionDenied, "no")));
        let broken: Arc<dyn Backend> = Arc::new(Layered::new(kept.clone(), faults));
        let places = Places::with_memo(memory(), Arc::new(Store::default()), broken);
        put(&*places.source, "a", "x", 1000).await;
        kept.write_all(&path("m/memo"), "".into(), &Default::default()).await.unwrap();
        let report = places.sync().await;
        let is_read = operation == Operation::ReadChunk;
        // Of no bytes there is no chunk to fail at.
        assert!(report.memo == Some(trouble) || (is_read && report.memo.is_none()), "{operation:?}");
        places.assert_equal("all the same").await;
    }
}

#[tokio::test]
async fn a_memo_within_a_place_is_left_alone() {
    let places = Places::up();
    put(&*places.source, "a", "x", 1000).await;
    for (backend, at_path) in [("source", "memo"), ("target", "memo"), ("target", "d/memo")] {
        let options = SyncOptions { memo: Some(at(backend, at_path)), ..SyncOptions::default() };
        assert_eq!(places.sync_with(&options).await.memo, Some(MemoTrouble::Overlap));
        places.assert_equal("nothing more").await;
    }
}

#[tokio::test]
async fn a_dry_run_reads_it_and_leaves_it_as_it_is() {
    let places = Places::up();
    put(&*places.source, "a", &large("x"), 1000).await;
    places.sync().await;
    let before = places.memo_bytes().await;
    put(&*places.source, "b", "y", 1000).await;
    let dry = SyncOptions { dry_run: true, ..options() };
    let (report, calls) = places.calls_of(places.sync_with(&dry)).await;
    assert_eq!((report.transferred, calls), (1, vec![]));
    assert_eq!(places.memo_bytes().await, before);
    let explained =
        places.storage.explain(&at("source", ""), &at("target", ""), &path("a"), &options()).await.unwrap();
    assert!(explained.reason.contains("an earlier run"), "{}", explained.reason);
}

#[tokio::test]
async fn what_a_filter_leaves_out_is_remembered_on_and_what_is_gone_is_not() {
    let places = Places::up();
    for name in ["a", "d/b", "d/c", "e"] {
        put(&*places.source, name, &large("x"), 1000).await;
    }
    places.sync().await;
    let filter = Filter::default().rule("- /d/");
    places.sync_with(&SyncOptions { filter, ..options() }).await;
    places.assert_free("after a run that left some out").await;
    let before = places.memo_bytes().await;
    places.source.delete(&[path("e")]).await.remove(0).unwrap();
    places.sync().await;
    assert!(places.memo_bytes().await.len() < before.len());
}

#[tokio::test]
async fn what_was_found_under_looser_rules_is_not_remembered() {
    for loose in [
        SyncOptions { comparison: Comparison::SizeOnly, ..options() },
        SyncOptions { comparison: Comparison::WriteTimes, ..options() },
        SyncOptions { comparison: Comparison::IgnoreExisting, ..options() },
        SyncOptions { modify_window: Some(Duration::from_secs(1 << 40)), ..options() },
        SyncOptions { update_only: true, ..options() },
    ] {
        let places = Places::up();
        put(&*places.source, "a", &large("x"), 1000).await;
        put(&*places.target, "a", &large("y"), 2000).await;
        places.sync_with(&loose).await;
        places.sync().await;
        places.assert_equal("after a strict run").await;
    }
}

#[tokio::test]
async fn a_move_believes_no_memo() {
    let places = Places::up();
    put(&*places.source, "a", &large("x"), 1000).await;
    places.sync().await;
    let hashes = || places.source.layer().metrics().calls(Operation::Hash);
    let before = hashes();
    let job = places.storage.move_to(&at("source", ""), &at("target", ""), &options()).await.unwrap();
    let report = job.outcome().await.unwrap();
    assert_eq!((report.transferred, report.sources_removed), (0, 1));
    assert_eq!(hashes(), before + 1);
}

#[tokio::test]
async fn objects_that_are_compressed_on_the_way_are_remembered_too() {
    let compression = Compression { codec: Codec::Gzip, level: None, dictionary: None };
    for recoding in [Recoding::Compress(compression), Recoding::Decompress(None)] {
        let places = Places::up();
        let recoded = SyncOptions { recoding: Some(recoding.clone()), ..options() };
        // Names whose order changes on the way.
        for name in ["a", "a-b", "a.txt", "d/a", "d-e"] {
            put(&*places.source, name, "contents", 1000).await;
        }
        assert_eq!(places.sync_with(&recoded).await.transferred, 5);
        let (report, calls) = places.calls_of(places.sync_with(&recoded)).await;
        assert_eq!((report.transferred, calls), (0, vec![]), "{recoding:?}");
        put(&*places.source, "a-b", "contentz", 2000).await;
        assert_eq!(places.sync_with(&recoded).await.transferred, 1);
        // Another way tells nothing of this one.
        let report = places.sync().await;
        assert_eq!(report.memo, Some(MemoTrouble::Foreign));
    }
}
