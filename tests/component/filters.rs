//! Filters through the component: what they leave out is neither transferred, nor compared, nor deleted.

use std::sync::Arc;

use omnistorage::{
    Backend, ErrorCode, FileBackend, Timestamp,
    backend::{
        WriteOptions,
        file::FileOptions,
        layer::{Layered, Operation},
        observe::Observe,
    },
    runtime::{Difference, Filter, Report, RuleKind, RuleSource, Storage, SyncOptions},
};

use crate::setup::{at, memory, put, storage, tree};

fn options(filter: Filter) -> SyncOptions {
    SyncOptions { filter, ..SyncOptions::default() }
}

fn rules(rules: &[&str]) -> Filter {
    rules.iter().fold(Filter::default(), |filter, rule| filter.rule(*rule))
}

fn include(pattern: &str) -> Filter {
    let source = RuleSource { kind: RuleKind::Include, text: pattern.to_owned(), file: None };
    Filter { rules: vec![source], ..Filter::default() }
}

/// A pair of memories, and one of directories.
async fn pairs(scratch: &tempfile::TempDir) -> [(Arc<dyn Backend>, Arc<dyn Backend>, Storage); 2] {
    let directory = |name| -> Arc<dyn Backend> {
        let root = scratch.path().join(name);
        std::fs::create_dir(&root).unwrap();
        Arc::new(FileBackend::open(&root, FileOptions::default()).unwrap())
    };
    let pairs = [(memory(), memory()), (directory("source"), directory("target"))];
    pairs.map(|(source, target)| {
        let storage = storage([("source", source.clone()), ("target", target.clone())]);
        (source, target, storage)
    })
}

async fn sync(storage: &Storage, filter: Filter) -> omnistorage::Result<Report> {
    storage.sync(&at("source", ""), &at("target", ""), &options(filter)).await?.outcome().await
}

async fn paths(backend: &dyn Backend) -> Vec<String> {
    tree(backend).await.into_iter().map(|(path, _)| path).collect()
}

#[tokio::test]
async fn what_is_excluded_is_neither_transferred_nor_deleted() {
    let scratch = tempfile::tempdir().unwrap();
    for (_, target, storage) in pairs(&scratch).await {
        put(&storage, "source", &[("a.jpg", "1"), ("a.tmp", "1"), ("d/.git/HEAD", "1"), ("d/b.jpg", "1")])
            .await;
        put(&storage, "target", &[("extra", "2"), ("extra.tmp", "2"), ("x/.git/y/z", "2"), ("a.tmp", "old")])
            .await;
        let filter = rules(&["- *.tmp", "- .git/"]);
        let report = sync(&storage, filter.clone()).await.unwrap();
        assert_eq!((report.transferred, report.deleted, report.checked), (2, 1, 3));
        assert_eq!(paths(&*target).await, ["a.jpg", "a.tmp", "d/b.jpg", "extra.tmp", "x/.git/y/z"]);
        let (source, goal) = (at("source", ""), at("target", ""));
        let mut check = storage.check(&source, &goal, &options(filter.clone())).await.unwrap();
        while let Some(entry) = check.next().await {
            assert_eq!(entry.difference, Difference::Same, "{entry:?}");
        }
        assert_eq!(check.outcome().await.unwrap().checked, 2);

        let report = sync(&storage, Filter { delete_excluded: true, ..filter }).await.unwrap();
        assert_eq!((report.transferred, report.deleted), (0, 3));
        assert_eq!(paths(&*target).await, ["a.jpg", "d/b.jpg"]);
    }
}

#[tokio::test]
async fn only_what_is_listed_or_included_is_looked_at() {
    let scratch = tempfile::tempdir().unwrap();
    for (_, target, storage) in pairs(&scratch).await {
        let objects = [("a", "1"), ("a-b/c", "1"), ("a.d/e", "1"), ("d/e/f", "1"), ("d/e.jpg", "1")];
        put(&storage, "source", &objects).await;
        put(&storage, "target", &[("extra", "2"), ("d/extra", "2")]).await;
        let list = |text: &str| Filter {
            rules: vec![RuleSource {
                kind: RuleKind::Files,
                text: text.to_owned(),
                file: Some("list".to_owned()),
            }],
            ..Filter::default()
        };
        let copied = sync(&storage, list("/d/e/f\nmissing\nd/gone/x\na\n")).await.unwrap();
        assert_eq!((copied.transferred, copied.deleted, copied.errors), (2, 0, 0));
        let copied = sync(&storage, include("*.jpg")).await.unwrap();
        assert_eq!((copied.transferred, copied.deleted), (1, 0));
        let copied = sync(&storage, Filter { max_depth: Some(1), ..Filter::default() }).await.unwrap();
        assert_eq!((copied.transferred, copied.deleted), (0, 1));
        let copied = sync(&storage, include("/a*/**")).await.unwrap();
        assert_eq!((copied.transferred, copied.deleted), (2, 0));
        assert_eq!(paths(&*target).await, ["a", "a-b/c", "a.d/e", "d/e.jpg", "d/e/f", "d/extra"]);
    }
}

#[tokio::test]
async fn bounds_judge_the_source_and_protect_what_is_alone() {
    let scratch = tempfile::tempdir().unwrap();
    for (source, target, storage) in pairs(&scratch).await {
        put(&storage, "source", &[("grown", "0123456789"), ("small", "1")]).await;
        put(&storage, "target", &[("grown", "12"), ("alone", "0123456789"), ("gone", "1")]).await;
        let small = Filter { max_size: Some(5), ..Filter::default() };
        let report = sync(&storage, small).await.unwrap();
        assert_eq!((report.transferred, report.deleted), (1, 1));
        assert_eq!(paths(&*target).await, ["alone", "grown", "small"]);

        // What is written now is newer than any bound, and still what is there is what is compared with.
        let old = WriteOptions {
            modified: Some(Timestamp { seconds: 1_000_000_000, nanoseconds: 0 }),
            ..WriteOptions::default()
        };
        let path = omnistorage::Path::parse("small").unwrap();
        source.write_all(&path, "1".into(), &old).await.unwrap();
        let aged = Filter {
            modified_until: Some(Timestamp { seconds: 1_100_000_000, nanoseconds: 0 }),
            ..Filter::default()
        };
        let ignore = SyncOptions {
            comparison: omnistorage::runtime::Comparison::IgnoreExisting,
            ..options(aged.clone())
        };
        let job = storage.sync(&at("source", ""), &at("target", ""), &ignore).await.unwrap();
        let report = job.outcome().await.unwrap();
        assert_eq!((report.transferred, report.skipped, report.deleted), (0, 1, 0));
        assert_eq!(sync(&storage, aged.clone()).await.unwrap().updated_times, 1);
        let again = sync(&storage, aged).await.unwrap();
        assert_eq!((again.transferred, again.updated_times, again.deleted), (0, 0, 0));
    }
}

#[tokio::test]
async fn an_excluded_directory_is_never_listed() {
    use std::{fs, os::unix::ffi::OsStrExt};
    let scratch = tempfile::tempdir().unwrap();
    let [_, (_, target, storage)] = pairs(&scratch).await;
    put(&storage, "source", &[("a", "1")]).await;
    let hidden = scratch.path().join("source/lost/deep");
    fs::create_dir_all(&hidden).unwrap();
    // A name that no listing can give.
    fs::write(hidden.join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
    let report = sync(&storage, rules(&["- /lost/"])).await.unwrap();
    assert_eq!((report.transferred, report.errors), (1, 0));
    let report = sync(&storage, rules(&["- nothing"])).await.unwrap();
    assert_eq!((report.transferred, report.errors), (0, 1));
    assert_eq!(paths(&*target).await, ["a"]);
}

#[tokio::test]
async fn a_target_in_the_source_is_no_overlap_if_its_directory_is_excluded() {
    let storage = storage([("disk", memory())]);
    put(&storage, "disk", &[("a", "1"), ("backup/old", "2")]).await;
    let run = async |target: &str, filter: Filter| {
        let job = storage.sync(&at("disk", ""), &at("disk", target), &options(filter)).await.unwrap();
        job.outcome().await.map(|report| (report.transferred, report.deleted))
    };
    for (target, filter) in [
        ("backup", rules(&["- /other/"])),
        ("backup", rules(&["- /backup/x/"])),
        ("", rules(&["- /backup/"])),
        ("backup", Filter::default()),
    ] {
        assert_eq!(run(target, filter).await.unwrap_err().code(), ErrorCode::InvalidArgument, "{target}");
    }
    assert_eq!(run("backup", rules(&["- /backup/"])).await.unwrap(), (1, 1));
    assert_eq!(run("backup/deep/er", rules(&["- /backup/"])).await.unwrap(), (1, 0));
    let job = storage.sync(&at("disk", "backup"), &at("disk", ""), &options(rules(&["- /backup/"]))).await;
    assert_eq!(job.unwrap().outcome().await.unwrap_err().code(), ErrorCode::InvalidArgument);
}

#[tokio::test]
async fn one_object_is_filtered_too() {
    let storage = storage([("source", memory()), ("target", memory())]);
    put(&storage, "source", &[("d/a.tmp", "1"), ("d/a.txt", "1")]).await;
    for (object, transferred) in [("d/a.tmp", 0), ("d/a.txt", 1)] {
        let job = storage
            .copy(&at("source", object), &at("target", ""), &options(rules(&["- *.tmp"])))
            .await
            .unwrap();
        assert_eq!(job.outcome().await.unwrap().transferred, transferred);
    }
}

#[tokio::test]
async fn a_malformed_filter_is_an_error_of_the_call() {
    let storage = storage([("source", memory()), ("target", memory())]);
    let error = sync(&storage, rules(&["- a", "+ b["])).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains("`b[`: `[` is not closed (character 2)"), "{error}");
}

/// Where directories are only prefixes, what is left out of a listing is not paid for.
#[tokio::test]
async fn a_listing_goes_around_a_prefix_that_is_left_out() {
    let source = memory();
    for n in 0..20_000 {
        let path = omnistorage::Path::parse(format!("place/d/cache/{n}")).unwrap();
        source.write_all(&path, "x".into(), &WriteOptions::default()).await.unwrap();
    }
    let counted = Layered::new(source, Observe::default());
    let storage = storage([("source", Arc::new(counted.clone())), ("target", memory())]);
    put(&storage, "source", &[("place/a", "1"), ("place/d/b", "1"), ("place/d/d", "1"), ("place/e", "1")])
        .await;
    let filter = rules(&["- cache/"]);
    let job = storage.sync(&at("source", "place"), &at("target", ""), &options(filter)).await.unwrap();
    assert_eq!(job.outcome().await.unwrap().transferred, 4);
    let pages = counted.layer().metrics().calls(Operation::ListNext);
    // All of it is 21 pages; some are asked for ahead.
    assert!(pages < 10, "{pages} pages of a listing");
}
