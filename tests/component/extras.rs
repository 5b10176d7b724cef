//! More extras than are kept in memory: the second look at the listings deletes what the first one counted, no more.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use omnistorage::{
    Backend, ErrorCode, Path, Result,
    backend::{Listed, Listing, WriteOptions},
    runtime::{Deletion, Report, SyncOptions},
};

use crate::{
    setup::{at, memory, storage},
    twisted::{Twisted, failure},
};

/// One more than are kept, and some.
const EXTRAS: usize = 10_050;

const KEPT: [&str; 3] = ["keep/1", "keep/2", "keep/3"];

/// What a listing of the source has become.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Become {
    Empty,
    /// It lacks all but the last.
    Short,
    /// It fails behind its first entry.
    Broken,
}

struct Changed {
    inner: Box<dyn Listing>,
    become_: Become,
    begun: bool,
}

#[async_trait]
impl Listing for Changed {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        match self.become_ {
            Become::Empty => Ok(Vec::new()),
            Become::Short => {
                let mut entries = self.inner.next(max).await?;
                entries.retain(|listed| listed.path().as_str() == KEPT[2]);
                Ok(entries)
            }
            Become::Broken if self.begun => Err(failure()),
            Become::Broken => {
                self.begun = true;
                self.inner.next(1).await
            }
        }
    }
}

async fn write(backend: &dyn Backend, path: &str) {
    let path = Path::parse(path).unwrap();
    backend.write_all(&path, "x".into(), &WriteOptions::default()).await.unwrap();
}

/// The same three objects on both sides, and the extras before or behind them on the target.
async fn sides(extras: &str) -> (Arc<dyn Backend>, Arc<dyn Backend>) {
    let (source, target) = (memory(), memory());
    for path in KEPT {
        write(&*source, path).await;
        source
            .copy_to(
                &Path::parse(path).unwrap(),
                &*target,
                &Path::parse(path).unwrap(),
                &WriteOptions::default(),
            )
            .await
            .unwrap();
    }
    for number in 0..EXTRAS {
        write(&*target, &format!("{extras}/{number:05}")).await;
    }
    (source, target)
}

/// Runs with a source whose listings change with the second one; gives the outcome, and what is left on the target.
async fn run(extras: &str, become_: Become, options: &SyncOptions) -> (Result<Report>, Vec<String>) {
    let (source, target) = sides(extras).await;
    let listings = AtomicUsize::new(0);
    let source = Twisted::new(&source).listing(move |inner| {
        if listings.fetch_add(1, Ordering::SeqCst) == 0 {
            return inner;
        }
        Box::new(Changed { inner, become_, begun: false })
    });
    let storage = storage([("source", source), ("target", target.clone())]);
    let job = storage.sync(&at("source", ""), &at("target", ""), options).await.unwrap();
    let outcome = job.outcome().await;
    let left = crate::setup::tree(&*target).await.into_iter().map(|(path, _)| path).collect();
    (outcome, left)
}

#[tokio::test]
async fn the_second_look_deletes_nothing_that_the_first_did_not_count() {
    for deletion in [Deletion::Before, Deletion::During, Deletion::After] {
        for extras in ["a", "z"] {
            let options = SyncOptions {
                deletion,
                max_delete: Some(EXTRAS as u64),
                retries: 1,
                ..SyncOptions::default()
            };
            let (outcome, left) = run(extras, Become::Short, &options).await;
            let report = outcome.unwrap();
            assert_eq!(left, KEPT, "{deletion:?} {extras}: {report:?}");
            assert_eq!((report.deleted, report.deletes_withheld), (EXTRAS as u64, 0));
        }
    }
}

#[tokio::test]
async fn a_source_that_is_gone_by_then_deletes_nothing() {
    for (become_, code) in
        [(Become::Empty, ErrorCode::PreconditionFailed), (Become::Broken, ErrorCode::Unavailable)]
    {
        for deletion in [Deletion::Before, Deletion::During, Deletion::After] {
            let options = SyncOptions { deletion, retries: 1, ..SyncOptions::default() };
            // Those that come before anything of the source are not deleted while the listings are merged.
            let (outcome, left) = run("a", become_, &options).await;
            assert_eq!(outcome.unwrap_err().code(), code, "{become_:?} {deletion:?}");
            assert!(KEPT.iter().all(|kept| left.iter().any(|path| path == kept)), "{become_:?} {deletion:?}");
            if become_ == Become::Empty {
                assert_eq!(left.len(), EXTRAS + KEPT.len(), "{deletion:?}");
            }
        }
    }
}

#[tokio::test]
async fn more_than_are_kept_go_under_the_limit_that_was_given() {
    let (source, target) = sides("z").await;
    let storage = storage([("source", source), ("target", target.clone())]);
    for (max_delete, refused) in [(EXTRAS as u64 - 1, true), (EXTRAS as u64, false)] {
        let options = SyncOptions { max_delete: Some(max_delete), ..SyncOptions::default() };
        let job = storage.sync(&at("source", ""), &at("target", ""), &options).await.unwrap();
        let outcome = job.outcome().await;
        assert_eq!(outcome.is_err(), refused, "{outcome:?}");
        let left = crate::setup::tree(&*target).await.len();
        assert_eq!(left, KEPT.len() + if refused { EXTRAS } else { 0 });
    }
}
