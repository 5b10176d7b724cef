//! Listings: pages, order, and all that is known.

use omnistorage::{
    Backend, ErrorCode,
    backend::{ListOptions, WriteOptions},
};
use omnistorage_test_servers::gcs::{Fault, Gcs};

use crate::shorthand::{backend, fails, kept, list, path, pattern, put};

fn recursive() -> ListOptions {
    ListOptions { recursive: true, ..ListOptions::default() }
}

#[tokio::test]
async fn the_list_tells_all_that_is_known() {
    let store = Gcs::start();
    let backend = backend(store.config());
    let mut written = Vec::new();
    for at in 0..5 {
        written.push(put(&backend, &format!("{at}"), &pattern(at), &kept()).await.unwrap());
    }
    let _ = store.take_requests();
    assert_eq!(list(&backend, &ListOptions { full_info: true, ..recursive() }).await.unwrap(), written);
    assert_eq!(list(&backend, &recursive()).await.unwrap(), written);
    assert_eq!(store.take_requests().len(), 2, "a request a listing");
}

#[tokio::test]
async fn pages_are_joined_in_order() {
    let store = Gcs::start();
    let backend = backend(store.config_below("pages"));
    let mut expected = Vec::new();
    for at in 0..2_500 {
        store.put(&format!("pages/{at:05}/x"), b"", &serde_json::json!({}));
        expected.push(format!("{at:05}/x"));
    }
    let paths = |entries: Vec<omnistorage::ObjectInfo>| -> Vec<String> {
        entries.into_iter().map(|entry| entry.path.into()).collect()
    };
    let _ = store.take_requests();
    assert_eq!(paths(list(&backend, &recursive()).await.unwrap()), expected);
    assert_eq!(store.take_requests().len(), 3);
    let directories = paths(list(&backend, &ListOptions::default()).await.unwrap());
    assert_eq!(directories.len(), 2_500);
    assert!(directories.is_sorted());
    let after = ListOptions { start_after: Some(path("01234/x")), ..recursive() };
    assert_eq!(paths(list(&backend, &after).await.unwrap()), expected[1_235..]);
}

/// What is beyond the bounds is not asked for.
#[tokio::test]
async fn bounds_save_requests() {
    let store = Gcs::start();
    let backend = backend(store.config_below("bounds"));
    for at in 0..3_500 {
        store.put(&format!("bounds/{at:05}"), b"", &serde_json::json!({}));
    }
    let (after, until) = (Some(path("00499")), Some(path("01498")));
    let range = ListOptions { start_after: after.clone(), until, ..recursive() };
    let probe = ListOptions { start_after: after, limit: Some(1), ..recursive() };
    for (options, entries, requests) in [
        (&range, 999, 1),
        (&ListOptions { until: Some(path("02000")), ..recursive() }, 2_001, 3),
        (&probe, 1, 1),
        (&ListOptions { limit: Some(0), ..recursive() }, 0, 0),
        (&ListOptions { until: Some(path("00499")), ..probe.clone() }, 0, 0),
    ] {
        let _ = store.take_requests();
        assert_eq!(list(&backend, options).await.unwrap().len(), entries, "{options:?}");
        let asked = store.take_requests();
        assert_eq!(asked.len(), requests, "{options:?}: {asked:?}");
    }
}

#[tokio::test]
async fn faults_that_pass_leave_no_gap() {
    let store = Gcs::start();
    let backend = backend(store.config_below("faults"));
    for at in 0..1_500 {
        store.put(&format!("faults/{at}"), b"", &serde_json::json!({}));
    }
    for fault in [Fault::Status(500), Fault::Drop, Fault::LoseAnswer, Fault::Busy { retry_after: 0 }] {
        store.order("pageToken", 2, fault);
        assert_eq!(list(&backend, &recursive()).await.unwrap().len(), 1_500, "{fault:?}");
    }
    store.order("pageToken", 100, Fault::Status(500));
    fails(list(&backend, &recursive()).await, ErrorCode::Unavailable, "try again");
}

#[tokio::test]
async fn markers_of_directories_are_no_objects_and_odd_keys_are_named() {
    let store = Gcs::start();
    let backend = backend(store.config_below("odd"));
    for key in ["odd/", "odd/dir/", "odd/dir/object"] {
        store.put(key, b"", &serde_json::json!({}));
    }
    let entries = list(&backend, &recursive()).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.path.as_str()).collect::<Vec<_>>(), ["dir/object"]);
    store.put("odd/a//b", b"x", &serde_json::json!({}));
    fails(list(&backend, &recursive()).await, ErrorCode::InvalidPath, "`a//b`");
}

#[tokio::test]
async fn a_listing_that_is_dropped_asks_for_no_more() {
    let store = Gcs::start();
    let backend = backend(store.config_below("many"));
    for at in 0..5_000 {
        store.put(&format!("many/{at}"), b"", &serde_json::json!({}));
    }
    let mut listing = backend.list(&path(""), &recursive()).await.unwrap();
    assert_eq!(listing.next(10).await.unwrap().len(), 10);
    drop(listing);
    assert!(store.take_requests().len() <= 2, "a page, and the one that is fetched ahead");
    put(&backend, "one", &pattern(1), &WriteOptions::default()).await.unwrap();
}
