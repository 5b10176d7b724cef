//! Ends that nobody planned: whatever happens, an object is the old one or the new one, and no debris stays.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use omnistorage_test_servers::{ACCESS_KEY, BUCKET, Fault, Proxy, Request, SECRET_KEY, moto};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    command::{command, pair, run_with},
    tree::{Scratch, assert_equal, bytes, contents, debris},
};

/// How often a run is killed.
const ROUNDS: u32 = 20;

/// Some 300 files of 0 to 64 KiB, and a few large ones.
fn version(scratch: &Scratch, name: &str, seed: usize) {
    for number in 0..300 {
        let path = format!("{name}/{}/{number}", number % 5);
        scratch.write(&path, bytes(seed + number, number * number % 65_536));
    }
    for number in 0..3 {
        scratch.write(&format!("{name}/large {number}"), bytes(seed + number, 4 << 20));
    }
}

/// Random moments in the time that a run takes.
struct Moments {
    whole: Duration,
    last: u32,
}

impl Moments {
    fn within(whole: Duration) -> Self {
        Self { whole, last: SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos() }
    }

    /// Kills a command at one of them; says when that was.
    fn kill_at_one(&mut self, command: &mut Command) -> Duration {
        self.last = self.last.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let delay = self.whole.mul_f64(f64::from(self.last) / f64::from(u32::MAX));
        let mut child = command.spawn().unwrap();
        thread::sleep(delay);
        child.kill().unwrap();
        child.wait().unwrap();
        delay
    }
}

#[test]
fn a_killed_move_has_every_object_on_one_side() {
    let scratch = Scratch::new();
    let (source, target, kept) = (scratch.path("source"), scratch.path("target"), scratch.path("kept"));
    fs::create_dir(&kept).unwrap();
    let options = ["--backup-dir", kept.to_str().unwrap()];
    version(&scratch, "source", 1);
    let started = Instant::now();
    pair("move", &source, &target, &options).ok();
    let mut moments = Moments::within(started.elapsed());
    for round in 1..=ROUNDS / 2 {
        version(&scratch, "source", 10_000 * round as usize);
        let [new, old] = [&source, &target].map(|place| contents(place));
        let delay = moments.kill_at_one(command(["move", "-q"]).arg(&source).arg(&target).args(options));
        let [left, arrived, kept] = [&source, &target, &kept].map(|place| contents(place));
        for (path, bytes) in &new {
            let is_there = [&left, &arrived].into_iter().any(|side| side.get(path) == Some(bytes));
            assert!(is_there, "{} is lost, killed after {delay:?}", path.display());
        }
        for (path, bytes) in &old {
            let is_there = [&arrived, &kept].into_iter().any(|side| side.get(path) == Some(bytes));
            assert!(is_there, "the old {} is lost, killed after {delay:?}", path.display());
        }

        pair("move", &source, &target, &options).ok();
        assert!(contents(&source).is_empty());
        assert!(contents(&target) == new, "killed after {delay:?}");
        assert_eq!(debris(&target), Vec::<std::path::PathBuf>::new());
    }
}

#[test]
fn a_killed_sync_leaves_old_or_new_objects() {
    let scratch = Scratch::new();
    version(&scratch, "one", 1);
    version(&scratch, "two", 10_001);
    let (one, two, target) = (scratch.path("one"), scratch.path("two"), scratch.path("target"));
    pair("sync", &one, &target, &[]).ok();
    let started = Instant::now();
    pair("sync", &two, &target, &["-I"]).ok();
    let whole = started.elapsed();
    let versions = [contents(&one), contents(&two)];

    let mut moments = Moments::within(whole);
    for round in 0..ROUNDS {
        let source = if round % 2 == 0 { &one } else { &two };
        let delay = moments.kill_at_one(command(["sync", "-I", "-q"]).arg(source).arg(&target));

        let left = debris(&target);
        for (path, found) in contents(&target).iter().filter(|(path, _)| !left.contains(path)) {
            let is_whole = versions.iter().any(|version| version.get(path) == Some(found));
            assert!(is_whole, "{} is neither old nor new, killed after {delay:?}", path.display());
        }
    }

    pair("sync", &one, &target, &[]).ok();
    assert_eq!(debris(&target), Vec::<std::path::PathBuf>::new());
    pair("check", &one, &target, &["--download"]).ok();
    assert_equal(&one, &target);
}

/// Whether a process holds a file of a directory open. One that has no name yet shows as deleted.
fn has_open_below(process: &Child, directory: &Path) -> bool {
    let open = fs::read_dir(format!("/proc/{}/fd", process.id())).into_iter().flatten().flatten();
    let mut files = open.filter_map(|entry| fs::read_link(entry.path()).ok());
    files.any(|file| file != directory && file.starts_with(directory))
}

/// A `put` that has had half of its input.
fn half_a_put(target: &Path) -> (Child, ChildStdin) {
    let mut child = command(["put"])
        .arg(target)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("it has an input");
    stdin.write_all(&bytes(3, 2 << 20)).expect("it reads");
    let directory = target.parent().expect("it has a directory");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !has_open_below(&child, directory) {
        assert!(Instant::now() < deadline, "nothing is being written");
        thread::sleep(Duration::from_millis(5));
    }
    (child, stdin)
}

#[test]
fn a_killed_put_leaves_the_old_object() {
    let scratch = Scratch::new();
    let target = scratch.write("object", "old");
    let (mut child, stdin) = half_a_put(&target);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(stdin);
    assert_eq!(fs::read(&target).unwrap(), b"old");

    run_with(b"new", command(["put"]).arg(&target)).ok();
    assert_eq!(fs::read(&target).unwrap(), b"new");
    assert_eq!(debris(&scratch.path("")).len(), 0);
}

#[test]
fn a_signal_stops_a_put_without_debris() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let scratch = Scratch::new();
        let target = scratch.write("object", "old");
        let (child, stdin) = half_a_put(&target);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(debris(&scratch.path("")).len(), 0);
    }
}

#[test]
fn a_signal_stops_a_sync_without_debris() {
    let scratch = Scratch::new();
    version(&scratch, "source", 1);
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let mut child = command(["sync", "-q"]).arg(&source).arg(&target).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !target.exists() {
        assert!(Instant::now() < deadline, "nothing is being written");
        thread::sleep(Duration::from_millis(1));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let code = child.wait().unwrap().code();
    assert!(matches!(code, Some(130 | 0)), "{code:?}"); // 0: it was faster
    assert_eq!(debris(&target), Vec::<std::path::PathBuf>::new());
    let original = contents(&source);
    for (path, found) in contents(&target) {
        assert!(original[&path] == found, "{} is not whole", path.display());
    }
}

#[test]
fn a_killed_copy_to_a_store_is_resumed() {
    let scratch = Scratch::new();
    // Eight parts.
    let large = bytes(5, 40 << 20);
    scratch.write("source/large", &large);
    let proxy = Proxy::before(&moto().endpoint);
    let store = |arguments: &[&str]| {
        let mut command = command(arguments);
        for (setting, value) in [
            ("BUCKET", BUCKET),
            ("PREFIX", "killed"),
            ("ENDPOINT", &proxy.endpoint),
            ("ACCESS_KEY_ID", ACCESS_KEY),
            ("SECRET_ACCESS_KEY", SECRET_KEY),
            ("RESUME", "true"),
        ] {
            command.env(format!("OMNISTORAGE_S3_{setting}"), value);
        }
        command.env("STORAGE_BACKEND", "s3");
        command
    };
    let source = scratch.path("source");
    let copy = ["copy", "-q", source.to_str().unwrap(), "env:"];
    // With four parts on their way, the sixth is sent when two have arrived; and the copy waits for its answer.
    proxy.plan(|request| (request.part_number() == Some(6)).then_some(Fault::Delay(Duration::from_secs(60))));
    let mut child = store(&copy).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !proxy.take_requests().iter().any(|request| request.part_number() == Some(6)) {
        assert!(Instant::now() < deadline, "the parts are not sent");
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    proxy.plan(|_| None);
    drop(proxy.take_requests());

    run_with(b"", &mut store(&copy)).ok();
    let sent = proxy.take_requests().iter().filter_map(Request::part_number).count();
    assert!(sent <= 6, "{sent} of 8 parts were sent again");
    assert!(run_with(b"", &mut store(&["cat", "env:large"])).ok().stdout == large);
    let swept = run_with(b"", &mut store(&["sweep", "--older-than", "0s", "env:"])).ok();
    assert!(swept.stderr.contains("removed 0 "), "{swept:?}");
    run_with(b"", store(&["ls", "env:"]).env("OMNISTORAGE_S3_RESUME", "maybe")).fails(2, &["`resume`"]);
}
