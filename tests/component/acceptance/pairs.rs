//! Pairs of backends to run on, and what must hold after each run.

use std::{collections::BTreeMap, sync::Arc};

use omnistorage::{
    Backend, FileBackend, Path, S3Backend, Timestamp,
    backend::{WriteOptions, file::FileOptions},
    runtime::{Action, Comparison, Deletion, Report, Storage, SyncOptions},
};
use tempfile::TempDir;

use crate::setup::{at, memory, storage, tree};

/// rclone's three times, with fractions of a second on purpose.
pub(super) const T1: Timestamp = Timestamp { seconds: 981_173_106, nanoseconds: 499_999_999 };
pub(super) const T2: Timestamp = Timestamp { seconds: 1_324_817_999, nanoseconds: 123_456_789 };
pub(super) const T3: Timestamp = Timestamp { seconds: 1_325_249_999, nanoseconds: 0 };

/// Contents by path, relative to the place.
pub(super) type Tree = BTreeMap<String, String>;

/// A source and a target, each a prefix of its backend, beside neighbours that must stay.
pub(super) struct Pair {
    pub(super) name: &'static str,
    pub(super) source: Arc<dyn Backend>,
    pub(super) target: Arc<dyn Backend>,
    pub(super) storage: Storage,
    /// Whether nothing has to be asked for beside the listings.
    pub(super) lists_times: bool,
    _scratch: TempDir,
}

/// What runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Sync,
    Copy,
    Move,
}

/// What a run did.
#[derive(Debug)]
pub(super) struct Ran {
    /// Actions and paths, sorted.
    pub(super) events: Vec<String>,
    pub(super) report: Report,
}

const NEIGHBOURS: [&str; 2] = ["data.bak", "database/x"];

/// Runs a test on every pair.
pub(super) async fn each(test: impl AsyncFn(&Pair)) {
    for (name, kinds) in [
        ("memory to memory", ["memory", "memory"]),
        ("memory to files", ["memory", "file"]),
        ("files to memory", ["file", "memory"]),
        ("files to files", ["file", "file"]),
        ("memory to S3", ["memory", "s3"]),
        ("S3 to files", ["s3", "file"]),
    ] {
        test(&pair(name, kinds).await).await;
    }
}

/// Runs a test where a request costs nothing.
pub(super) async fn each_local(test: impl AsyncFn(&Pair)) {
    for (name, kinds) in [("memory to files", ["memory", "file"]), ("files to memory", ["file", "memory"])] {
        test(&pair(name, kinds).await).await;
    }
}

async fn pair(name: &'static str, kinds: [&str; 2]) -> Pair {
    let scratch = tempfile::tempdir().unwrap();
    let mut sides = ["source", "target"].into_iter();
    let [source, target] = kinds.map(|kind| -> Arc<dyn Backend> {
        match kind {
            "memory" => memory(),
            "file" => {
                let root = scratch.path().join(sides.next().unwrap());
                std::fs::create_dir(&root).unwrap();
                Arc::new(FileBackend::open(&root, FileOptions::default()).unwrap())
            }
            _ => Arc::new(S3Backend::from_config(omnistorage_test_servers::moto().config()).unwrap()),
        }
    });
    let storage = storage([("source", source.clone()), ("target", target.clone())]);
    let pair = Pair { name, source, target, storage, lists_times: !kinds.contains(&"s3"), _scratch: scratch };
    for backend in [&pair.source, &pair.target] {
        for path in NEIGHBOURS {
            write(&**backend, path, "a neighbour", T1).await;
        }
    }
    pair
}

pub(super) async fn write(backend: &dyn Backend, path: &str, contents: &str, modified: Timestamp) {
    let options = WriteOptions { modified: Some(modified), ..Default::default() };
    let path = Path::parse(path).unwrap();
    backend.write_all(&path, contents.to_owned().into(), &options).await.unwrap();
}

/// Without deletes and all.
pub(super) fn options() -> SyncOptions {
    SyncOptions::default()
}

impl Pair {
    /// Options by which times are compared also where listings tell those of the writes alone.
    pub(super) fn by_time(&self) -> SyncOptions {
        let comparison = if self.lists_times { Comparison::Automatic } else { Comparison::ExactTimes };
        SyncOptions { comparison, ..options() }
    }

    /// Writes an object of the source.
    pub(super) async fn from(&self, path: &str, contents: &str, modified: Timestamp) {
        write(&*self.source, &format!("data/{path}"), contents, modified).await;
    }

    /// Writes an object of the target.
    pub(super) async fn to(&self, path: &str, contents: &str, modified: Timestamp) {
        write(&*self.target, &format!("data/{path}"), contents, modified).await;
    }

    /// Writes an object of both.
    pub(super) async fn both(&self, path: &str, contents: &str, modified: Timestamp) {
        self.from(path, contents, modified).await;
        self.to(path, contents, modified).await;
    }

    pub(super) async fn remove(&self, path: &str) {
        let path = Path::parse(format!("data/{path}")).unwrap();
        self.source.delete(&[path]).await.pop().unwrap().unwrap();
    }

    /// What is below a side's place.
    pub(super) async fn tree(&self, backend: &Arc<dyn Backend>) -> Tree {
        let all = tree(&**backend).await;
        for neighbour in NEIGHBOURS {
            let is_there = all.iter().any(|(path, contents)| path == neighbour && contents == "a neighbour");
            assert!(is_there, "{}: {neighbour} is gone", self.name);
        }
        let below =
            |(path, contents): (String, String)| Some((path.strip_prefix("data/")?.to_owned(), contents));
        all.into_iter().filter_map(below).collect()
    }

    /// The target holds this.
    pub(super) async fn has(&self, expected: &[(&str, &str)]) {
        let expected: Tree =
            expected.iter().map(|(path, contents)| ((*path).to_owned(), (*contents).to_owned())).collect();
        assert_eq!(self.tree(&self.target).await, expected, "{}", self.name);
    }

    /// The source holds objects of these paths.
    pub(super) async fn source_has(&self, expected: &[&str]) {
        let paths: Vec<_> = self.tree(&self.source).await.into_keys().collect();
        assert_eq!(paths, expected, "{}", self.name);
    }

    /// The time of an object of the target is that.
    pub(super) async fn is_dated(&self, path: &str, modified: Timestamp) {
        let path = Path::parse(format!("data/{path}")).unwrap();
        assert_eq!(self.target.stat(&path).await.unwrap().modified, Some(modified), "{} {path}", self.name);
    }

    pub(super) async fn sync(&self, options: &SyncOptions) -> omnistorage::Result<Ran> {
        self.run(Command::Sync, options).await
    }

    pub(super) async fn copy(&self, options: &SyncOptions) -> omnistorage::Result<Ran> {
        self.run(Command::Copy, options).await
    }

    pub(super) async fn move_to(&self, options: &SyncOptions) -> omnistorage::Result<Ran> {
        self.run(Command::Move, options).await
    }

    /// Runs to the end, and checks what must hold of every run.
    pub(super) async fn run(&self, command: Command, options: &SyncOptions) -> omnistorage::Result<Ran> {
        let (before, mut source) = (self.tree(&self.target).await, self.tree(&self.source).await);
        let (from, to) = (at("source", "data"), at("target", "data"));
        let mut job = match command {
            Command::Sync => self.storage.sync(&from, &to, options).await?,
            Command::Copy => {
                let none = SyncOptions { deletion: Deletion::None, ..options.clone() };
                self.storage.copy(&from, &to, &none).await?
            }
            Command::Move => self.storage.move_to(&from, &to, options).await?,
        };
        let (mut events, mut target) = (Vec::new(), before.clone());
        let (mut report, sources) = (Report::default(), source.clone());
        while let Some(event) = job.next().await {
            events.push(format!("{} {}", event.action.as_str(), event.path));
            match event.action {
                Action::Transferred => {
                    report.transferred += 1;
                    report.bytes += event.size.unwrap();
                    target.insert(event.path.clone(), sources[&event.path].clone());
                }
                Action::UpdatedTime => report.updated_times += 1,
                Action::Deleted => {
                    report.deleted += 1;
                    assert!(target.remove(&event.path).is_some(), "{}: {event:?}", self.name);
                }
                Action::Renamed => {
                    report.renamed += 1;
                    let moved = target.remove(event.reason.as_ref().unwrap()).unwrap();
                    target.insert(event.path.clone(), moved);
                }
                Action::SourceRemoved => {
                    report.sources_removed += 1;
                    assert!(source.remove(&event.path).is_some(), "{}: {event:?}", self.name);
                }
                Action::Skipped => report.skipped += 1,
                Action::Failed => report.errors += 1,
            }
        }
        let outcome = job.outcome().await;
        if options.dry_run {
            (source, target) = (sources, before);
        }
        assert_eq!(self.tree(&self.source).await, source, "{}: the source", self.name);
        let is_kept_there = options.backup.as_ref().is_some_and(|backup| backup.place.is_none());
        if !is_kept_there {
            assert_eq!(self.tree(&self.target).await, target, "{}: {events:?}", self.name);
        }
        let found = outcome?;
        let counted = Report {
            checked: found.checked,
            deletes_withheld: found.deletes_withheld,
            source_objects: found.source_objects,
            extras: found.extras,
            stopped: found.stopped,
            ..report
        };
        assert_eq!(found, counted, "{}", self.name);
        events.sort();
        Ok(Ran { events, report: found })
    }
}
