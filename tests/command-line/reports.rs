//! Reports of several runs: added up, and judged.

use std::path::PathBuf;

use serde_json::Value;

use crate::{
    command::{Run, pair, run},
    schema,
    tree::{Scratch, assert_equal, contents},
};

const RANGES: [&[&str]; 3] =
    [&["--stop-at", "1/10"], &["--start-after", "1/10", "--stop-at", "2/99"], &["--start-after", "2/99"]];

fn report(command: &str, arguments: &[&str]) -> Run {
    run([&["report", command], arguments].concat())
}

/// Two trees that share some, and a third of the ranges without anything in the source.
fn trees(scratch: &Scratch) -> (PathBuf, PathBuf) {
    for n in 0..30 {
        scratch.write(&format!("source/{}/{n:02}", n % 3), "x");
        scratch.write(&format!("target/{}/{:02}", n % 4, n + 20), "x");
    }
    (scratch.path("source"), scratch.path("target"))
}

fn text(path: &std::path::Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Ranges that hold their deletes, judged by the sum of their reports, and then run once more, make of a tree what one run
/// does.
#[test]
fn held_deletes_are_judged_by_the_sum() {
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch);
    let before = contents(&target);
    let sync = |options: &[&str]| pair("sync", &source, &target, &[&["--json"], options].concat()).ok();
    let (mut files, mut extras) = (Vec::new(), Vec::new());
    for (at, range) in RANGES.iter().enumerate() {
        let run = sync(&[&["--hold-deletes"], *range].concat());
        schema::assert_holds(&run);
        let summary = run.summary();
        assert_eq!(
            (&summary["deleted"], &summary["deletes_withheld"]),
            (&Value::from(0), &summary["extras"])
        );
        extras.push(summary["extras"].as_u64().unwrap());
        files.push(text(&scratch.write(&format!("report-{at}"), run.text())));
    }
    assert!(before.keys().all(|path| contents(&target).contains_key(path)), "nothing is deleted");
    let [first, second, third] = &files[..] else { panic!("{files:?}") };
    let sum = report("add", &[third, first, second]).ok();
    schema::assert_holds(&sum);
    let sum = sum.summary();
    let total: u64 = extras.iter().sum();
    assert!(total > 0 && sum["extras"].as_u64() == Some(total), "{sum}");
    assert_eq!((&sum["deletes_withheld_because"], &sum["source_objects"]), (&"held".into(), &30.into()));
    assert!(sum["start_after"].is_null() && sum["stop_at"].is_null(), "{sum}");
    assert_eq!(report("add", &[first, second]).ok().summary()["stop_at"], "2/99");

    let allowed = report("judge", &[first, second, third]).ok();
    assert_eq!(allowed.stderr, format!("{total} objects may be deleted\n"));
    report("judge", &["--max-delete", &total.to_string(), first, second, third]).ok();
    let less = (total - 1).to_string();
    report("judge", &["--max-delete", &less, first, second, third]).fails(7, &[&less]);
    // The third range has nothing in the source.
    report("judge", &["--start-after", "2/99", third]).fails(7, &["empty"]);
    report("judge", &["--start-after", "2/99", "--allow-empty-source", third]).ok();
    report("judge", &[first, third]).fails(2, &["no range holds", "1/10", "2/99"]);
    report("judge", &[first, second]).fails(2, &["up to `2/99`", "all paths"]);
    report("judge", &[first, second, third, second]).fails(2, &["more than one range"]);
    report("add", &[first, third]).fails(2, &["no range holds"]);

    for (range, extras) in RANGES.iter().zip(&extras) {
        let extras = extras.to_string();
        sync(&[&["--max-delete", &extras, "--allow-empty-source"], *range].concat());
    }
    assert_equal(&source, &target);
    let whole = sync(&["--hold-deletes"]);
    assert_eq!(whole.summary()["extras"], 0);
}

/// The sum of the ranges is the report of one run over all of them, but for what counts calls and time.
#[test]
fn reports_of_ranges_add_up_to_that_of_one_run() {
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch);
    let once = pair("sync", &source, &target, &["--json", "--dry-run"]).ok().summary();
    let mut files = Vec::new();
    for (at, range) in RANGES.iter().enumerate() {
        let options = [&["--json", "--dry-run", "--allow-empty-source"], *range].concat();
        let run = pair("sync", &source, &target, &options).ok();
        files.push(text(&scratch.write(&format!("part-{at}"), run.text())));
    }
    let files: Vec<_> = files.iter().map(String::as_str).collect();
    let sum = report("add", &files).ok().summary();
    let counted = |summary: &Value| {
        let mut summary = summary.as_object().unwrap().clone();
        summary.retain(|key, _| !["calls", "elapsed_ms", "bytes_moved"].contains(&key.as_str()));
        summary
    };
    assert_eq!(counted(&sum), counted(&once));
    report("judge", &files).fails(7, &["dry run"]);
}

#[test]
fn a_sum_ends_with_the_worst_of_its_runs() {
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch);
    let fine = pair("copy", &source, &target, &["--json"]).ok();
    let fine = text(&scratch.write("fine", fine.text()));
    let limited = pair("copy", &source, &scratch.path("other"), &["--json", "--max-transfer", "3B"]);
    assert_eq!(limited.code, Some(8), "{limited:?}");
    let limited = text(&scratch.write("limited", limited.text()));
    scratch.write("blocked/0", "an object where a directory should be");
    let failed = pair("copy", &source, &scratch.path("blocked"), &["--json"]);
    let code = failed.code.unwrap();
    assert_eq!(code, 6, "{failed:?}");
    let failed = text(&scratch.write("failed", failed.text()));
    scratch.write("gone/x", "x");
    let refused = pair("sync", &scratch.path("empty"), &scratch.path("gone"), &["--json"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert_eq!(report("add", &[&fine, &fine]).code, Some(0));
    assert_eq!(report("add", &[&fine, &limited]).code, Some(8));
    assert_eq!(report("add", &[&limited, &failed, &fine]).code, Some(6));
    let sum = report("add", &[&limited, &failed, &fine]).summary();
    assert_eq!(sum["stopped"], "max-transfer");
    std::fs::create_dir(scratch.path("nothing")).unwrap();
    let refused = pair("sync", &scratch.path("nothing"), &scratch.path("gone"), &["--json"]);
    assert_eq!(refused.code, Some(7), "{refused:?}");
    let refused = text(&scratch.write("refused", refused.text()));
    let sum = report("add", &[&fine, &refused]);
    assert_eq!(sum.code, Some(7), "{sum:?}");
    assert!(sum.summary()["transferred"].is_null());
}

/// What is no whole report is none: the file and the line are named.
#[test]
fn what_is_no_report_is_refused_by_its_line() {
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch);
    let whole = pair("sync", &source, &target, &["--json"]).ok().text().to_owned();
    let lines: Vec<&str> = whole.lines().collect();
    let (last, events) = lines.split_last().unwrap();
    let changed = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut summary: Value = serde_json::from_str(last).unwrap();
        change(summary.as_object_mut().unwrap());
        format!("{}\n{summary}\n", events.join("\n"))
    };
    let line = format!("line {}", lines.len());
    for (name, contents, words) in [
        ("empty", String::new(), vec!["empty"]),
        ("cut", events.join("\n"), vec!["cut"]),
        ("half", whole[..whole.len() - 20].to_owned(), vec![&line[..], "EOF"]),
        ("shorter", lines[1..].join("\n"), vec!["something is missing"]),
        ("odd", "not json\n".to_owned(), vec!["line 1"]),
        ("list", "[]\n".to_owned(), vec!["line 1"]),
        ("behind", format!("{whole}{}\n", lines[0]), vec!["cut"]),
        (
            "unknown",
            changed(&|summary| drop(summary.insert("more".to_owned(), 1.into()))),
            vec![&line, "more"],
        ),
        ("missing", changed(&|summary| drop(summary.remove("memo"))), vec![&line, "memo"]),
        ("negative", changed(&|summary| drop(summary.insert("extras".to_owned(), (-1).into()))), vec![&line]),
        (
            "word",
            changed(&|summary| drop(summary.insert("stopped".to_owned(), "x".into()))),
            vec![&line, "`x`"],
        ),
        (
            "path",
            changed(&|summary| drop(summary.insert("stop_at".to_owned(), "a//b".into()))),
            vec![&line, "stop_at"],
        ),
    ] {
        let file = text(&scratch.write(name, contents));
        report("add", &[&file]).fails(2, &[&[&format!("{name}`")[..]], &words[..]].concat());
    }
    let bytes = text(&scratch.write("bytes", b"\xff\n"));
    report("add", &[&bytes]).fails(2, &["bytes`, line 1", "UTF-8"]);
    report("add", &[&text(&scratch.path("nowhere"))]).fails(4, &["nowhere`"]);
    let fine = text(&scratch.write("fine", &whole));
    let dry = pair("sync", &source, &target, &["--json", "--dry-run"]).ok();
    let dry = text(&scratch.write("dry", dry.text()));
    report("add", &[&fine, &dry]).fails(2, &["dry run"]);
    report("judge", &[&fine]).fails(7, &["--hold-deletes"]);
    let check = pair("check", &source, &target, &["--json"]);
    let check = text(&scratch.write("check", check.text()));
    report("add", &[&check]).fails(2, &["check`", "line 1"]);
}
