//! Which objects need a transfer.

use std::time::Duration;

use omnistorage::{
    ErrorCode, Timestamp,
    runtime::{Comparison, SyncOptions},
};

use super::pairs::{T1, T2, T3, each, options};

fn by(comparison: Comparison) -> SyncOptions {
    SyncOptions { comparison, ..options() }
}

#[tokio::test]
async fn test_sync_based_on_check_sum() {
    each(async |pair| {
        pair.from("check sum", "-", T1).await;
        assert_eq!(pair.sync(&by(Comparison::Checksum)).await.unwrap().report.transferred, 1);
        pair.from("check sum", "-", T2).await;
        assert_eq!(pair.sync(&by(Comparison::Checksum)).await.unwrap().events, [""; 0], "{}", pair.name);
        pair.is_dated("check sum", T1).await;
    })
    .await;
}

#[tokio::test]
async fn test_sync_size_only() {
    each(async |pair| {
        pair.both("sizeonly", "potato", T1).await;
        pair.from("sizeonly", "Potato", T2).await;
        assert_eq!(pair.sync(&by(Comparison::SizeOnly)).await.unwrap().events, [""; 0]);
        pair.has(&[("sizeonly", "potato")]).await;
    })
    .await;
}

#[tokio::test]
async fn test_sync_ignore_size() {
    each(async |pair| {
        if !pair.lists_times {
            return; // contents decide where times do not
        }
        pair.both("ignore-size", "contents", T1).await;
        pair.from("ignore-size", "longer contents but same date", T1).await;
        let ran = pair.sync(&SyncOptions { ignore_size: true, ..options() }).await.unwrap();
        assert_eq!(ran.events, [""; 0], "{}", pair.name);
    })
    .await;
}

#[tokio::test]
async fn test_sync_ignore_times() {
    each(async |pair| {
        pair.both("existing", "potato", T1).await;
        assert_eq!(pair.sync(&options()).await.unwrap().report.transferred, 0);
        assert_eq!(pair.sync(&by(Comparison::Always)).await.unwrap().report.transferred, 1);
    })
    .await;
}

#[tokio::test]
async fn test_sync_ignore_existing() {
    each(async |pair| {
        pair.both("existing", "potato", T1).await;
        pair.from("existing", "newpotatoes", T2).await;
        pair.from("new", "1", T1).await;
        let ran = pair.sync(&by(Comparison::IgnoreExisting)).await.unwrap();
        assert_eq!(ran.events, ["skipped existing", "transferred new"]);
        pair.has(&[("existing", "potato"), ("new", "1")]).await;
    })
    .await;
}

#[tokio::test]
async fn test_sync_after_changing_modtime_only() {
    each(async |pair| {
        pair.both("empty space", "-", T1).await;
        pair.from("empty space", "-", T2).await;
        if pair.name.starts_with("S3") {
            return; // what time the source has, no listing tells there
        }
        let told = pair.sync(&SyncOptions { dry_run: true, ..pair.by_time() }).await.unwrap();
        assert_eq!(told.events, ["updated-time empty space"], "{}", pair.name);
        pair.is_dated("empty space", T1).await;
        let ran = pair.sync(&pair.by_time()).await.unwrap();
        assert_eq!((ran.report.transferred, ran.report.updated_times), (0, 1), "{}", pair.name);
        pair.is_dated("empty space", T2).await;
    })
    .await;
}

#[tokio::test]
async fn test_sync_doesnt_update_modtime() {
    each(async |pair| {
        pair.from("foo", "foo", T2).await;
        pair.to("foo", "bar", T1).await;
        let ran = pair.sync(&pair.by_time()).await.unwrap();
        assert_eq!((ran.report.transferred, ran.report.updated_times), (1, 0), "{}", pair.name);
        pair.is_dated("foo", T2).await;
    })
    .await;
}

#[tokio::test]
async fn test_sync_after_adding_and_changing() {
    each(async |pair| {
        pair.both("empty space", "-", T2).await;
        pair.both("by size", "smaller but same date", T3).await;
        pair.both("by contents", "one", T1).await;
        pair.from("potato", "added", T3).await;
        pair.from("by size", "larger but the very same date", T3).await;
        pair.from("by contents", "two", T2).await;
        let ran = pair.sync(&pair.by_time()).await.unwrap();
        assert_eq!(ran.report.transferred, 3, "{}: {:?}", pair.name, ran.events);
        pair.has(&[
            ("by contents", "two"),
            ("by size", "larger but the very same date"),
            ("empty space", "-"),
            ("potato", "added"),
        ])
        .await;
    })
    .await;
}

#[tokio::test]
async fn test_sync_with_update_older() {
    each(async |pair| {
        if !pair.lists_times {
            return; // whether a target is newer, no listing tells there
        }
        let later = |seconds: i64| Timestamp { seconds: T2.seconds + seconds, ..T2 };
        pair.from("one", "one", T1).await;
        pair.from("two", "two", T3).await;
        pair.from("three", "three", T2).await;
        pair.from("four", "four", T2).await;
        pair.from("five", "five", T2).await;
        pair.to("one", "ONE", T2).await;
        pair.to("two", "TWO", T2).await;
        pair.to("three", "THREE", later(1)).await;
        pair.to("four", "FOURFOUR", later(-1)).await;
        let update =
            SyncOptions { update_only: true, modify_window: Some(Duration::from_secs(2)), ..options() };
        let ran = pair.sync(&update).await.unwrap();
        assert_eq!(ran.events, ["skipped one", "transferred five", "transferred four", "transferred two"]);
        pair.has(&[("five", "five"), ("four", "four"), ("one", "ONE"), ("three", "THREE"), ("two", "two")])
            .await;
        // With a checksum, the window hides no other contents.
        let ran = pair.sync(&SyncOptions { comparison: Comparison::Checksum, ..update }).await.unwrap();
        assert!(ran.events.contains(&"transferred three".to_owned()), "{}: {:?}", pair.name, ran.events);
    })
    .await;
}

/// Names are kept to the byte: two that look alike are two, so that no object ever takes the place of another.
#[tokio::test]
async fn test_sync_utf_norm_is_decided_otherwise() {
    let (composed, decomposed) = ("Testêé", "Teste\u{302}e\u{301}");
    each(async |pair| {
        pair.from(composed, "new", T2).await;
        pair.to(decomposed, "old", T1).await;
        let ran = pair.copy(&options()).await.unwrap();
        assert_eq!(ran.report.transferred, 1, "{}", pair.name);
        pair.has(&[(composed, "new"), (decomposed, "old")]).await;
    })
    .await;
}

#[tokio::test]
async fn test_sync_immutable() {
    each(async |pair| {
        pair.from("existing", "potato", T1).await;
        let immutable = SyncOptions { immutable: true, ..options() };
        assert_eq!(pair.sync(&immutable).await.unwrap().report.transferred, 1);
        pair.from("existing", "tomatoes", T2).await;
        let mut job = pair
            .storage
            .sync(&crate::setup::at("source", "data"), &crate::setup::at("target", "data"), &immutable)
            .await
            .unwrap();
        let event = job.next().await.unwrap();
        assert_eq!(event.error.unwrap().code(), ErrorCode::AlreadyExists, "{}", pair.name);
        assert_eq!(job.outcome().await.unwrap().errors, 1);
        pair.has(&[("existing", "potato")]).await;
    })
    .await;
}
