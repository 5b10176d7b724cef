//! Listings of which a part fails: a name that is no path, a directory that cannot be read. The rest goes on, nothing is
//! deleted, and what nobody could look at is neither missing nor extra.

use std::sync::Arc;

use async_trait::async_trait;
use futures::TryStreamExt;
use omnistorage::{
    Backend, Error, ErrorCode, Path, Result,
    backend::{ListOptions, Listed, Listing, ListingFailure, Unlisted},
    runtime::{
        BisyncOptions, CheckReport, Codec, Comparison, Compression, Deletion, Filter, Recoding,
        RenameStrategy, Storage, SyncOptions,
    },
};

use crate::{
    pair::sync,
    setup::{at, memory, put, storage, tree},
    twisted::Twisted,
};

/// A listing that is blind for some of what there is.
struct Blind {
    inner: Option<Box<dyn Listing>>,
    blind_for: Vec<ListingFailure>,
    listed: std::vec::IntoIter<Listed>,
}

#[async_trait]
impl Listing for Blind {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        if let Some(mut inner) = self.inner.take() {
            let mut listed: Vec<Listed> = Vec::new();
            loop {
                let page = inner.next_entries(1000).await?;
                if page.is_empty() {
                    break;
                }
                let is_hidden = |path: &Path| {
                    self.blind_for.iter().any(|failure| match &failure.what {
                        Unlisted::Directory(hidden) => path.starts_with(hidden) && path != hidden,
                        Unlisted::Entry(hidden) => path.starts_with(hidden),
                        Unlisted::Name { .. } => false,
                    })
                };
                listed.extend(page.into_iter().filter(|entry| !is_hidden(&entry.path)).map(Listed::Entry));
            }
            for failure in &self.blind_for {
                let position = listed.partition_point(|other| other.path() < failure.what.path());
                listed.insert(position, failure.clone().into());
            }
            self.listed = listed.into_iter();
        }
        Ok(self.listed.by_ref().take(max).collect())
    }
}

/// The same backend, whose recursive listings fail in these directories.
fn blind(inner: &Arc<dyn Backend>, directories: &[&str]) -> Arc<dyn Backend> {
    let failure = |path: &&str| {
        let path = Path::parse(*path).unwrap();
        let error = Error::new(ErrorCode::PermissionDenied, "it cannot be read").at("blind", &path);
        ListingFailure { what: Unlisted::Directory(path), error }
    };
    blind_for(Twisted::new(inner), directories.iter().map(failure).collect())
}

/// The same, with names that are no paths.
fn odd(inner: &Arc<dyn Backend>, names: &[&[u8]]) -> Arc<dyn Backend> {
    blind_for(Twisted::new(inner), names.iter().map(|name| ListingFailure::of_name("odd", name)).collect())
}

fn blind_for(twisted: Twisted, failures: Vec<ListingFailure>) -> Arc<dyn Backend> {
    twisted.listing(move |inner| {
        Box::new(Blind { inner: Some(inner), blind_for: failures.clone(), listed: Vec::new().into_iter() })
    })
}

async fn filled(objects: &[(&str, &str)]) -> Arc<dyn Backend> {
    let backend = memory();
    for (path, contents) in objects {
        let contents = (*contents).to_owned().into();
        backend.write_all(&Path::parse(*path).unwrap(), contents, &Default::default()).await.unwrap();
    }
    backend
}

fn pair(source: Arc<dyn Backend>, target: Arc<dyn Backend>) -> Storage {
    storage([("source", source), ("target", target)])
}

async fn paths(backend: &Arc<dyn Backend>) -> Vec<String> {
    tree(&**backend).await.into_iter().map(|(path, _)| path).collect()
}

const ODD: [&[u8]; 4] = [b"a//b", b"caf\xe9", b"x/../y", b"z/"];

#[tokio::test]
async fn a_name_that_is_no_path_stops_nothing_else() {
    for deletion in [Deletion::Before, Deletion::During, Deletion::After] {
        let (source, target) = (filled(&[("a", "1"), ("z", "1")]).await, filled(&[("extra", "2")]).await);
        let storage = pair(odd(&source, &ODD), target.clone());
        let options = SyncOptions { deletion, ..Default::default() };
        let (mut events, report) = sync(&storage, &options).await.unwrap();
        events.sort();
        let told = ["failed a//b", "failed caf\u{fffd}", "failed x/../y", "failed z/"];
        assert_eq!(events[..4], told);
        assert_eq!(events[4..], ["transferred a", "transferred z"], "{deletion:?}");
        assert_eq!((report.errors, report.transferred, report.deletes_withheld), (4, 2, 1));
        assert_eq!(paths(&target).await, ["a", "extra", "z"]);
        // A copy goes into a target that holds such names, too.
        let (events, report) = {
            let storage = pair(source, odd(&target, &ODD[..1]));
            put(&storage, "source", &[("new", "3")]).await;
            sync(&storage, &SyncOptions { deletion: Deletion::None, ..Default::default() }).await.unwrap()
        };
        assert_eq!(
            (events, report.errors),
            (vec!["failed a//b".to_owned(), "transferred new".to_owned()], 1)
        );
    }
}

#[tokio::test]
async fn what_a_filter_excludes_is_no_error() {
    for rules in [
        &["- a//b", "- caf*", "- x/**", "- z"][..],
        &["- {{a//b}}", "- caf?", "- x/../y", "- z/**"],
        &["+ /a", "- *"],
        &["- /a/**", "- caf*/", "- y", "- {a,z}*"],
    ] {
        let (source, target) = (filled(&[("a", "1")]).await, filled(&[("extra", "2")]).await);
        let storage = pair(odd(&source, &ODD), target.clone());
        let filter = rules.iter().fold(Filter::default(), |filter, rule| filter.rule(*rule));
        let options = SyncOptions { filter, allow_empty_source: true, ..Default::default() };
        let (events, report) = sync(&storage, &options).await.unwrap();
        assert_eq!(report.errors, 0, "{rules:?} {events:?}");
        assert_eq!(report.deletes_withheld, 0);
    }
}

const TREE: [(&str, &str); 5] = [("a", "1"), ("d/x", "1"), ("d/y/z", "1"), ("d-b", "1"), ("e", "1")];

#[tokio::test]
async fn a_directory_of_the_source_that_fails_makes_nothing_extra() {
    for deletion in [Deletion::Before, Deletion::During, Deletion::After] {
        for ignore_errors in [false, true] {
            let (source, target) = (filled(&TREE).await, filled(&[("d/old", "2"), ("old", "2")]).await);
            let options = SyncOptions { deletion, ignore_errors, ..Default::default() };
            let storage = pair(blind(&source, &["d"]), target.clone());
            let (_, report) = sync(&storage, &options).await.unwrap();
            assert_eq!((report.errors, report.transferred), (1, 3), "{deletion:?}");
            let rest = if ignore_errors {
                &["a", "d-b", "d/old", "e"][..]
            } else {
                &["a", "d-b", "d/old", "e", "old"]
            };
            assert_eq!(paths(&target).await, rest, "{deletion:?}");
        }
    }
}

#[tokio::test]
async fn a_directory_of_the_target_that_fails_makes_nothing_missing() {
    let compress = Recoding::Compress(Compression { codec: Codec::Gzip, level: None, dictionary: None });
    for options in [
        SyncOptions::default(),
        SyncOptions { deletion: Deletion::Before, ..Default::default() },
        SyncOptions { immutable: true, ..Default::default() },
        SyncOptions { update_only: true, ..Default::default() },
        SyncOptions { comparison: Comparison::IgnoreExisting, ..Default::default() },
        SyncOptions {
            track_renames: RenameStrategy { hash: true, ..Default::default() },
            ..Default::default()
        },
        SyncOptions { recoding: Some(compress), ..Default::default() },
        SyncOptions { recoding: Some(Recoding::Decompress(None)), ..Default::default() },
    ] {
        for unsorted in [false, true] {
            let (source, target) = (filled(&TREE).await, filled(&[("d/x", "other"), ("d/old", "2")]).await);
            let twisted = Twisted::new(&target);
            let twisted = if unsorted { twisted.unsorted() } else { twisted };
            let failure = ListingFailure {
                what: Unlisted::Directory(Path::parse("d").unwrap()),
                error: Error::new(ErrorCode::Unavailable, "it is gone"),
            };
            let storage = pair(source.clone(), blind_for(twisted, vec![failure]));
            for _ in 0..2 {
                let (from, to) = (at("source", ""), at("target", ""));
                let moved = storage.move_to(&from, &to, &options).await.unwrap();
                let report = moved.outcome().await.unwrap();
                assert_eq!((report.errors, report.skipped), (1, 2), "{options:?}");
            }
            let there = tree(&*target).await;
            assert!(there.contains(&("d/x".to_owned(), "other".to_owned())), "{options:?} {there:?}");
            assert_eq!(there.len(), 5);
            assert_eq!(paths(&source).await, ["d/x", "d/y/z"], "{options:?}");
        }
    }
}

#[tokio::test]
async fn a_check_tells_what_it_could_not_compare() {
    let (source, target) = (filled(&TREE).await, filled(&TREE).await);
    for (storage, errors, one_way_errors) in [
        (pair(blind(&source, &["d"]), target.clone()), 3, 1),
        (pair(source.clone(), blind(&target, &["d"])), 3, 3),
        (pair(odd(&source, &ODD), odd(&target, &ODD)), 8, 8),
    ] {
        for (one_way, errors) in [(false, errors), (true, one_way_errors)] {
            let options = SyncOptions { one_way, ..Default::default() };
            let check = storage.check(&at("source", ""), &at("target", ""), &options).await.unwrap();
            let CheckReport { same, differ, missing_on_source, missing_on_target, errors: found, .. } =
                check.outcome().await.unwrap();
            assert_eq!(found, errors);
            assert_eq!((differ, missing_on_source, missing_on_target), (0, 0, 0));
            assert!(same >= 3);
        }
    }
}

#[tokio::test]
async fn a_two_way_sync_takes_no_failure_for_a_deletion() {
    let (first, second, state) = (filled(&TREE).await, filled(&TREE).await, memory());
    let run = async |first: &Arc<dyn Backend>, second: &Arc<dyn Backend>, resync| {
        let storage =
            storage([("first", first.clone()), ("second", second.clone()), ("state", state.clone())]);
        let options = BisyncOptions { resync, ..Default::default() };
        let places = [at("first", ""), at("second", ""), at("state", "s")];
        let job = storage.bisync(&places[0], &places[1], &places[2], &options).await.unwrap();
        job.outcome().await.unwrap()
    };
    assert_eq!(run(&first, &second, true).await.errors, 0);
    // What was deleted for sure stays for now, like all else, and what cannot be seen is not deleted.
    let gone = [Path::parse("a").unwrap(), Path::parse("d/x").unwrap()];
    for result in first.delete(&gone).await {
        result.unwrap();
    }
    for (one, other) in [
        (blind(&first, &["d"]), second.clone()),
        (first.clone(), blind(&second, &["d"])),
        (odd(&first, &ODD), second.clone()),
        (blind(&first, &["d"]), blind(&second, &["d"])),
    ] {
        let report = run(&one, &other, false).await;
        assert!(report.errors > 0 && report.deletes_withheld > 0, "{report:?}");
        assert_eq!((report.deleted_on_first, report.deleted_on_second), (0, 0));
        assert_eq!((report.transferred_to_first, report.transferred_to_second), (0, 0));
        assert_eq!(paths(&second).await, ["a", "d-b", "d/x", "d/y/z", "e"]);
    }
    // The state still knows what both had: the deletes are found when everything can be seen again.
    let report = run(&first, &second, false).await;
    assert_eq!((report.errors, report.deleted_on_second), (0, 2));
    assert_eq!(paths(&first).await, paths(&second).await);
}

#[tokio::test]
async fn a_listing_gives_what_it_could_not_list() {
    let backend = filled(&TREE).await;
    for (backend, told) in [
        (blind(&backend, &["d"]), &["a", "! d", "d-b", "e"][..]),
        (odd(&backend, &ODD[..1]), &["! a//b", "a", "d-b", "d/x", "d/y/z", "e"]),
    ] {
        let storage = storage([("here", backend)]);
        let options = ListOptions { recursive: true, ..Default::default() };
        let listed: Vec<_> =
            storage.list(&at("here", ""), &options).await.unwrap().try_collect().await.unwrap();
        let found = listed.iter().map(|listed| match listed {
            Listed::Entry(entry) => entry.path.to_string(),
            Listed::Failure(failure) => format!("! {}", failure.what.name()),
        });
        assert_eq!(found.collect::<Vec<_>>(), told);
    }
}
