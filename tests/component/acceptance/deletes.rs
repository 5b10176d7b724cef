//! What goes from the target, when, and what keeps it there.

use omnistorage::{
    ErrorCode,
    backend::{
        fault::{Fault, Faults},
        layer::Operation,
    },
    runtime::{Deletion, Filter, SyncOptions},
};

use super::{
    never_again::with_faults,
    pairs::{T1, T2, T3, each, each_local, options},
};
use crate::setup::at;

#[tokio::test]
async fn test_sync_after_removing_a_file_and_adding_a_file() {
    each(async |pair| {
        pair.from("potato", "new", T3).await;
        pair.both("empty space", "-", T2).await;
        pair.to("sub/dir/gone", "old", T1).await;
        let told = pair.sync(&SyncOptions { dry_run: true, ..options() }).await.unwrap();
        pair.has(&[("empty space", "-"), ("sub/dir/gone", "old")]).await;
        let ran = pair.sync(&options()).await.unwrap();
        assert_eq!(ran.events, told.events);
        pair.has(&[("empty space", "-"), ("potato", "new")]).await;
    })
    .await;
}

/// One copy that fails, and nothing is deleted.
#[tokio::test]
async fn test_sync_after_removing_a_file_with_errors() {
    each(async |pair| {
        pair.from("a", "new", T3).await;
        pair.from("b", "new", T3).await;
        pair.to("extra", "old", T1).await;
        let faults = Faults::new(|_, call| {
            let no = || Fault::Error(omnistorage::Error::new(ErrorCode::PermissionDenied, "no"));
            let opens = matches!(call.operation, Operation::Read | Operation::ReadAll | Operation::CopyTo);
            (opens && call.path.as_str().ends_with("/a")).then(no)
        });
        let storage = with_faults(pair, faults);
        for (ignore_errors, left) in [(false, 1), (true, 0)] {
            let options = SyncOptions { ignore_errors, retries: 1, ..options() };
            let job = storage.sync(&at("source", "data"), &at("target", "data"), &options).await.unwrap();
            let report = job.outcome().await.unwrap();
            assert_eq!((report.errors, report.deletes_withheld), (1, left), "{}", pair.name);
            let extra = [("extra", "old")];
            let kept: Vec<_> =
                [("b", "new")].into_iter().chain(extra.into_iter().take(left as usize)).collect();
            pair.has(&kept).await;
        }
    })
    .await;
}

#[tokio::test]
async fn test_sync_delete_after_during_before() {
    each(async |pair| {
        for (round, deletion) in [Deletion::After, Deletion::During, Deletion::Before].into_iter().enumerate()
        {
            pair.both("kept", "1", T1).await;
            pair.from("new", &"x".repeat(round), T3).await;
            pair.to("d/extra", "old", T1).await;
            let ran = pair.sync(&SyncOptions { deletion, ..options() }).await.unwrap();
            assert_eq!((ran.report.deleted, ran.report.errors), (1, 0), "{} {deletion:?}", pair.name);
            pair.has(&[("kept", "1"), ("new", &"x".repeat(round))]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn test_sync_with_exclude() {
    each(async |pair| {
        pair.both("potato2", &"-".repeat(60), T1).await;
        pair.both("empty space", "-", T2).await;
        pair.from("enormous", &"a very big file".repeat(10), T1).await;
        pair.to("also enormous", &"another big file".repeat(10), T1).await;
        let filter = Filter { max_size: Some(40), ..Filter::default() };
        let ran = pair.sync(&SyncOptions { filter: filter.clone(), ..options() }).await.unwrap();
        assert_eq!((ran.report.transferred, ran.report.deleted), (0, 0), "{}", pair.name);
        let (from, to) = (at("target", "data"), at("source", "data"));
        let back = pair.storage.sync(&from, &to, &SyncOptions { filter, ..options() }).await.unwrap();
        assert_eq!(back.outcome().await.unwrap().deleted, 0);
        pair.source_has(&["empty space", "enormous", "potato2"]).await;
    })
    .await;
}

#[tokio::test]
async fn test_sync_with_exclude_and_delete_excluded() {
    each(async |pair| {
        pair.both("potato2", &"-".repeat(60), T1).await;
        pair.both("empty space", "-", T2).await;
        pair.from("x.tmp", "1", T1).await;
        pair.to("y.tmp", "2", T1).await;
        let filter =
            Filter { max_size: Some(40), delete_excluded: true, ..Filter::default() }.rule("- *.tmp");
        let ran = pair.sync(&SyncOptions { filter, ..options() }).await.unwrap();
        assert_eq!(ran.report.deleted, 2, "{}: {:?}", pair.name, ran.events);
        pair.has(&[("empty space", "-")]).await;
    })
    .await;
}

#[tokio::test]
async fn test_sync_concurrent_delete_and_truncate() {
    each_local(async |pair| {
        for number in 0..20 {
            let path = format!("potato{number}");
            match number % 3 {
                0 => pair.both(&path, "kept", T1).await,
                1 => pair.to(&path, "deleted", T1).await,
                _ => {
                    pair.to(&path, "to be emptied", T1).await;
                    pair.from(&path, "", T2).await;
                }
            }
        }
        let many = SyncOptions { checkers: 4, transfers: 4, ..options() };
        let ran = pair.sync(&many).await.unwrap();
        assert_eq!((ran.report.deleted, ran.report.transferred, ran.report.errors), (7, 6, 0));
    })
    .await;
}

/// Where rclone deletes as many as it may, nothing at all goes.
#[tokio::test]
async fn test_max_delete() {
    each(async |pair| {
        pair.both("kept", "1", T1).await;
        for path in ["one", "two", "three"] {
            pair.to(path, path, T1).await;
        }
        for deletion in [Deletion::After, Deletion::Before] {
            let two = SyncOptions { max_delete: Some(2), deletion, ..options() };
            assert_eq!(pair.sync(&two).await.unwrap_err().code(), ErrorCode::LimitExceeded, "{}", pair.name);
            pair.has(&[("kept", "1"), ("one", "one"), ("three", "three"), ("two", "two")]).await;
        }
        let three = SyncOptions { max_delete: Some(3), ..options() };
        assert_eq!(pair.sync(&three).await.unwrap().report.deleted, 3);
    })
    .await;
}
