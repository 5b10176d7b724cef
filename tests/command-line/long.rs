//! Runs that last: what they show on a terminal, and what they say when a signal ends them.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    command::{BINARY, Run, command, pair, program},
    tree::{Scratch, assert_equal, bytes, debris},
};

/// How fast the runs are that are interrupted, and how many bytes their large object has: it is under way for seconds.
const RATE: &str = "1M";
const LARGE: usize = 8 << 20;

/// Three objects that are small, and a large one.
fn trees(scratch: &Scratch) -> (PathBuf, PathBuf) {
    for name in ["a", "b", "c"] {
        scratch.write(&format!("source/{name}"), bytes(1, 10));
    }
    scratch.write("source/large", bytes(2, LARGE));
    (scratch.path("source"), scratch.path("target"))
}

/// What a run still says when it is interrupted behind the lines that tell of the three small objects, which begin so.
fn interrupted(mut child: Child, told: impl Read, beginning: &str, target: &Path) -> String {
    let mut told = BufReader::new(told).lines().map(Result::unwrap);
    for _ in 0..3 {
        let line = told.next().unwrap();
        assert!(line.starts_with(beginning), "{line}");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let rest: String = told.map(|line| line + "\n").collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(!target.join("large").exists() && debris(target).is_empty());
    rest
}

#[test]
fn a_run_that_is_interrupted_says_how_far_it_came() {
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch);
    let report = scratch.path("report.ndjson");
    let mut copy = command(["copy", "-v", "--bwlimit", RATE, "--report"]);
    let mut child = copy.arg(&report).arg(&source).arg(&target).stderr(Stdio::piped()).spawn().unwrap();
    let told = child.stderr.take().unwrap();
    let rest = interrupted(child, told, "transferred `", &target);
    assert_eq!(
        rest,
        "interrupted: transferred 3 objects, 30 B; what was under way was given up: run it again to go on\n"
    );
    // The report says so, too, and is whole.
    let report = fs::read_to_string(&report).unwrap();
    let last: Value = serde_json::from_str(report.lines().last().unwrap()).unwrap();
    assert_eq!(last["event"], "summary");
    assert!(last["error"]["message"].as_str().unwrap().starts_with("interrupted: "), "{last}");

    let again = pair("copy", &source, &target, &[]).ok();
    assert!(
        again.stderr.starts_with("transferred 1 object, 8.00 MiB; checked 4 objects"),
        "{}",
        again.stderr
    );
    assert_equal(&source, &target);
}

#[test]
fn an_interrupted_run_ends_its_json() {
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch);
    let mut copy = command(["copy", "-q", "--json", "--bwlimit", RATE]);
    let mut child = copy.arg(&source).arg(&target).stdout(Stdio::piped()).spawn().unwrap();
    let told = child.stdout.take().unwrap();
    let rest = interrupted(child, told, "{\"event\":\"transferred\"", &target);
    let last: Value = serde_json::from_str(&rest).unwrap();
    assert_eq!((&last["event"], &last["error"]["code"]), (&"summary".into(), &"cancelled".into()), "{last}");
}

#[test]
fn a_terminal_shows_the_objects_that_are_under_way() {
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch);
    // Runs the rest of its arguments on a terminal of its own, and passes on what that shows.
    let spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let mut copy = program("python3");
    copy.args(["-c", spawn, BINARY, "copy", "--bwlimit", "4M"]).arg(&source).arg(&target);
    let run: Run = copy.env("TERM", "xterm").output().unwrap().into();
    let shown = run.ok().text().to_owned();
    let line = shown
        .split(['\r', '\n'])
        .find(|line| line.contains(" of 8.00 MiB, "))
        .unwrap_or_else(|| panic!("{shown:?}"));
    assert!(line.contains("MiB/s, ") && line.contains(" left: large "), "{line:?}");
    // Small ones have no line.
    assert!(!shown.contains("left: a"), "{shown:?}");
    assert!(shown.contains("transferred 4 objects, 8.00 MiB"), "{shown:?}");
    assert_equal(&source, &target);
}
