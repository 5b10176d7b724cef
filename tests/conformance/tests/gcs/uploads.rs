//! Uploads: parts, conditions, and what goes wrong on the way.

use bytes::Bytes;
use omnistorage::{
    Backend, ErrorCode, Hash, HashAlgorithm,
    backend::{WriteCondition, WriteOptions},
};
use omnistorage_test_servers::{
    fake_gcs,
    gcs::{Fault, Gcs},
};

use crate::shorthand::{LONG_AGO, PART, backend, begin, fails, get, kept, path, pattern, put};

fn when(condition: WriteCondition) -> WriteOptions {
    WriteOptions { condition, ..kept() }
}

#[tokio::test]
async fn parts_join_at_their_boundaries() {
    let ours = Gcs::start();
    for backend in [backend(ours.config()), backend(fake_gcs().gcs_config())] {
        for len in [0, 1, PART - 1, PART, PART + 1, 2 * PART, 3 * PART + 3] {
            let contents = pattern(len);
            let info = put(&backend, "large", &contents, &kept()).await.unwrap();
            assert_eq!(backend.stat(&path("large")).await.unwrap(), info, "{len}");
            assert_eq!((info.size, info.modified), (Some(len as u64), Some(LONG_AGO)), "{len}");
            assert_eq!(info.content_type.as_deref(), Some("text/css"), "{len}");
            assert!(get(&backend, "large").await.unwrap() == contents, "{len}");
        }
    }
    assert_eq!(ours.open_uploads(), 0);
}

#[tokio::test]
async fn a_small_object_takes_one_request_and_a_large_one_no_more_than_its_parts() {
    let store = Gcs::start();
    let backend = backend(store.config());
    let _ = store.take_requests();
    put(&backend, "small", &pattern(10), &kept()).await.unwrap();
    assert_eq!(store.take_requests().len(), 1);
    put(&backend, "large", &pattern(3 * PART + 1), &kept()).await.unwrap();
    assert_eq!(store.take_requests().len(), 1 + 4);
    get(&backend, "large").await.unwrap();
    assert_eq!(store.take_requests().len(), 1);
}

#[tokio::test]
async fn nothing_is_made_before_the_commit_and_nothing_is_left_without_it() {
    let store = Gcs::start();
    let backend = backend(store.config());
    put(&backend, "large", &pattern(9), &kept()).await.unwrap();
    let new = pattern(2 * PART + 1);
    let upload = begin(&backend, "large", &new, &kept()).await.unwrap();
    assert_eq!(get(&backend, "large").await.unwrap(), pattern(9));
    assert_eq!(store.open_uploads(), 1);
    upload.abort().await;
    assert_eq!(store.open_uploads(), 0, "after an abort");

    drop(begin(&backend, "large", &new, &kept()).await.unwrap());
    while store.open_uploads() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert_eq!(get(&backend, "large").await.unwrap(), pattern(9));
}

#[tokio::test]
async fn what_was_announced_must_come() {
    let store = Gcs::start();
    let backend = backend(store.config());
    let new = pattern(2 * PART + 1);
    let wrong = Hash { algorithm: HashAlgorithm::Sha256, digest: vec![0; 32] };
    for options in [
        WriteOptions { expected_size: Some(2 * PART as u64), ..kept() },
        WriteOptions { expected_size: Some(3 * PART as u64), ..kept() },
        WriteOptions { expected_hash: Some(wrong), ..kept() },
    ] {
        let committed = put(&backend, "large", &new, &options).await;
        assert_eq!(committed.unwrap_err().code(), ErrorCode::Corrupted, "{options:?}");
        assert!(!backend.exists(&path("large")).await.unwrap());
        assert_eq!(store.open_uploads(), 0);
    }
}

#[tokio::test]
async fn a_part_that_is_kept_in_part_is_gone_on_with() {
    let store = Gcs::start();
    let backend = backend(store.config().with("part_size", (4 * PART).to_string()));
    let backend = &backend;
    for (times, bytes) in [(1, PART), (2, 100), (1, 0), (3, PART + 7)] {
        store.order("PUT /upload", times, Fault::KeepPart { bytes });
        let contents = pattern(9 * PART + 5);
        put(backend, "large", &contents, &kept()).await.unwrap();
        assert!(get(backend, "large").await.unwrap() == contents, "{bytes} bytes kept {times} times");
    }
    store.order("PUT /upload", 100, Fault::KeepPart { bytes: 0 });
    let stuck = put(backend, "large", &pattern(2 * PART), &kept()).await;
    fails(stuck, ErrorCode::Unavailable, "keeps nothing");
}

#[tokio::test]
async fn faults_that_pass_do_no_harm() {
    let store = Gcs::start();
    let backend = backend(store.config());
    for fault in [
        Fault::Status(503),
        Fault::Status(500),
        Fault::Status(408),
        Fault::Busy { retry_after: 0 },
        Fault::Drop,
        Fault::LoseAnswer,
        Fault::CutBody { after: 3 },
    ] {
        for (at, request) in
            [("POST /upload", 1), ("PUT /upload", 2), ("PUT /upload", 3)].into_iter().enumerate()
        {
            let (matching, _) = request;
            let contents = pattern(2 * PART + at);
            store.order(matching, 2, fault);
            let written = put(&backend, "large", &contents, &kept()).await;
            // A body that was cut is an answer that was lost, to a request that was carried out.
            if let Err(error) = &written {
                assert!(
                    matches!(fault, Fault::CutBody { .. }) && error.code().may_pass(),
                    "{fault:?}: {error}"
                );
                put(&backend, "large", &contents, &kept()).await.unwrap();
            }
            assert!(get(&backend, "large").await.unwrap() == contents, "{fault:?} of {matching}");
            store.clear_orders();
        }
        store.order("uploadType=multipart", 2, fault);
        let written = put(&backend, "small", &pattern(7), &kept()).await;
        store.clear_orders();
        if written.is_err() {
            put(&backend, "small", &pattern(7), &kept()).await.unwrap();
        }
        assert_eq!(get(&backend, "small").await.unwrap(), pattern(7), "{fault:?}");
    }
}

#[tokio::test]
async fn a_fault_that_stays_leaves_the_old_object() {
    let store = Gcs::start();
    let backend = backend(store.config());
    put(&backend, "object", &pattern(9), &kept()).await.unwrap();
    for (matching, len) in
        [("uploadType=multipart", 7), ("uploadType=resumable", 2 * PART), ("PUT /upload", 2 * PART)]
    {
        store.order(matching, 100, Fault::Status(503));
        fails(put(&backend, "object", &pattern(len), &kept()).await, ErrorCode::Unavailable, "try again");
        store.clear_orders();
        assert_eq!(get(&backend, "object").await.unwrap(), pattern(9), "{matching}");
    }
}

#[tokio::test]
async fn an_upload_that_the_store_gave_up_is_to_be_written_again() {
    let store = Gcs::start();
    let backend = backend(store.config());
    for status in [404, 410] {
        store.order("PUT /upload", 1, Fault::Status(status));
        let lost = put(&backend, "object", &pattern(2 * PART), &kept()).await;
        fails(lost, ErrorCode::Unavailable, "write it again");
        assert!(!backend.exists(&path("object")).await.unwrap());
    }
}

#[tokio::test]
async fn conditions_hold_for_small_and_large_objects() {
    let store = Gcs::start();
    let backend = backend(store.config());
    for (at, len) in [("small", 5), ("large", 2 * PART + 1)] {
        let contents = pattern(len);
        let absent = when(WriteCondition::IfAbsent);
        let first = put(&backend, at, &contents, &absent).await.unwrap();
        fails(put(&backend, at, &contents, &absent).await, ErrorCode::PreconditionFailed, "condition");
        let same = when(WriteCondition::IfMatch(first.etag.clone().unwrap()));
        let second = put(&backend, at, &contents, &same).await.unwrap();
        assert_ne!(first.etag, second.etag);
        fails(put(&backend, at, &contents, &same).await, ErrorCode::PreconditionFailed, "condition");
        // Also where somebody was faster while the parts were on their way.
        let last = when(WriteCondition::IfMatch(second.etag.unwrap()));
        let slow = begin(&backend, at, &contents, &last).await.unwrap();
        put(&backend, at, &pattern(3), &kept()).await.unwrap();
        fails(slow.commit().await, ErrorCode::PreconditionFailed, "condition");
        assert_eq!(get(&backend, at).await.unwrap(), pattern(3));
    }
    assert_eq!(store.open_uploads(), 0);
}

#[tokio::test]
async fn a_condition_that_fails_by_ourselves_is_a_success() {
    let store = Gcs::start();
    let backend = backend(store.config());
    for (at, matching, len) in [("small", "uploadType=multipart", 5), ("large", "PUT /upload", PART + 1)] {
        let contents = pattern(len);
        // The last request makes the object, and its answer is lost: the next one finds it there.
        store.order(matching, 2, Fault::LoseAnswer);
        let options = WriteOptions { modified: None, ..when(WriteCondition::IfAbsent) };
        let info = put(&backend, at, &contents, &options).await.unwrap();
        assert_eq!(backend.stat(&path(at)).await.unwrap(), info);
        store.clear_orders();
        // Of somebody else it is none, whatever was lost.
        store.order(matching, 1, Fault::Drop);
        let other = WriteOptions { modified: None, ..when(WriteCondition::IfAbsent) };
        fails(put(&backend, at, &contents, &other).await, ErrorCode::PreconditionFailed, "condition");
        store.clear_orders();
    }
}

#[tokio::test]
async fn bytes_that_are_damaged_on_the_way_are_found() {
    let store = Gcs::start();
    let backend = backend(store.config());
    for (matching, len) in [("uploadType=multipart", 5), ("PUT /upload", PART + 1)] {
        store.order(matching, 2, Fault::Damage);
        fails(put(&backend, "object", &pattern(len), &kept()).await, ErrorCode::Corrupted, "damaged");
        store.clear_orders();
        assert!(!backend.exists(&path("object")).await.unwrap());
    }
}

#[tokio::test]
async fn many_uploads_at_once_do_not_wait_for_each_other() {
    let store = Gcs::start();
    let backend = backend(store.config());
    let contents = pattern(2 * PART + 1);
    let mut open = Vec::new();
    // More than the parts that may be on their way.
    for at in 0..20 {
        open.push(begin(&backend, &format!("{at}"), &contents, &kept()).await.unwrap());
    }
    for upload in open {
        upload.commit().await.unwrap();
    }
    let empty = Bytes::new();
    assert_ne!(get(&backend, "19").await.unwrap(), empty);
}
