//! Sync beside a model of it: random trees, options and filters.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use omnistorage::{
    Backend, Location, Path, Timestamp,
    backend::{ListOptions, WriteOptions},
    runtime::{Action, Comparison, Difference, Filter, Report, Storage, SyncOptions},
};
use proptest::prelude::*;

use crate::setup::{at, memory, storage};

/// Contents and modification time of the objects by their paths.
type Tree = BTreeMap<String, (String, i64)>;

/// What was done with which path.
type Events = BTreeSet<(String, &'static str)>;

#[derive(Clone, Debug)]
struct Case {
    source: Tree,
    target: Tree,
    /// `sync`, or `copy`.
    deletes: bool,
    comparison: Comparison,
    update_only: bool,
    rules: Rules,
    delete_excluded: bool,
}

/// Rules, of each of which the model knows what it means.
#[derive(Clone, Debug)]
struct Rules {
    without_temporary: bool,
    without_directory: bool,
    max_depth: Option<u32>,
}

impl Rules {
    fn filter(&self) -> Filter {
        let mut filter = Filter { max_depth: self.max_depth, ..Filter::default() };
        if self.without_temporary {
            filter = filter.rule("- *.tmp");
        }
        if self.without_directory {
            filter = filter.rule("- /a/");
        }
        filter
    }

    fn include(&self, path: &str) -> bool {
        self.within_depth(path)
            && !(self.without_temporary && path.ends_with(".tmp"))
            && !(self.without_directory && path.starts_with("a/"))
    }

    fn within_depth(&self, path: &str) -> bool {
        self.max_depth.is_none_or(|depth| path.split('/').count() <= depth as usize)
    }
}

/// The model: what is done with each path.
fn expected(case: &Case) -> Events {
    let paths: BTreeSet<_> = case.source.keys().chain(case.target.keys()).collect();
    let mut events = Events::new();
    for path in paths {
        let (source, target) = (case.source.get(path), case.target.get(path));
        let included = case.rules.include(path);
        let excluded_goes = case.delete_excluded && case.rules.within_depth(path);
        let action = match (source.filter(|_| included), target) {
            (Some(_), None) => Some("transferred"),
            (Some(source), Some(target)) => decide(case, source, target),
            (None, Some(_)) if case.deletes && (included || excluded_goes) => Some("deleted"),
            (None, _) => None,
        };
        events.extend(action.map(|action| (path.clone(), action)));
    }
    events
}

fn decide(case: &Case, source: &(String, i64), target: &(String, i64)) -> Option<&'static str> {
    let ((old, was), (new, is)) = (target, source);
    match case.comparison {
        Comparison::IgnoreExisting => Some("skipped"),
        Comparison::Always => Some("transferred"),
        _ if case.update_only && was > is => Some("skipped"),
        _ if old.len() != new.len() => Some("transferred"),
        Comparison::SizeOnly => None,
        // Both sides tell the times that objects were given.
        Comparison::Automatic | Comparison::ExactTimes | Comparison::WriteTimes if was == is => None,
        _ if old != new => Some("transferred"),
        Comparison::Automatic | Comparison::ExactTimes | Comparison::WriteTimes => Some("updated-time"),
        Comparison::Checksum => None,
    }
}

/// What the events make of the target.
fn replayed(case: &Case, events: &Events) -> Tree {
    let mut tree = case.target.clone();
    for (path, action) in events {
        match *action {
            "transferred" => _ = tree.insert(path.clone(), case.source[path].clone()),
            "updated-time" => tree.get_mut(path).unwrap().1 = case.source[path].1,
            "deleted" => _ = tree.remove(path),
            _ => {}
        }
    }
    tree
}

fn trees() -> impl Strategy<Value = (Tree, Tree)> {
    let segment = prop::sample::select(vec!["a", "b", "a.b", "x.tmp"]);
    let path = prop::collection::vec(segment, 1..4).prop_map(|path| path.join("/"));
    let object = || (prop::sample::select(vec!["", "1", "2", "longer"]), 0_i64..3);
    let object = move || object().prop_map(|(contents, time)| (contents.to_owned(), time));
    let sides = prop_oneof![
        (object(), object()).prop_map(|(source, target)| (Some(source), Some(target))),
        object().prop_map(|object| (Some(object.clone()), Some(object))),
        object().prop_map(|source| (Some(source), None)),
        object().prop_map(|target| (None, Some(target))),
    ];
    prop::collection::btree_map(path, sides, 0..12).prop_map(|all| {
        let is_directory = |path: &String| all.keys().any(|other| other.starts_with(&format!("{path}/")));
        let (mut source, mut target) = (Tree::new(), Tree::new());
        for (path, (from, to)) in all.iter().filter(|(path, _)| !is_directory(path)) {
            source.extend(from.clone().map(|object| (path.clone(), object)));
            target.extend(to.clone().map(|object| (path.clone(), object)));
        }
        (source, target)
    })
}

fn case() -> impl Strategy<Value = Case> {
    let comparison = prop::sample::select(vec![
        Comparison::Automatic,
        Comparison::ExactTimes,
        Comparison::WriteTimes,
        Comparison::Checksum,
        Comparison::SizeOnly,
        Comparison::Always,
        Comparison::IgnoreExisting,
    ]);
    let rules = (any::<bool>(), any::<bool>(), prop::option::weighted(0.2, 1_u32..3)).prop_map(
        |(without_temporary, without_directory, max_depth)| Rules {
            without_temporary,
            without_directory,
            max_depth,
        },
    );
    (trees(), any::<bool>(), comparison, any::<bool>(), rules, prop::bool::weighted(0.3)).prop_map(
        |((source, target), deletes, comparison, update_only, rules, delete_excluded)| Case {
            source,
            target,
            deletes,
            comparison,
            update_only,
            rules,
            delete_excluded,
        },
    )
}

/// The places of a case, and the options to run it with.
struct Places {
    storage: Storage,
    source: Location,
    target: Location,
    backend: Arc<dyn Backend>,
    options: SyncOptions,
    deletes: bool,
}

impl Places {
    async fn new(case: &Case) -> Self {
        let (source, backend) = (memory(), memory());
        for (tree, backend) in [(&case.source, &source), (&case.target, &backend)] {
            for (path, (contents, time)) in tree {
                let modified = Some(Timestamp { seconds: *time, nanoseconds: 0 });
                let options = WriteOptions { modified, ..WriteOptions::default() };
                let path = Path::parse(format!("place/{path}")).unwrap();
                backend.write_all(&path, contents.clone().into(), &options).await.unwrap();
            }
        }
        Self {
            storage: storage([("source", source), ("target", backend.clone())]),
            source: at("source", "place"),
            target: at("target", "place"),
            backend,
            options: SyncOptions {
                comparison: case.comparison,
                update_only: case.update_only,
                allow_empty_source: true,
                filter: Filter { delete_excluded: case.delete_excluded, ..case.rules.filter() },
                ..SyncOptions::default()
            },
            deletes: case.deletes,
        }
    }

    async fn run(&self, dry_run: bool) -> (Events, Report) {
        let options = SyncOptions { dry_run, ..self.options.clone() };
        let job = match self.deletes {
            true => self.storage.sync(&self.source, &self.target, &options).await,
            false => self.storage.copy(&self.source, &self.target, &options).await,
        };
        let (mut job, mut events) = (job.unwrap(), Events::new());
        while let Some(event) = job.next().await {
            assert!(events.insert((event.path.clone(), event.action.as_str())), "told twice: {event:?}");
            assert_ne!(event.action, Action::Failed, "{event:?}");
        }
        (events, job.outcome().await.unwrap())
    }

    async fn check(&self) -> BTreeMap<String, Difference> {
        let options = SyncOptions { comparison: Comparison::Checksum, ..self.options.clone() };
        let mut job = self.storage.check(&self.source, &self.target, &options).await.unwrap();
        let mut found = BTreeMap::new();
        while let Some(entry) = job.next().await {
            assert_eq!(found.insert(entry.path, entry.difference), None, "told twice");
        }
        job.outcome().await.unwrap();
        found
    }

    async fn target(&self) -> Tree {
        let options = ListOptions { recursive: true, ..ListOptions::default() };
        let mut listing = self.backend.list(&self.target.path, &options).await.unwrap();
        let mut tree = Tree::new();
        loop {
            let page = listing.next_entries(100).await.unwrap();
            if page.is_empty() {
                return tree;
            }
            for entry in page {
                let bytes =
                    self.backend.read_all(&entry.path, &Default::default(), usize::MAX).await.unwrap();
                let path = entry.path.strip_prefix(&self.target.path).unwrap().to_string();
                let contents = String::from_utf8(bytes.to_vec()).unwrap();
                tree.insert(path, (contents, entry.modified.unwrap().seconds));
            }
        }
    }
}

/// How both sides compare by their contents, as far as the filter looks.
fn differences(case: &Case, target: &Tree) -> BTreeMap<String, Difference> {
    let paths: BTreeSet<_> = case.source.keys().chain(target.keys()).collect();
    let difference = |path: &&String| {
        let included = case.rules.include(path);
        let source = case.source.get(*path).filter(|_| included);
        let target =
            target.get(*path).filter(|_| included || (case.delete_excluded && case.rules.within_depth(path)));
        let difference = match (source, target) {
            (Some(source), Some(target)) if source.0 == target.0 => Difference::Same,
            (Some(_), Some(_)) => Difference::Differ,
            (Some(_), None) => Difference::MissingOnTarget,
            (None, Some(_)) => Difference::MissingOnSource,
            (None, None) => return None,
        };
        Some(((*path).clone(), difference))
    };
    paths.iter().filter_map(difference).collect()
}

fn count(events: &Events, action: &str) -> u64 {
    events.iter().filter(|(_, done)| *done == action).count() as u64
}

async fn holds(case: &Case) {
    let places = Places::new(case).await;
    let events = expected(case);
    assert_eq!(places.run(true).await.0, events, "a dry run tells what the real one does");
    assert_eq!(places.target().await, case.target, "a dry run changes nothing");

    let (done, report) = places.run(false).await;
    assert_eq!(done, events, "the run does what the model says");
    let counters = [report.transferred, report.updated_times, report.deleted, report.skipped, report.errors];
    let counted =
        ["transferred", "updated-time", "deleted", "skipped", "failed"].map(|action| count(&events, action));
    assert_eq!(counters, counted, "the counters equal the events");
    let target = places.target().await;
    assert_eq!(target, replayed(case, &events), "the events tell what became of the target");
    assert!(
        case.deletes || case.target.keys().all(|path| target.contains_key(path)),
        "a copy deletes nothing"
    );

    assert_eq!(places.check().await, differences(case, &target), "a check finds what differs");
    let (again, _) = places.run(false).await;
    let changes = again.iter().filter(|(_, action)| *action != "skipped").count();
    assert!(case.comparison == Comparison::Always || changes == 0, "nothing is left to do: {again:?}");
    assert_eq!(places.target().await, target, "doing it again changes nothing");
}

#[test]
fn a_run_does_what_the_model_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() };
    // A source without any object is a place that does not exist.
    let any_source = case().prop_filter("a source", |case| !case.source.is_empty());
    proptest::test_runner::TestRunner::new(config)
        .run(&any_source, |case| {
            runtime.block_on(holds(&case));
            Ok(())
        })
        .unwrap();
}
