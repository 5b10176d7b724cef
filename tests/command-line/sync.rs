//! `sync`, `copy` and `check` on real trees.

use std::{
    fs,
    io::Write,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{
    command::{Run, assert_golden, pair, run},
    schema,
    tree::{Scratch, assert_equal, contents},
};

#[test]
fn a_tree_is_mirrored_and_kept() {
    let scratch = Scratch::new();
    let (source, target) = (scratch.odd_tree("source"), scratch.path("new/target"));
    let files = contents(&source).len() as u64;

    let first = pair("sync", &source, &target, &["--json"]).ok().summary();
    assert_eq!((first["transferred"].as_u64(), first["errors"].as_u64()), (Some(files), Some(0)), "{first}");
    assert_equal(&source, &target);
    let time = |path: &std::path::Path| fs::metadata(path).unwrap().modified().unwrap();
    assert_eq!(time(&source.join("large")), time(&target.join("large")));

    let again = pair("sync", &source, &target, &["--json"]).ok().summary();
    assert_eq!((again["transferred"].as_u64(), again["checked"].as_u64()), (Some(0), Some(files)), "{again}");
    pair("check", &source, &target, &[]).ok();
    pair("check", &source, &target, &["--download"]).ok();

    fs::write(source.join("empty"), "no longer").unwrap();
    fs::remove_file(source.join("new\nline")).unwrap();
    fs::remove_dir_all(source.join("in ..foo")).unwrap();
    let changed = pair("sync", &source, &target, &["--json"]).ok().summary();
    assert_eq!(
        (changed["transferred"].as_u64(), changed["deleted"].as_u64()),
        (Some(1), Some(2)),
        "{changed}"
    );
    assert_equal(&source, &target);
}

#[test]
fn a_dry_run_changes_nothing() {
    let scratch = Scratch::new();
    scratch.write("source/a", "new");
    scratch.write("source/b/c", "new");
    scratch.write("target/extra", "stays");
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let before = contents(&target);
    let summary = pair("sync", &source, &target, &["-n", "--json"]).ok().summary();
    assert_eq!(
        (summary["transferred"].as_u64(), summary["deleted"].as_u64()),
        (Some(2), Some(1)),
        "{summary}"
    );
    assert_eq!(contents(&target), before);
    assert!(!target.join("b").exists());

    pair("sync", &source, &scratch.path("none"), &["--dry-run"]).ok();
    assert!(!scratch.path("none").exists());
}

#[test]
fn copy_deletes_nothing_and_takes_single_objects() {
    let scratch = Scratch::new();
    let file = scratch.write("source/a", "new");
    let target = scratch.path("target");
    scratch.write("target/extra", "stays");
    pair("copy", &scratch.path("source"), &target, &[]).ok();
    pair("copy", &file, &scratch.path("single"), &[]).ok();
    assert_eq!(fs::read(target.join("extra")).unwrap(), b"stays");
    assert_eq!(fs::read(target.join("a")).unwrap(), b"new");
    assert_eq!(fs::read(scratch.path("single/a")).unwrap(), b"new");
}

#[test]
fn what_counts_as_the_same_is_the_users_choice() {
    let scratch = Scratch::new();
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let same_size = scratch.write("source/a", "one");
    scratch.write("target/a", "two");
    let transferred = |options: &[&str]| {
        let mut with_json = vec!["--json", "--dry-run"];
        with_json.extend(options);
        pair("sync", &source, &target, &with_json).ok().summary()["transferred"].as_u64()
    };
    let old = fs::metadata(target.join("a")).unwrap().modified().unwrap() - Duration::from_secs(60);
    fs::File::options().write(true).open(same_size).unwrap().set_modified(old).unwrap();

    assert_eq!(transferred(&[]), Some(1));
    assert_eq!(transferred(&["--size-only"]), Some(0));
    assert_eq!(transferred(&["--checksum"]), Some(1));
    assert_eq!(transferred(&["--ignore-existing"]), Some(0));
    assert_eq!(transferred(&["--update"]), Some(0));
    assert_eq!(transferred(&["--modify-window", "2m"]), Some(0));
    assert_eq!(transferred(&["-I", "--modify-window", "2m"]), Some(1));
}

/// As the golden file and the schema say.
#[track_caller]
fn assert_events(golden: &str, run: &Run) {
    schema::assert_holds(run);
    assert_golden(golden, run);
}

#[test]
fn events_and_differences_are_json() {
    let scratch = Scratch::new();
    scratch.write("source/changed", "new contents");
    scratch.write("source/d/only in the source", "1");
    scratch.write("source/same", "same");
    scratch.write("target/changed", "old");
    scratch.write("target/only in the target", "2");
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    pair("copy", &source.join("same"), &target, &[]).ok();

    let check = pair("check", &source, &target, &["--json"]);
    assert_eq!(check.code, Some(1), "{check:?}");
    assert_golden("check.jsonl", &check);

    let report = scratch.path("report");
    let combined = pair("check", &source, &target, &["-q", "--combined", report.to_str().unwrap()]);
    assert_eq!((combined.code, combined.stderr.as_str()), (Some(1), ""), "{combined:?}");
    let mut lines: Vec<_> = fs::read_to_string(report).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["* changed", "+ d/only in the source", "- only in the target", "= same"]);

    assert_eq!(pair("check", &source, &target, &["--one-way", "--json"]).summary()["missing_on_source"], 0);
    assert_events("sync.jsonl", &pair("sync", &source, &target, &["--json"]).ok());
    let refused = pair("sync", &source, &source.join("d"), &["--json"]);
    assert_eq!(refused.code, Some(7), "{refused:?}");
    schema::assert_holds(&refused);
    assert_golden("check-same.jsonl", &pair("check", &source, &target, &["--json"]).ok());
}

#[test]
fn a_run_says_what_it_did_in_one_sentence() {
    let scratch = Scratch::new();
    scratch.write("source/a", "x");
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let verbose = pair("sync", &source, &target, &["-v"]).ok();
    assert_eq!(verbose.text(), "");
    assert!(verbose.stderr.starts_with("transferred `a` (1 B)"), "{}", verbose.stderr);
    let again = pair("sync", &source, &target, &[]).ok().stderr;
    assert!(again.starts_with("nothing to do; checked 1 object in "), "{again}");
    assert_eq!(pair("sync", &source, &target, &["-q"]).ok().stderr, "");
}

#[test]
fn what_would_lose_data_is_refused() {
    let scratch = Scratch::new();
    let source = scratch.write("a/b/x", "1").parent().unwrap().to_owned();
    let (a, empty, full) = (scratch.path("a"), scratch.path("empty"), scratch.path("full"));
    fs::create_dir(&empty).unwrap();
    for number in 0..3 {
        scratch.write(&format!("full/{number}"), "x");
    }
    let before = contents(&scratch.path(""));
    pair("sync", &a, &source, &[]).fails(7, &["nothing was done"]);
    pair("sync", &source, &a, &[]).fails(7, &["nothing was done"]);
    pair("sync", &a, &a, &[]).fails(7, &["nothing was done"]);
    pair("sync", &a, &scratch.path("a/new"), &[]).fails(7, &["nothing was done"]);
    pair("sync", &empty, &full, &[]).fails(7, &["full`", "the source is empty"]);
    assert_eq!(contents(&scratch.path("")), before);

    pair("sync", &source, &full, &["--max-delete", "2"]).fails(7, &["3"]);
    assert!((0..3).all(|number| full.join(number.to_string()).exists()));
    pair("sync", &empty, &full, &["--allow-empty-source"]).ok();
    assert_eq!(contents(&full).len(), 0);
}

#[test]
fn configured_backends_have_names() {
    let scratch = Scratch::new();
    let config = scratch
        .write("c.toml", format!("[backends.nas]\nkind = 'file'\nroot = {:?}\n", scratch.path("root")));
    scratch.write("root/photos/a", "1");
    let config = config.to_str().unwrap();
    assert_eq!(run(["--config", config, "ls", "nas:photos"]).ok().lines(), ["a"]);
    assert!(run(["--config", config, "backends"]).ok().lines().contains(&"nas: (file)"));
    run(["--config", config, "sync", "nas:photos", "nas:copy"]).ok();
    assert_eq!(fs::read(scratch.path("root/copy/a")).unwrap(), b"1");
    run(["--config", config, "sync", "nas:", scratch.path("root/x").to_str().unwrap()])
        .fails(7, &["nothing was done"]);
}

#[test]
fn a_tree_is_moved_with_its_directories() {
    let scratch = Scratch::new();
    let (source, target) = (scratch.odd_tree("source"), scratch.path("target"));
    let before = contents(&source);
    fs::create_dir(source.join("nothing in it")).unwrap();
    let told = pair("move", &source, &target, &["--json", "-n"]).ok().summary();
    assert_eq!(contents(&source), before);
    let moved = pair("move", &source, &target, &["--json", "--delete-empty-src-dirs"]).ok().summary();
    for counter in ["transferred", "sources_removed", "bytes", "errors"] {
        assert_eq!(moved[counter], told[counter], "{counter}");
    }
    assert_eq!(contents(&target), before);
    assert_eq!(fs::read_dir(&source).unwrap().count(), 0);
}

#[test]
fn directories_keep_their_times_and_empty_ones_come_along_if_wanted() {
    let scratch = Scratch::new();
    scratch.write("source/d/e/a", "x");
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    fs::create_dir(source.join("empty")).unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for directory in ["d/e", "d", "empty"] {
        fs::File::open(source.join(directory)).unwrap().set_modified(long_ago).unwrap();
    }
    let time = |directory: &str| fs::metadata(target.join(directory)).unwrap().modified().unwrap();
    pair("sync", &source, &target, &[]).ok();
    assert_eq!((time("d/e"), time("d")), (long_ago, long_ago));
    assert!(!target.join("empty").exists());
    pair("sync", &source, &target, &["--create-empty-src-dirs"]).ok();
    assert_eq!(time("empty"), long_ago);

    scratch.write("source/d/e/b", "y");
    fs::File::open(source.join("d/e")).unwrap().set_modified(long_ago).unwrap();
    pair("sync", &source, &target, &[]).ok();
    assert_eq!(time("d/e"), long_ago, "a transfer into a directory changes its time");
    assert!(!target.join("empty").exists() || time("empty") == long_ago);
}

#[test]
fn what_is_replaced_goes_to_the_backup_directory() {
    let scratch = Scratch::new();
    scratch.write("source/d/a", "new contents");
    scratch.write("target/d/a", "old");
    scratch.write("target/extra", "gone");
    let (source, target, backup) = (scratch.path("source"), scratch.path("target"), scratch.path("kept"));
    let kept = backup.to_str().unwrap();
    pair("sync", &source, &target, &["--backup-dir", target.join("in").to_str().unwrap()])
        .fails(7, &["overlaps", "nothing was done"]);
    assert_eq!(contents(&target).len(), 2);
    pair("sync", &source, &target, &["--backup-dir", kept, "--suffix", ".1"]).ok();
    assert_equal(&source, &target);
    assert_eq!(fs::read(backup.join("d/a.1")).unwrap(), b"old");
    assert_eq!(fs::read(backup.join("extra.1")).unwrap(), b"gone");
}

#[test]
fn limits_have_exit_codes() {
    let scratch = Scratch::new();
    for name in ["a", "b", "c"] {
        scratch.write(&format!("source/{name}"), "x".repeat(1000));
    }
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let run = pair("copy", &source, &target, &["--max-transfer", "2500B", "--json"]);
    assert_eq!((run.code, run.summary()["stopped"].as_str()), (Some(8), Some("max-transfer")), "{run:?}");
    assert_eq!(contents(&target).len(), 2);
    scratch.write("source/a", "changed");
    assert_eq!(pair("copy", &source, &target, &["--immutable", "-q"]).code, Some(6));
    for (option, value, word) in [
        ("--order-by", "size,mixed", "mixed"),
        ("--bwlimit", "1M:2M", "timetable"),
        ("--track-renames-strategy", "colour", "colour"),
        ("--max-errors", "0", "0"),
    ] {
        let run = pair("sync", &source, &target, &[option, value]);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(word), "{}", run.stderr);
    }
}

#[test]
fn a_renamed_file_is_renamed() {
    let scratch = Scratch::new();
    scratch.write("source/new/name", "contents");
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    pair("copy", &source, &target, &[]).ok();
    fs::rename(target.join("new"), target.join("old")).unwrap();
    let summary = pair("sync", &source, &target, &["--track-renames", "--json"]).ok().summary();
    assert_eq!(
        (summary["renamed"].as_u64(), summary["transferred"].as_u64()),
        (Some(1), Some(0)),
        "{summary}"
    );
    assert_equal(&source, &target);
    assert!(!target.join("old").exists());
}

#[test]
fn the_events_of_moves_and_renames_are_json() {
    let scratch = Scratch::new();
    scratch.write("source/d/a", "1");
    scratch.write("source/both", "the same");
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    pair("copy", &source.join("both"), &target, &[]).ok();
    assert_events("move.jsonl", &pair("move", &source, &target, &["--json"]).ok());
    pair("copy", &target, &source, &[]).ok();
    fs::rename(source.join("d/a"), source.join("new name")).unwrap();
    assert_events("renames.jsonl", &pair("sync", &source, &target, &["--track-renames", "--json"]).ok());
    scratch.write("source/more", "12345");
    assert_events("stopped.jsonl", &pair("sync", &source, &target, &["--max-transfer", "4B", "--json"]));
}

#[test]
fn empty_directories_stay_after_an_error() {
    let scratch = Scratch::new();
    scratch.write("source/a", "new");
    scratch.write("target/a", "an older one");
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    fs::create_dir(target.join("empty")).unwrap();
    assert_eq!(pair("sync", &source, &target, &["--immutable"]).code, Some(6));
    assert!(target.join("empty").exists());
    pair("sync", &source, &target, &[]).ok();
    assert!(!target.join("empty").exists());
}

#[cfg(unix)]
#[test]
fn a_move_on_one_file_system_keeps_each_file() {
    use std::{
        io::Write,
        os::unix::fs::{MetadataExt, PermissionsExt},
    };

    let scratch = Scratch::new();
    scratch.write("source/d/private", "secret");
    scratch.write("source/d/log", "one\n");
    scratch.write("target/d/log", "an older one");
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    fs::set_permissions(source.join("d/private"), fs::Permissions::from_mode(0o600)).unwrap();
    let [before, log] = ["d/private", "d/log"].map(|path| fs::metadata(source.join(path)).unwrap());
    let mut writer = fs::OpenOptions::new().append(true).open(source.join("d/log")).unwrap();

    let kept = scratch.path("kept");
    let options = ["--json", "--backup-dir", kept.to_str().unwrap()];
    let summary = pair("move", &source, &target, &options).ok().summary();
    writer.write_all(b"two\n").unwrap();
    let after = fs::metadata(target.join("d/private")).unwrap();
    assert_eq!((after.ino(), after.mode()), (before.ino(), before.mode()));
    assert_eq!(fs::metadata(target.join("d/log")).unwrap().ino(), log.ino());
    assert_eq!(fs::read(target.join("d/log")).unwrap(), b"one\ntwo\n");
    assert_eq!(fs::read(kept.join("d/log")).unwrap(), b"an older one");
    assert_eq!((summary["transferred"].as_u64(), summary["sources_removed"].as_u64()), (Some(2), Some(2)));
    // The other copy is that of what is replaced.
    let calls = ["move", "copy", "delete"].map(|call| summary["calls"][call].as_u64().unwrap_or(0));
    assert_eq!(calls, [2, 1, 0], "{summary}");
    assert!(!source.join("d/private").exists() && !source.join("d/log").exists());
}

#[test]
fn an_error_names_the_place_that_failed() {
    let scratch = Scratch::new();
    scratch.write("from/x/in", "1");
    scratch.write("to/x", "2");
    let (source, target) = (scratch.path("from"), scratch.path("to"));
    for command in ["copy", "move"] {
        let run = pair(command, &source, &target, &["-q"]);
        let at = format!("error: `{}/x", target.display());
        assert!(run.code == Some(6) && run.stderr.lines().all(|line| line.starts_with(&at)), "{run:?}");
    }
}

/// Stopped when dropped.
struct Writer(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Writer {
    /// Appends to a file all the time.
    fn start(path: &Path) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let mut file = fs::File::options().append(true).open(path).unwrap();
        let is_over = stop.clone();
        let thread = thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                file.write_all(b"x").unwrap();
                thread::sleep(Duration::from_micros(200));
            }
        });
        Self(stop, Some(thread))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        self.1.take().map(JoinHandle::join);
    }
}

#[test]
fn a_source_that_grows_while_it_is_read_is_told_and_not_half_copied() {
    let scratch = Scratch::new();
    let growing = scratch.write("source/growing", vec![1; 64 << 20]);
    scratch.write("source/other", "x");
    scratch.write("target/growing", "old");
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let writer = Writer::start(&growing);
    let run = pair("sync", &source, &target, &["--retries", "1"]);
    drop(writer);
    assert_eq!(run.code, Some(5), "{run:?}");
    let told = |line: &str| line.contains("growing`") && line.contains("being changed");
    assert!(run.stderr.lines().any(told), "{run:?}");
    assert_eq!(fs::read_to_string(target.join("growing")).unwrap(), "old");
    assert_eq!(fs::read_to_string(target.join("other")).unwrap(), "x");
    pair("sync", &source, &target, &[]).ok();
    assert_equal(&source, &target);
}

/// The borders of a plan share a run, with nothing but a shell around it.
#[test]
fn a_plan_shares_a_run() {
    let scratch = Scratch::new();
    for n in 0..60 {
        scratch.write(&format!("source/{}/{n}", n % 7), "x");
    }
    scratch.write("source/top", "x");
    let source = scratch.path("source");
    let place = source.to_str().unwrap();
    let planned = run(["plan", "--ranges", "4", place]).ok();
    assert_eq!(planned.stderr, "");
    let borders: Vec<_> = planned.text().lines().map(str::to_owned).collect();
    assert!(borders.len() == 3 && borders.is_sorted(), "{borders:?}");
    let json = run(["plan", "--ranges", "4", "--json", place]).ok();
    let ranges: Vec<serde_json::Value> =
        json.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ranges.len(), 4);
    let target = scratch.path("target");
    let mut transferred = 0;
    for range in &ranges {
        let mut options = vec!["--json"];
        for (name, option) in [("start_after", "--start-after"), ("stop_at", "--stop-at")] {
            options.extend(range[name].as_str().map(|border| [option, border]).into_iter().flatten());
        }
        let summary = pair("sync", &source, &target, &options).ok().summary();
        transferred += summary["transferred"].as_u64().unwrap();
    }
    assert_eq!(transferred, 61);
    assert_equal(&source, &target);

    let few = run(["plan", "--ranges", "99", scratch.path("source/0").to_str().unwrap()]).ok();
    assert!(few.stderr.contains("of 99 ranges"), "{few:?}");
    run(["plan", "--ranges", "2", scratch.path("none").to_str().unwrap()]).fails(3, &["none`"]);
    run(["plan", "--ranges", "2", scratch.path("source/top").to_str().unwrap()]).fails(6, &["top`"]);
    fs::create_dir(scratch.path("empty")).unwrap();
    let empty = run(["plan", "--ranges", "2", scratch.path("empty").to_str().unwrap()]).ok();
    assert_eq!(empty.text(), "");
}
