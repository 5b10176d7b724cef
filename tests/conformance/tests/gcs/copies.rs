//! Copies on the server, and changes in place.

use omnistorage::{
    Backend, ErrorCode,
    backend::{WriteCondition, WriteOptions},
};
use omnistorage_test_servers::{
    OTHER_BUCKET, fake_gcs,
    gcs::{Fault, Gcs},
};

use crate::shorthand::{LONG_AGO, PART, backend, fails, get, kept, path, pattern, put};

#[tokio::test]
async fn a_copy_takes_as_many_steps_as_it_needs() {
    let store = Gcs::start();
    let backend = backend(store.config());
    let contents = pattern(4 * PART + 1);
    let source = put(&backend, "source", &contents, &kept()).await.unwrap();
    let _ = store.take_requests();
    let copy =
        backend.copy_to(&path("source"), &backend, &path("copy"), &WriteOptions::default()).await.unwrap();
    let steps = store.take_requests().iter().filter(|request| request.contains("rewriteTo")).count();
    assert_eq!(steps, 5);
    assert!(get(&backend, "copy").await.unwrap() == contents);
    assert_eq!((copy.metadata, copy.content_type), (source.metadata, source.content_type));
    assert_eq!((copy.modified, copy.hashes), (source.modified, source.hashes));
    // Also with pauses and lost answers in between.
    for fault in [Fault::Status(503), Fault::LoseAnswer, Fault::Drop, Fault::Busy { retry_after: 0 }] {
        store.order("rewriteTo", 2, fault);
        let options = WriteOptions { condition: WriteCondition::IfAbsent, ..WriteOptions::default() };
        let name = format!("copy after {fault:?}");
        let copied = backend.copy_to(&path("source"), &backend, &path(&name), &options).await.unwrap();
        store.clear_orders();
        assert_eq!(backend.stat(&path(&name)).await.unwrap(), copied, "{fault:?}");
    }
}

#[tokio::test]
async fn a_copy_crosses_buckets() {
    let ours = Gcs::start();
    for config in [ours.config(), fake_gcs().gcs_config()] {
        let (from, to) = (backend(config.clone()), backend(config.with("bucket", OTHER_BUCKET)));
        let source = put(&from, "a b+%2F?é", &pattern(10), &kept()).await.unwrap();
        let copied =
            from.copy_to(&path("a b+%2F?é"), &to, &path("c/ü #"), &WriteOptions::default()).await.unwrap();
        assert_eq!((copied.metadata, copied.modified), (source.metadata, source.modified));
        assert_eq!(get(&to, "c/ü #").await.unwrap(), pattern(10));
        assert!(!from.exists(&path("c/ü #")).await.unwrap());
        let options = WriteOptions { content_type: Some("a/b".to_owned()), ..WriteOptions::default() };
        let changed = from.copy_to(&path("a b+%2F?é"), &to, &path("d"), &options).await.unwrap();
        assert_eq!((changed.content_type.as_deref(), changed.modified), (Some("a/b"), Some(LONG_AGO)));
        assert_eq!(changed.metadata, [("key".to_owned(), "value".to_owned())]);
    }
}

#[tokio::test]
async fn there_is_no_short_way_to_another_account() {
    let (one, other) = (Gcs::start(), Gcs::start());
    let (one, other) = (backend(one.config()), backend(other.config()));
    put(&one, "object", &pattern(1), &kept()).await.unwrap();
    let copied = one.copy_to(&path("object"), &other, &path("object"), &WriteOptions::default()).await;
    fails(copied, ErrorCode::Unsupported, "endpoint");
}

#[tokio::test]
async fn a_time_is_set_in_place() {
    let ours = Gcs::start();
    for backend in [backend(ours.config()), backend(fake_gcs().gcs_config())] {
        let before =
            put(&backend, "object", &pattern(10), &WriteOptions { modified: None, ..kept() }).await.unwrap();
        let _ = ours.take_requests();
        backend.set_modified(&path("object"), LONG_AGO).await.unwrap();
        assert!(ours.take_requests().len() <= 1);
        let after = backend.stat(&path("object")).await.unwrap();
        assert_eq!(after.modified, Some(LONG_AGO));
        assert_eq!(omnistorage::ObjectInfo { modified: before.modified, ..after }, before);
        fails(backend.set_modified(&path("missing"), LONG_AGO).await, ErrorCode::NotFound, "no such object");
    }
}

#[tokio::test]
async fn a_source_that_changes_is_not_copied_in_part() {
    let store = Gcs::start();
    let backend = backend(store.config());
    put(&backend, "source", &pattern(10), &kept()).await.unwrap();
    store.order("rewriteTo", 1, Fault::Status(412));
    let copied = backend.copy_to(&path("source"), &backend, &path("copy"), &WriteOptions::default()).await;
    fails(copied, ErrorCode::Unavailable, "changed");
    assert!(!backend.exists(&path("copy")).await.unwrap());
}
