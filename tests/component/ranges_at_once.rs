//! Ranges at once: target, events, report and errors are those of one run, whatever the trees, the options and the borders.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path as Disk,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures::{StreamExt, stream};
use omnistorage::{
    Backend, ErrorCode, FileBackend, KeyRange, Path, Timestamp,
    backend::{
        WriteOptions,
        file::FileOptions,
        layer::{Layered, Operation},
    },
    ranges::{Transfer, check, transfer},
    runtime::{CheckReport, Comparison, Deletion, Event, Filter, Job, Report, Storage, SyncJob, SyncOptions},
};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::{
    far::Far,
    setup::{at, memory, put, storage, tree},
    twisted::Twisted,
};

/// Numbers that look random, and are the same each time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()]
    }

    pub(crate) fn happens(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

/// Names whose order is delicate: what is in `a` comes after `a-b` and `a.txt`.
const PARTS: [&str; 9] = ["a", "a-b", "a.txt", "b", "b!", "data", "é", "x", "y"];

/// Paths of which none is a directory of another one.
fn names(dice: &mut Dice, count: u64) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for _ in 0..count {
        let depth = 1 + dice.roll(3);
        let name = (0..depth).map(|_| dice.one(&PARTS)).collect::<Vec<_>>().join("/");
        // An object is no directory: its name has an end that no part has.
        names.insert(format!("{name}/{}", dice.one(&["0", "1", "o.tmp", "z"])));
    }
    names
}

/// Two trees, as often as they are wanted, and what they live in.
#[derive(Debug)]
pub(crate) struct Case {
    source: BTreeMap<String, (String, i64)>,
    target: BTreeMap<String, (String, i64)>,
    are_files: [bool; 2],
    /// A name that is no path, on the source.
    pub(crate) has_odd_name: bool,
}

impl Case {
    pub(crate) fn of(dice: &mut Dice) -> Self {
        let (first, second) = (10 + dice.roll(40), 10 + dice.roll(40));
        let source: BTreeMap<_, _> = match dice.roll(12) {
            0 => BTreeMap::new(),
            _ => names(dice, first).into_iter().map(|name| (name, ("new".to_owned(), 1_000))).collect(),
        };
        let mut target: BTreeMap<_, _> =
            names(dice, second).into_iter().map(|name| (name, ("old".to_owned(), 2_000))).collect();
        for (name, (contents, time)) in &source {
            match dice.roll(4) {
                0 => drop(target.insert(name.clone(), (contents.clone(), *time))),
                1 => drop(target.insert(name.clone(), (contents.clone(), 500))),
                _ => {}
            }
        }
        let are_files = [dice.happens(30), dice.happens(30)];
        let has_odd_name = are_files[0] && dice.happens(15);
        Self { source, target, are_files, has_odd_name }
    }

    async fn make(&self) -> Trees {
        // So slow, and in such small pages, that ranges are taken over while they are listed.
        self.make_at(&Far::new(3)).await
    }

    /// The trees that are not files are as far away as that.
    pub(crate) async fn make_at(&self, far: &Far) -> Trees {
        let scratch = tempfile::tempdir().unwrap();
        let [source, target] = [0, 1].map(|side| -> Arc<dyn Backend> {
            if !self.are_files[side] {
                return Arc::new(Layered::new(memory(), far.clone()));
            }
            let root = scratch.path().join(side.to_string());
            std::fs::create_dir(&root).unwrap();
            Arc::new(FileBackend::open(&root, FileOptions::default()).unwrap())
        });
        for (backend, objects) in [(&source, &self.source), (&target, &self.target)] {
            for (name, (contents, time)) in objects {
                let modified = Some(Timestamp { seconds: *time, nanoseconds: 0 });
                let options = WriteOptions { modified, ..WriteOptions::default() };
                let path = Path::parse(name.as_str()).unwrap();
                backend.write_all(&path, contents.clone().into_bytes().into(), &options).await.unwrap();
            }
        }
        for side in [0, 1].into_iter().filter(|side| self.are_files[*side]) {
            date(&scratch.path().join(side.to_string()), 10_000 + side as u64);
        }
        if self.has_odd_name {
            let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"b-\xff");
            std::fs::write(scratch.path().join("0").join(odd), "x").unwrap();
        }
        let storage = storage([("source", source.clone()), ("target", target.clone())]);
        Trees { source, target, storage, scratch }
    }
}

pub(crate) struct Trees {
    pub(crate) source: Arc<dyn Backend>,
    pub(crate) target: Arc<dyn Backend>,
    pub(crate) storage: Storage,
    scratch: TempDir,
}

impl Trees {
    /// The directories of the target, and when they were written.
    fn directories(&self) -> BTreeMap<String, SystemTime> {
        let (root, mut found) = (self.scratch.path().join("1"), BTreeMap::new());
        let mut left = vec![root.clone()];
        while let Some(directory) = left.pop() {
            let Ok(entries) = std::fs::read_dir(&directory) else { continue };
            for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
                let time = path.metadata().unwrap().modified().unwrap();
                found.insert(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), time);
                left.push(path);
            }
        }
        found
    }
}

/// Gives all directories below one a time of the past.
fn date(directory: &Disk, seconds: u64) {
    for path in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            date(&path, seconds);
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            std::fs::File::open(&path).unwrap().set_modified(time).unwrap();
        }
    }
}

/// Options of a sync.
fn options(dice: &mut Dice) -> SyncOptions {
    let filters = [
        Filter::default(),
        Filter::default().rule("- *.tmp"),
        Filter::default().rule("- /a/"),
        Filter { max_depth: Some(2), ..Filter::default() },
    ];
    let mut filter = filters[usize::try_from(dice.roll(4)).unwrap()].clone();
    filter.delete_excluded = dice.happens(20);
    let mut ends = [dice.one(&PARTS), dice.one(&PARTS)].map(|end| Path::parse(end).unwrap());
    ends.sort();
    let [after, until] = ends;
    let has_range = after < until && dice.happens(20);
    SyncOptions {
        comparison: dice.one(&[
            Comparison::Automatic,
            Comparison::Automatic,
            Comparison::SizeOnly,
            Comparison::Checksum,
            Comparison::Always,
            Comparison::IgnoreExisting,
        ]),
        dry_run: dice.happens(15),
        update_only: dice.happens(10),
        immutable: dice.happens(10),
        ignore_errors: dice.happens(30),
        hold_deletes: dice.happens(10),
        allow_empty_source: dice.happens(40),
        empty_directories: dice.happens(40),
        max_delete: dice.happens(20).then(|| dice.roll(25)),
        start_after: has_range.then_some(after),
        stop_at: has_range.then_some(until),
        deletion: Deletion::After,
        filter,
        ..SyncOptions::default()
    }
}

/// A run, and its options.
pub(crate) fn run(dice: &mut Dice) -> (Transfer, SyncOptions) {
    let how = dice.one(&[Transfer::Sync, Transfer::Sync, Transfer::Sync, Transfer::Copy, Transfer::Move]);
    let options = options(dice);
    if matches!(how, Transfer::Sync) {
        return (how, options);
    }
    let options = SyncOptions {
        deletion: Deletion::None,
        hold_deletes: false,
        max_delete: None,
        delete_empty_source_directories: matches!(how, Transfer::Move) && dice.happens(50),
        ..options
    };
    (how, options)
}

/// What came of a run: its events, sorted, and its report, or the code of its error.
pub(crate) type Came<R> = (Vec<String>, Result<R, ErrorCode>);

async fn came<I, R: Send + 'static>(
    job: omnistorage::Result<Job<I, R>>,
    say: impl Fn(&I) -> String,
) -> Came<R> {
    let mut job = match job {
        Ok(job) => job,
        Err(error) => return (Vec::new(), Err(error.code())),
    };
    let mut events = Vec::new();
    while let Some(event) = job.next().await {
        events.push(say(&event));
    }
    events.sort();
    (events, job.outcome().await.map_err(|error| error.code()))
}

fn said(event: &Event) -> String {
    let code = event.error.as_ref().map(|error| error.code().as_str());
    format!("{} {} {:?} {:?} {code:?}", event.action.as_str(), event.path, event.size, event.reason)
}

/// What comes of one run.
pub(crate) async fn whole(trees: &Trees, how: Transfer, options: &SyncOptions) -> Came<Report> {
    let (source, target) = (at("source", ""), at("target", ""));
    let job: omnistorage::Result<SyncJob> = match how {
        Transfer::Copy => trees.storage.copy(&source, &target, options).await,
        Transfer::Sync => trees.storage.sync(&source, &target, options).await,
        Transfer::Move => trees.storage.move_to(&source, &target, options).await,
    };
    came(job, said).await
}

async fn parts(trees: &Trees, how: Transfer, options: &SyncOptions, ranges: u32) -> Came<Report> {
    came(transfer(&trees.storage, how, &sides(), options, ranges).await, said).await
}

fn sides() -> [omnistorage::Location; 2] {
    [at("source", ""), at("target", "")]
}

#[tokio::test(start_paused = true)]
async fn ranges_at_once_do_what_one_run_does() {
    for seed in 0..150 {
        let mut dice = Dice(seed);
        let case = Case::of(&mut dice);
        let (how, options) = run(&mut dice);
        let ranges = 2 + u32::try_from(dice.roll(9)).unwrap();
        let [one, many] = [case.make().await, case.make().await];
        let expected = whole(&one, how, &options).await;
        let came = parts(&many, how, &options, ranges).await;
        let about = || format!("seed {seed}: {how:?} in {ranges} ranges\n{options:?}\n{case:?}");
        assert_eq!(came.1, expected.1, "{}", about());
        let (before, after) = (tree(&*one.target).await, tree(&*many.target).await);
        assert_eq!(after, before, "{}", about());
        if !case.has_odd_name {
            assert_eq!(tree(&*many.source).await, tree(&*one.source).await, "{}", about());
        }
        if expected.1.is_ok() {
            assert_eq!(came.0, expected.0, "{}", about());
            let [after, before] = [many.directories(), one.directories()];
            assert!(after.keys().eq(before.keys()), "{}\n{after:?}\n{before:?}", about());
            // A directory just outside of the range is dated by nobody, and one whose contents move by when they left.
            let are_dated = options.range() == KeyRange::default() && case.are_files[0];
            if are_dated && !options.dry_run && !matches!(how, Transfer::Move) {
                // One that neither run dates has the time of what was done in it.
                let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
                let is_other = |path: &String, time: &SystemTime| before[path] < now && before[path] != *time;
                let other: Vec<_> = after.iter().filter(|(path, time)| is_other(path, time)).collect();
                assert!(other.is_empty(), "{}\n{other:?}", about());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_in_ranges_finds_what_one_check_finds() {
    let say = |entry: &omnistorage::runtime::CheckEntry| format!("{:?} {}", entry.difference, entry.path);
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let trees = Case::of(&mut dice).make().await;
        let options = SyncOptions {
            deletion: Deletion::None,
            hold_deletes: false,
            comparison: dice.one(&[Comparison::Automatic, Comparison::SizeOnly, Comparison::Always]),
            one_way: dice.happens(20),
            ..SyncOptions { max_delete: None, dry_run: false, ..options(&mut dice) }
        };
        let job = trees.storage.check(&at("source", ""), &at("target", ""), &options).await;
        let expected: Came<CheckReport> = came(job, say).await;
        let ranges = 2 + u32::try_from(dice.roll(9)).unwrap();
        let found = came(check(&trees.storage, &sides(), &options, ranges).await, say).await;
        assert_eq!(found, expected, "seed {seed}: {options:?}");
    }
}

/// All in one place, so that each range has fewer extras than are allowed, and all together have one more.
#[tokio::test]
async fn a_limit_of_deletes_is_that_of_all_ranges() {
    for (most, deleted) in [(9, None), (10, Some(10))] {
        let trees = storage([("source", memory()), ("target", memory())]);
        for number in 0..40 {
            put(&trees, "source", &[(&format!("{number:02}/a"), "1")]).await;
        }
        for number in 0..10 {
            put(&trees, "target", &[(&format!("{:02}/b", number * 4), "1")]).await;
        }
        let options =
            SyncOptions { max_delete: Some(most), deletion: Deletion::After, ..SyncOptions::default() };
        let job = transfer(&trees, Transfer::Sync, &sides(), &options, 10).await.unwrap();
        let outcome = job.outcome().await;
        match deleted {
            Some(deleted) => assert_eq!(outcome.unwrap().deleted, deleted),
            None => {
                let error = outcome.unwrap_err();
                assert_eq!(error.code(), ErrorCode::LimitExceeded);
                assert!(error.message().contains("10 objects would be deleted, but at most 9"), "{error}");
                assert_eq!(error.location(), Some(("target", "")));
            }
        }
    }
}

/// Something of the other kind stands in the place, and what is in the way lies behind a border.
#[tokio::test(start_paused = true)]
async fn what_is_in_the_way_goes_also_across_a_border() {
    for dry_run in [false, true] {
        for ranges in [2, 3, 5, 8, 12] {
            let case = Case {
                source: ["a", "a-1", "a-2", "a-3", "b/x", "b/y", "b/z", "c"]
                    .map(|name| (name.to_owned(), ("new".to_owned(), 1)))
                    .into(),
                target: ["a/1", "a/2/x", "b", "c/x", "zz"]
                    .map(|name| (name.to_owned(), ("old".to_owned(), 1)))
                    .into(),
                are_files: [true, true],
                has_odd_name: false,
            };
            let options = SyncOptions { deletion: Deletion::After, dry_run, ..SyncOptions::default() };
            let [one, many] = [case.make().await, case.make().await];
            let expected = whole(&one, Transfer::Sync, &options).await;
            let came = parts(&many, Transfer::Sync, &options, ranges).await;
            if !dry_run {
                assert_eq!(came, expected, "{ranges}");
            }
            assert_eq!(came.1.unwrap().deleted, 5);
            assert_eq!(tree(&*many.target).await, tree(&*one.target).await);
        }
    }
}

#[tokio::test]
async fn what_ranges_cannot_share_is_refused_by_name() {
    let trees = storage([("source", memory()), ("target", memory())]);
    put(&trees, "source", &[("a", "1"), ("b", "2")]).await;
    for (options, option) in [
        (SyncOptions { deletion: Deletion::During, ..SyncOptions::default() }, "--delete-during"),
        (SyncOptions { max_transfer: Some(1), ..SyncOptions::default() }, "--max-transfer"),
        (SyncOptions { max_errors: Some(1), ..SyncOptions::default() }, "--max-errors"),
    ] {
        let refused = transfer(&trees, Transfer::Sync, &sides(), &options, 2).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Unsupported);
        assert!(refused.message().contains(option), "{refused}");
    }
    let missing = [at("source", "none"), at("target", "")];
    let begun = {
        let trees = trees.clone();
        tokio::spawn(
            async move { transfer(&trees, Transfer::Sync, &missing, &SyncOptions::default(), 2).await },
        )
    };
    let job = begun.await.unwrap().unwrap();
    assert_eq!(job.outcome().await.unwrap_err().code(), ErrorCode::NotFound);
    // One object is left to one run.
    let single = [at("source", "a"), at("target", "")];
    let options = SyncOptions { deletion: Deletion::None, ..SyncOptions::default() };
    let job = transfer(&trees, Transfer::Copy, &single, &options, 2).await.unwrap();
    assert_eq!(job.outcome().await.unwrap().transferred, 1);
}

/// Many small objects, so that there is something to cut.
async fn hundred() -> [Arc<dyn Backend>; 2] {
    let both = [memory(), memory()];
    let trees = trees_of(&both);
    for number in 0..100 {
        put(&trees, "source", &[(&format!("{number:02}"), &"x".repeat(1_000))]).await;
        put(&trees, "target", &[(&format!("{number:02}-old"), "x")]).await;
    }
    both
}

fn trees_of([source, target]: &[Arc<dyn Backend>; 2]) -> Storage {
    storage([("source", source.clone()), ("target", target.clone())])
}

/// Dropped in the middle, a run deletes nothing, and the next one comes to the end.
#[tokio::test]
async fn an_interrupted_run_deletes_nothing_and_is_gone_on_with() {
    let [source, target] = hundred().await;
    let reached = Arc::new(Notify::new());
    let stuck = {
        let reached = reached.clone();
        Twisted::new(&source).contents(move |path, contents| {
            if path.name() != Some("50") {
                return contents;
            }
            reached.notify_one();
            stream::pending().boxed()
        })
    };
    let options =
        SyncOptions { deletion: Deletion::After, comparison: Comparison::SizeOnly, ..SyncOptions::default() };
    let trees = trees_of(&[stuck, target.clone()]);
    let job = transfer(&trees, Transfer::Sync, &sides(), &options, 8).await.unwrap();
    reached.notified().await;
    drop(job);
    let trees = trees_of(&[source, target]);
    let report = trees.check(&at("source", ""), &at("target", ""), &SyncOptions::default()).await.unwrap();
    let report = report.outcome().await.unwrap();
    assert_eq!(report.missing_on_source, 100);
    assert!(report.missing_on_target > 0, "{report:?}");
    let job = transfer(&trees, Transfer::Sync, &sides(), &options, 8).await.unwrap();
    let report = job.outcome().await.unwrap();
    assert_eq!((report.deleted, report.errors, report.checked), (100, 0, 200));
}

/// What the ranges ask of the backends is counted as that of one run, and so is the limit of bandwidth.
#[tokio::test]
async fn ranges_have_one_account_and_one_limit_of_bandwidth() {
    let trees = trees_of(&hundred().await);
    let options = SyncOptions {
        bandwidth: Some(200_000),
        deletion: Deletion::None,
        comparison: Comparison::SizeOnly,
        ..SyncOptions::default()
    };
    let begun = std::time::Instant::now();
    let job = transfer(&trees, Transfer::Copy, &sides(), &options, 8).await.unwrap();
    let activity = job.activity();
    let report = job.outcome().await.unwrap();
    assert_eq!((report.transferred, report.bytes), (100, 100_000));
    assert_eq!(activity.bytes_moved(), 100_000);
    assert!(activity.calls(Operation::List) >= 16, "{}", activity.calls(Operation::List));
    // Eight limits of their own would take an eighth of it.
    assert!(begun.elapsed() >= Duration::from_millis(400), "{:?}", begun.elapsed());
}
