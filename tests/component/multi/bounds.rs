//! Ends that nobody planned, and memory that does not grow.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage::{
    ErrorCode, Location, ObjectInfo, ObjectKind, Result,
    backend::{Upload, WriteOptions},
    runtime::{Limits, Mode, Storage},
};

use super::{CHUNK, MODES, body, path};
use crate::{
    setup::{at, memory, runtime},
    target::Target,
    twisted::{Twisted, stuck_after},
};

/// The old object on every kind of target.
fn storage_of(targets: &[Target]) -> (Storage, Vec<Location>) {
    let names = ["one", "two"];
    let builder = Storage::builder(runtime());
    let mounted = names.iter().zip(targets);
    let storage =
        mounted.fold(builder, |builder, (name, target)| builder.mount(*name, target.backend.clone())).build();
    (storage, names.iter().map(|name| at(name, "d/x")).collect())
}

#[tokio::test]
async fn a_caller_that_loses_patience_leaves_nothing() {
    for mode in MODES {
        let targets = Target::all("d/x").await;
        let (storage, places) = storage_of(&targets);
        let (options, contents) = (WriteOptions::default(), stuck_after(body(), CHUNK * 2));
        let tee = storage.tee(&places, contents, &options, None, mode);
        assert!(tokio::time::timeout(Duration::from_millis(100), tee).await.is_err());
        for target in &targets {
            target.is_as_it_was().await;
        }
    }
}

#[tokio::test]
async fn a_component_that_dies_on_the_way_leaves_nothing() {
    let targets = Target::all("d/x").await;
    let mut builder = Storage::builder(runtime()).limits(Limits { memory: 6 << 20, ..Default::default() });
    let mut places = vec![at("one", "d/x"), at("two", "d/x")];
    for (name, target) in ["one", "two"].iter().zip(&targets) {
        builder = builder.mount(*name, target.backend.clone());
    }
    // A buffer for each target: more than there is memory for.
    for number in 0..60 {
        let name = format!("more {number}");
        places.push(at(&name, "x"));
        builder = builder.mount(name, memory());
    }
    let chunk = Bytes::from_static(&[1; 256 << 10]);
    let contents = stream::iter((0..4).map(move |_| Ok(chunk.clone()))).boxed();
    let failed = builder.build().tee(&places, contents, &WriteOptions::default(), None, Mode::All).await;
    assert_eq!(failed.unwrap_err().error.code(), ErrorCode::LimitExceeded);
    for target in &targets {
        target.is_as_it_was().await;
    }
}

/// Bytes on their way to a slow target, whatever the size of the body.
const MOST_IN_FLIGHT: usize = 8 << 20;

#[tokio::test]
async fn a_slow_target_holds_the_body_back() {
    const PIECE: usize = 256 << 10;
    const SIZE: usize = 64 << 20;
    let (produced, ahead) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let count = produced.clone();
    let chunk = Bytes::from_static(&[7; PIECE]);
    let contents = stream::iter(0..SIZE / PIECE).map(move |_| {
        count.fetch_add(PIECE, Ordering::SeqCst);
        Ok(chunk.clone())
    });
    let most = ahead.clone();
    let slow = Twisted::new(&memory())
        .upload(move |_| Ok(Box::new(Slow { produced: produced.clone(), most: most.clone(), consumed: 0 })));
    let fast = memory();
    let storage = crate::setup::storage([("slow", slow), ("fast", fast)]);
    let targets = [at("slow", "d/x"), at("fast", "d/x")];
    storage.tee(&targets, contents.boxed(), &Default::default(), None, Mode::All).await.unwrap();
    let ahead = ahead.load(Ordering::SeqCst);
    assert!(ahead <= MOST_IN_FLIGHT, "{ahead} bytes ahead");
}

/// Keeps nothing, and takes its time.
struct Slow {
    produced: Arc<AtomicUsize>,
    /// The most bytes that were on their way.
    most: Arc<AtomicUsize>,
    consumed: usize,
}

#[async_trait]
impl Upload for Slow {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        // Long enough for the body to run away, were it let.
        if self.consumed.is_multiple_of(64 * chunk.len()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let ahead = self.produced.load(Ordering::SeqCst).saturating_sub(self.consumed);
        self.most.fetch_max(ahead, Ordering::SeqCst);
        self.consumed += chunk.len();
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        let mut info = ObjectInfo::new(path(), ObjectKind::Object);
        info.size = Some(self.consumed as u64);
        Ok(info)
    }

    async fn abort(self: Box<Self>) {}
}
