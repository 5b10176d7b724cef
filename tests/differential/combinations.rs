//! Options that contradict one another: rclone takes them all, and one of them decides. Every combination must do the
//! same here, to contents and to times. One differs on purpose, where rclone decides two ways: with `--update`,
//! `--size-only` and `--checksum` it compares checksums of objects of one time, and the size alone of a target that is
//! older. `--size-only` decides on both here.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, UNIX_EPOCH},
};

use crate::{
    contenders::{Contender, messages},
    tree::{Scratch, contents},
};

/// What decides whether two objects are the same.
const COMPARISONS: [&str; 6] =
    ["--checksum", "--size-only", "--ignore-times", "--ignore-existing", "--update", "--ignore-size"];

/// What decides whether two objects are the same in a `check`.
const CHECKS: [&str; 4] = ["--checksum", "--size-only", "--download", "--one-way"];

const EARLY: u64 = 1_000_000_000;
const LATE: u64 = 1_100_000_000;

/// A file of one side: its contents and its time.
type File = Option<(&'static str, u64)>;

/// Each way in which two objects can be alike: size, contents and time, and which is newer.
const FILES: [(&str, File, File); 10] = [
    ("alike", Some(("one", EARLY)), Some(("one", EARLY))),
    ("alike, target newer", Some(("one", EARLY)), Some(("one", LATE))),
    ("alike, target older", Some(("one", LATE)), Some(("one", EARLY))),
    ("other contents", Some(("one", EARLY)), Some(("two", EARLY))),
    ("other contents, target newer", Some(("one", EARLY)), Some(("two", LATE))),
    ("other contents, target older", Some(("one", LATE)), Some(("two", EARLY))),
    ("other size", Some(("one", EARLY)), Some(("three", EARLY))),
    ("other size, target newer", Some(("one", EARLY)), Some(("three", LATE))),
    ("other size, target older", Some(("one", LATE)), Some(("three", EARLY))),
    ("missing", Some(("one", EARLY)), None),
];

type Found = BTreeMap<PathBuf, (Vec<u8>, u64)>;

/// The exit code, both trees, and the report of a check.
type Outcome = (Option<i32>, [Found; 2], Vec<String>);

fn run(contender: Contender, command: &str, options: &[&str]) -> (Outcome, String) {
    let scratch = Scratch::new();
    let put = |side: &str, name: &str, file: File| {
        let Some((contents, seconds)) = file else { return };
        let path = scratch.write(&format!("{side}/{name}"), contents);
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    };
    for (name, source, target) in FILES {
        put("source", name, source);
        put("target", name, target);
    }
    put("target", "extra", Some(("one", EARLY)));
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let mut running = contender.command(command);
    running.arg(&source).arg(&target).args(options);
    let report = scratch.path("report");
    if command == "check" {
        running.arg("--combined").arg(&report);
    }
    let output = running.output().unwrap();
    let found = [source, target].map(|root| {
        let dated = |(path, contents): (PathBuf, Vec<u8>)| {
            let modified = fs::metadata(root.join(&path)).unwrap().modified().unwrap();
            (path, (contents, modified.duration_since(UNIX_EPOCH).unwrap().as_secs()))
        };
        contents(&root).into_iter().map(dated).collect()
    });
    let mut report: Vec<_> =
        fs::read_to_string(report).unwrap_or_default().lines().map(str::to_owned).collect();
    report.sort();
    ((output.status.code(), found, report), messages(&output))
}

/// All subsets.
fn subsets<'a>(options: &'a [&'static str]) -> impl Iterator<Item = Vec<&'static str>> + 'a {
    (0_u32..1 << options.len()).map(|chosen| {
        let is_chosen = |position: &usize| chosen & (1 << position) != 0;
        (0..options.len()).filter(is_chosen).map(|position| options[position]).collect()
    })
}

#[track_caller]
fn assert_the_same(runs: impl Iterator<Item = (&'static str, Vec<&'static str>)>) {
    let mut wrong = Vec::new();
    for (command, options) in runs {
        let (rclone, said) = run(Contender::Rclone, command, &options);
        let (ours, we_said) = run(Contender::Ours, command, &options);
        if rclone != ours {
            wrong.push(format!(
                "{command} {options:?}\nrclone: {rclone:?}\n{said}\nours: {ours:?}\n{we_said}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_combination_of_comparisons_does_the_same() {
    let is_ambiguous = |options: &[&str]| {
        ["--update", "--size-only", "--checksum"].iter().all(|option| options.contains(option))
    };
    let is_decided = |options: &[&str]| {
        options.iter().any(|option| ["--ignore-times", "--ignore-existing"].contains(option))
    };
    let combinations = subsets(&COMPARISONS).filter(|options| !is_ambiguous(options) || is_decided(options));
    assert_the_same(combinations.map(|options| ("sync", options)));
}

#[test]
fn every_combination_of_checks_reports_the_same() {
    assert_the_same(subsets(&CHECKS).map(|options| ("check", options)));
}
