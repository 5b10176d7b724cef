//! Ranges of paths: what lies outside of one is left alone, and ranges that tile a tree make of it what one run does.

use std::sync::Arc;

use omnistorage::{
    Backend, ErrorCode, FileBackend, KeyRange, Path,
    backend::file::FileOptions,
    runtime::{Codec, Compression, Deletion, Filter, Recoding, RenameStrategy, Report, SyncOptions},
};
use tempfile::TempDir;

use crate::{
    pair::{Pair, pair, sync},
    setup::{at, memory, put, storage, tree},
};

/// Names whose order is delicate: what is in `a` comes after `a-b` and `a.txt`.
const SOURCE: [&str; 9] = ["a!", "a-b", "a.txt", "a/x", "a/y/1", "a/y-1", "b/-/z", "b/0", "data/deep/one"];
const TARGET: [&str; 7] = ["a-b", "a/y/1", "a/y/2", "a/y.1", "b/0", "c/old", "data/deep/two"];

/// Ends of ranges: paths that are there, directories, and what is nowhere.
const BORDERS: [&str; 11] = ["!", "a", "a-b", "a/x", "a/y", "a/y-1", "a/y/1", "b", "b/-/z", "c/old", "zzz"];

/// Two trees, in files or in memory, and what they live in.
async fn trees(are_files: [bool; 2]) -> (Pair, TempDir) {
    let scratch = tempfile::tempdir().unwrap();
    let [source, target] = [0, 1].map(|at| -> Arc<dyn Backend> {
        if !are_files[at] {
            return memory();
        }
        let root = scratch.path().join(at.to_string());
        std::fs::create_dir(&root).unwrap();
        Arc::new(FileBackend::open(&root, FileOptions::default()).unwrap())
    });
    let storage = storage([("source", source.clone()), ("target", target.clone())]);
    put(&storage, "source", &SOURCE.map(|name| (name, name))).await;
    put(&storage, "target", &TARGET.map(|name| (name, "old"))).await;
    (Pair { source, target, storage }, scratch)
}

fn between(after: Option<&str>, until: Option<&str>) -> SyncOptions {
    let path = |key| Path::parse(key).unwrap();
    SyncOptions {
        start_after: after.map(path),
        stop_at: until.map(path),
        deletion: Deletion::After,
        // What is empty in one range need not be empty in all.
        allow_empty_source: true,
        ..SyncOptions::default()
    }
}

fn counts(report: &Report) -> [u64; 5] {
    [report.checked, report.transferred, report.bytes, report.deleted, report.errors]
}

#[tokio::test]
async fn ranges_that_tile_a_tree_make_of_it_what_one_run_does() {
    for are_files in [[false, false], [true, true], [false, true]] {
        for filter in [
            Filter::default(),
            Filter::default().rule("- /a/y/**"),
            Filter::default().rule("+ a*").rule("- *"),
        ] {
            let (whole, _scratch) = trees(are_files).await;
            let options = SyncOptions { filter: filter.clone(), ..between(None, None) };
            let (mut expected_events, expected) = sync(&whole.storage, &options).await.unwrap();
            expected_events.sort();
            let expected_tree = tree(&*whole.target).await;
            for border in BORDERS {
                let (parts, _scratch) = trees(are_files).await;
                let (mut events, mut sums) = (Vec::new(), [0; 5]);
                for (after, until) in [(None, Some(border)), (Some(border), None)] {
                    let options = SyncOptions { filter: filter.clone(), ..between(after, until) };
                    let (told, report) = sync(&parts.storage, &options).await.unwrap();
                    for event in &told {
                        let path = event.split_once(' ').unwrap().1;
                        assert!(options.range().spans(path), "{path} in {options:?}");
                    }
                    events.extend(told);
                    sums.iter_mut().zip(counts(&report)).for_each(|(sum, count)| *sum += count);
                }
                events.sort();
                assert_eq!(
                    (events, sums),
                    (expected_events.clone(), counts(&expected)),
                    "{border}, {filter:?}"
                );
                assert_eq!(tree(&*parts.target).await, expected_tree, "{border}, {filter:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_lies_outside_is_left_alone() {
    let (trees, _scratch) = trees([true, true]).await;
    let (told, report) = sync(&trees.storage, &between(Some("a/y"), Some("a/y/1"))).await.unwrap();
    assert_eq!(told, ["transferred a/y-1", "transferred a/y/1", "deleted a/y.1"]);
    assert_eq!(counts(&report), [3, 2, 10, 1, 0]);
    let check = |options| async move {
        let job = trees.storage.check(&at("source", ""), &at("target", ""), &options).await.unwrap();
        job.outcome().await.unwrap()
    };
    let report = check(between(Some("a/y"), Some("a/y/1"))).await;
    assert_eq!((report.checked, report.same), (2, 2));
}

/// The guards hold for the range: what the source does not have there is all of it.
#[tokio::test]
async fn a_source_that_has_nothing_in_the_range_is_an_empty_source() {
    let (trees, _scratch) = trees([false, false]).await;
    let options = SyncOptions { allow_empty_source: false, ..between(Some("b/0"), Some("c/old")) };
    let error = sync(&trees.storage, &options).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::PreconditionFailed);
    assert!(error.message().contains("in this range"), "{error}");
    let options = SyncOptions { max_delete: Some(0), ..between(Some("b/0"), Some("c/old")) };
    assert_eq!(sync(&trees.storage, &options).await.unwrap_err().code(), ErrorCode::LimitExceeded);
    let (told, _) = sync(&trees.storage, &between(Some("b/0"), Some("c/old"))).await.unwrap();
    assert_eq!(told, ["deleted c/old"]);
}

#[tokio::test]
async fn a_single_object_is_in_the_range_or_is_left_alone() {
    let Pair { storage, target, .. } = pair();
    put(&storage, "source", &[("dir/b", "1")]).await;
    let source = at("source", "dir/b");
    for (options, transferred) in [(between(Some("b"), None), 0), (between(Some("a"), Some("b")), 1)] {
        let job = storage.copy(&source, &at("target", ""), &options).await.unwrap();
        assert_eq!(job.outcome().await.unwrap().transferred, transferred);
        assert_eq!(tree(&*target).await.len() as u64, transferred);
    }
}

/// A directory goes with the range that it lies in, and stays as long as something is in it.
#[tokio::test]
async fn a_directory_stays_until_nothing_is_in_it() {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(scratch.path().join("old/deep")).unwrap();
    std::fs::write(scratch.path().join("old/deep/x"), "x").unwrap();
    let target = Arc::new(FileBackend::open(scratch.path(), FileOptions::default()).unwrap());
    let storage = storage([("source", memory()), ("target", target)]);
    put(&storage, "source", &[("new", "1")]).await;
    sync(&storage, &between(None, Some("old/deep"))).await.unwrap();
    assert!(scratch.path().join("old/deep/x").exists());
    sync(&storage, &between(Some("old/deep"), None)).await.unwrap();
    assert!(scratch.path().join("old/deep").exists() && !scratch.path().join("old/deep/x").exists());
    sync(&storage, &between(None, Some("old/deep"))).await.unwrap();
    assert!(!scratch.path().join("old").exists());
}

#[tokio::test]
async fn what_cannot_go_with_a_range_is_refused_by_name() {
    let Pair { storage, .. } = pair();
    put(&storage, "source", &[("a", "1")]).await;
    let range = between(Some("a"), Some("b"));
    let renames =
        SyncOptions { track_renames: RenameStrategy { hash: true, ..Default::default() }, ..range.clone() };
    let compression = Compression { codec: Codec::Gzip, level: None, dictionary: None };
    let recoding = SyncOptions { recoding: Some(Recoding::Compress(compression)), ..range };
    for (options, word) in
        [(renames, "track-renames"), (recoding, "recoding"), (between(Some("b"), Some("a")), "start-after")]
    {
        let error = sync(&storage, &options).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().contains(word), "{error}");
    }
}

/// More than a page of objects on each side, with names of several shapes.
async fn large() -> Pair {
    let pair = pair();
    let name = |n: usize| match n % 3 {
        0 => format!("2026/{:02}/{n:05}", n % 12),
        1 => format!("{:04x}-{n}", (n * 40_503) % 65_536),
        _ => format!("tenant/{n}"),
    };
    for (backend, from, to) in [(&pair.source, 0, 6_000), (&pair.target, 1_500, 7_500)] {
        for n in from..to {
            let contents = if n % 5 == 0 && from == 0 { "new" } else { "old" };
            let path = Path::parse(name(n)).unwrap();
            backend.write_all(&path, contents.into(), &Default::default()).await.unwrap();
        }
    }
    pair
}

#[tokio::test]
async fn a_plan_gives_borders_that_stand_there() {
    let pair = large().await;
    let source = at("source", "");
    for ranges in [1, 2, 7, 64] {
        let borders = pair.storage.plan(&source, &KeyRange::default(), ranges).await.unwrap();
        assert_eq!(borders.len(), ranges as usize - 1);
        assert!(borders.is_sorted_by(|one, next| one < next), "{borders:?}");
        for border in &borders {
            assert!(pair.source.exists(border).await.unwrap(), "{border}");
        }
    }
    // Relative to the place.
    let borders = pair.storage.plan(&at("source", "tenant"), &KeyRange::default(), 4).await.unwrap();
    assert!(
        borders.len() == 3
            && borders.iter().all(|border| !border.starts_with(&Path::parse("tenant").unwrap()))
    );
    // In a range.
    let [after, until] = [&borders[0], &borders[2]].map(|border| Some(border.clone()));
    let range = KeyRange { after, until };
    let inside = pair.storage.plan(&at("source", "tenant"), &range, 5).await.unwrap();
    assert_eq!(inside.len(), 4);
    assert!(inside.iter().all(|border| range.spans(border.as_str()) && *border != borders[2]), "{inside:?}");
    let few = storage([("few", memory())]);
    put(&few, "few", &[("a", "1"), ("b/c", "1")]).await;
    let whole = KeyRange::default();
    assert_eq!(few.plan(&at("few", ""), &whole, 9).await.unwrap(), [Path::parse("b/c").unwrap()]);
    assert_eq!(few.plan(&at("few", "b"), &whole, 9).await.unwrap(), []);
    let nothing = KeyRange { after: Some(borders[2].clone()), until: Some(borders[0].clone()) };
    let error = few.plan(&at("few", ""), &nothing, 9).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    for (place, ranges, code) in [
        ("none", 2, ErrorCode::NotFound),
        ("a", 2, ErrorCode::NotDirectory),
        ("", 0, ErrorCode::InvalidArgument),
    ] {
        assert_eq!(few.plan(&at("few", place), &whole, ranges).await.unwrap_err().code(), code, "{place}");
    }
}
