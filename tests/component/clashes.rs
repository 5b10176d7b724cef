//! An object where a directory should be, and a directory where an object should.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use omnistorage::{
    Backend, Error, ErrorCode, FileBackend, Path,
    backend::{
        ListOptions, WriteOptions,
        fault::{Fault, Faults},
        file::FileOptions,
        layer::{Layered, Operation},
    },
    runtime::{Backup, Deletion, Filter, Report, Storage, SyncOptions},
};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::setup::{at, memory, runtime, storage};

/// What was done with which path, and how it ended.
type Ran = (BTreeSet<(String, &'static str)>, omnistorage::Result<Report>);

/// Objects by their paths; a directory that nothing is in has no contents.
type Tree = BTreeMap<String, Option<String>>;

const DELETIONS: [Deletion; 3] = [Deletion::Before, Deletion::During, Deletion::After];

fn file() -> (TempDir, Arc<dyn Backend>) {
    let directory = tempfile::tempdir().unwrap();
    let backend = FileBackend::open(directory.path(), FileOptions::default()).unwrap();
    (directory, Arc::new(backend))
}

/// The tree of such lines: `path=contents`, `directory/`.
fn tree_of(lines: &[&str]) -> Tree {
    let parse = |line: &&str| match line.split_once('=') {
        Some((path, contents)) => (path.to_owned(), Some(contents.to_owned())),
        None => (line.trim_end_matches('/').to_owned(), None),
    };
    lines.iter().map(parse).collect()
}

async fn fill(backend: &dyn Backend, tree: &Tree) {
    for (path, contents) in tree {
        let path = Path::parse(format!("place/{path}")).unwrap();
        match contents {
            Some(contents) => {
                backend.write_all(&path, contents.clone().into(), &WriteOptions::default()).await.unwrap();
            }
            None if backend.capabilities().features.directories => backend.mkdir(&path).await.unwrap(),
            None => {}
        }
    }
}

/// The objects, and the directories that nothing is in.
async fn found(backend: &dyn Backend) -> Tree {
    let place = Path::parse("place").unwrap();
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let mut listing = backend.list(&place, &options).await.unwrap();
    let mut tree = Tree::new();
    loop {
        let page = listing.next_entries(100).await.unwrap();
        if page.is_empty() {
            break;
        }
        for entry in page {
            let contents = match entry.size {
                Some(_) => {
                    let bytes = backend.read_all(&entry.path, &Default::default(), 1 << 20).await.unwrap();
                    Some(String::from_utf8(bytes.to_vec()).unwrap())
                }
                None => None,
            };
            tree.insert(entry.path.strip_prefix(&place).unwrap().to_string(), contents);
        }
    }
    let holds_something = |path: &String| tree.keys().any(|other| other.starts_with(&format!("{path}/")));
    tree.iter()
        .filter(|(path, contents)| contents.is_some() || !holds_something(path))
        .map(|(path, contents)| (path.clone(), contents.clone()))
        .collect()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Command {
    Sync,
    Copy,
    Move,
}

async fn run(storage: &Storage, command: Command, options: &SyncOptions) -> Ran {
    let (source, target) = (at("source", "place"), at("target", "place"));
    let job = match command {
        Command::Sync => storage.sync(&source, &target, options).await,
        Command::Copy => storage.copy(&source, &target, options).await,
        Command::Move => storage.move_to(&source, &target, options).await,
    };
    let (mut job, mut events) = (job.unwrap(), BTreeSet::new());
    while let Some(event) = job.next().await {
        assert!(events.insert((event.path.clone(), event.action.as_str())), "told twice: {event:?}");
    }
    (events, job.outcome().await)
}

fn events(expected: &[(&str, &'static str)]) -> BTreeSet<(String, &'static str)> {
    expected.iter().map(|(path, action)| ((*path).to_owned(), *action)).collect()
}

/// A pair of places, one of each sort, with the trees in them.
async fn places(
    source: &Tree,
    target: &Tree,
    files: bool,
) -> (Vec<TempDir>, Storage, Arc<dyn Backend>, Arc<dyn Backend>) {
    let (mut directories, mut backends) = (Vec::new(), Vec::new());
    for tree in [source, target] {
        let backend = match files {
            true => {
                let (directory, backend) = file();
                directories.push(directory);
                backend
            }
            false => memory(),
        };
        fill(&*backend, tree).await;
        backends.push(backend);
    }
    let (target, source) = (backends.pop().unwrap(), backends.pop().unwrap());
    let storage = storage([("source", source.clone()), ("target", target.clone())]);
    (directories, storage, source, target)
}

/// A sync converges, a dry run tells the same, and a second run finds nothing to do.
async fn converges(source: &Tree, target: &Tree, files: bool, deletion: Deletion) {
    let case = format!("{source:?} {target:?} files: {files} {deletion:?}");
    let (_directories, storage, _, backend) = places(source, target, files).await;
    let before = found(&*backend).await;
    let options =
        SyncOptions { deletion, allow_empty_source: true, empty_directories: true, ..SyncOptions::default() };
    let (told, _) = run(&storage, Command::Sync, &SyncOptions { dry_run: true, ..options.clone() }).await;
    assert_eq!(found(&*backend).await, before, "{case}");
    let (done, outcome) = run(&storage, Command::Sync, &options).await;
    assert_eq!(outcome.unwrap().errors, 0, "{case}: {done:?}");
    assert_eq!(told, done, "{case}");
    let objects = |tree: &Tree| -> Tree {
        tree.iter()
            .filter(|(_, contents)| files || contents.is_some())
            .map(|(a, b)| (a.clone(), b.clone()))
            .collect()
    };
    assert_eq!(found(&*backend).await, objects(source), "{case}");
    let (again, _) = run(&storage, Command::Sync, &options).await;
    assert_eq!(again, BTreeSet::new(), "{case}");
    let mut check = storage.check(&at("source", "place"), &at("target", "place"), &options).await.unwrap();
    while let Some(entry) = check.next().await {
        assert_eq!(entry.difference, omnistorage::runtime::Difference::Same, "{case}: {}", entry.path);
    }
}

#[tokio::test]
async fn a_sync_makes_room() {
    for deletion in DELETIONS {
        for (source, target) in [
            (&["keep=1", "x=f"][..], &["keep=1", "x/y/in=i", "x/z=j", "x-a=k"][..]),
            (&["keep=1", "x/in=i", "x/deep/er=j"], &["keep=1", "x=f", "x-a=k", "x.b=l"]),
            (&["keep=1", "x=f"], &["keep=1", "x/", "x/empty/"]),
            (&["a/x=f", "b/x/in=1"], &["a/x/in=1", "b/x=f"]),
            (&["keep=1", "x/"], &["keep=1", "x=f"]),
            (&["x=a", "x-=b"], &["x/x/x=a", "x-/x=b"]),
        ] {
            for files in [true, false] {
                converges(&tree_of(source), &tree_of(target), files, deletion).await;
            }
        }
    }
}

#[tokio::test]
async fn what_makes_room_is_kept_and_counted() {
    let (source, target) =
        (tree_of(&["keep=1", "x=new", "y/in=new"]), tree_of(&["keep=1", "x/1=a", "x/2=b", "y=c"]));
    for deletion in DELETIONS {
        let (_directories, storage, _, backend) = places(&source, &target, true).await;
        let options = SyncOptions { deletion, max_delete: Some(2), ..SyncOptions::default() };
        let (_, outcome) = run(&storage, Command::Sync, &options).await;
        assert_eq!(outcome.unwrap_err().code(), ErrorCode::LimitExceeded);
        assert_eq!(found(&*backend).await, target, "{deletion:?}");

        let backup =
            Backup { place: Some(at("target", "kept")), suffix: String::new(), keep_extension: false };
        let options = SyncOptions { max_delete: Some(3), backup: Some(backup), ..options };
        let (_, outcome) = run(&storage, Command::Sync, &options).await;
        assert_eq!(outcome.unwrap().deleted, 3);
        assert_eq!(found(&*backend).await, source);
        for (path, contents) in [("kept/x/1", "a"), ("kept/x/2", "b"), ("kept/y", "c")] {
            let kept = backend.read_all(&Path::parse(path).unwrap(), &Default::default(), 9).await.unwrap();
            assert_eq!(kept, contents);
        }
    }
}

#[tokio::test]
async fn nothing_makes_room_after_an_error() {
    let source = tree_of(&["fails=1", "x=new", "y/in=new"]);
    let target = tree_of(&["x/1=a", "y=c"]);
    let (_here, inner) = file();
    fill(&*inner, &source).await;
    let faults = Faults::new(|_, call| {
        let fails = matches!(call.operation, Operation::CopyTo | Operation::Read)
            && call.path.as_str().ends_with("fails");
        fails.then(|| Fault::Error(Error::new(ErrorCode::PermissionDenied, "no")))
    });
    let broken: Arc<dyn Backend> = Arc::new(Layered::new(inner, faults));
    let (_there, backend) = file();
    fill(&*backend, &target).await;
    let storage =
        Storage::builder(runtime()).mount("source", broken).mount("target", backend.clone()).build();
    for deletion in [Deletion::After, Deletion::During] {
        let (told, outcome) =
            run(&storage, Command::Sync, &SyncOptions { deletion, ..SyncOptions::default() }).await;
        assert_eq!(told, events(&[("fails", "failed"), ("x", "failed"), ("y/in", "failed")]));
        assert_eq!(outcome.unwrap().deletes_withheld, 2);
        assert_eq!(found(&*backend).await, target);
    }
}

#[tokio::test]
async fn what_is_not_to_be_deleted_stays_in_the_way() {
    let source = tree_of(&["keep=1", "x=new"]);
    for (target, rule) in [
        (&["keep=1", "x/1=a", "x/2.tmp=b"][..], "- *.tmp"),
        (&["keep=1", "x/1=a", "x/private/2=b"], "- private/"),
        (&["keep=1", "x/1=a"], "- /x/"),
    ] {
        for deletion in DELETIONS {
            let (_directories, storage, _, backend) = places(&source, &tree_of(target), true).await;
            let filter = Filter::default().rule(rule);
            let options = SyncOptions { deletion, filter, ..SyncOptions::default() };
            let (dry, _) =
                run(&storage, Command::Sync, &SyncOptions { dry_run: true, ..options.clone() }).await;
            let (told, outcome) = run(&storage, Command::Sync, &options).await;
            assert_eq!(dry, told, "{rule} {deletion:?}");
            assert_eq!(outcome.unwrap().errors, 1);
            assert!(told.contains(&("x".to_owned(), "failed")), "{told:?}");
            let left = found(&*backend).await;
            let stays = target[target.len() - 1].split_once('=').unwrap().0;
            assert!(left.contains_key(stays) && !left.contains_key("x"), "{left:?}");
            // What is excluded may be asked to go.
            let filter = Filter { delete_excluded: true, ..options.filter.clone() };
            let (_, outcome) = run(&storage, Command::Sync, &SyncOptions { filter, ..options }).await;
            assert_eq!(outcome.unwrap().errors, 0);
            assert_eq!(found(&*backend).await, source);
        }
    }
}

#[tokio::test]
async fn without_deletes_the_object_alone_fails() {
    let source = tree_of(&["keep=1", "x=new", "y/in=new", "z=1"]);
    let target = tree_of(&["x/1=a", "y=c"]);
    for command in [Command::Copy, Command::Move, Command::Sync] {
        let (_directories, storage, from, backend) = places(&source, &target, true).await;
        let options = SyncOptions { deletion: Deletion::None, ..SyncOptions::default() };
        let (dry, _) = run(&storage, command, &SyncOptions { dry_run: true, ..options.clone() }).await;
        let (told, outcome) = run(&storage, command, &options).await;
        assert_eq!(dry, told);
        let (report, moves) = (outcome.unwrap(), command == Command::Move);
        assert_eq!(
            (report.transferred, report.errors, report.sources_removed),
            (2, 2, if moves { 2 } else { 0 })
        );
        assert!(told.is_superset(&events(&[("x", "failed"), ("y/in", "failed")])));
        assert_eq!(found(&*backend).await, tree_of(&["keep=1", "x/1=a", "y=c", "z=1"]));
        if moves {
            assert_eq!(found(&*from).await, tree_of(&["x=new", "y/in=new"]));
        }
    }
}

#[tokio::test]
async fn an_explanation_says_what_a_run_does() {
    let (source, target) = (tree_of(&["x=new", "y/in=new"]), tree_of(&["x/1=a", "y=c"]));
    let (_directories, storage, _, _) = places(&source, &target, true).await;
    for (deletion, expected) in [
        (Deletion::After, [Some("transferred"), Some("deleted"), Some("deleted")]),
        (Deletion::None, [Some("failed"), None, None]),
    ] {
        let options = SyncOptions { deletion, ..SyncOptions::default() };
        for (path, expected) in ["x", "x/1", "y"].into_iter().zip(expected) {
            let (from, to, path) = (at("source", "place"), at("target", "place"), Path::parse(path).unwrap());
            let explained = storage.explain(&from, &to, &path, &options).await.unwrap();
            assert_eq!(explained.action.map(|action| action.as_str()), expected, "{path} {deletion:?}");
        }
    }
}

fn trees() -> impl Strategy<Value = (Tree, Tree)> {
    let segment = || prop::sample::select(vec!["a", "b", "a.b", "a-"]);
    let path = move || prop::collection::vec(segment(), 1..4).prop_map(|path| path.join("/"));
    let contents = prop::option::weighted(0.85, prop::sample::select(vec!["1", "2", "three"]));
    let contents = contents.prop_map(|contents| contents.map(str::to_owned));
    let tree = prop::collection::btree_map(path(), contents, 0..10).prop_map(|all: Tree| {
        // What others are below is a directory.
        let is_above = |path: &String| all.keys().any(|other| other.starts_with(&format!("{path}/")));
        all.iter()
            .filter(|(path, _)| !is_above(path))
            .map(|(path, contents)| (path.clone(), contents.clone()))
            .collect()
    });
    (tree.clone(), tree)
}

#[test]
fn any_tree_becomes_any_other() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    let case = (trees(), any::<bool>(), prop::sample::select(DELETIONS.to_vec()));
    // A source without any object is a place that does not exist.
    let case = case.prop_filter("a source", |((source, _), _, _)| source.values().any(Option::is_some));
    proptest::test_runner::TestRunner::new(config)
        .run(&case, |((source, target), files, deletion)| {
            runtime.block_on(converges(&source, &target, files, deletion));
            Ok(())
        })
        .unwrap();
}
