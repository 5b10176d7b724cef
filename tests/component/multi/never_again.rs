//! What other libraries got wrong.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage::{
    Backend, ErrorCode, ObjectInfo, Result,
    backend::{Upload, WriteOptions},
    runtime::{Mode, Storage},
};

use super::{Fault, NAMES, Three, body, failing, failure_at, words};
use crate::{
    setup::{at, memory, runtime},
    twisted::Twisted,
};

/// A replica that failed once kept getting later chunks, and was committed with a hole in it.
#[tokio::test]
async fn an_object_with_a_hole() {
    let three = Three::new(false).await.twist(1, |inner| failing(inner, Fault::Chunk(1)));
    let results = three.tee(body(), Mode::BestEffort).await.unwrap();
    assert_eq!(words(&results), ["written", "failed", "written"]);
    assert_eq!(three.hold_new().await, [true, false, true]);
}

/// The healthy replicas were published in part when another one failed.
#[tokio::test]
async fn partial_objects_on_the_healthy_targets() {
    let three = Three::new(true).await.twist(0, |inner| failing(inner, Fault::Chunk(2)));
    three.tee(body(), Mode::All).await.unwrap_err();
    assert_eq!(three.hold_new().await, [false; 3]);
}

/// A target that could not be opened was forgotten.
#[tokio::test]
async fn failures_at_the_opening_are_lost() {
    let mut three = Three::new(false).await;
    for index in [0, 2] {
        three = three.twist(index, |inner| failing(inner, Fault::Open));
    }
    let results = three.tee(body(), Mode::BestEffort).await.unwrap();
    assert_eq!(words(&results), ["failed", "written", "failed"]);
    assert!(
        results.iter().all(|result| result.outcome.error().is_none_or(|e| e.code() == ErrorCode::NoSpace))
    );
}

/// The majority was taken of the targets that had opened: two of five would do.
#[tokio::test]
async fn a_quorum_of_those_that_opened() {
    let names: Vec<_> = (0..5).map(|number| format!("target {number}")).collect();
    let builder = names.iter().enumerate().fold(Storage::builder(runtime()), |builder, (number, name)| {
        let inner = memory();
        builder.mount(name, if number < 3 { failing(&inner, Fault::Open) } else { inner })
    });
    let (storage, options) = (builder.build(), WriteOptions::default());
    let targets: Vec<_> = names.iter().map(|name| at(name, "x")).collect();
    let failed = storage.tee(&targets, body(), &options, None, Mode::Quorum).await.unwrap_err();
    assert_eq!(failed.targets.len(), 5);
    for target in &targets[3..] {
        assert_eq!(storage.stat(target).await.unwrap_err().code(), ErrorCode::NotFound);
    }
}

/// One failed close made the whole fail, although a majority had committed.
#[tokio::test]
async fn a_quorum_that_fails_for_one_commit() {
    for index in 0..3 {
        let three = Three::new(false).await.twist(index, |inner| failing(inner, Fault::Commit));
        let results = three.tee(body(), Mode::Quorum).await.unwrap();
        assert_eq!(results.iter().filter(|result| result.outcome.written().is_some()).count(), 2);
    }
}

/// A replica that took fewer bytes than it was given passed for good.
#[tokio::test]
async fn a_short_write_that_nobody_notices() {
    for old in [false, true] {
        let short = |inner: &Arc<dyn Backend>| {
            let is_first = Arc::new(AtomicBool::new(true));
            Twisted::new(inner)
                .upload(move |upload| Ok(Box::new(Short { upload, is_first: is_first.clone() })))
        };
        let three = Three::new(old).await.twist(1, short);
        let results = three.tee(body(), Mode::Quorum).await.unwrap();
        assert_eq!(words(&results), ["written", "failed", "written"]);
        assert_eq!(results[1].outcome.error().unwrap().code(), ErrorCode::Corrupted);
        assert_eq!(three.hold_new().await, [true, false, true]);
    }
}

/// Loses the first chunk of all.
struct Short {
    upload: Box<dyn Upload>,
    is_first: Arc<AtomicBool>,
}

#[async_trait]
impl Upload for Short {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        if self.is_first.swap(false, Ordering::SeqCst) { Ok(()) } else { self.upload.push(chunk).await }
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        self.upload.commit().await
    }

    async fn abort(self: Box<Self>) {
        self.upload.abort().await;
    }
}

/// Of several errors, only the first could be got at.
#[tokio::test]
async fn errors_beyond_the_first() {
    let mut three = Three::new(false).await;
    for index in 0..3 {
        three = three.twist(index, |inner| failing(inner, Fault::Commit));
    }
    let failed = three.tee(body(), Mode::BestEffort).await.unwrap_err();
    let errors: Vec<_> = failed.targets.iter().filter_map(|result| result.outcome.error()).collect();
    assert_eq!(errors, NAMES.map(|name| failure_at(&at(name, "d/x"))).each_ref());
}
