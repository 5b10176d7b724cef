//! One body to several targets: whatever fails, each target holds the new object or what it held before, and the
//! results tell which.

mod bounds;
mod never_again;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage::{
    Backend, Error, ErrorCode, Location, ObjectInfo, Path, Result,
    backend::{Contents, Upload, WriteCondition, WriteOptions},
    runtime::{Codec, Compression, DecompressOptions, Mode, Outcome, Storage, TargetResult, TeeError},
};

use crate::{
    setup::{at, memory, runtime, tree},
    target::OLD,
    twisted::{Twisted, failing_after},
};

const MODES: [Mode; 3] = [Mode::All, Mode::BestEffort, Mode::Quorum];

const CHUNK: usize = 50_000;
const CHUNKS: usize = 3;

/// Bytes of which no two chunks are the same.
fn new() -> Bytes {
    (0..CHUNK * CHUNKS).map(|index| (index / 7 + index / CHUNK) as u8).collect()
}

fn body() -> Contents {
    let new = new();
    stream::iter((0..CHUNKS).map(move |index| Ok(new.slice(index * CHUNK..(index + 1) * CHUNK)))).boxed()
}

/// When a target fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Open,
    /// When it gets so many chunks of the body.
    Chunk(usize),
    Commit,
}

const FAULTS: [Fault; 5] =
    [Fault::Open, Fault::Chunk(0), Fault::Chunk(1), Fault::Chunk(CHUNKS - 1), Fault::Commit];

fn failure() -> Error {
    Error::new(ErrorCode::NoSpace, "the target failed")
}

/// A backend that fails to write.
fn failing(inner: &Arc<dyn Backend>, fault: Fault) -> Arc<dyn Backend> {
    Twisted::new(inner).upload(move |upload| match fault {
        Fault::Open => Err(failure()),
        _ => Ok(Box::new(Failing { upload, fault, bytes: 0 })),
    })
}

struct Failing {
    upload: Box<dyn Upload>,
    fault: Fault,
    bytes: usize,
}

#[async_trait]
impl Upload for Failing {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.bytes += chunk.len();
        if matches!(self.fault, Fault::Chunk(count) if self.bytes > count * CHUNK) {
            return Err(failure());
        }
        self.upload.push(chunk).await
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        if self.fault == Fault::Commit { Err(failure()) } else { self.upload.commit().await }
    }

    async fn abort(self: Box<Self>) {
        self.upload.abort().await;
    }
}

/// Three backends, of which any may be twisted; each has an old object, or none.
struct Three {
    plain: [Arc<dyn Backend>; 3],
    used: [Arc<dyn Backend>; 3],
    old: bool,
}

const NAMES: [&str; 3] = ["one", "two", "three"];

impl Three {
    async fn new(old: bool) -> Self {
        let plain = [memory(), memory(), memory()];
        for backend in plain.iter().filter(|_| old) {
            let options = WriteOptions { content_type: Some("text/old".into()), ..Default::default() };
            backend.write_all(&path(), OLD.into(), &options).await.unwrap();
        }
        Self { used: plain.clone(), plain, old }
    }

    /// Twists one of them.
    fn twist(mut self, index: usize, twist: impl FnOnce(&Arc<dyn Backend>) -> Arc<dyn Backend>) -> Self {
        self.used[index] = twist(&self.plain[index]);
        self
    }

    async fn tee(&self, contents: Contents, mode: Mode) -> Result<Vec<TargetResult>, TeeError> {
        let pairs = NAMES.into_iter().zip(self.used.iter().cloned());
        let builder = Storage::builder(runtime());
        let storage = pairs.fold(builder, |builder, (name, backend)| builder.mount(name, backend)).build();
        let targets = NAMES.map(|name| at(name, "d/x"));
        let done = storage.tee(&targets, contents, &WriteOptions::default(), None, mode).await;
        let results = done.as_ref().unwrap_or_else(|failed| &failed.targets);
        assert_eq!(results.iter().map(|result| &result.target).collect::<Vec<_>>(), targets.each_ref());
        done
    }

    /// What each holds: the new object or not.
    async fn hold_new(&self) -> [bool; 3] {
        let mut holds = [false; 3];
        for (holds, backend) in holds.iter_mut().zip(&self.plain) {
            *holds = match backend.read_all(&path(), &Default::default(), usize::MAX).await {
                Ok(bytes) if bytes == new() => true,
                Ok(bytes) => {
                    assert!(self.old && bytes == OLD, "neither old nor new");
                    false
                }
                Err(error) => {
                    assert!(!self.old && error.code() == ErrorCode::NotFound, "{error}");
                    false
                }
            };
            assert_eq!(tree(&**backend).await.len(), usize::from(self.old || *holds), "debris");
        }
        holds
    }
}

fn path() -> Path {
    Path::parse("d/x").unwrap()
}

fn words(results: &[TargetResult]) -> Vec<&'static str> {
    results.iter().map(|result| result.outcome.as_str()).collect()
}

fn needed(mode: Mode) -> usize {
    match mode {
        Mode::All => 3,
        Mode::Quorum => 2,
        Mode::BestEffort => 1,
    }
}

#[tokio::test]
async fn all_targets_get_the_whole_body() {
    for mode in MODES {
        let three = Three::new(false).await;
        let results = three.tee(body(), mode).await.unwrap();
        for result in results {
            assert_eq!(result.outcome.written().unwrap().size, Some((CHUNK * CHUNKS) as u64));
        }
        assert_eq!(three.hold_new().await, [true; 3], "{mode:?}");
    }
}

#[tokio::test]
async fn whatever_fails_is_as_it_was_and_is_named() {
    for old in [false, true] {
        for mode in MODES {
            for fault in FAULTS {
                for set in 1..8_u8 {
                    let fails = [0, 1, 2].map(|index| set & 1 << index != 0);
                    let mut three = Three::new(old).await;
                    for index in (0..3).filter(|&index| fails[index]) {
                        three = three.twist(index, |inner| failing(inner, fault));
                    }
                    let case = format!("{mode:?}, {fault:?} of {fails:?}, old: {old}");
                    let left = fails.iter().filter(|&&fails| !fails).count();
                    let done = three.tee(body(), mode).await;
                    let holds = three.hold_new().await;
                    if left >= needed(mode) {
                        let results = done.unwrap_or_else(|error| panic!("{case}: {error:?}"));
                        assert_eq!(holds, fails.map(|fails| !fails), "{case}");
                        for (result, fails) in results.iter().zip(fails) {
                            assert_eq!(result.outcome.as_str(), if fails { "failed" } else { "written" });
                        }
                        continue;
                    }
                    let TeeError { error, targets } = done.expect_err(&case);
                    assert_eq!(error.code(), ErrorCode::NoSpace, "{case}");
                    let (at, _) = error.location().unwrap();
                    assert!(fails[NAMES.iter().position(|&name| name == at).unwrap()], "{case}: {error}");
                    assert_eq!(holds, [false; 3], "{case}");
                    for (result, fails) in targets.iter().zip(fails) {
                        match &result.outcome {
                            Outcome::Failed(error) => assert!(fails && error == &failure_at(&result.target)),
                            // It would have failed, had it come to that.
                            Outcome::Withheld => {}
                            Outcome::Undone => assert!(!fails, "{case}"),
                            outcome => panic!("{case}: {outcome:?}"),
                        }
                    }
                }
            }
        }
    }
}

fn failure_at(target: &Location) -> Error {
    failure().at(&target.backend, &target.path)
}

#[tokio::test]
async fn a_body_that_fails_changes_nothing() {
    for mode in MODES {
        for count in [0, 1, CHUNK, CHUNK * CHUNKS] {
            let three = Three::new(true).await;
            let TeeError { error, targets } =
                three.tee(failing_after(body(), count), mode).await.unwrap_err();
            assert_eq!(error, crate::twisted::failure());
            assert_eq!(words(&targets), ["withheld"; 3]);
            assert_eq!(three.hold_new().await, [false; 3]);
        }
    }
}

#[tokio::test]
async fn what_a_commit_replaced_comes_back_with_all_that_belongs_to_it() {
    let three = Three::new(true).await.twist(2, |inner| failing(inner, Fault::Commit));
    let before = three.plain[0].stat(&path()).await.unwrap();
    let failed = three.tee(body(), Mode::All).await.unwrap_err();
    assert_eq!(words(&failed.targets), ["undone", "undone", "failed"]);
    let after = three.plain[0].stat(&path()).await.unwrap();
    assert_eq!(after.content_type, Some("text/old".into()));
    assert_eq!((after.size, after.modified), (before.size, before.modified));
}

#[tokio::test]
async fn what_cannot_be_undone_commits_last() {
    for old in [false, true] {
        let blind =
            |inner: &Arc<dyn Backend>| Twisted::new(inner).without_atomic_writes().contents(|_, body| body);
        let three = Three::new(old).await.twist(0, blind).twist(2, |inner| failing(inner, Fault::Commit));
        let failed = three.tee(body(), Mode::All).await.unwrap_err();
        assert_eq!(words(&failed.targets), ["withheld", "undone", "failed"]);
        assert_eq!(three.hold_new().await, [false; 3]);

        // With two of them there is no order that helps: it is said.
        let both = |inner: &Arc<dyn Backend>| {
            let twisted = Twisted::new(inner).without_atomic_writes();
            twisted.upload(|upload| Ok(Box::new(Failing { upload, fault: Fault::Commit, bytes: 0 })))
        };
        let three = Three::new(old).await.twist(0, blind).twist(1, both);
        let failed = three.tee(body(), Mode::All).await.unwrap_err();
        assert_eq!(words(&failed.targets), ["stranded", "failed", "undone"]);
        let stranded = failed.targets[0].outcome.error().unwrap();
        assert_eq!(stranded.code(), ErrorCode::Unsupported);
        assert_eq!(stranded.location(), Some(("one", "d/x")));
        assert_eq!(three.hold_new().await, [true, false, false]);
    }
}

#[tokio::test]
async fn an_undo_spares_what_somebody_else_wrote_since() {
    let three = Three::new(true).await;
    let elsewhere = three.plain[0].clone();
    let three = three.twist(1, |inner| {
        let upload = move |upload| Ok(Box::new(Racing { upload, elsewhere: elsewhere.clone() }) as _);
        Twisted::new(inner).upload(upload)
    });
    let failed = three.tee(body(), Mode::All).await.unwrap_err();
    assert_eq!(words(&failed.targets), ["undone", "failed", "withheld"]);
    let bytes = three.plain[0].read_all(&path(), &Default::default(), 100).await.unwrap();
    assert_eq!(bytes, "somebody else's");
}

/// Writes to another backend, then fails to commit.
struct Racing {
    upload: Box<dyn Upload>,
    elsewhere: Arc<dyn Backend>,
}

#[async_trait]
impl Upload for Racing {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.upload.push(chunk).await
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        self.elsewhere.write_all(&path(), "somebody else's".into(), &Default::default()).await?;
        Err(failure())
    }

    async fn abort(self: Box<Self>) {
        self.upload.abort().await;
    }
}

#[tokio::test]
async fn a_condition_that_does_not_hold_is_a_failure_of_its_target() {
    let (one, two) = (memory(), memory());
    one.write_all(&path(), OLD.into(), &Default::default()).await.unwrap();
    let storage = crate::setup::storage([("one", one.clone()), ("two", two.clone())]);
    let options = WriteOptions { condition: WriteCondition::IfAbsent, ..Default::default() };
    let targets = [at("two", "d/x"), at("one", "d/x")];
    let failed = storage.tee(&targets, body(), &options, None, Mode::All).await.unwrap_err();
    assert_eq!(failed.error.code(), ErrorCode::PreconditionFailed);
    assert_eq!((tree(&*one).await.len(), tree(&*two).await.len()), (1, 0));
    let results = storage.tee(&targets, body(), &options, None, Mode::BestEffort).await.unwrap();
    assert_eq!(words(&results), ["written", "failed"]);
}

#[tokio::test]
async fn calls_that_make_no_sense_are_refused_before_anything_is_opened() {
    let storage = crate::setup::two_memories();
    let options = WriteOptions::default();
    let many: Vec<_> = (0..257).map(|number| at("here", &number.to_string())).collect();
    for (targets, word) in [
        (vec![], "no target"),
        (vec![at("here", "x"), at("there", "x"), at("here", "x")], "twice"),
        (many, "257"),
    ] {
        let failed = storage.tee(&targets, body(), &options, None, Mode::BestEffort).await.unwrap_err();
        assert_eq!((failed.error.code(), failed.targets.len()), (ErrorCode::InvalidArgument, 0));
        assert!(failed.error.message().contains(word), "{}", failed.error);
        assert_eq!(Error::from(failed.clone()), failed.error);
    }
    let level = Some(Compression { codec: Codec::Gzip, level: Some(99), dictionary: None });
    let failed = storage.tee(&[at("here", "x")], body(), &options, level, Mode::All).await.unwrap_err();
    assert_eq!(failed.error.code(), ErrorCode::InvalidArgument);
    assert_eq!(storage.stat(&at("here", "x")).await.unwrap_err().code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn one_target_is_a_write() {
    for mode in MODES {
        let storage = crate::setup::two_memories();
        let options = WriteOptions { metadata: vec![("k".into(), "v".into())], ..Default::default() };
        let gzip = Some(Compression { codec: Codec::Gzip, level: None, dictionary: None });
        let results = storage.tee(&[at("here", "x")], body(), &options, gzip, mode).await.unwrap();
        assert_eq!(results[0].outcome.written().unwrap().metadata, options.metadata);
        let decompress = Some(DecompressOptions::default());
        let reader = storage.read(&at("here", "x"), &Default::default(), decompress).await.unwrap();
        let chunks: Vec<_> = reader.contents.map(|chunk| chunk.unwrap()).collect().await;
        assert!(chunks.concat() == new());
    }
}

#[tokio::test]
async fn a_target_that_cannot_be_opened_is_told_before_the_body_comes() {
    let storage = crate::setup::two_memories();
    for wrong in [at("nowhere", "x"), at("there", "")] {
        let (targets, options) = ([at("here", "x"), wrong.clone()], WriteOptions::default());
        let tee = storage.tee(&targets, stream::pending().boxed(), &options, None, Mode::All);
        let failed = tokio::time::timeout(Duration::from_secs(10), tee).await.unwrap().unwrap_err();
        assert_eq!(words(&failed.targets), ["withheld", "failed"]);
        assert_eq!(failed.error.location(), Some((wrong.backend.as_str(), wrong.path.as_str())));
    }
}
