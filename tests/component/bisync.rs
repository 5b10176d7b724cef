//! Two-way sync through the component.

mod faults;
mod model;
mod state;

use std::{collections::BTreeMap, sync::Arc};

use omnistorage::{
    Backend, ErrorCode, FileBackend, Location, Path, S3Backend, Timestamp,
    backend::{WriteOptions, file::FileOptions},
    runtime::{BisyncAction, BisyncOptions, BisyncReport, DeleteLimit, Filter, Storage, Winner},
};
use tempfile::TempDir;

use crate::setup::{at, memory, put, storage, tree};

/// Two places, a state, and what keeps them alive.
struct Both {
    first: Arc<dyn Backend>,
    second: Arc<dyn Backend>,
    state: Arc<dyn Backend>,
    storage: Storage,
    _scratch: TempDir,
}

fn both(first: Arc<dyn Backend>, second: Arc<dyn Backend>, scratch: TempDir) -> Both {
    let state = memory();
    let mounts = [("first", first.clone()), ("second", second.clone()), ("state", state.clone())];
    Both { first, second, state, storage: storage(mounts), _scratch: scratch }
}

fn memories() -> Both {
    both(memory(), memory(), tempfile::tempdir().unwrap())
}

/// Memory, files and S3, in each role.
fn all_pairs() -> Vec<Both> {
    let pair = |kinds: [&str; 2]| {
        let scratch = tempfile::tempdir().unwrap();
        let mut sides = ["first", "second"].into_iter();
        let [first, second] = kinds.map(|kind| -> Arc<dyn Backend> {
            let root = scratch.path().join(sides.next().unwrap());
            match kind {
                "memory" => memory(),
                "s3" => Arc::new(S3Backend::from_config(omnistorage_test_servers::moto().config()).unwrap()),
                _ => {
                    std::fs::create_dir(&root).unwrap();
                    Arc::new(FileBackend::open(&root, FileOptions::default()).unwrap())
                }
            }
        });
        both(first, second, scratch)
    };
    [
        ["memory", "memory"],
        ["file", "memory"],
        ["memory", "file"],
        ["file", "file"],
        ["file", "s3"],
        ["s3", "memory"],
    ]
    .map(pair)
    .into()
}

fn resync() -> BisyncOptions {
    BisyncOptions { resync: true, ..Default::default() }
}

fn state() -> Location {
    at("state", "pair.state")
}

/// The events in the order of their words, and the report.
async fn bisync(
    storage: &Storage,
    options: &BisyncOptions,
) -> omnistorage::Result<(Vec<String>, BisyncReport)> {
    let mut job = storage.bisync(&at("first", ""), &at("second", ""), &state(), options).await?;
    let (mut events, mut counted) = (Vec::new(), BTreeMap::<_, u64>::new());
    while let Some(event) = job.next().await {
        *counted.entry(event.action.as_str()).or_default() += 1;
        assert_eq!(event.error.is_some(), event.action == BisyncAction::Failed, "{event:?}");
        events.push(format!("{} {} on {}", event.action.as_str(), event.path, event.side.as_str()));
    }
    let report = job.outcome().await?;
    let count = |words: &[&str]| words.iter().filter_map(|word| counted.get(word)).sum::<u64>();
    assert_eq!(report.transferred_to_first + report.transferred_to_second, count(&["transferred"]));
    assert_eq!(report.deleted_on_first + report.deleted_on_second, count(&["deleted"]));
    assert_eq!(report.conflicts, count(&["renamed", "replaced"]));
    assert_eq!((report.skipped, report.errors), (count(&["skipped"]), count(&["failed"])));
    events.sort();
    Ok((events, report))
}

async fn run(both: &Both, options: &BisyncOptions) -> Vec<String> {
    let (events, report) = bisync(&both.storage, options).await.unwrap();
    assert_eq!(report.errors, 0, "{events:?}");
    events
}

async fn write(backend: &dyn Backend, path: &str, contents: &str, seconds: i64) {
    let modified = Some(Timestamp { seconds, nanoseconds: 0 });
    let options = WriteOptions { modified, ..Default::default() };
    let (path, contents) = (Path::parse(path).unwrap(), contents.to_owned());
    backend.write_all(&path, contents.into(), &options).await.unwrap();
}

async fn delete(backend: &dyn Backend, path: &str) {
    backend.delete(&[Path::parse(path).unwrap()]).await.pop().unwrap().unwrap();
}

async fn has(backend: &dyn Backend, expected: &[(&str, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|(path, contents)| ((*path).to_owned(), (*contents).to_owned())).collect();
    assert_eq!(tree(backend).await, expected);
}

#[tokio::test]
async fn changes_and_deletes_of_each_side_reach_the_other() {
    for both in all_pairs() {
        let (first, second) = (&*both.first, &*both.second);
        for (path, seconds) in [("a", 1), ("d/b", 2), ("d/c", 3), ("e", 4), ("same", 5)] {
            write(first, path, "old", seconds).await;
        }
        write(second, "only here", "x", 6).await;
        let events = run(&both, &resync()).await;
        assert_eq!(events.len(), 6, "{events:?}");
        assert!(events.contains(&"transferred only here on first".to_owned()), "{events:?}");
        assert_eq!(run(&both, &Default::default()).await, [""; 0]);

        write(first, "a", "changed on the first", 10).await;
        write(second, "d/b", "changed on the second", 11).await;
        delete(first, "d/c").await;
        delete(second, "e").await;
        write(second, "new", "new", 12).await;
        let dry = BisyncOptions { dry_run: true, ..Default::default() };
        let before = (tree(first).await, tree(second).await, tree(&*both.state).await);
        let told = run(&both, &dry).await;
        assert_eq!((tree(first).await, tree(second).await, tree(&*both.state).await), before);
        let events = run(&both, &Default::default()).await;
        assert_eq!(told, events);
        assert_eq!(
            events,
            [
                "deleted d/c on second",
                "deleted e on first",
                "transferred a on second",
                "transferred d/b on first",
                "transferred new on first",
            ]
        );
        for side in [first, second] {
            let now = [
                ("a", "changed on the first"),
                ("d/b", "changed on the second"),
                ("new", "new"),
                ("only here", "x"),
                ("same", "old"),
            ];
            has(side, &now).await;
        }
        let stored = tree(&*both.state).await;
        assert_eq!(run(&both, &Default::default()).await, [""; 0]);
        assert_eq!(tree(&*both.state).await, stored, "nothing to do, nothing to write");
    }
}

#[tokio::test]
async fn what_was_deleted_on_one_side_stays_deleted() {
    let both = memories();
    write(&*both.first, "a", "1", 1).await;
    write(&*both.first, "b", "1", 1).await;
    run(&both, &resync()).await;
    delete(&*both.second, "a").await;
    assert_eq!(run(&both, &Default::default()).await, ["deleted a on first"]);
    // It comes back with the time that it had: it is new, and no delete is remembered.
    write(&*both.first, "a", "1", 1).await;
    assert_eq!(run(&both, &Default::default()).await, ["transferred a on second"]);
    has(&*both.second, &[("a", "1"), ("b", "1")]).await;
}

/// As a version that comes back by `cp -p`, or takes another's name: what is listed of it is another etag alone.
#[tokio::test]
async fn a_change_of_the_same_size_and_time_reaches_the_other_side() {
    for both in all_pairs() {
        write(&*both.first, "a", "old", 1000).await;
        run(&both, &resync()).await;
        write(&*both.first, "a", "new", 1000).await;
        assert_eq!(run(&both, &BisyncOptions::default()).await, ["transferred a on second"]);
        write(&*both.second, "a", "now", 1000).await;
        assert_eq!(run(&both, &BisyncOptions::default()).await, ["transferred a on first"]);
        has(&*both.first, &[("a", "now")]).await;
        assert_eq!(run(&both, &BisyncOptions::default()).await, [""; 0]);
    }
}

#[tokio::test]
async fn a_change_wins_over_a_delete() {
    for both in all_pairs() {
        write(&*both.first, "a", "1", 1).await;
        write(&*both.first, "b", "1", 1).await;
        run(&both, &resync()).await;
        delete(&*both.first, "a").await;
        write(&*both.second, "a", "changed", 2).await;
        write(&*both.first, "b", "changed", 2).await;
        delete(&*both.second, "b").await;
        let events = run(&both, &Default::default()).await;
        assert_eq!(events, ["transferred a on first", "transferred b on second"]);
        for side in [&both.first, &both.second] {
            has(&**side, &[("a", "changed"), ("b", "changed")]).await;
        }
    }
}

#[tokio::test]
async fn both_versions_of_a_conflict_are_kept_and_no_name_is_taken_twice() {
    for both in all_pairs() {
        write(&*both.first, "d/a.txt", "old", 1).await;
        write(&*both.second, "d/a.txt.conflict1", "was here before", 1).await;
        run(&both, &resync()).await;
        write(&*both.first, "d/a.txt", "mine", 20).await;
        write(&*both.second, "d/a.txt", "theirs, and later", 30).await;
        let events = run(&both, &Default::default()).await;
        assert_eq!(
            events,
            [
                "renamed d/a.txt on first",
                "transferred d/a.txt on first",
                "transferred d/a.txt.conflict2 on second",
            ]
        );
        let now = [
            ("d/a.txt", "theirs, and later"),
            ("d/a.txt.conflict1", "was here before"),
            ("d/a.txt.conflict2", "mine"),
        ];
        for side in [&both.first, &both.second] {
            has(&**side, &now).await;
        }
        assert_eq!(run(&both, &Default::default()).await, [""; 0]);
    }
}

#[tokio::test]
async fn a_conflict_is_resolved_by_the_strategy_that_is_named() {
    let old_and_long = ("a longer version", 10);
    let new_and_short = ("short", 20);
    for (winner, keep_loser, wins, kept) in [
        (Winner::Newer, false, "short", None),
        (Winner::Older, false, "a longer version", None),
        (Winner::Larger, false, "a longer version", None),
        (Winner::Smaller, false, "short", None),
        (Winner::First, false, "a longer version", None),
        (Winner::Second, false, "short", None),
        (Winner::Second, true, "short", Some("a longer version")),
        (Winner::First, true, "a longer version", Some("short")),
    ] {
        let both = memories();
        write(&*both.first, "a", old_and_long.0, old_and_long.1).await;
        write(&*both.second, "a", new_and_short.0, new_and_short.1).await;
        let options = BisyncOptions { winner, keep_loser, ..resync() };
        let events = run(&both, &options).await;
        assert_eq!(events[0].starts_with("replaced"), kept.is_none(), "{events:?}");
        let mut now = vec![("a", wins)];
        now.extend(kept.map(|kept| ("a.conflict1", kept)));
        for side in [&both.first, &both.second] {
            has(&**side, &now).await;
        }
        assert_eq!(run(&both, &Default::default()).await, [""; 0], "{winner:?}");
    }
}

/// Nobody asked for that version to go.
#[tokio::test]
async fn where_no_winner_can_be_told_both_are_kept() {
    let both = memories();
    write(&*both.first, "a", "one", 10).await;
    write(&*both.second, "a", "two", 20).await;
    let options = BisyncOptions { winner: Winner::Larger, keep_loser: false, ..resync() };
    assert!(run(&both, &options).await.contains(&"renamed a on second".to_owned()));
    has(&*both.second, &[("a", "one"), ("a.conflict1", "two")]).await;
}

#[tokio::test]
async fn the_same_change_on_both_sides_is_no_conflict() {
    for both in all_pairs() {
        write(&*both.first, "a", "old", 1).await;
        run(&both, &resync()).await;
        write(&*both.first, "a", "the same", 20).await;
        write(&*both.second, "a", "the same", 30).await;
        assert_eq!(run(&both, &Default::default()).await, [""; 0]);
        // And it is known to be: a delete is one.
        delete(&*both.first, "a").await;
        write(&*both.first, "b", "", 1).await;
        let options = BisyncOptions { max_delete: DeleteLimit::Count(1), ..Default::default() };
        let events = run(&both, &options).await;
        assert_eq!(events, ["deleted a on second", "transferred b on second"]);
    }
}

#[tokio::test]
async fn a_side_that_has_become_empty_empties_nothing() {
    let both = memories();
    put(&both.storage, "first", &[("a", "1"), ("b", "2")]).await;
    run(&both, &resync()).await;
    for path in ["a", "b"] {
        delete(&*both.first, path).await;
    }
    // Also not what would be brought back by a change.
    write(&*both.second, "b", "changed", 9).await;
    let all = BisyncOptions { max_delete: DeleteLimit::Percent(100), ..Default::default() };
    let error = bisync(&both.storage, &all).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::PreconditionFailed, "{error}");
    assert!(error.message().contains("first place is empty"), "{error}");
    has(&*both.first, &[]).await;
    let events = run(&both, &BisyncOptions { allow_empty: true, ..all }).await;
    assert_eq!(events, ["deleted a on second", "transferred b on first"]);
}

#[tokio::test]
async fn more_deletes_than_allowed_are_none() {
    for (max_delete, allowed) in [
        (DeleteLimit::Percent(50), false),
        (DeleteLimit::Count(2), false),
        (DeleteLimit::Count(3), true),
        (DeleteLimit::Percent(75), true),
    ] {
        let both = memories();
        put(&both.storage, "first", &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]).await;
        run(&both, &resync()).await;
        for path in ["a", "b", "c"] {
            delete(&*both.second, path).await;
        }
        let options = BisyncOptions { max_delete, ..Default::default() };
        match bisync(&both.storage, &options).await {
            Ok((events, _)) => assert!(allowed && events.len() == 3, "{max_delete:?}: {events:?}"),
            Err(error) => {
                assert!(!allowed && error.message().contains("max-delete"), "{max_delete:?}: {error}");
                assert_eq!(error.code(), ErrorCode::LimitExceeded);
                assert_eq!(tree(&*both.first).await.len(), 4);
            }
        }
    }
}

#[tokio::test]
async fn what_the_filter_leaves_out_is_left_alone_on_both_sides() {
    let filter = Filter::default().rule("- *.tmp").rule("- /cache/");
    let both = memories();
    put(&both.storage, "first", &[("a", "1"), ("a.tmp", "1"), ("cache/x", "1")]).await;
    put(&both.storage, "second", &[("a.tmp", "2"), ("b.tmp", "2"), ("cache/y", "2")]).await;
    run(&both, &BisyncOptions { filter: filter.clone(), ..resync() }).await;
    has(&*both.second, &[("a", "1"), ("a.tmp", "2"), ("b.tmp", "2"), ("cache/y", "2")]).await;

    let error = bisync(&both.storage, &Default::default()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::PreconditionFailed);
    assert!(error.message().contains("filter") && error.message().contains("resync"), "{error}");
    let same = BisyncOptions { filter, ..Default::default() };
    assert_eq!(run(&both, &same).await, [""; 0]);
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused_by_name() {
    let both = memories();
    put(&both.storage, "first", &[("a", "1")]).await;
    let bound = Filter { max_size: Some(1), ..Filter::default() };
    let deletes = Filter { delete_excluded: true, ..Filter::default() };
    for (options, word) in [
        (BisyncOptions { transfers: 0, ..resync() }, "transfers"),
        (BisyncOptions { retries: 101, ..resync() }, "retries"),
        (BisyncOptions { bandwidth: Some(0), ..resync() }, "bandwidth"),
        (BisyncOptions { conflict_suffix: String::new(), ..resync() }, "suffix"),
        (BisyncOptions { conflict_suffix: "/x".to_owned(), ..resync() }, "suffix"),
        (BisyncOptions { filter: bound, ..resync() }, "outgrows"),
        (BisyncOptions { filter: deletes, ..resync() }, "excluded"),
        (
            BisyncOptions { comparison: omnistorage::runtime::Comparison::Always, ..resync() },
            "two-way sync compares",
        ),
    ] {
        let error = bisync(&both.storage, &options).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().contains(word), "{error}");
    }
}

#[tokio::test]
async fn places_that_overlap_or_are_missing_are_refused() {
    let both = memories();
    put(&both.storage, "first", &[("d/a", "1"), ("e/b", "2")]).await;
    let refused = async |first: Location, second: Location, state: Location, code: ErrorCode| {
        let job = both.storage.bisync(&first, &second, &state, &resync()).await.unwrap();
        let error = job.outcome().await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    };
    refused(at("first", "d"), at("first", "d/x"), state(), ErrorCode::InvalidArgument).await;
    refused(at("first", "d"), at("first", "d"), state(), ErrorCode::InvalidArgument).await;
    refused(at("first", ""), at("second", ""), at("first", "s/x"), ErrorCode::InvalidArgument).await;
    refused(at("first", "no"), at("second", "no"), state(), ErrorCode::NotFound).await;
    refused(at("first", "d/a"), at("second", ""), state(), ErrorCode::NotDirectory).await;
    has(&*both.second, &[]).await;
    // A state in a place is fine where a filter leaves it out.
    let options = BisyncOptions { filter: Filter::default().rule("- /.state/**"), ..resync() };
    let inside = at("first", ".state/x");
    let job = both.storage.bisync(&at("first", ""), &at("second", ""), &inside, &options).await.unwrap();
    assert_eq!(job.outcome().await.unwrap().transferred_to_second, 2);
    has(&*both.second, &[("d/a", "1"), ("e/b", "2")]).await;
}

/// Where directories are only prefixes that objects share.
#[tokio::test]
async fn prefixes_of_two_stores_are_places() {
    let config = || omnistorage_test_servers::moto().config();
    let [first, second] = [config(), config()]
        .map(|config| -> Arc<dyn Backend> { Arc::new(S3Backend::from_config(config).unwrap()) });
    let storage = storage([("first", first), ("second", second), ("state", memory())]);
    put(&storage, "first", &[("d/a", "1")]).await;
    put(&storage, "second", &[("e/b", "2")]).await;
    for (options, transferred) in [(resync(), 2), (BisyncOptions::default(), 0)] {
        let job = storage.bisync(&at("first", "d"), &at("second", "e"), &state(), &options).await.unwrap();
        let report = job.outcome().await.unwrap();
        assert_eq!(report.transferred_to_first + report.transferred_to_second, transferred);
    }
}

#[tokio::test]
async fn an_object_where_a_directory_stands_fails_and_links_are_skipped() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("second");
    std::fs::create_dir_all(root.join("clash")).unwrap();
    std::fs::write(root.join("clash/x"), "1").unwrap();
    std::os::unix::fs::symlink("clash/x", root.join("link")).unwrap();
    let second = Arc::new(FileBackend::open(&root, FileOptions::default()).unwrap());
    let both = both(memory(), second, scratch);
    put(&both.storage, "first", &[("clash", "an object"), ("link", "2"), ("z", "3")]).await;
    let (events, report) = bisync(&both.storage, &resync()).await.unwrap();
    assert!(report.errors >= 1 && report.skipped == 1, "{events:?}");
    assert!(events.contains(&"failed clash on first".to_owned()), "{events:?}");
    assert!(events.contains(&"transferred z on second".to_owned()), "{events:?}");
    assert_eq!(tree(&*both.first).await[0], ("clash".to_owned(), "an object".to_owned()));
    assert_eq!(std::fs::read(root.join("clash/x")).unwrap(), b"1");
}

#[tokio::test]
async fn ten_thousand_objects_there_and_back() {
    let both = memories();
    for n in 0..10_100 {
        write(&*both.first, &format!("{}/{n}", n % 100), "x", n).await;
    }
    let (_, report) = bisync(&both.storage, &resync()).await.unwrap();
    assert_eq!((report.transferred_to_second, report.errors), (10_100, 0));
    let (events, report) = bisync(&both.storage, &Default::default()).await.unwrap();
    assert_eq!((events.len(), report.checked), (0, 10_100));
    for n in 0..5_000 {
        delete(&*both.second, &format!("{}/{n}", n % 100)).await;
    }
    let (_, report) = bisync(&both.storage, &Default::default()).await.unwrap();
    assert_eq!((report.deleted_on_first, report.errors), (5_000, 0));
    assert_eq!(tree(&*both.first).await.len(), 5_100);
}
