//! Listings through a filter: what is found is what a run with that filter is about.

use std::sync::Arc;

use futures::StreamExt;
use omnistorage::{
    Backend, Error, ErrorCode, FileBackend, ObjectKind, Path,
    backend::{
        ListOptions, Listed,
        fault::{Fault, Faults},
        file::FileOptions,
        layer::{Layered, Operation},
        observe::Observe,
    },
    runtime::{Filter, RuleKind, RuleSource, Storage, SyncOptions},
};

use crate::setup::{at, memory, put, storage, tree};

const TREE: [(&str, &str); 9] = [
    ("a", "1"),
    ("a-b/x.gz", "12"),
    ("a.d/x.gz", "123"),
    ("a.d/y", "1234"),
    ("b.gz", "12345"),
    ("c/d/e/f.gz", "1"),
    ("c/d/g", "1"),
    ("c/h.gz", "1"),
    ("z", "1234567"),
];

fn rule(kind: RuleKind, text: &str) -> RuleSource {
    RuleSource { kind, text: text.to_owned(), file: None }
}

fn of(kind: RuleKind, texts: &[&str]) -> Filter {
    Filter { rules: texts.iter().map(|text| rule(kind, text)).collect(), ..Filter::default() }
}

fn filters() -> Vec<Filter> {
    let depth = |max_depth| Filter { max_depth: Some(max_depth), ..Filter::default() };
    vec![
        Filter::default(),
        of(RuleKind::Include, &["*.gz"]),
        of(RuleKind::Include, &["/*.gz"]),
        of(RuleKind::Exclude, &["c/**"]),
        of(RuleKind::Exclude, &["a*/**", "*.gz"]),
        of(RuleKind::Filter, &["- /c/d/**", "+ **.gz", "- **"]),
        of(RuleKind::Files, &["c/d/g", "no/such"]),
        depth(1),
        depth(2),
        Filter { min_size: Some(2), max_size: Some(5), ..Filter::default() },
        Filter { max_depth: Some(1), ..of(RuleKind::Filter, &["+ /*.gz", "- /**"]) },
        of(RuleKind::Exclude, &["**"]),
    ]
}

/// Objects found, and directories.
async fn found(
    storage: &Storage,
    path: &str,
    filter: &Filter,
    recursive: bool,
) -> (Vec<String>, Vec<String>) {
    let options = ListOptions { recursive, ..ListOptions::default() };
    let mut entries = storage.find(&at("source", path), filter, &options).await.unwrap();
    let (mut objects, mut directories) = (Vec::new(), Vec::new());
    while let Some(listed) = entries.next().await {
        let entry = listed.unwrap().into_entry().unwrap();
        match entry.kind {
            ObjectKind::Directory => directories.push(entry.path.to_string()),
            _ => objects.push(entry.path.to_string()),
        }
    }
    (objects, directories)
}

fn directory(scratch: &tempfile::TempDir) -> Arc<dyn Backend> {
    Arc::new(FileBackend::open(scratch.path(), FileOptions::default()).unwrap())
}

#[tokio::test]
async fn what_is_found_is_what_is_copied() {
    let scratch = tempfile::tempdir().unwrap();
    for source in [memory(), directory(&scratch)] {
        for filter in filters() {
            let copied = memory();
            let storage = storage([("source", source.clone()), ("target", copied.clone())]);
            put(&storage, "source", &TREE).await;
            let options = SyncOptions { filter: filter.clone(), ..SyncOptions::default() };
            let run = storage.copy(&at("source", ""), &at("target", ""), &options).await.unwrap();
            run.outcome().await.unwrap();
            let expected: Vec<_> = tree(&*copied).await.into_iter().map(|(path, _)| path).collect();
            assert_eq!(found(&storage, "", &filter, true).await.0, expected, "{filter:?}");
            let level: Vec<_> = expected.iter().filter(|path| !path.contains('/')).cloned().collect();
            assert_eq!(found(&storage, "", &filter, false).await.0, level, "{filter:?}");
        }
    }
}

#[tokio::test]
async fn directories_are_found_that_are_meant() {
    let scratch = tempfile::tempdir().unwrap();
    for source in [memory(), directory(&scratch)] {
        let storage = storage([("source", source.clone())]);
        put(&storage, "source", &TREE).await;
        let level = async |filter: Filter| found(&storage, "", &filter, false).await.1;
        assert_eq!(level(Filter::default()).await, ["a-b", "a.d", "c"]);
        assert_eq!(level(of(RuleKind::Exclude, &["a*/**"])).await, ["c"]);
        assert_eq!(level(of(RuleKind::Include, &["/*.gz"])).await, [""; 0]);
        assert_eq!(level(Filter { max_depth: Some(1), ..Filter::default() }).await, ["a-b", "a.d", "c"]);
    }
}

#[tokio::test]
async fn an_object_is_found_as_itself() {
    let storage = storage([("source", memory())]);
    put(&storage, "source", &TREE).await;
    assert_eq!(found(&storage, "c/h.gz", &Filter::default(), true).await.0, ["c/h.gz"]);
    assert_eq!(found(&storage, "c/h.gz", &of(RuleKind::Include, &["/h.*"]), false).await.0, ["c/h.gz"]);
    assert_eq!(found(&storage, "c/h.gz", &of(RuleKind::Exclude, &["*.gz"]), false).await.0, [""; 0]);
    let options = ListOptions::default();
    let refused = async |path: &str, filter: Filter, options: &ListOptions| {
        storage.find(&at("source", path), &filter, options).await.err().unwrap().code()
    };
    assert_eq!(refused("c/gone", Filter::default(), &options).await, ErrorCode::NotFound);
    assert_eq!(refused("", of(RuleKind::Include, &["[x"]), &options).await, ErrorCode::InvalidArgument);
    let after = ListOptions { start_after: Some(Path::parse("a").unwrap()), ..options };
    assert_eq!(refused("", Filter::default(), &after).await, ErrorCode::InvalidArgument);
}

#[tokio::test]
async fn directories_that_are_left_out_are_not_listed() {
    let scratch = tempfile::tempdir().unwrap();
    let counted = Arc::new(Layered::new(directory(&scratch), Observe::default()));
    let calls = || counted.layer().metrics().calls(Operation::List);
    let storage = storage([("source", counted.clone() as Arc<dyn Backend>)]);
    put(&storage, "source", &TREE).await;
    let before = calls();
    found(&storage, "", &of(RuleKind::Exclude, &["c/**"]), true).await;
    // The place, and two directories of three.
    assert_eq!(calls() - before, 3);
}

#[tokio::test]
async fn what_cannot_be_listed_is_told() {
    let scratch = tempfile::tempdir().unwrap();
    let faults = Faults::new(|_, call| {
        let is_meant = call.operation == Operation::List && call.path.as_str() == "c/d";
        is_meant.then(|| Fault::Error(Error::new(ErrorCode::PermissionDenied, "closed")))
    });
    let faulty: Arc<dyn Backend> = Arc::new(Layered::new(directory(&scratch), faults));
    let storage = storage([("source", faulty)]);
    put(&storage, "source", &TREE).await;
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let filter = Filter { max_depth: Some(9), ..Filter::default() };
    let entries = storage.find(&at("source", ""), &filter, &options).await.unwrap();
    let listed: Vec<_> = entries.collect::<Vec<_>>().await.into_iter().map(Result::unwrap).collect();
    let failures: Vec<_> = listed.iter().filter(|listed| matches!(listed, Listed::Failure(_))).collect();
    assert_eq!(failures.len(), 1, "{listed:?}");
    assert_eq!(failures[0].path().as_str(), "c/d");
    assert!(listed.iter().any(|listed| listed.path().as_str() == "z"), "the rest is listed");
    // What is excluded lacks nothing.
    let excluded = of(RuleKind::Exclude, &["c/d/**"]);
    assert_eq!(found(&storage, "", &excluded, true).await.0.len(), 7);
}
