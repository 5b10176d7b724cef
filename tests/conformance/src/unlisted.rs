//! What a listing cannot list: told beside all else, and never left out without a word.
//!
//! These rows want a backend with something in it that no client writes, so they are not among
//! [those of every backend](crate::every_row!): see [`conformance_tests_unlisted!`](crate::conformance_tests_unlisted!).

use std::sync::Arc;

use omnistorage::{
    Backend, ErrorCode, ObjectKind,
    backend::{ListOptions, Listed, ListingFailure},
};

use crate::shorthand::{ONE_LEVEL, RECURSIVE, Shorthand, path};

/// The objects that can be listed. What cannot lies in the directory `odd`.
const OBJECTS: [&str; 4] = ["a", "odd/a", "odd/z", "z"];

/// A listing as it comes.
async fn listed(backend: &dyn Backend, prefix: &str, options: &ListOptions, max: usize) -> Vec<Listed> {
    let mut listing = backend.list(&path(prefix), options).await.unwrap();
    let mut all = Vec::new();
    loop {
        let page = listing.next(max).await.unwrap();
        if page.is_empty() {
            return all;
        }
        assert!(page.len() <= max);
        all.extend(page);
    }
}

fn objects(listed: &[Listed]) -> Vec<&str> {
    let entries = listed.iter().filter_map(|listed| match listed {
        Listed::Entry(entry) => Some(entry),
        Listed::Failure(_) => None,
    });
    entries.filter(|entry| entry.kind == ObjectKind::Object).map(|entry| entry.path.as_str()).collect()
}

fn failures(listed: &[Listed]) -> Vec<&ListingFailure> {
    let failures = listed.iter().filter_map(|listed| match listed {
        Listed::Entry(_) => None,
        Listed::Failure(failure) => Some(&**failure),
    });
    failures.collect()
}

/// All that can be listed is, once and in order, whatever cannot.
pub async fn the_rest_is_listed(backend: Arc<dyn Backend>) {
    for max in [1, 2, 1000] {
        let all = listed(&*backend, "", &RECURSIVE, max).await;
        assert_eq!(objects(&all), OBJECTS, "{max} at once");
        assert_eq!(failures(&all).len(), failures(&listed(&*backend, "", &RECURSIVE, 1000).await).len());
    }
}

/// A failure says where it is and why, in one sentence, and comes no later than what it is about would.
pub async fn a_failure_is_told_where_it_belongs(backend: Arc<dyn Backend>) {
    let all = listed(&*backend, "", &RECURSIVE, 1000).await;
    assert!(!failures(&all).is_empty());
    for failure in failures(&all) {
        assert!(failure.what.path().starts_with(&path("odd")), "{failure:?}");
        assert!(failure.what.name().starts_with("odd"), "{failure:?}");
        assert_ne!(failure.error.code(), ErrorCode::NotFound, "{failure:?}");
        assert!(!failure.error.message().contains(char::is_control), "{failure:?}");
        assert_eq!(failure.error.location().map(|(kind, _)| kind), Some(backend.kind()), "{failure:?}");
    }
    let last = all.iter().rposition(|listed| matches!(listed, Listed::Failure(_)));
    assert!(last < all.iter().position(|listed| listed.path().as_str() == "z"), "{all:?}");
}

/// One level tells of it as well.
pub async fn one_level_tells_it_too(backend: Arc<dyn Backend>) {
    let all = listed(&*backend, "odd", &ONE_LEVEL, 1000).await;
    assert_eq!(objects(&all), ["odd/a", "odd/z"]);
    assert!(!failures(&all).is_empty());
}

/// What lies elsewhere is listed without a failure.
pub async fn elsewhere_nothing_fails(backend: Arc<dyn Backend>) {
    backend.put("other/x", "x").await.unwrap();
    let all = listed(&*backend, "other", &RECURSIVE, 1000).await;
    assert_eq!((objects(&all), failures(&all)), (vec!["other/x"], vec![]));
    // A zero is what comes behind a slash.
    let behind = ListOptions { start_after: Some(path("odd0")), ..RECURSIVE };
    let all = listed(&*backend, "", &behind, 1000).await;
    assert_eq!((objects(&all), failures(&all)), (vec!["other/x", "z"], vec![]));
}

/// For those who take no part for the whole.
pub async fn the_strict_are_refused(backend: Arc<dyn Backend>) {
    let mut listing = backend.list(&path("odd"), &RECURSIVE).await.unwrap();
    let mut seen = 0;
    loop {
        match listing.next_entries(1).await {
            Ok(page) if page.is_empty() => assert_eq!("an end", "an error"),
            Ok(page) => seen += page.len(),
            Err(error) => break assert_ne!(error.code(), ErrorCode::NotFound, "{error:?} after {seen}"),
        }
    }
}

/// What stands beside it can be used as ever.
pub async fn its_neighbours_are_in_use(backend: Arc<dyn Backend>) {
    backend.put("odd/new", "x").await.unwrap();
    assert_eq!(backend.get("odd/new").await.unwrap(), "x");
    backend.remove("odd/new").await.unwrap();
    assert!(!backend.exists(&path("odd/new")).await.unwrap());
    let all = listed(&*backend, "", &RECURSIVE, 1000).await;
    assert_eq!(objects(&all), OBJECTS);
}
