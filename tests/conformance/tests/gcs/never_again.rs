//! The defects of the Go library of the same name that concern a backend of this kind, each by what must not happen.

use std::sync::Arc;

use omnistorage::{
    Backend, Config, ErrorCode, GcsBackend, HashAlgorithm, Registry,
    backend::{ListOptions, ReadOptions, WriteCondition, WriteOptions, transfer},
};
use omnistorage_test_servers::gcs::{Fault, Gcs};

use crate::shorthand::{PART, backend, begin, fails, get, kept, list, path, pattern, put};

fn paths(entries: &[omnistorage::ObjectInfo]) -> Vec<&str> {
    entries.iter().map(|entry| entry.path.as_str()).collect()
}

fn recursive() -> ListOptions {
    ListOptions { recursive: true, ..ListOptions::default() }
}

/// 4
#[tokio::test]
async fn a_copy_that_fails_publishes_nothing() {
    let store = Gcs::start();
    let (source, target) = (backend(store.config()), backend(store.config()));
    for len in [1000, 3 * PART + 1] {
        put(&source, "object", &pattern(len), &kept()).await.unwrap();
        put(&target, "object", &pattern(9), &kept()).await.unwrap();
        for after in [0, 1, len / 2, len - 1] {
            store.order("GET /omnistorage-test", 1, Fault::CutBody { after });
            store.order("GET /omnistorage-test", 100, Fault::CutBody { after: 0 });
            let at = path("object");
            let copied = transfer(&source, &at, &target, &at, &WriteOptions::default()).await;
            fails(copied, ErrorCode::Unavailable, "broke");
            store.clear_orders();
            assert_eq!(get(&target, "object").await.unwrap(), pattern(9), "{after} of {len}");
            assert_eq!(store.open_uploads(), 0);
        }
    }
}

/// 12, 36
#[tokio::test]
async fn no_path_leaves_the_prefix_and_no_neighbour_shows() {
    let store = Gcs::start();
    let tenant = backend(store.config_below("tenant1"));
    for key in ["tenant10/secret", "tenant1.txt", "tenant1"] {
        store.put(key, b"secret", &serde_json::json!({}));
    }
    put(&tenant, "own", &pattern(1), &kept()).await.unwrap();
    assert_eq!(paths(&list(&tenant, &recursive()).await.unwrap()), ["own"]);
    assert_eq!(paths(&list(&tenant, &ListOptions::default()).await.unwrap()), ["own"]);
    for escape in ["../tenant10/secret", "..", "a/../../x", "./x", "a//b", "a/", "/a"] {
        assert!(omnistorage::Path::parse(escape).is_err(), "{escape}");
        assert!(GcsBackend::from_config(store.config().with("prefix", escape)).is_err() || escape == "a/");
    }
    assert_eq!(tenant.purge(&path("")).await.unwrap(), 1);
    let all = backend(store.config().with("prefix", ""));
    assert_eq!(
        paths(&list(&all, &recursive()).await.unwrap()),
        ["tenant1", "tenant1.txt", "tenant10/secret"]
    );
}

/// 20
#[tokio::test]
async fn no_setting_is_taken_and_ignored() {
    let registry = Registry::with_builtin();
    for key in ["project_id", "concurrency", "chunk_size", "credential_file", "Bucket"] {
        let config = Gcs::start().config().with(key, "1");
        fails(registry.open("gcs", config), ErrorCode::InvalidArgument, &format!("`{key}`"));
    }
    fails(registry.open("gcs", Config::new()), ErrorCode::InvalidArgument, "`bucket`");
}

/// 26
#[tokio::test]
async fn markers_of_directories_are_no_files() {
    let store = Gcs::start();
    let backend = backend(store.config_below("m"));
    for key in ["m/", "m/a/", "m/a/b/"] {
        store.put(key, b"", &serde_json::json!({}));
    }
    assert_eq!(paths(&list(&backend, &recursive()).await.unwrap()), [""; 0]);
    assert_eq!(backend.purge(&path("a")).await.unwrap(), 0, "they go, and are not counted");
}

/// 28
#[tokio::test]
async fn a_hash_is_what_it_says_and_zero_is_one() {
    let store = Gcs::start();
    let backend = backend(store.config());
    put(&backend, "check", &"123456789".into(), &kept()).await.unwrap();
    let of = async |at: &str, algorithm| backend.hash(&path(at), algorithm).await.unwrap().to_string();
    assert_eq!(of("check", HashAlgorithm::Crc32c).await, "e3069283");
    assert_eq!(of("check", HashAlgorithm::Md5).await, "25f9e794323b453885f5181f1b624d0b");
    let empty = put(&backend, "empty", &"".into(), &kept()).await.unwrap();
    assert_eq!(of("empty", HashAlgorithm::Crc32c).await, "00000000");
    assert_eq!(empty.hashes.len(), 2);
    assert_eq!(of("check", HashAlgorithm::Sha256).await.len(), 64, "computed of the bytes");
}

/// 37, 39, 41
#[tokio::test]
async fn legal_names_are_kept_and_nothing_in_them_has_a_meaning() {
    let store = Gcs::start();
    let backend = backend(store.config());
    let names =
        ["..foo", "foo..", "a..b", "...", "a\\b", "a'b", "a\"b", "%", "_", "*", "[a]", "a?b#c&d=e+f g"];
    for name in names {
        put(&backend, name, &name.into(), &kept()).await.unwrap();
        put(&backend, &format!("dir {name}/x"), &name.into(), &kept()).await.unwrap();
    }
    for name in names {
        assert_eq!(get(&backend, name).await.unwrap(), name);
        let mut below = backend.list(&path(&format!("dir {name}")), &recursive()).await.unwrap();
        assert_eq!(paths(&below.next_entries(10).await.unwrap()), [format!("dir {name}/x")]);
    }
    let removed: Vec<_> = names.iter().map(|name| path(name)).collect();
    assert!(backend.delete(&removed).await.iter().all(Result::is_ok));
    assert_eq!(list(&backend, &recursive()).await.unwrap().len(), names.len());
}

/// 42
#[tokio::test]
async fn what_is_known_is_not_asked_for_one_by_one() {
    let store = Gcs::start();
    let backend = backend(store.config_below("n"));
    for at in 0..2_001 {
        store.put(
            &format!("n/{at}"),
            b"x",
            &serde_json::json!({"metadata": {"mtime": "2001-09-09T01:46:40Z"}}),
        );
    }
    let _ = store.take_requests();
    let entries = list(&backend, &recursive()).await.unwrap();
    assert!(entries.iter().all(|entry| entry.modified.unwrap().seconds == 1_000_000_000));
    assert!(entries.iter().all(|entry| entry.size == Some(1) && entry.hashes.len() == 2));
    assert_eq!(store.take_requests().len(), 3);
}

/// 43
#[tokio::test]
async fn an_upload_holds_no_more_than_two_parts() {
    let store = Gcs::start();
    let backend = backend(store.config());
    let contents = pattern(20 * PART);
    let upload = begin(&backend, "object", &contents, &kept()).await.unwrap();
    // All but the part that waits for the commit, and one on its way, has been sent before.
    let sent = store.take_requests().iter().filter(|request| request.starts_with("PUT /upload")).count();
    assert!(sent >= 18, "{sent} parts of 20");
    upload.commit().await.unwrap();
    assert!(get(&backend, "object").await.unwrap() == contents);
}

/// 44
#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    let store = Gcs::start();
    let backend = backend(store.config());
    put(&backend, "object", &pattern(1), &kept()).await.unwrap();
    for fault in [Fault::Status(503), Fault::Drop, Fault::LoseAnswer] {
        for matching in ["GET /storage", "DELETE /storage", "GET /omnistorage"] {
            store.order(matching, 1, fault);
        }
        list(&backend, &recursive()).await.unwrap();
        backend.stat(&path("object")).await.unwrap();
        get(&backend, "object").await.unwrap();
        backend.delete(&[path("gone")]).await.remove(0).unwrap();
        store.clear_orders();
    }
    for status in [404, 403, 401, 400] {
        let _ = store.take_requests();
        store.order("GET /", 100, Fault::Status(status));
        backend.stat(&path("object")).await.unwrap_err();
        backend.read(&path("object"), &ReadOptions::default()).await.unwrap_err();
        store.clear_orders();
        assert_eq!(store.take_requests().len(), 2, "{status}: one attempt each");
    }
}

/// 45
#[tokio::test]
async fn of_many_who_create_an_object_one_wins() {
    let store = Gcs::start();
    let backend = Arc::new(backend(store.config()));
    let mut writers = tokio::task::JoinSet::new();
    for at in 0..8 {
        let backend = Arc::clone(&backend);
        let options = WriteOptions { condition: WriteCondition::IfAbsent, ..kept() };
        writers.spawn(async move { put(&backend, "object", &pattern(at + 1), &options).await });
    }
    let results = writers.join_all().await;
    let won: Vec<_> = results.iter().flatten().collect();
    assert_eq!(won.len(), 1);
    assert_eq!(get(&backend, "object").await.unwrap().len() as u64, won[0].size.unwrap());
    assert!(
        results
            .iter()
            .flat_map(|result| result.as_ref().err())
            .all(|error| { error.code() == ErrorCode::PreconditionFailed })
    );
}

/// 47
#[tokio::test]
async fn errors_say_where() {
    let backend = backend(Gcs::start().config());
    let missing = path("dir/missing");
    let options = WriteOptions::default();
    for error in [
        backend.stat(&missing).await.unwrap_err(),
        backend.read(&missing, &ReadOptions::default()).await.unwrap_err(),
        backend.copy_to(&missing, &backend, &path("x"), &options).await.unwrap_err(),
        backend.set_modified(&missing, omnistorage::Timestamp::now()).await.unwrap_err(),
        backend.hash(&missing, HashAlgorithm::Md5).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::NotFound);
        assert_eq!(error.location(), Some(("gcs", "dir/missing")));
    }
    backend.close().await.unwrap();
    backend.close().await.unwrap();
}

/// 48
#[tokio::test]
async fn what_would_be_below_an_object_is_missing() {
    let backend = backend(Gcs::start().config());
    put(&backend, "f.txt", &pattern(1), &kept()).await.unwrap();
    assert!(!backend.exists(&path("f.txt/child")).await.unwrap());
    assert_eq!(backend.stat(&path("f.txt")).await.unwrap().metadata, kept().metadata);
}
