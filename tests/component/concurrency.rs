//! Listing, comparing, transferring and deleting overlap, and what is slow keeps nothing else waiting.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, stream};
use omnistorage::{
    Backend,
    runtime::{Action, Comparison, Deletion, SyncOptions},
};
use tokio::sync::Semaphore;

use crate::{
    setup::{at, memory, put, storage},
    twisted::Twisted,
};

/// More than what goes many to a call.
const LARGE: usize = 300 << 10;

/// A backend whose object `slow` gives no byte before there is a permit.
fn with_slow(inner: &Arc<dyn Backend>, permits: &Arc<Semaphore>) -> Arc<dyn Backend> {
    let permits = permits.clone();
    Twisted::new(inner).contents(move |path, contents| {
        if path.name() != Some("slow") {
            return contents;
        }
        let permits = permits.clone();
        let wait = stream::once(async move { permits.acquire().await.map(|permit| permit.forget()) });
        wait.filter_map(async |_| None).chain(contents).boxed()
    })
}

#[tokio::test]
async fn a_slow_object_keeps_nothing_else_waiting() {
    for transfer in [true, false] {
        let (source, target) = (memory(), memory());
        let plain = storage([("source", source.clone()), ("target", target.clone())]);
        // First in the order of the listing.
        put(&plain, "source", &[("a/slow", &"x".repeat(LARGE))]).await;
        let names: Vec<_> = (0..3000).map(|number| format!("b/{number:04}")).collect();
        for name in &names {
            put_quickly(&*source, name).await;
        }
        let extra: Vec<_> = (0..600).map(|number| format!("b/{number:04} extra")).collect();
        for name in &extra {
            put_quickly(&*target, name).await;
        }
        let permits = Arc::new(Semaphore::new(0));
        let storage = omnistorage::runtime::Storage::builder(crate::setup::runtime())
            .mount("source", with_slow(&source, &permits))
            .mount("target", target.clone())
            .transfer(transfer)
            .build();
        let options = SyncOptions { transfers: 2, deletion: Deletion::During, ..Default::default() };
        let mut job = storage.sync(&at("source", ""), &at("target", ""), &options).await.unwrap();

        let mut waiting: BTreeSet<_> = names.iter().cloned().collect();
        let mut deleted = 0;
        let others = async {
            while !waiting.is_empty() || deleted < 500 {
                let event = job.next().await.unwrap();
                match event.action {
                    Action::Transferred => assert!(waiting.remove(&event.path), "{event:?}"),
                    Action::Deleted => deleted += 1,
                    _ => panic!("{event:?}"),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), others).await.expect("the others do not wait");
        permits.add_permits(1);
        let report = job.outcome().await.unwrap();
        assert_eq!((report.transferred, report.deleted, report.errors), (3001, 600, 0));
    }
}

/// A backend that counts the bodies that are asked for, and gives none of them a byte before there is a permit.
fn gated(inner: &Arc<dyn Backend>, asked: &Arc<AtomicUsize>, permits: &Arc<Semaphore>) -> Arc<dyn Backend> {
    let (asked, permits) = (asked.clone(), permits.clone());
    Twisted::new(inner).contents(move |_, contents| {
        asked.fetch_add(1, Ordering::SeqCst);
        let permits = permits.clone();
        let wait = stream::once(async move { permits.acquire().await.map(|permit| permit.forget()) });
        wait.filter_map(async |_| None).chain(contents).boxed()
    })
}

#[tokio::test]
async fn as_many_calls_are_in_flight_as_are_allowed_and_no_more() {
    const OBJECTS: usize = 12;
    for (comparison, on_target) in [(Comparison::Automatic, false), (Comparison::Checksum, true)] {
        let (source, target) = (memory(), memory());
        let plain = storage([("source", source.clone()), ("target", target.clone())]);
        for number in 0..OBJECTS {
            let contents = "x".repeat(LARGE);
            put(&plain, "source", &[(&format!("{number:02}"), &contents)]).await;
            if on_target {
                put(&plain, "target", &[(&format!("{number:02}"), &contents)]).await;
            }
        }
        let (asked, permits) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let storage = storage([("source", gated(&source, &asked, &permits)), ("target", target)]);
        // Each bounds what it is for.
        let (transfers, checkers) = if on_target { (1, 3) } else { (3, 1) };
        let options = SyncOptions { comparison, transfers, checkers, ..Default::default() };
        let job = storage.sync(&at("source", ""), &at("target", ""), &options).await.unwrap();
        let all_are_asked = async {
            while asked.load(Ordering::SeqCst) < 3 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), all_are_asked).await.expect("three are in flight");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(asked.load(Ordering::SeqCst), 3, "{comparison:?}");
        permits.add_permits(2 * OBJECTS);
        let report = job.outcome().await.unwrap();
        let transferred = if on_target { 0 } else { OBJECTS as u64 };
        assert_eq!((report.checked, report.transferred), (OBJECTS as u64, transferred));
    }
}

async fn put_quickly(backend: &dyn Backend, path: &str) {
    let path = omnistorage::Path::parse(path).unwrap();
    backend.write_all(&path, "x".into(), &Default::default()).await.unwrap();
}
