//! Moves, and places that lie in each other.

use omnistorage::{
    ErrorCode,
    runtime::{Comparison, Filter, SyncOptions},
};

use super::pairs::{T1, T2, each, options};
use crate::setup::at;

#[tokio::test]
async fn test_move_over_self() {
    each(async |pair| {
        pair.both("sub dir/hello world", "hello world", T1).await;
        pair.from("sub dir/hello world", "hello world again", T2).await;
        pair.move_to(&options()).await.unwrap();
        pair.has(&[("sub dir/hello world", "hello world again")]).await;
        pair.source_has(&[]).await;
    })
    .await;
}

#[tokio::test]
async fn test_move_file() {
    each(async |pair| {
        pair.from("file1", "file1 contents", T1).await;
        let moved = async || {
            let (from, to) = (at("source", "data/file1"), at("target", "data/sub"));
            pair.storage.move_to(&from, &to, &options()).await.unwrap().outcome().await.unwrap()
        };
        assert_eq!(moved().await.sources_removed, 1);
        pair.has(&[("sub/file1", "file1 contents")]).await;
        // Once more, to what is there already.
        pair.from("file1", "file1 contents", T1).await;
        assert_eq!(moved().await.sources_removed, 1, "{}", pair.name);
        pair.source_has(&[]).await;
        // Onto itself.
        pair.from("file1", "file1 contents", T1).await;
        let (from, to) = (at("source", "data/file1"), at("source", "data"));
        let report = pair.storage.move_to(&from, &to, &options()).await.unwrap().outcome().await.unwrap();
        assert_eq!(report.sources_removed, 0);
        pair.source_has(&["file1"]).await;
    })
    .await;
}

#[tokio::test]
async fn test_move_with_ignore_existing() {
    each(async |pair| {
        pair.from("existing", "potato", T1).await;
        pair.from("existing-b", "tomato", T1).await;
        pair.to("existing", "another", T2).await;
        let ignore = SyncOptions { comparison: Comparison::IgnoreExisting, ..options() };
        pair.move_to(&ignore).await.unwrap();
        pair.source_has(&["existing"]).await;
        pair.has(&[("existing", "another"), ("existing-b", "tomato")]).await;
        // Also one object by itself.
        let job = pair.storage.move_to(&at("source", "data/existing"), &at("target", "data"), &ignore).await;
        assert_eq!(job.unwrap().outcome().await.unwrap().skipped, 1);
        pair.source_has(&["existing"]).await;
    })
    .await;
}

#[tokio::test]
async fn test_server_side_move_with_filter() {
    each(async |pair| {
        pair.both("potato2", "same", T1).await;
        pair.from("empty space", "-", T1).await;
        pair.from("potato3", "bigger than the others", T2).await;
        pair.to("empty space", "old and longer", T2).await;
        let filter = Filter { max_size: Some(10), ..Filter::default() };
        let ran = pair.move_to(&SyncOptions { filter, ..options() }).await.unwrap();
        assert_eq!((ran.report.sources_removed, ran.report.errors), (2, 0), "{}", pair.name);
        pair.source_has(&["potato3"]).await;
        pair.has(&[("empty space", "-"), ("potato2", "same")]).await;
        let on = pair.storage.move_to(&at("source", "data"), &at("source", "fresh"), &options()).await;
        assert_eq!(on.unwrap().outcome().await.unwrap().sources_removed, 1, "{}", pair.name);
    })
    .await;
}

#[tokio::test]
async fn test_sync_overlap() {
    each(async |pair| {
        pair.from("a", "1", T1).await;
        pair.from("sub/b", "2", T1).await;
        for (from, to) in
            [("data", "data/sub"), ("data/sub", "data"), ("data", "data"), ("", "data"), ("data", "")]
        {
            let (from, to) = (at("source", from), at("source", to));
            for job in [
                pair.storage.sync(&from, &to, &options()).await,
                pair.storage.move_to(&from, &to, &options()).await,
            ] {
                let error = job.unwrap().outcome().await.unwrap_err();
                assert_eq!(error.code(), ErrorCode::InvalidArgument, "{} {from:?} {to:?}", pair.name);
            }
        }
        pair.source_has(&["a", "sub/b"]).await;
        // A name that begins alike is a neighbour.
        let job = pair.storage.copy(&at("source", "data"), &at("source", "datax"), &options()).await.unwrap();
        assert_eq!(job.outcome().await.unwrap().transferred, 2);
    })
    .await;
}

#[tokio::test]
async fn test_sync_overlap_with_filter() {
    each(async |pair| {
        pair.from("a", "1", T1).await;
        pair.from("rem/kept/x", "2", T1).await;
        let run = async |rule: &str| {
            let options = SyncOptions { filter: Filter::default().rule(rule), ..options() };
            let job = pair.storage.sync(&at("source", "data"), &at("source", "data/rem"), &options).await;
            job.unwrap().outcome().await
        };
        assert!(run("- /other/**").await.is_err(), "{}", pair.name);
        assert_eq!(run("- /rem/").await.unwrap().transferred, 1, "{}", pair.name);
    })
    .await;
}
