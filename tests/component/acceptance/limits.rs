//! Limits and the order of transfers.

use omnistorage::runtime::{Order, OrderKey, Stop, SyncOptions};

use super::pairs::{Command, T1, T2, T3, each, options};

#[tokio::test]
async fn test_max_transfer() {
    each(async |pair| {
        for (path, size) in [("file1", 5 * 1024), ("file2", 2 * 1024), ("file3", 3 * 1024)] {
            pair.from(path, &"x".repeat(size), T1).await;
        }
        pair.to("extra", "1", T1).await;
        let limited = SyncOptions { max_transfer: Some(3 * 1024), ..options() };
        let ran = pair.sync(&limited).await.unwrap();
        assert_eq!(ran.report.stopped, Some(Stop::MaxTransfer), "{}", pair.name);
        assert!(ran.report.bytes <= 3 * 1024, "{}: {:?}", pair.name, ran.report);
        assert_eq!((ran.report.deleted, ran.report.deletes_withheld), (0, 1), "{}", pair.name);
    })
    .await;
}

#[tokio::test]
async fn test_copy_file_max_transfer() {
    each(async |pair| {
        pair.from("small", "x", T1).await;
        let limited = SyncOptions { max_transfer: Some(10), ..options() };
        assert_eq!(pair.copy(&limited).await.unwrap().report.stopped, None);
        pair.from("small", &"x".repeat(11), T2).await;
        let ran = pair.copy(&limited).await.unwrap();
        assert_eq!((ran.report.stopped, ran.report.transferred), (Some(Stop::MaxTransfer), 0));
        pair.has(&[("small", "x")]).await;
    })
    .await;
}

#[tokio::test]
async fn test_pipe_order_by() {
    each(async |pair| {
        // Large enough to go one by one.
        for (path, size, modified) in [("a", 2, T3), ("b", 3, T1), ("c", 1, T2)] {
            pair.from(path, &"x".repeat(size * 300_000), modified).await;
        }
        for (key, descending, expected) in [
            (OrderKey::Size, false, "cab"),
            (OrderKey::Size, true, "bac"),
            (OrderKey::Modified, false, "bca"),
            (OrderKey::Name, true, "cba"),
        ] {
            if key == OrderKey::Modified && !pair.lists_times {
                continue;
            }
            let one = SyncOptions {
                order: Some(Order { key, descending }),
                comparison: omnistorage::runtime::Comparison::Always,
                transfers: 1,
                ..options()
            };
            let (from, to) = (crate::setup::at("source", "data"), crate::setup::at("target", "data"));
            let mut job = pair.storage.copy(&from, &to, &one).await.unwrap();
            let mut order = String::new();
            while let Some(event) = job.next().await {
                order += &event.path;
            }
            job.outcome().await.unwrap();
            assert_eq!(order, expected, "{} {key:?}", pair.name);
        }
    })
    .await;
}

#[tokio::test]
async fn test_max_errors_deletes_nothing() {
    each(async |pair| {
        for path in ["a", "b", "c"] {
            pair.from(path, "new", T2).await;
            pair.to(path, "old one", T1).await;
        }
        pair.to("extra", "1", T1).await;
        let limited = SyncOptions { immutable: true, max_errors: Some(1), ..options() };
        let ran = pair.run(Command::Sync, &limited).await.unwrap();
        assert_eq!(ran.report.stopped, Some(Stop::MaxErrors), "{}", pair.name);
        assert_eq!(ran.report.deleted, 0);
    })
    .await;
}
