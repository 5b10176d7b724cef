//! One run over several workers, by way of a real server: whatever ends, and whenever, the result is that of one machine,
//! and nothing is deleted that should not be.

mod faults;
mod machines;
mod moving;
mod poison;
mod transitions;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use omnistorage_test_servers::Nats;
use serde_json::Value;

use self::machines::{Machines, text, trees};
use crate::{
    command::{BINARY, Run, pair, program, run},
    schema,
    tree::{Scratch, assert_equal, contents},
};

/// The summary without what counts calls and time.
fn counted(run: &Run) -> Value {
    let mut summary = run.summary();
    for key in ["calls", "elapsed_ms", "bytes_moved"] {
        summary.as_object_mut().unwrap().remove(key);
    }
    summary
}

/// All directories below one, and when they were written.
fn directories(root: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let (mut found, mut left) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(&directory).unwrap().map(Result::unwrap) {
            let (path, about) = (entry.path(), entry.metadata().unwrap());
            if about.is_dir() {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), about.modified().unwrap());
                left.push(path);
            }
        }
    }
    found
}

/// The same run on one machine and on two: the same target, report and exit code.
#[test]
fn a_shared_run_does_what_one_machine_does() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let machines = Machines::new(&nats, &scratch, &["one", "two"], &[]);
    for (number, (command, options, code)) in [
        ("check", &["--json"][..], 1),
        ("sync", &["--json", "--dry-run"], 0),
        ("copy", &["--json", "--exclude", "*/1*"], 0),
        ("sync", &["--json", "--hold-deletes"], 0),
        ("sync", &["--json", "--max-delete", "1"], 7),
        ("sync", &["--json", "--start-after", "2", "--stop-at", "3/4"], 0),
        ("sync", &["--json"], 0),
        ("check", &["--json"], 0),
        ("sync", &["--json"], 0),
    ]
    .into_iter()
    .enumerate()
    {
        let alone = scratch.path(&format!("alone {number}"));
        let copied = std::process::Command::new("cp").arg("-a").arg(&target).arg(&alone).status();
        assert!(copied.unwrap().success());
        let single = pair(command, &source, &alone, options);
        let shared = machines.share(command, &source, &target, &[&["--ranges", "16"], options].concat());
        assert_eq!((shared.code, single.code), (Some(code), Some(code)), "{options:?}: {shared:?}");
        if command != "check" {
            schema::assert_holds(&shared);
        }
        if single.code != Some(7) {
            assert_eq!(counted(&shared), counted(&single), "{command} {options:?}");
        }
        assert!(shared.stderr.contains("began the run"), "{shared:?}");
        assert_equal(&target, &alone);
        let [shared, single] = [&target, &alone].map(|place| directories(place));
        assert!(shared.keys().eq(single.keys()), "{command} {options:?}");
        // A directory just outside of the range is dated by nobody.
        assert!(
            options.contains(&"--stop-at") || shared == single,
            "{command} {options:?}: {shared:?} {single:?}"
        );
    }
    assert_equal(&source, &target);
    let sentence = machines.share("sync", &source, &target, &[]).ok().stderr;
    assert!(sentence.lines().last().unwrap().starts_with("nothing to do; checked"), "{sentence}");
    // What differs is told one by one.
    scratch.write("source/7/new", "x");
    let check = machines.share("check", &source, &target, &[]);
    assert_eq!(check.code, Some(1));
    assert!(check.stderr.contains("`7/new` is only in the source"), "{check:?}");
    for worker in ["one", "two"] {
        assert!(!machines.log(worker).contains("alone"), "{}", machines.log(worker));
    }
}

/// A run is watched until it is over.
#[test]
fn a_run_is_watched_to_its_end() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let url = nats.url();
    run(["cluster", "watch", "--cluster", &url]).fails(4, &["no run goes on"]);
    run(["cluster", "watch", "--cluster", &url, "none"]).fails(4, &["no run `none`"]);
    let mut machines = Machines::new(&nats, &scratch, &[], &[]);
    let mut client = machines.begin("sync", &source, &target, &["--ranges", "4"]);
    client.says("began the run");
    let watched = std::thread::spawn(move || run(["cluster", "watch", "--json", "--cluster", &url]));
    std::thread::sleep(std::time::Duration::from_secs(2));
    machines.start("one", &[]);
    client.end().ok();
    let states = watched.join().unwrap().ok().json();
    assert_eq!((&states[0]["state"], &states[0]["done"]), (&"merging".into(), &0.into()), "{states:?}");
    assert_eq!(states.last().unwrap()["state"], "done", "{states:?}");
    assert!(states.is_sorted_by(|one, next| one != next), "{states:?}");
}

/// What is moved leaves the source, and so do its empty directories, wherever the borders are.
#[test]
fn a_shared_move_leaves_nothing_behind() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let mut expected = contents(&target);
    expected.extend(contents(&source));
    let machines = Machines::new(&nats, &scratch, &["one", "two"], &[]);
    let options = ["--json", "--ranges", "16", "--delete-empty-src-dirs"];
    let moved = machines.share("move", &source, &target, &options).ok();
    assert_eq!(moved.summary()["sources_removed"], 201, "{moved:?}");
    assert_eq!(contents(&target), expected);
    assert!(contents(&source).is_empty() && directories(&source).is_empty());
    for worker in ["one", "two"] {
        assert!(!machines.log(worker).contains("alone"), "{}", machines.log(worker));
    }
}

/// An object in the place of a directory, and a directory in that of an object: both go, and what waited comes.
#[test]
fn what_is_in_the_way_of_a_shared_run_goes() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    for name in ["a", "a-1", "a-2", "b/x", "b/y", "c"] {
        scratch.write(&format!("source/{name}"), name);
    }
    for name in ["a/1", "a/2/x", "b", "c/x", "zz"] {
        scratch.write(&format!("target/{name}"), "old");
    }
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let machines = Machines::new(&nats, &scratch, &["one", "two"], &[]);
    let run = machines.share("sync", &source, &target, &["--json", "--ranges", "6"]).ok();
    let summary = run.summary();
    assert_eq!((&summary["deleted"], &summary["skipped"]), (&5.into(), &0.into()), "{summary}");
    assert_equal(&source, &target);
}

/// All guards of one run hold for the sum.
#[test]
fn guards_hold_for_the_sum_of_all_ranges() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let machines = Machines::new(&nats, &scratch, &["one"], &[]);
    let empty = scratch.path("empty");
    fs::create_dir(&empty).unwrap();
    let before = contents(&target);
    let refused = machines.share("sync", &empty, &target, &[]);
    refused.fails_with_last(7, &["empty", "--allow-empty-source"]);
    assert_eq!(contents(&target), before);

    // A name that is no path is an error, and so nothing is deleted.
    let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff");
    fs::write(source.join("3").join(odd), "x").unwrap();
    let run = machines.share("sync", &source, &target, &["--json"]);
    assert_eq!(run.code, Some(6), "{run:?}");
    let summary = run.summary();
    assert_eq!((&summary["errors"], &summary["deleted"]), (&1.into(), &0.into()), "{summary}");
    assert_eq!(summary["deletes_withheld_because"], "errors");
    assert!(
        summary["extras"].as_u64() > Some(5) && summary["deletes_withheld"] == summary["extras"],
        "{summary}"
    );
    let after = contents(&target);
    assert!(before.keys().all(|path| after.contains_key(path)));
    let ignoring = machines.share("sync", &source, &target, &["--json", "--ignore-errors"]);
    assert_eq!(ignoring.code, Some(6), "{ignoring:?}");
    assert_eq!(ignoring.summary()["deleted"], summary["extras"]);
    fs::remove_file(source.join("3").join(odd)).unwrap();
    assert_equal(&source, &target);

    machines.share("sync", &empty, &target, &["--allow-empty-source"]).ok();
    assert!(contents(&target).is_empty());
}

/// Each range has fewer extras than are allowed, and all together have more.
#[test]
fn a_limit_of_deletes_is_that_of_all_ranges() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let machines = Machines::new(&nats, &scratch, &["one", "two"], &[]);
    let extras =
        pair("sync", &source, &target, &["--json", "--dry-run"]).ok().summary()["extras"].as_u64().unwrap();
    let before = contents(&target);
    let less = (extras - 1).to_string();
    let refused = machines.share("sync", &source, &target, &["--max-delete", &less]);
    refused.fails_with_last(7, &[&less, &extras.to_string()]);
    assert!(before.keys().all(|path| contents(&target).contains_key(path)));
    let summary = machines
        .share("sync", &source, &target, &["--json", "--max-delete", &extras.to_string()])
        .ok()
        .summary();
    assert_eq!(summary["deleted"], extras);
    assert_equal(&source, &target);
}

/// A worker opens what it was allowed, and nothing else.
#[test]
fn a_worker_without_a_grant_leaves_the_run_alone() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let mut machines = Machines::new(&nats, &scratch, &[], &[]);
    let before = contents(&target);
    machines.start_allowing("narrow", &[&source, &scratch.path("targe")], &[]);
    let mut client = machines.begin("sync", &source, &target, &[]);
    client.says("leaves the run alone");
    client.says("is not allowed here");
    machines.says("narrow", "is not allowed here");
    let status = run(["cluster", "status", "--json", "--cluster", &nats.url()]).ok();
    let [status] = &status.json()[..] else { panic!("{status:?}") };
    assert_eq!((&status["state"], &status["done"]), (&"merging".into(), &0.into()), "{status}");
    assert!(status["workers"][0]["refused"].as_str().unwrap().contains("not allowed"), "{status}");
    assert_eq!(contents(&target), before);
    machines.start("wide", &[]);
    let run = client.end().ok();
    assert!(run.stderr.contains("deleted"), "{run:?}");
    assert_equal(&source, &target);
}

/// Where a disk is not mounted, the source looks empty and all of the target extra: such a worker does nothing.
#[test]
fn a_worker_that_sees_another_source_or_target_takes_no_part() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let (unmounted, before) = (scratch.path("unmounted"), contents(&target));
    fs::create_dir(&unmounted).unwrap();
    let configuration = |name: &str, from: &Path, to: &Path| {
        let backend =
            |name: &str, root: &Path| format!("[backends.{name}]\nkind = \"file\"\nroot = {root:?}\n");
        scratch.write(name, backend("from", from) + &backend("to", to))
    };
    let right = configuration("right.toml", &source, &target);
    let no_source = configuration("no-source.toml", &unmounted, &target);
    let no_target = configuration("no-target.toml", &source, &unmounted);
    let mut machines = Machines::new(&nats, &scratch, &[], &[]);
    for (name, configuration) in [("no source", &no_source), ("no target", &no_target)] {
        machines.start_with(name, &["--config", &text(configuration), "--allow", "from:", "--allow", "to:"]);
    }
    let arguments = ["--config", &text(&right), "from:", "to:"];
    let mut client = machines.begin_with("sync", &arguments);
    machines.says("no source", "the source seen from here is another one");
    machines.says("no target", "the target seen from here is another one");
    client.says("leaves the run alone");
    assert_eq!(contents(&target), before);
    machines.start_with("right", &["--config", &text(&right), "--allow", "from:", "--allow", "to:"]);
    client.end().ok();
    assert_equal(&source, &target);
    assert!(contents(&unmounted).is_empty());
}

/// What cannot be shared is refused by its name, before anything is done and before the cluster is asked.
#[test]
fn what_cannot_be_shared_is_refused_by_name() {
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let nowhere = ["--cluster", "nats://127.0.0.1:1", "--shared-paths"];
    for (option, value) in [
        ("--delete-before", None),
        ("--delete-during", None),
        ("--track-renames", None),
        ("--compress", Some("zstd")),
        ("--decompress", None),
        ("--max-errors", Some("1")),
        ("--max-duration", Some("1h")),
        ("--order-by", Some("size")),
        ("--runs", Some("2")),
        ("--metrics-addr", Some("0")),
        ("--explain", Some("x")),
    ] {
        let options = [&nowhere[..], &[option], value.as_slice()].concat();
        pair("sync", &source, &target, &options).fails(2, &[option, "cannot be shared among machines"]);
    }
    pair("check", &source, &target, &[&nowhere[..], &["--combined", "-"]].concat()).fails(2, &["--combined"]);
    let report = [&nowhere[..], &["--report", "report.ndjson"]].concat();
    pair("sync", &source, &target, &report).fails(2, &["--report", "an object of its own"]);
    let local = ["--cluster", "nats://127.0.0.1:1"];
    pair("sync", &source, &target, &local).fails(2, &["--shared-paths", "path of this machine"]);
    run(["sync", "memory:a", "memory:b", "--cluster", "nats://127.0.0.1:1"])
        .fails(2, &["this process alone"]);
    pair("sync", &source, &target, &["--shared-paths"]).fails_with(2, &["--cluster"]);
    pair("sync", &source, &target, &nowhere).fails(5, &["cannot connect", "nats://127.0.0.1:1"]);
    let wrong = ["--cluster", "nats://me:hush@127.0.0.1:1", "--shared-paths"];
    let refused = pair("sync", &source, &target, &wrong).fails(5, &["127.0.0.1:1"]);
    assert!(!refused.stderr.contains("hush"), "{refused:?}");
    pair("sync", &source, &target, &["--cluster", "htp://host", "--shared-paths"])
        .fails(2, &["htp://host", "no address"]);
    let short = [&nowhere[..], &["--lease", "10ms"]].concat();
    pair("sync", &source, &target, &short).fails_with(2, &["at least `1s`"]);
    let worker =
        |arguments: &[&str]| run([&["worker", "--cluster", "nats://127.0.0.1:1"], arguments].concat());
    worker(&["--allow", "memory:"]).fails(2, &["memory:"]);
    worker(&[]).fails_with(2, &["--allow"]);
    worker(&["--allow", "unknown:"]).fails(2, &["unknown"]);
    run(["cluster", "status", "--cluster", "nats://127.0.0.1:1"]).fails(5, &["cannot connect"]);
}

/// Two workers move no more together than one would, and each of them has its part.
#[test]
fn a_limit_of_bandwidth_is_that_of_all_workers() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    for number in 0..32 {
        scratch.write(&format!("source/{}/{number}", number % 8), "x".repeat(128 << 10));
    }
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let machines = Machines::new(&nats, &scratch, &["one", "two"], &[]);
    let begun = std::time::Instant::now();
    let run = machines.share("sync", &source, &target, &["--ranges", "8", "--bwlimit", "1M", "--json"]).ok();
    let (took, summary) = (begun.elapsed(), run.summary());
    assert_eq!((&summary["transferred"], &summary["bytes"]), (&32.into(), &(4 << 20).into()), "{summary}");
    assert!(took.as_secs_f64() > 4.0, "{took:?}");
    assert_equal(&source, &target);
}

/// Each range writes down what was done to each object: all together, that is the report of one machine.
#[test]
fn the_reports_of_all_ranges_tell_of_each_object() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let mut machines = Machines::new(&nats, &scratch, &["one", "two"], &[]);
    let (reports, single) = (scratch.path("reports"), scratch.path("single.ndjson"));
    for command in ["check", "copy", "sync"] {
        let alone = scratch.path("alone");
        let _ = fs::remove_dir_all(&alone);
        let copied = std::process::Command::new("cp").arg("-a").arg(&target).arg(&alone).status();
        assert!(copied.unwrap().success());
        let code = pair(command, &source, &alone, &["--report", &text(&single)]).code;
        let _ = fs::remove_dir_all(&reports);
        let options = ["--ranges", "8", "--report", &text(&reports)];
        assert_eq!(machines.share(command, &source, &target, &options).code, code);
        let events = |lines: &str| -> Vec<String> {
            let mut lines: Vec<_> =
                lines.lines().filter(|line| !line.contains("\"summary\"")).map(str::to_owned).collect();
            lines.sort_unstable();
            lines
        };
        let of_ranges = contents(&reports).into_keys().map(|path| {
            assert!(path.to_str().unwrap().ends_with(".ndjson.zst"), "{path:?}");
            run(["cat", "--decompress", &text(&reports.join(path))]).ok().text().to_owned()
        });
        let of_ranges = of_ranges.collect::<String>();
        assert_eq!(events(&of_ranges), events(&fs::read_to_string(&single).unwrap()), "{command}");
        fs::remove_file(&single).unwrap();
    }
    // What a worker may not write, it does not begin.
    scratch.write("source/1/later", "x");
    let mut client = machines.begin("sync", &source, &target, &["--report", "/nowhere/else"]);
    client.says("`/nowhere/else` is not allowed here");
    machines.workers.clear();
}

/// All workers together transfer no more than they may; a run that may transfer as much as there is goes to its end.
#[test]
fn a_limit_of_bytes_is_that_of_all_workers() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    for number in 0..40 {
        let size = 10_000 * (1 + number % 7);
        scratch.write(&format!("source/{}/{number:02}", number % 4), "x".repeat(size));
    }
    scratch.write("target/extra", "x");
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let machines = Machines::new(&nats, &scratch, &["one", "two"], &[]);
    let bytes = |place: &Path| contents(place).values().map(|contents| contents.len() as u64).sum::<u64>();
    let (all, mut before) = (bytes(&source), bytes(&target));
    for limit in [all / 2, all / 3] {
        for options in [&["--dry-run"][..], &[]] {
            let limited = ["--json", "--ranges", "8", "--max-transfer", &format!("{limit}B")];
            let run = machines.share("sync", &source, &target, &[&limited, options].concat());
            assert_eq!(run.code, Some(8), "{run:?}");
            let summary = run.summary();
            let moved = summary["bytes"].as_u64().unwrap();
            assert!(moved <= limit && moved > limit / 2, "{limit}: {summary}");
            assert_eq!(
                (&summary["stopped"], &summary["deleted"]),
                (&"max-transfer".into(), &0.into()),
                "{summary}"
            );
            if options.is_empty() {
                assert_eq!(bytes(&target) - before, moved);
                before += moved;
            }
            assert!(target.join("extra").exists());
        }
    }
    // What is left fits to the byte.
    let left = all + 1 - before;
    let enough = ["--json", "--ranges", "8", "--max-transfer", &format!("{left}B")];
    let run = machines.share("sync", &source, &target, &enough);
    if run.code == Some(8) {
        machines.share("sync", &source, &target, &["--max-transfer", "1G"]).ok();
    }
    assert!(run.summary()["bytes"].as_u64() <= Some(left));
    assert_equal(&source, &target);
    for number in 0..9 {
        scratch.write(&format!("source/new/{number}"), "x".repeat(1_000));
    }
    let summary =
        machines.share("move", &source, &target, &["--json", "--max-transfer", "1M"]).ok().summary();
    let counted = ["checked", "transferred", "bytes", "sources_removed", "source_objects"]
        .map(|key| summary[key].as_u64());
    assert_eq!(counted, [49, 9, 9_000, 49, 49].map(Some), "{summary}");
}

/// A store that is not mounted anywhere: each worker has credentials of its own, and the cluster never sees one.
#[test]
fn no_secret_is_in_what_the_cluster_keeps() {
    use omnistorage_test_servers::{ACCESS_KEY, BUCKET, SECRET_KEY, weed};

    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, _) = trees(&scratch, "unused");
    let store = &[
        ("AWS_ENDPOINT_URL", weed().endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let place = format!("s3://{BUCKET}/cluster/{}", std::process::id());
    let mut machines = Machines::new(&nats, &scratch, &[], store);
    for name in ["one", "two"] {
        machines.start_with(name, &["--allow", &text(&source), "--allow", &place]);
    }
    let up =
        machines.begin_with("sync", &["--shared-paths", &text(&source), &place, "--json", "--ranges", "8"]);
    let up = up.end().ok().summary();
    assert_eq!(up["transferred"], contents(&source).len(), "{up}");
    let back = scratch.path("back");
    fs::create_dir(&back).unwrap();
    machines.start_with("three", &["--allow", &text(&back), "--allow", &place]);
    machines.begin_with("sync", &["--shared-paths", &place, &text(&back), "--ranges", "8"]).end().ok();
    assert_equal(&source, &back);
    let kept = contents(nats.store()).into_values().collect::<Vec<_>>().concat();
    let holds = |words: &str| kept.windows(words.len()).any(|window| window == words.as_bytes());
    assert!(holds(&place), "the records are where they are looked for");
    assert!(!holds(SECRET_KEY) && !holds(ACCESS_KEY));
    for name in ["one", "two", "three"] {
        assert!(!machines.log(name).contains(SECRET_KEY));
    }
}

#[test]
fn the_example_runs() {
    let Some(nats) = Nats::start() else { return };
    drop(nats);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/cluster/run.sh");
    let run: Run = program("sh").args([script, BINARY]).arg(Nats::program()).output().unwrap().into();
    let run = run.ok();
    assert!(
        run.stderr.contains("transferred 72 objects") && run.stderr.contains("deleted 8 objects"),
        "{run:?}"
    );
}

impl Run {
    /// That exit code, and these words in the last line of standard error.
    #[track_caller]
    fn fails_with_last(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let last = self.stderr.lines().last().unwrap();
        for word in words {
            assert!(last.starts_with("error: ") && last.contains(word), "no {word:?} in: {last}");
        }
    }
}
