//! `--ranges` in one process: what is printed and how it ends is as of one run.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::{
    command::{Run, pair, run},
    schema,
    tree::{Scratch, assert_equal, contents},
};

/// A source and a target that share some, and each has some alone.
fn trees(scratch: &Scratch) -> [std::path::PathBuf; 2] {
    for number in 0..120 {
        let name = |side: &str, first: usize| format!("{side}/{}/{:03}", number % 7, number + first);
        scratch.write(&name("source", 0), number.to_string());
        scratch.write(&name("target", 60), "x");
    }
    scratch.write("source/3-in between", "x");
    scratch.write("target/3/x/deep/extra", "x");
    ["source", "target"].map(|side| scratch.path(side))
}

/// The summary without what counts calls and time.
fn counted(run: &Run) -> Value {
    let mut summary = run.summary();
    for key in ["calls", "elapsed_ms"] {
        summary.as_object_mut().unwrap().remove(key);
    }
    summary
}

/// What was said of objects.
fn events(run: &Run) -> Vec<String> {
    let all = run.json().into_iter().filter(|line| line["event"] != "summary");
    let mut events: Vec<_> = all.map(|event| event.to_string()).collect();
    events.sort();
    events
}

fn copied(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

#[test]
fn ranges_print_what_one_run_prints() {
    let scratch = Scratch::new();
    let [source, target] = trees(&scratch);
    for (number, (command, options, code)) in [
        ("check", &["--json"][..], 1),
        ("sync", &["--json", "--dry-run"], 0),
        ("copy", &["--json", "--exclude", "*/1*"], 0),
        ("sync", &["--json", "--hold-deletes"], 0),
        ("sync", &["--json", "--max-delete", "1"], 7),
        ("sync", &["--json", "--start-after", "2", "--stop-at", "3/4"], 0),
        ("sync", &["--json", "--bwlimit", "10M"], 0),
        ("check", &["--json"], 0),
        ("sync", &["--json"], 0),
        ("move", &["--json", "--delete-empty-src-dirs"], 0),
    ]
    .into_iter()
    .enumerate()
    {
        let [alone_source, alone] =
            ["source", "target"].map(|side| scratch.path(&format!("{side} {number}")));
        copied(&source, &alone_source);
        copied(&target, &alone);
        let single = pair(command, &alone_source, &alone, options);
        let ranges = pair(command, &source, &target, &[&["--ranges", "8"], options].concat());
        assert_eq!((ranges.code, single.code), (Some(code), Some(code)), "{options:?}: {ranges:?}");
        assert_eq!(counted(&ranges)["checked"], counted(&single)["checked"]);
        if code != 7 {
            assert_eq!(counted(&ranges), counted(&single), "{command} {options:?}");
            assert_eq!(events(&ranges), events(&single), "{command} {options:?}");
        }
        if command != "check" {
            schema::assert_holds(&ranges);
            let report = scratch.write("report.ndjson", &ranges.stdout);
            let report = report.to_str().unwrap();
            assert_eq!(run(["report", "add", report]).code, Some(code), "{options:?}");
        }
        assert_equal(&target, &alone);
        assert_eq!(contents(&source), contents(&alone_source));
    }
    assert!(fs::read_dir(&source).unwrap().next().is_none(), "nothing is left of what was moved");
}

#[test]
fn guards_and_reports_are_those_of_one_run() {
    let scratch = Scratch::new();
    let [source, target] = trees(&scratch);
    let empty = scratch.path("empty");
    fs::create_dir(&empty).unwrap();
    let before = contents(&target);
    let refused = pair("sync", &empty, &target, &["--ranges", "4"]);
    assert_eq!(refused.code, Some(7), "{refused:?}");
    assert!(refused.stderr.contains("the source is empty"), "{refused:?}");
    assert_eq!(contents(&target), before);
    let extras = pair("sync", &source, &target, &["--json", "-n"]).ok().summary()["extras"].as_u64().unwrap();
    let less = (extras - 1).to_string();
    let refused = pair("sync", &source, &target, &["--ranges", "4", "--max-delete", &less]);
    assert_eq!(refused.code, Some(7), "{refused:?}");
    assert!(refused.stderr.contains(&format!("{extras} objects would be deleted")), "{refused:?}");
    // A name that is no path is an error, and so nothing is deleted.
    let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff");
    fs::write(source.join("3").join(odd), "x").unwrap();
    let run = pair("sync", &source, &target, &["--ranges", "4", "--json"]);
    assert_eq!(run.code, Some(6), "{run:?}");
    let summary = run.summary();
    assert_eq!((&summary["errors"], &summary["deleted"]), (&1.into(), &0.into()), "{summary}");
    assert_eq!(summary["deletes_withheld_because"], "errors");
    fs::remove_file(source.join("3").join(odd)).unwrap();
    let report = scratch.path("report.ndjson");
    let options =
        ["--ranges", "4", "--report", report.to_str().unwrap(), "--max-delete", &extras.to_string()];
    let run = pair("sync", &source, &target, &options).ok();
    assert!(run.stderr.contains(&format!("deleted {extras} objects")), "{run:?}");
    let deleted =
        fs::read_to_string(&report).unwrap().lines().filter(|line| line.contains("\"deleted\",")).count();
    assert_eq!(deleted as u64, extras);
    assert_equal(&source, &target);
    let combined = pair("check", &source, &target, &["--ranges", "4", "--combined", "-"]).ok();
    assert_eq!(combined.stdout.iter().filter(|byte| **byte == b'=').count(), 121);
}

#[test]
fn what_ranges_cannot_share_is_refused_by_name() {
    let scratch = Scratch::new();
    let [source, target] = trees(&scratch);
    for (option, value) in [
        ("--delete-before", None),
        ("--delete-during", None),
        ("--track-renames", None),
        ("--compress", Some("zstd")),
        ("--max-transfer", Some("1M")),
        ("--max-errors", Some("1")),
        ("--order-by", Some("size")),
        ("--explain", Some("x")),
    ] {
        let options = [&["--ranges", "4", option][..], value.as_slice()].concat();
        pair("sync", &source, &target, &options).fails(2, &[option, "cannot be shared among ranges"]);
    }
    pair("sync", &source, &target, &["--ranges", "257"]).fails(2, &["at most 256"]);
    pair("sync", &source, &target, &["--ranges", "0"]).fails_with(2, &["--ranges"]);
    pair("sync", &source, &target, &["--ranges", "many"]).fails_with(2, &["--ranges"]);
    // Where there is nothing to cut at, it is one run.
    let one = scratch.write("one", "x");
    pair("copy", &one, &scratch.path("there"), &["--ranges", "4"]).ok();
    pair("copy", &scratch.path("missing"), &target, &["--ranges", "4"]).fails(3, &["missing"]);
    pair("sync", &source, &source.join("1"), &["--ranges", "4"]).fails_with(7, &["lies in the source"]);
}

/// To a store and back.
#[test]
fn ranges_go_to_a_store_and_come_back() {
    use omnistorage_test_servers::{ACCESS_KEY, BUCKET, SECRET_KEY, weed};

    let scratch = Scratch::new();
    let [source, _] = trees(&scratch);
    let place = format!("s3://{BUCKET}/ranges/{}", std::process::id());
    let sync = |from: &str, to: &str| {
        let mut command = crate::command::command(["sync", "--json", "--ranges", "8", from, to]);
        command
            .env("AWS_ENDPOINT_URL", &weed().endpoint)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_EC2_METADATA_DISABLED", "true");
        Run::from(command.output().unwrap()).ok().summary()
    };
    let back = scratch.path("back");
    fs::create_dir(&back).unwrap();
    fs::write(back.join("extra"), "x").unwrap();
    assert_eq!(sync(source.to_str().unwrap(), &place)["transferred"], 121);
    assert_eq!(sync(&place, back.to_str().unwrap())["deleted"], 1);
    assert_equal(&source, &back);
}
