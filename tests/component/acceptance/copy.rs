//! Copying: what arrives, what stays.

use omnistorage::{
    ErrorCode, Path,
    backend::WriteOptions,
    runtime::{Deletion, Filter, RuleKind, RuleSource, SyncOptions},
};

use super::pairs::{T1, T2, T3, each, each_local, options};
use crate::setup::at;

#[tokio::test]
async fn test_copy_with_dry_run() {
    each(async |pair| {
        pair.from("sub dir/hello world", "hello world", T1).await;
        let told = pair.copy(&SyncOptions { dry_run: true, ..options() }).await.unwrap();
        assert_eq!(told.events, ["transferred sub dir/hello world"]);
        pair.has(&[]).await;
    })
    .await;
}

#[tokio::test]
async fn test_copy() {
    each(async |pair| {
        pair.from("sub dir/hello world", "hello world", T1).await;
        pair.copy(&options()).await.unwrap();
        pair.has(&[("sub dir/hello world", "hello world")]).await;
        pair.is_dated("sub dir/hello world", T1).await;
    })
    .await;
}

#[tokio::test]
async fn test_copy_metadata() {
    each(async |pair| {
        let path = Path::parse("data/a").unwrap();
        let metadata = vec![("kept".to_owned(), "by both".to_owned())];
        let stored = WriteOptions {
            modified: Some(T1),
            metadata: metadata.clone(),
            content_type: Some("text/x-test".to_owned()),
            ..WriteOptions::default()
        };
        pair.source.write_all(&path, "1".into(), &stored).await.unwrap();
        pair.copy(&options()).await.unwrap();
        let arrived = pair.target.stat(&path).await.unwrap();
        if pair.target.capabilities().features.custom_metadata {
            assert_eq!(arrived.metadata, metadata, "{}", pair.name);
            assert_eq!(arrived.content_type.as_deref(), Some("text/x-test"), "{}", pair.name);
        }
        assert_eq!(arrived.modified, Some(T1));
    })
    .await;
}

#[tokio::test]
async fn test_copy_missing_directory() {
    each(async |pair| {
        pair.to("a", "1", T1).await;
        for run in [pair.copy(&options()).await, pair.sync(&options()).await] {
            assert_eq!(run.unwrap_err().code(), ErrorCode::NotFound, "{}", pair.name);
        }
        pair.has(&[("a", "1")]).await;
    })
    .await;
}

#[tokio::test]
async fn test_copy_no_traverse_deadlock() {
    each_local(async |pair| {
        for number in 0..200 {
            pair.from(&format!("file{number}.txt"), &format!("file {number}"), T1).await;
        }
        let few = SyncOptions { transfers: 2, checkers: 2, ..options() };
        assert_eq!(pair.sync(&few).await.unwrap().report.transferred, 200);
        let back = pair.storage.copy(&at("target", "data"), &at("source", "back"), &few).await.unwrap();
        assert_eq!(back.outcome().await.unwrap().transferred, 200);
    })
    .await;
}

#[tokio::test]
async fn test_copy_with_depth() {
    each(async |pair| {
        pair.from("sub dir/hello world", "hello world", T1).await;
        pair.from("hello world2", "hello world2", T2).await;
        let filter = Filter { max_depth: Some(1), ..Filter::default() };
        pair.copy(&SyncOptions { filter, ..options() }).await.unwrap();
        pair.has(&[("hello world2", "hello world2")]).await;
    })
    .await;
}

#[tokio::test]
async fn test_copy_with_files_from() {
    each(async |pair| {
        pair.from("potato2", "hello world", T1).await;
        pair.from("hello world2", "hello world2", T2).await;
        let list = RuleSource {
            kind: RuleKind::Files,
            text: "potato2\nnot there\n".to_owned(),
            file: Some("list".to_owned()),
        };
        let filter = Filter { rules: vec![list], ..Filter::default() };
        let ran = pair.copy(&SyncOptions { filter, ..options() }).await.unwrap();
        assert_eq!((ran.report.transferred, ran.report.errors), (1, 0), "{}", pair.name);
        pair.has(&[("potato2", "hello world")]).await;
    })
    .await;
}

#[tokio::test]
async fn test_copy_after_delete() {
    each(async |pair| {
        pair.to("sub dir/hello world", "hello world", T1).await;
        pair.from("gone", "1", T1).await;
        pair.remove("gone").await;
        // Where directories are prefixes, a source without any object is missing.
        if let Err(error) = pair.copy(&options()).await {
            assert_eq!(error.code(), ErrorCode::NotFound, "{}", pair.name);
        }
        pair.has(&[("sub dir/hello world", "hello world")]).await;
    })
    .await;
}

#[tokio::test]
async fn test_copy_redownload() {
    each(async |pair| {
        pair.from("sub dir/hello world", "hello world", T1).await;
        pair.copy(&options()).await.unwrap();
        pair.remove("sub dir/hello world").await;
        let back = pair.storage.copy(&at("target", "data"), &at("source", "data"), &options()).await.unwrap();
        assert_eq!(back.outcome().await.unwrap().transferred, 1);
        let path = Path::parse("data/sub dir/hello world").unwrap();
        assert_eq!(pair.source.stat(&path).await.unwrap().modified, Some(T1), "{}", pair.name);
    })
    .await;
}

#[tokio::test]
async fn test_copy_over_self() {
    each(async |pair| {
        pair.both("sub dir/hello world", "hello world", T1).await;
        pair.from("sub dir/hello world", "hello world again", T2).await;
        pair.copy(&options()).await.unwrap();
        pair.has(&[("sub dir/hello world", "hello world again")]).await;
        pair.is_dated("sub dir/hello world", T2).await;
    })
    .await;
}

#[tokio::test]
async fn test_copy_delete_before() {
    each(async |pair| {
        pair.from("potato", "one", T1).await;
        pair.to("potato2", "two", T2).await;
        let before = SyncOptions { deletion: Deletion::Before, ..options() };
        // A copy takes no heed of what concerns deletes.
        let job = pair.storage.copy(&at("source", "data"), &at("target", "data"), &before).await.unwrap();
        assert_eq!(job.outcome().await.unwrap().deleted, 0);
        pair.has(&[("potato", "one"), ("potato2", "two")]).await;
    })
    .await;
}

#[tokio::test]
async fn test_server_side_copy() {
    each(async |pair| {
        pair.from("sub dir/hello world", "hello world", T1).await;
        let copy = async || {
            let (from, to) = (at("source", "data"), at("source", "copy"));
            pair.storage.copy(&from, &to, &options()).await.unwrap().outcome().await.unwrap()
        };
        assert_eq!(copy().await.transferred, 1);
        assert_eq!(copy().await.transferred, 0, "{}", pair.name);
        pair.from("sub dir/hello world", "hello world again", T2).await;
        assert_eq!(copy().await.transferred, 1, "over what is there");
        let path = Path::parse("copy/sub dir/hello world").unwrap();
        assert_eq!(pair.source.stat(&path).await.unwrap().modified, Some(T2), "{}", pair.name);
    })
    .await;
}

#[tokio::test]
async fn test_nothing_to_transfer() {
    each(async |pair| {
        pair.from("a", "1", T1).await;
        pair.from("d/e/b", "2", T2).await;
        pair.sync(&options()).await.unwrap();
        let again = pair.sync(&options()).await.unwrap();
        assert_eq!((again.report.transferred, again.report.deleted, again.report.checked), (0, 0, 2));
        if pair.lists_times {
            assert_eq!(again.events, [""; 0], "{}", pair.name);
        }
        pair.from("d/e/new", "3", T3).await;
        assert_eq!(pair.sync(&options()).await.unwrap().report.transferred, 1, "{}", pair.name);
    })
    .await;
}
