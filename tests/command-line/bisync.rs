//! `bisync`: the state between runs, exit codes, events, and kills at random moments.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use crate::{
    command::{Run, assert_golden, command},
    tree::{Scratch, assert_equal, bytes, contents, debris},
};

/// A run over `first` and `second`, with its state beside them.
fn bisync(scratch: &Scratch, options: &[&str]) -> Command {
    let mut command = command(["bisync"]);
    command.arg(scratch.path("first")).arg(scratch.path("second")).args(options);
    command.env("XDG_STATE_HOME", scratch.path("home"));
    command
}

fn run(scratch: &Scratch, options: &[&str]) -> Run {
    bisync(scratch, options).output().unwrap().into()
}

/// The states in a directory; there are locks as well.
fn states(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = contents(directory);
    files.retain(|path, _| path.extension().is_some_and(|extension| extension == "state"));
    files
}

fn set_time(path: &Path, seconds: u64) {
    let time = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn the_first_run_is_asked_for_and_the_next_ones_remember() {
    let scratch = Scratch::new();
    scratch.write("first/a", "1");
    scratch.write("first/b", "2");
    scratch.write("second/c", "3");
    run(&scratch, &[]).fails(7, &["no state", "resync"]);
    assert!(!scratch.path("second/a").exists());
    run(&scratch, &["--resync"]).ok();
    assert_equal(&scratch.path("first"), &scratch.path("second"));
    let states = states(&scratch.path("home/omnistorage/bisync"));
    assert_eq!(states.len(), 1);

    fs::remove_file(scratch.path("first/b")).unwrap();
    scratch.write("second/d/e", "4");
    let events = run(&scratch, &["--json", "--dry-run"]).ok();
    assert_eq!(self::states(&scratch.path("home/omnistorage/bisync")), states);
    assert!(scratch.path("second/b").exists() && !scratch.path("first/d").exists());
    let again = run(&scratch, &["--json"]).ok();
    assert_eq!(events.json().len(), again.json().len());
    assert_golden("bisync.jsonl", &again);
    assert_equal(&scratch.path("first"), &scratch.path("second"));
    assert!(!scratch.path("second/b").exists());
    assert_eq!(run(&scratch, &["--json"]).ok().json().len(), 1, "nothing is left to do");
}

#[test]
fn a_state_goes_where_it_is_told_to() {
    let scratch = Scratch::new();
    scratch.write("first/a", "1");
    let kept = scratch.path("kept here");
    let kept = kept.to_str().unwrap();
    run(&scratch, &["--resync", "--state", kept]).ok();
    assert_eq!(states(&scratch.path("kept here")).len(), 1);
    assert!(!scratch.path("home").exists());
    run(&scratch, &[]).fails(7, &["no state"]);
    run(&scratch, &["--state", kept]).ok();
    let inside = scratch.path("first/.state");
    run(&scratch, &["--resync", "--state", inside.to_str().unwrap()]).fails(7, &["exclude it"]);
}

#[test]
fn two_runs_over_one_pair_do_not_meet() {
    let scratch = Scratch::new();
    scratch.write("first/a", "1");
    fs::create_dir(scratch.path("second")).unwrap();
    run(&scratch, &["--resync"]).ok();
    let directory = scratch.path("home/omnistorage/bisync");
    let mut locks = contents(&directory).into_keys();
    let lock = locks.find(|path| path.extension().is_some_and(|extension| extension == "lock")).unwrap();
    let lock = File::open(directory.join(lock)).unwrap();
    lock.lock().unwrap();
    run(&scratch, &[]).fails(5, &["another run", "wait"]);
    run(&scratch, &["--dry-run"]).ok();
    drop(lock);
    run(&scratch, &[]).ok();
}

#[test]
fn conflicts_are_told_and_kept() {
    let scratch = Scratch::new();
    scratch.write("first/a", "1");
    run(&scratch, &["--resync"]).ok();
    set_time(&scratch.write("first/a", "mine"), 1_600_000_000);
    set_time(&scratch.write("second/a", "theirs"), 1_700_000_000);
    let told = run(&scratch, &[]).ok().stderr;
    assert!(told.contains("conflict") && told.contains("a.conflict1"), "{told}");
    for side in ["first", "second"] {
        assert_eq!(fs::read(scratch.path(&format!("{side}/a"))).unwrap(), b"theirs");
        assert_eq!(fs::read(scratch.path(&format!("{side}/a.conflict1"))).unwrap(), b"mine");
    }
    set_time(&scratch.write("first/a", "mine again"), 1_600_000_000);
    set_time(&scratch.write("second/a", "theirs again"), 1_700_000_000);
    run(&scratch, &["--conflict-loser", "delete"]).fails(2, &["--conflict-resolve"]);
    run(&scratch, &["--conflict-resolve", "path1", "--conflict-loser", "delete"]).ok();
    assert_eq!(fs::read(scratch.path("second/a")).unwrap(), b"mine again");
    assert_eq!(contents(&scratch.path("first")).len(), 2);
}

#[test]
fn what_would_lose_too_much_is_refused_with_what_to_do() {
    let scratch = Scratch::new();
    for name in ["a", "b", "c"] {
        scratch.write(&format!("first/{name}"), name);
    }
    run(&scratch, &["--resync"]).ok();
    for name in ["a", "b"] {
        fs::remove_file(scratch.path(&format!("first/{name}"))).unwrap();
    }
    run(&scratch, &[]).fails(7, &["2 of 3", "50%", "max-delete"]);
    run(&scratch, &["--max-delete", "1"]).fails(7, &["at most 1"]);
    fs::remove_file(scratch.path("first/c")).unwrap();
    run(&scratch, &["--max-delete", "100%"]).fails(7, &["first place is empty", "allow-empty"]);
    fs::remove_dir(scratch.path("first")).unwrap();
    run(&scratch, &["--max-delete", "100%", "--allow-empty"]).fails(3, &["does not exist"]);
    assert_eq!(contents(&scratch.path("second")).len(), 3);
    fs::create_dir(scratch.path("first")).unwrap();
    run(&scratch, &["--max-delete", "100%", "--allow-empty"]).ok();
    assert_eq!(contents(&scratch.path("second")).len(), 0);
    run(&scratch, &["--min-size", "1k", "--resync"]).fails(2, &["outgrows"]);
    run(&scratch, &["--max-delete", "101%"]).says(&["--max-delete"]);
}

/// How often a run is killed.
const ROUNDS: u64 = 8;

#[test]
fn a_killed_run_loses_nothing_and_the_next_one_converges() {
    let scratch = Scratch::new();
    for number in 0..120 {
        scratch.write(&format!("first/{}/{number}", number % 5), bytes(number, number * 500));
    }
    run(&scratch, &["--resync"]).ok();
    for round in 1..=ROUNDS {
        // Of each round, contents that nothing else has.
        let seed = usize::try_from(round).unwrap() * 10_000;
        for number in 0..30 {
            scratch.write(&format!("first/{}/{number}", number % 5), bytes(seed + number, 5_000));
            let other = number + 40;
            scratch.write(&format!("second/{}/{other}", other % 5), bytes(seed + other, 5_000));
        }
        scratch.write("first/0/100", bytes(seed + 100, 900));
        scratch.write("second/0/100", bytes(seed + 101, 901));
        let wanted: Vec<_> = (0..30)
            .chain(40..70)
            .map(|number| bytes(seed + number, 5_000))
            .chain([bytes(seed + 100, 900), bytes(seed + 101, 901)])
            .collect();

        let mut child = bisync(&scratch, &["-q"]).spawn().unwrap();
        thread::sleep(Duration::from_millis(20 + 15 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let sides = ["first", "second"].map(|side| contents(&scratch.path(side)));
        for version in &wanted {
            let is_there = sides.iter().any(|side| side.values().any(|found| found == version));
            assert!(is_there, "round {round}: a version is lost");
        }
        run(&scratch, &[]).ok();
        assert_equal(&scratch.path("first"), &scratch.path("second"));
        let found = contents(&scratch.path("first"));
        for version in &wanted {
            assert!(found.values().any(|found| found == version), "round {round}: a version is lost");
        }
        assert_eq!(debris(&scratch.path("first")).len() + debris(&scratch.path("second")).len(), 0);
        assert_eq!(run(&scratch, &["--json"]).ok().json().len(), 1);
    }
}
