//! Deletions, a hundred keys a request.

use omnistorage::{
    Backend, ErrorCode, Path,
    backend::{ListOptions, WriteOptions},
};
use omnistorage_test_servers::gcs::{Fault, Gcs};

use crate::shorthand::{backend, fails, list, path, pattern, put};

async fn filled(store: &Gcs, count: usize) -> (omnistorage::GcsBackend, Vec<Path>) {
    let backend = backend(store.config());
    let paths: Vec<_> = (0..count).map(|at| path(&format!("a dir/{at} ü%2F"))).collect();
    for path in &paths {
        put(&backend, path.as_str(), &pattern(1), &WriteOptions::default()).await.unwrap();
    }
    let _ = store.take_requests();
    (backend, paths)
}

#[tokio::test]
async fn many_are_deleted_by_batches_alone() {
    let store = Gcs::start();
    let (backend, mut paths) = filled(&store, 250).await;
    paths.insert(100, path("missing"));
    assert!(backend.delete(&paths).await.into_iter().all(|result| result.is_ok()));
    let requests = store.take_requests();
    assert_eq!(requests.iter().filter(|request| request.starts_with("POST /batch/")).count(), 3);
    // And once whether the bucket is there, since one key was not.
    assert_eq!(requests.len(), 4, "{requests:?}");
    assert!(
        list(&backend, &ListOptions { recursive: true, ..ListOptions::default() }).await.unwrap().is_empty()
    );
}

#[tokio::test]
async fn a_purge_takes_a_listing_and_batches() {
    let store = Gcs::start();
    let (backend, _) = filled(&store, 250).await;
    assert_eq!(backend.purge(&path("a dir")).await.unwrap(), 250);
    assert_eq!(store.take_requests().len(), 1 + 3);
}

#[tokio::test]
async fn results_stand_in_the_order_of_the_paths() {
    let store = Gcs::start();
    let (backend, paths) = filled(&store, 3).await;
    let illegal = path("a\nb");
    let results = backend.delete(&[paths[0].clone(), illegal, path("missing"), paths[2].clone()]).await;
    let codes: Vec<_> =
        results.iter().map(|result| result.as_ref().err().map(omnistorage::Error::code)).collect();
    assert_eq!(codes, [None, Some(ErrorCode::InvalidPath), None, None]);
    assert_eq!(results[1].as_ref().unwrap_err().location().unwrap().1, "a\nb");
    assert!(backend.exists(&paths[1]).await.unwrap() && !backend.exists(&paths[2]).await.unwrap());
}

#[tokio::test]
async fn faults_that_pass_are_tried_again() {
    let store = Gcs::start();
    for fault in [Fault::Status(503), Fault::LoseAnswer, Fault::Drop, Fault::Busy { retry_after: 0 }] {
        let (backend, paths) = filled(&store, 120).await;
        store.order("POST /batch", 2, fault);
        assert!(backend.delete(&paths).await.into_iter().all(|result| result.is_ok()), "{fault:?}");
        // Of a batch, some may fail: each of them is tried by itself.
        let (backend, paths) = filled(&store, 5).await;
        store.order("POST /batch", 1, Fault::FailParts { count: 3 });
        assert!(backend.delete(&paths).await.into_iter().all(|result| result.is_ok()));
        assert_eq!(store.take_requests().iter().filter(|request| request.starts_with("DELETE")).count(), 3);
        store.clear_orders();
    }
}

#[tokio::test]
async fn deleting_in_a_missing_bucket_is_no_success() {
    let store = Gcs::start();
    let backend = backend(store.config().with("bucket", "no-such-bucket"));
    for paths in [vec![path("a")], vec![path("a"), path("b")]] {
        for result in backend.delete(&paths).await {
            fails(result, ErrorCode::NotFound, "bucket `no-such-bucket`");
        }
    }
}
