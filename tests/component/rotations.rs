//! Random trees that rotate, swap and come back between runs, beside writers that nobody asked: after every sync both
//! sides are equal byte by byte, and after a move each byte is on one side.

use std::{collections::BTreeMap, sync::Arc};

use omnistorage::{
    Backend, Path, Registry, S3Backend, Timestamp,
    backend::WriteOptions,
    runtime::{Report, Storage, SyncOptions},
};
use omnistorage_test_servers::{gcs::gcs, moto};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use crate::{
    setup::{at, memory, storage, tree},
    twisted::Twisted,
    write_times::Store,
};

const NAMES: [&str; 5] = ["a", "d/b", "d/c", "e", "log.1"];

/// What happens between two runs. Names are positions.
#[derive(Clone, Debug)]
enum Step {
    /// New contents, as long as all others of that size.
    Write(usize, bool),
    /// Each takes the place of the next, as logs do; times come along.
    Rotate,
    Swap(usize, usize),
    /// An older version comes back with its time, as by `cp -p`.
    Restore(usize, usize),
    /// Only its time is another.
    Touch(usize),
    Remove(usize),
    /// Somebody else writes to the target.
    WriteThere(usize, bool),
    /// Somebody else brings a version of one name to another on the target.
    SwapThere(usize, usize),
    RemoveThere(usize),
}

#[derive(Clone, Debug)]
struct Case {
    /// What happens before each run, and whether the run has a memo.
    runs: Vec<(Vec<Step>, bool)>,
}

fn step() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES.len();
    prop_oneof![
        4 => (name(), any::<bool>()).prop_map(|(name, large)| Step::Write(name, large)),
        3 => Just(Step::Rotate),
        2 => (name(), name()).prop_map(|(one, other)| Step::Swap(one, other)),
        2 => (name(), 0_usize..8).prop_map(|(name, version)| Step::Restore(name, version)),
        1 => name().prop_map(Step::Touch),
        1 => name().prop_map(Step::Remove),
        2 => (name(), any::<bool>()).prop_map(|(name, large)| Step::WriteThere(name, large)),
        1 => (name(), name()).prop_map(|(one, other)| Step::SwapThere(one, other)),
        1 => name().prop_map(Step::RemoveThere),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let run = (prop::collection::vec(step(), 0..5), prop::bool::weighted(0.8));
    prop::collection::vec(run, 2..6).prop_map(|runs| Case { runs })
}

/// Contents and time.
type Version = (String, i64);

struct World {
    source: Arc<dyn Backend>,
    target: Arc<dyn Backend>,
    storage: Storage,
    /// Every version that was written, by which number it is.
    versions: Vec<Version>,
    here: BTreeMap<usize, Version>,
}

impl World {
    fn new(source: Arc<dyn Backend>, target: Arc<dyn Backend>) -> Self {
        let storage = storage([("source", source.clone()), ("target", target.clone()), ("memo", memory())]);
        Self { source, target, storage, versions: Vec::new(), here: BTreeMap::new() }
    }

    /// No two have one time: what has another version's time and size is not to be told from it by a listing of times.
    fn version(&mut self, large: bool) -> Version {
        let number = self.versions.len();
        let size = if large { (256 << 10) + 1 } else { 5 };
        let version = (format!("{number:05}{}", "-".repeat(size - 5)), 1000 + 10 * number as i64);
        self.versions.push(version.clone());
        version
    }

    async fn put(backend: &dyn Backend, name: usize, (contents, seconds): &Version) {
        let modified = Some(Timestamp { seconds: *seconds, nanoseconds: 0 });
        let options = WriteOptions { modified, ..WriteOptions::default() };
        let path = Path::parse(NAMES[name]).unwrap();
        backend.write_all(&path, contents.clone().into(), &options).await.unwrap();
    }

    async fn remove(backend: &dyn Backend, name: usize) {
        backend.delete(&[Path::parse(NAMES[name]).unwrap()]).await.remove(0).unwrap();
    }

    /// Makes the source what it should be now.
    async fn set(&mut self, name: usize, version: Option<Version>) {
        match version {
            Some(version) if self.here.get(&name) != Some(&version) => {
                Self::put(&*self.source, name, &version).await;
                self.here.insert(name, version);
            }
            Some(_) => {}
            None if self.here.remove(&name).is_some() => Self::remove(&*self.source, name).await,
            None => {}
        }
    }

    async fn take(&mut self, step: &Step) {
        match *step {
            Step::Write(name, large) => {
                let version = self.version(large);
                self.set(name, Some(version)).await;
            }
            Step::Rotate => {
                for name in (1..NAMES.len()).rev() {
                    let before = self.here.get(&(name - 1)).cloned();
                    self.set(name, before).await;
                }
                let version = self.version(false);
                self.set(0, Some(version)).await;
            }
            Step::Swap(one, other) => {
                let (first, second) = (self.here.get(&one).cloned(), self.here.get(&other).cloned());
                self.set(one, second).await;
                self.set(other, first).await;
            }
            Step::Restore(name, number) => {
                if let Some(version) = self.versions.get(number).cloned() {
                    self.set(name, Some(version)).await;
                }
            }
            Step::Touch(name) => {
                if let Some((contents, _)) = self.here.get(&name).cloned() {
                    let (_, time) = self.version(false);
                    let touched = (contents, time);
                    self.versions.pop();
                    self.versions.push(touched.clone());
                    self.set(name, Some(touched)).await;
                }
            }
            Step::Remove(name) => self.set(name, None).await,
            Step::WriteThere(name, large) => {
                let version = self.version(large);
                Self::put(&*self.target, name, &version).await;
            }
            Step::SwapThere(one, other) => {
                // As they are on the source: with the times that the source knows.
                let versions = [self.here.get(&one).cloned(), self.here.get(&other).cloned()];
                if let [Some(first), Some(second)] = versions {
                    Self::put(&*self.target, one, &second).await;
                    Self::put(&*self.target, other, &first).await;
                }
            }
            Step::RemoveThere(name) => Self::remove(&*self.target, name).await,
        }
    }

    async fn sync(&self, remembers: bool) -> Report {
        let options = SyncOptions {
            memo: remembers.then(|| at("memo", "memo")),
            allow_empty_source: true,
            ..SyncOptions::default()
        };
        let job = self.storage.sync(&at("source", ""), &at("target", ""), &options).await.unwrap();
        let report = job.outcome().await.unwrap();
        assert_eq!((report.errors, report.memo), (0, None));
        report
    }

    async fn holds(mut self, case: &Case) {
        self.take(&Step::Write(0, false)).await;
        for (steps, remembers) in &case.runs {
            for step in steps {
                self.take(step).await;
            }
            // A source without any object is a place that does not exist.
            if self.here.is_empty() {
                self.take(&Step::Write(0, true)).await;
            }
            self.sync(*remembers).await;
            assert_eq!(tree(&*self.source).await, tree(&*self.target).await, "after {steps:?} of {case:?}");
            assert_eq!(self.sync(*remembers).await.transferred, 0, "nothing is left to do: {case:?}");
        }
        // Whatever the target has by now.
        self.take(&Step::WriteThere(0, false)).await;
        self.take(&Step::SwapThere(1, 2)).await;
        let before = tree(&*self.source).await;
        let options = SyncOptions { memo: Some(at("memo", "memo")), ..SyncOptions::default() };
        let job = self.storage.move_to(&at("source", ""), &at("target", ""), &options).await.unwrap();
        assert_eq!(job.outcome().await.unwrap().errors, 0);
        let there = tree(&*self.target).await;
        assert!(before.iter().all(|object| there.contains(object)), "{case:?}");
        assert_eq!(tree(&*self.source).await, []);
    }
}

/// An empty source and an empty target.
type Sides = [Arc<dyn Backend>; 2];

fn run(cases: u32, pairs: &[fn() -> Sides]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    for _ in 0..cases {
        let case = case().new_tree(&mut runner).unwrap().current();
        for pair in pairs {
            runtime.block_on(async {
                let [source, target] = pair();
                World::new(source, target).holds(&case).await;
            });
        }
    }
}

fn store() -> Arc<dyn Backend> {
    Arc::new(Store::default())
}

fn encrypting() -> Arc<dyn Backend> {
    Arc::new(Store::encrypting())
}

fn timeless() -> Arc<dyn Backend> {
    Twisted::new(&memory()).without_times()
}

fn s3() -> Arc<dyn Backend> {
    Arc::new(S3Backend::from_config(moto().config()).unwrap())
}

fn google() -> Arc<dyn Backend> {
    Registry::with_builtin().open("gcs", gcs().config()).unwrap()
}

#[test]
fn over_memory_with_and_without_listed_times() {
    run(
        24,
        &[
            || [memory(), memory()],
            || [memory(), store()],
            || [store(), memory()],
            || [store(), store()],
            || [memory(), encrypting()],
            || [encrypting(), store()],
            || [memory(), timeless()],
            || [timeless(), memory()],
        ],
    );
}

#[test]
fn over_s3() {
    run(3, &[|| [memory(), s3()], || [s3(), memory()], || [s3(), s3()]]);
}

#[test]
fn over_google() {
    run(3, &[|| [memory(), google()], || [google(), s3()]]);
}
