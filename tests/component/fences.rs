//! Somebody else writes to the target, or to the source, between the listings and what follows from them: nothing of
//! theirs is lost.

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use omnistorage::{
    Backend, Error, ErrorCode, Path, Result, Timestamp,
    backend::{
        WriteOptions,
        layer::{Call, Layer, Layered, Operation},
    },
    runtime::{Action, Backup, Comparison, Deletion, Event, Report, SyncOptions},
};

use crate::setup::{at, memory, storage, tree};

const EARLY: Timestamp = Timestamp { seconds: 1_000_000_000, nanoseconds: 0 };
const LATE: Timestamp = Timestamp { seconds: 2_000_000_000, nanoseconds: 0 };

async fn write(backend: &dyn Backend, path: &str, contents: &str, modified: Timestamp) {
    let options = WriteOptions { modified: Some(modified), ..WriteOptions::default() };
    backend.write_all(&Path::parse(path).unwrap(), contents.to_owned().into(), &options).await.unwrap();
}

async fn contents(backend: &dyn Backend) -> Vec<(String, String)> {
    tree(backend).await
}

fn owned(objects: &[(&str, &str)]) -> Vec<(String, String)> {
    objects.iter().map(|(path, contents)| ((*path).to_owned(), (*contents).to_owned())).collect()
}

/// What somebody else writes, and where.
type Foreign = (Arc<dyn Backend>, &'static str, &'static str, Timestamp);

/// Just before a call, somebody else writes.
struct Meanwhile {
    before: Operation,
    foreign: Mutex<VecDeque<Foreign>>,
    calls: Arc<AtomicU32>,
}

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meanwhile")
    }
}

impl Layer for Meanwhile {
    async fn around<T: Send>(
        &self,
        call: Call<'_>,
        run: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        if call.operation == self.before {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let next = self.foreign.lock().unwrap().pop_front();
            if let Some((backend, path, contents, modified)) = next {
                write(&*backend, path, contents, modified).await;
            }
        }
        run.await
    }
}

/// The target as the run sees it, and how many of these calls it got.
fn meanwhile(
    target: &Arc<dyn Backend>,
    before: Operation,
    foreign: impl IntoIterator<Item = Foreign>,
) -> (Arc<dyn Backend>, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let layer =
        Meanwhile { before, foreign: Mutex::new(foreign.into_iter().collect()), calls: calls.clone() };
    (Arc::new(Layered::new(target.clone(), layer)), calls)
}

async fn sync(
    source: &Arc<dyn Backend>,
    target: Arc<dyn Backend>,
    moves: bool,
    options: &SyncOptions,
) -> (Vec<Event>, Report) {
    let storage = storage([("source", source.clone()), ("target", target)]);
    let (from, to) = (at("source", ""), at("target", ""));
    let mut job = match moves {
        true => storage.move_to(&from, &to, options).await,
        false => storage.sync(&from, &to, options).await,
    }
    .unwrap();
    let mut events = Vec::new();
    while let Some(event) = job.next().await {
        events.push(event);
    }
    (events, job.outcome().await.unwrap())
}

#[tokio::test]
async fn what_came_to_a_free_place_is_decided_on_anew() {
    for (options, expected, transferred) in [
        (SyncOptions { comparison: Comparison::IgnoreExisting, ..Default::default() }, "theirs", 0),
        (SyncOptions { update_only: true, ..Default::default() }, "theirs", 0),
        (SyncOptions::default(), "ours", 1),
    ] {
        let (source, target) = (memory(), memory());
        write(&*source, "a", "ours", EARLY).await;
        let (seen, calls) = meanwhile(&target, Operation::CopyFrom, [(target.clone(), "a", "theirs", LATE)]);
        let (events, report) = sync(&source, seen, false, &options).await;
        assert_eq!(contents(&*target).await, owned(&[("a", expected)]), "{options:?}");
        assert_eq!((report.transferred, report.errors), (transferred, 0), "{events:?}");
        assert_eq!(u64::from(calls.load(Ordering::Relaxed)), 1 + transferred, "{options:?}");
    }
}

#[tokio::test]
async fn a_version_that_was_not_listed_is_decided_on_anew() {
    for (options, expected) in [
        (SyncOptions { update_only: true, ..Default::default() }, "theirs"),
        (SyncOptions::default(), "ours, and longer"),
    ] {
        let (source, target) = (memory(), memory());
        write(&*source, "a", "ours, and longer", Timestamp { seconds: 1_500_000_000, ..EARLY }).await;
        write(&*target, "a", "old", EARLY).await;
        let (seen, _) = meanwhile(&target, Operation::CopyFrom, [(target.clone(), "a", "theirs", LATE)]);
        let (events, report) = sync(&source, seen, false, &options).await;
        assert_eq!(contents(&*target).await, owned(&[("a", expected)]), "{options:?}");
        assert_eq!(report.errors, 0, "{events:?}");
    }
}

#[tokio::test]
async fn somebody_who_is_always_faster_keeps_the_place_and_the_object_fails() {
    let (source, target) = (memory(), memory());
    write(&*source, "a", "ours", EARLY).await;
    write(&*source, "b", "fine", EARLY).await;
    let faster = (0..100).map(|_| (target.clone(), "a", "theirs, again", LATE));
    let (seen, calls) = meanwhile(&target, Operation::CopyFrom, faster);
    let (events, report) = sync(&source, seen, false, &SyncOptions::default()).await;
    assert_eq!(contents(&*target).await, owned(&[("a", "theirs, again"), ("b", "fine")]));
    assert_eq!((report.transferred, report.errors), (1, 1));
    let failed = events.iter().find(|event| event.action == Action::Failed).unwrap();
    let error = failed.error.as_ref().unwrap();
    assert_eq!((failed.path.as_str(), error.code()), ("a", ErrorCode::Unavailable));
    assert!(error.message().contains("the target changed"), "{error}");
    assert!(calls.load(Ordering::Relaxed) <= 8, "{calls:?}");
}

#[tokio::test]
async fn the_same_bytes_of_another_run_are_no_error() {
    for modified in [EARLY, LATE] {
        let (source, target) = (memory(), memory());
        write(&*source, "a", "the same", EARLY).await;
        let (seen, _) =
            meanwhile(&target, Operation::CopyFrom, [(target.clone(), "a", "the same", modified)]);
        let (events, report) = sync(&source, seen, false, &SyncOptions::default()).await;
        assert_eq!(contents(&*target).await, owned(&[("a", "the same")]));
        assert_eq!(report.errors, 0, "{events:?}");
    }
}

#[tokio::test]
async fn a_move_lets_nothing_go_for_what_somebody_else_brought() {
    let (source, target) = (memory(), memory());
    write(&*source, "a", "ours", EARLY).await;
    // Of the same size and time, and something else.
    let (seen, _) = meanwhile(&target, Operation::CopyFrom, [(target.clone(), "a", "OURS", EARLY)]);
    let (events, report) = sync(&source, seen, true, &SyncOptions::default()).await;
    assert_eq!((contents(&*source).await, contents(&*target).await), (vec![], owned(&[("a", "ours")])));
    assert_eq!((report.transferred, report.sources_removed, report.errors), (1, 1, 0), "{events:?}");
}

/// The answers of the first writes are lost.
#[derive(Debug)]
struct Deaf(AtomicU32);

impl Layer for Deaf {
    async fn around<T: Send>(
        &self,
        call: Call<'_>,
        run: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let done = run.await;
        let is_lost = call.operation == Operation::CopyFrom && self.0.fetch_add(1, Ordering::Relaxed) < 2;
        if is_lost { Err(Error::new(ErrorCode::Unavailable, "the answer is lost")) } else { done }
    }
}

#[tokio::test]
async fn what_an_earlier_attempt_wrote_is_known_as_our_own() {
    for moves in [false, true] {
        for comparison in [Comparison::Automatic, Comparison::Always] {
            let (source, target) = (memory(), memory());
            write(&*source, "new", "ours", EARLY).await;
            write(&*source, "old", "ours, and longer", LATE).await;
            write(&*target, "old", "theirs", EARLY).await;
            let deaf = Arc::new(Layered::new(target.clone(), Deaf(AtomicU32::new(0))));
            let options = SyncOptions {
                comparison,
                backup: Some(Backup { place: None, suffix: ".kept".to_owned(), keep_extension: false }),
                ..SyncOptions::default()
            };
            let (events, report) = sync(&source, deaf, moves, &options).await;
            assert_eq!((report.transferred, report.errors), (2, 0), "{events:?}");
            let expected = owned(&[("new", "ours"), ("old", "ours, and longer"), ("old.kept", "theirs")]);
            assert_eq!(contents(&*target).await, expected);
            assert_eq!(contents(&*source).await.is_empty(), moves);
        }
    }
}

#[tokio::test]
async fn an_extra_that_changed_since_it_was_listed_stays() {
    for deletion in [Deletion::Before, Deletion::During, Deletion::After] {
        let (source, target) = (memory(), memory());
        write(&*source, "kept", "x", EARLY).await;
        for path in ["kept", "extra/1", "extra/2"] {
            write(&*target, path, "x", EARLY).await;
        }
        let (seen, _) = meanwhile(&target, Operation::Delete, [(target.clone(), "extra/1", "newer", LATE)]);
        let options = SyncOptions { deletion, ..SyncOptions::default() };
        let (events, report) = sync(&source, seen, false, &options).await;
        assert_eq!(contents(&*target).await, owned(&[("extra/1", "newer"), ("kept", "x")]), "{deletion:?}");
        assert_eq!((report.deleted, report.errors), (1, 1), "{events:?}");
        let failed = events.iter().find(|event| event.action == Action::Failed).unwrap();
        assert!(failed.error.as_ref().unwrap().message().contains("stays"), "{failed:?}");
    }
}

#[tokio::test]
async fn an_extra_that_the_source_has_by_now_stays() {
    let (source, target) = (memory(), memory());
    write(&*source, "new", "x", EARLY).await;
    for path in ["extra/1", "extra/2", "extra/3"] {
        write(&*target, path, "x", EARLY).await;
    }
    let (seen, _) = meanwhile(&target, Operation::CopyFrom, [(source.clone(), "extra/2", "back", LATE)]);
    let (events, report) = sync(&source, seen, false, &SyncOptions::default()).await;
    assert_eq!(contents(&*target).await, owned(&[("extra/2", "x"), ("new", "x")]));
    assert_eq!((report.deleted, report.errors), (2, 0), "{events:?}");
}
