//! A fault at every call of a run, one at a time: nothing is lost, nothing is half written, the report names what was
//! not done, and the next run converges.

use std::{collections::BTreeMap, sync::Arc};

use omnistorage::{
    Backend, Error, ErrorCode, Path, Timestamp,
    backend::{
        WriteOptions,
        fault::{Fault, Faults},
        layer::Layered,
    },
    runtime::{Action, Backup, Comparison, RenameStrategy, Report, Storage, SyncJob, SyncOptions},
};

use crate::{
    replay::Replay,
    setup::{at, memory, runtime, storage, tree},
};

type Tree = BTreeMap<String, String>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Scenario {
    Sync,
    /// The bytes go through the component.
    SyncThrough,
    SyncByChecksum,
    SyncWithBackup,
    SyncWithRenames,
    Move,
}

impl Scenario {
    fn options(self) -> SyncOptions {
        let options = SyncOptions { transfers: 2, ..Default::default() };
        match self {
            Self::Sync | Self::SyncThrough | Self::Move => options,
            Self::SyncByChecksum => SyncOptions { comparison: Comparison::Checksum, ..options },
            Self::SyncWithBackup => {
                let place = Some(at("target", "kept"));
                SyncOptions {
                    backup: Some(Backup { place, suffix: String::new(), keep_extension: false }),
                    ..options
                }
            }
            Self::SyncWithRenames => {
                let by_hash = RenameStrategy { hash: true, ..Default::default() };
                SyncOptions { track_renames: by_hash, ..options }
            }
        }
    }

    async fn start(self, storage: &Storage) -> omnistorage::Result<SyncJob> {
        let (from, to) = (at("source", ""), at("target", "tree"));
        match self {
            Self::Move => storage.move_to(&from, &to, &self.options()).await,
            _ => storage.sync(&from, &to, &self.options()).await,
        }
    }
}

const SOURCE: [(&str, &str, i64); 4] = [
    ("changed", "new contents", 20),
    ("d/added", "added", 20),
    ("d/renamed", "the same bytes", 20),
    ("same", "s", 10),
];
const TARGET: [(&str, &str, i64); 4] = [
    ("tree/changed", "old", 10),
    ("tree/d/extra", "extra", 10),
    ("tree/old name", "the same bytes", 20),
    ("tree/same", "s", 10),
];

async fn filled(objects: &[(&str, &str, i64)]) -> Arc<dyn Backend> {
    let backend = memory();
    for (path, contents, seconds) in objects {
        let modified = Some(Timestamp { seconds: *seconds, nanoseconds: 0 });
        let options = WriteOptions { modified, ..Default::default() };
        backend
            .write_all(&Path::parse(*path).unwrap(), (*contents).to_owned().into(), &options)
            .await
            .unwrap();
    }
    backend
}

async fn map(backend: &dyn Backend) -> Tree {
    tree(backend).await.into_iter().collect()
}

/// Runs to the end; gives the report, and the paths that failed. The events tell what became of the target, which is
/// looked at by `sound`.
async fn run(
    scenario: Scenario,
    storage: &Storage,
    sound: &Storage,
) -> (omnistorage::Result<Report>, Vec<String>) {
    let mut replay = Replay::new(sound, &at("target", "tree"), &scenario.options()).await;
    let mut job = match scenario.start(storage).await {
        Ok(job) => job,
        Err(error) => return (Err(error), Vec::new()),
    };
    let mut failed = Vec::new();
    while let Some(event) = job.next().await {
        replay.event(&event);
        if event.action == Action::Failed {
            assert!(event.error.is_some(), "{event:?}");
            failed.push(event.path);
        }
    }
    let outcome = job.outcome().await;
    replay.assert_holds(sound).await;
    (outcome, failed)
}

/// One run with faults, and what must hold after it and after the next one without.
async fn survives(scenario: Scenario, faults: &Faults, may_fail: bool, what: &str) {
    let (source, target) = (filled(&SOURCE).await, filled(&TARGET).await);
    let broken = |inner: &Arc<dyn Backend>| -> Arc<dyn Backend> {
        Arc::new(Layered::new(inner.clone(), faults.clone()))
    };
    let sound = storage([("source", source.clone()), ("target", target.clone())]);
    let broken = Storage::builder(runtime())
        .mount("source", broken(&source))
        .mount("target", broken(&target))
        .transfer(scenario != Scenario::SyncThrough)
        .build();
    let (outcome, failed) = run(scenario, &broken, &sound).await;

    match &outcome {
        Ok(report) => {
            assert_eq!(report.errors, failed.len() as u64, "{what}");
            assert!(failed.iter().all(|path| !path.is_empty()), "{what}");
            assert!(may_fail || report.errors == 0, "{what}: {failed:?}");
        }
        Err(error) => assert!(may_fail && !error.message().is_empty(), "{what}: {error}"),
    }
    let (after, there) = (map(&*source).await, map(&*target).await);
    let is_move = scenario == Scenario::Move;
    for (path, contents, _) in SOURCE {
        let here = after.get(path).is_some_and(|found| found == contents);
        let arrived = there.get(&format!("tree/{path}")).is_some_and(|found| found == contents);
        assert!(here || (is_move && arrived), "{what}: {path} is lost");
    }
    let known: Vec<&str> = SOURCE.iter().chain(&TARGET).map(|(_, contents, _)| *contents).collect();
    for (path, contents) in &there {
        assert!(known.contains(&contents.as_str()), "{what}: {path} holds {contents:?}");
    }
    for path in ["tree/changed", "tree/same"] {
        assert!(there.contains_key(path), "{what}: {path} is gone");
    }
    if scenario == Scenario::SyncWithBackup {
        let kept = |path: &str| {
            there.contains_key(&format!("tree/{path}")) || there.contains_key(&format!("kept/{path}"))
        };
        assert!(kept("d/extra") && kept("old name"), "{what}");
        let old =
            ["tree/changed", "kept/changed"].map(|path| there.get(path).is_some_and(|found| found == "old"));
        assert!(old.contains(&true), "{what}: what was replaced is lost");
    }

    let (outcome, failed) = run(scenario, &sound, &sound).await;
    assert_eq!((outcome.unwrap().errors, failed.len()), (0, 0), "{what}: the next run");
    let (after, there) = (map(&*source).await, map(&*target).await);
    let mirrored: Tree = there
        .iter()
        .filter_map(|(path, contents)| Some((path.strip_prefix("tree/")?.to_owned(), contents.clone())))
        .collect();
    let wanted: Tree =
        SOURCE.iter().map(|(path, contents, _)| ((*path).to_owned(), (*contents).to_owned())).collect();
    if is_move {
        assert_eq!(after, Tree::new(), "{what}");
        assert!(wanted.iter().all(|(path, contents)| mirrored.get(path) == Some(contents)), "{what}");
    } else {
        assert_eq!((&after, &mirrored), (&wanted, &wanted), "{what}");
    }
}

async fn every_call(scenario: Scenario) {
    let counted = Faults::none();
    survives(scenario, &counted, false, "no fault").await;
    let calls = counted.calls();
    assert!(calls > 10, "{calls}");
    let error = |code| Error::new(code, "a fault on purpose");
    for call in 0..calls {
        for (fault, may_fail) in [
            (Fault::Error(error(ErrorCode::Unavailable)), false),
            (Fault::Error(error(ErrorCode::PermissionDenied)), true),
            (Fault::Error(error(ErrorCode::NotFound)), true),
            (Fault::Error(error(ErrorCode::PreconditionFailed)), true),
            (Fault::LostAnswer(error(ErrorCode::Timeout)), true),
            (Fault::EarlyEnd, true),
        ] {
            let what = format!("{scenario:?}, call {call}: {fault:?}");
            survives(scenario, &Faults::at(call, fault), may_fail, &what).await;
        }
    }
}

#[tokio::test]
async fn a_sync_survives_a_fault_at_every_call() {
    every_call(Scenario::Sync).await;
}

#[tokio::test]
async fn a_sync_through_the_component_survives_a_fault_at_every_call() {
    every_call(Scenario::SyncThrough).await;
}

#[tokio::test]
async fn a_sync_by_checksum_survives_a_fault_at_every_call() {
    every_call(Scenario::SyncByChecksum).await;
}

#[tokio::test]
async fn a_sync_with_backups_survives_a_fault_at_every_call() {
    every_call(Scenario::SyncWithBackup).await;
}

#[tokio::test]
async fn a_sync_with_renames_survives_a_fault_at_every_call() {
    every_call(Scenario::SyncWithRenames).await;
}

#[tokio::test]
async fn a_move_survives_a_fault_at_every_call() {
    every_call(Scenario::Move).await;
}
