//! Filters as options.

use std::{fs, path::Path, time::Duration};

use crate::{
    command::{command, pair, run_with},
    tree::{Scratch, contents},
};

/// What a dry run would transfer, sorted.
fn would_transfer(scratch: &Scratch, options: &[&str]) -> Vec<String> {
    let target = scratch.path("target");
    let mut with_json = vec!["--dry-run", "--json"];
    with_json.extend(options);
    let run = pair("copy", &scratch.path("source"), &target, &with_json).ok();
    let path = |event: &serde_json::Value| {
        (event["event"] == "transferred").then(|| event["path"].as_str().unwrap().to_owned())
    };
    let mut paths: Vec<_> = run.json().iter().filter_map(path).collect();
    paths.sort();
    paths
}

fn age(path: &Path, seconds: u64) {
    let time = std::time::SystemTime::now() - Duration::from_secs(seconds);
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn each_option_chooses_what_it_says() {
    let scratch = Scratch::new();
    for (path, size, seconds) in [
        ("a.jpg", 10, 10),
        ("b.JPG", 2048, 4000),
        ("d/c.jpg", 100, 100_000),
        ("d/e/f.txt", 5000, 10),
        ("-dash", 1, 10),
    ] {
        age(&scratch.write(&format!("source/{path}"), vec![b'x'; size]), seconds);
    }
    let file = |name: &str, text: &str| scratch.write(name, text).to_str().unwrap().to_owned();
    let rules = file("rules", "# all but text\n- *.txt\n");
    let patterns = file("patterns", "*.jpg\n; none\n");
    let list = file("list", "/d/c.jpg\nnowhere\n# no\n");
    let raw = file("raw", "d/e/f.txt\n");
    for (options, expected) in [
        (vec![], vec!["-dash", "a.jpg", "b.JPG", "d/c.jpg", "d/e/f.txt"]),
        (vec!["--include", "*.jpg"], vec!["a.jpg", "d/c.jpg"]),
        (vec!["--include", "*.jpg", "--ignore-case"], vec!["a.jpg", "b.JPG", "d/c.jpg"]),
        (vec!["--include", "/*.{jpg,JPG}", "--include", "d/e/**"], vec!["a.jpg", "b.JPG", "d/e/f.txt"]),
        (vec!["--include-from", &patterns], vec!["a.jpg", "d/c.jpg"]),
        (vec!["--exclude", "*.jpg"], vec!["-dash", "b.JPG", "d/e/f.txt"]),
        (vec!["--exclude-from", &patterns, "--exclude", "d/"], vec!["-dash", "b.JPG"]),
        (
            vec!["--filter", "+ /d/c.jpg", "-f", "- *.jpg", "-f", "- -*"],
            vec!["b.JPG", "d/c.jpg", "d/e/f.txt"],
        ),
        (vec!["--filter-from", &rules], vec!["-dash", "a.jpg", "b.JPG", "d/c.jpg"]),
        (vec!["--files-from", &list], vec!["d/c.jpg"]),
        (vec!["--files-from", &list, "--files-from-raw", &raw], vec!["d/c.jpg", "d/e/f.txt"]),
        (vec!["--min-size", "2"], vec!["b.JPG", "d/e/f.txt"]),
        (vec!["--max-size", "100B"], vec!["-dash", "a.jpg", "d/c.jpg"]),
        (vec!["--min-size", "100b", "--max-size", "2k"], vec!["b.JPG", "d/c.jpg"]),
        (vec!["--min-age", "1h"], vec!["b.JPG", "d/c.jpg"]),
        (vec!["--max-age", "1d"], vec!["-dash", "a.jpg", "b.JPG", "d/e/f.txt"]),
        (vec!["--min-age", "1h", "--max-age", "1d"], vec!["b.JPG"]),
        (vec!["--max-age", "2000-01-01"], vec!["-dash", "a.jpg", "b.JPG", "d/c.jpg", "d/e/f.txt"]),
        (vec!["--min-age", "2000-01-01T00:00:00Z"], vec![]),
        (vec!["--max-depth", "1"], vec!["-dash", "a.jpg", "b.JPG"]),
        (vec!["--max-depth", "2"], vec!["-dash", "a.jpg", "b.JPG", "d/c.jpg"]),
    ] {
        assert_eq!(would_transfer(&scratch, &options), expected, "{options:?}");
    }

    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let from_input = |option: &str, text: &str| {
        let mut copy = command(["copy", option, "-", "--dry-run", "--json"]);
        run_with(text.as_bytes(), copy.arg(&source).arg(&target)).ok().summary()["transferred"].clone()
    };
    assert_eq!(from_input("--files-from", "a.jpg\nd/c.jpg"), 2);
    assert_eq!(from_input("--exclude-from", "d/\n"), 3);
    let mut by_environment = command(["copy", "--dry-run", "--json"]);
    by_environment.arg(&source).arg(&target).env("OMNISTORAGE_EXCLUDE", "*.{jpg,txt}");
    assert_eq!(
        run_with(b"", by_environment.env("OMNISTORAGE_MAX_DEPTH", "1")).ok().summary()["transferred"],
        2
    );
}

#[test]
fn a_mistake_in_a_filter_is_explained_and_nothing_is_done() {
    let scratch = Scratch::new();
    scratch.write("source/a", "1");
    scratch.write("target/b", "2");
    let rules = scratch.write("rules", "- ok\n\nwrong\n");
    let rules = rules.to_str().unwrap();
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    for (options, words) in [
        (vec!["--exclude", "a[b"], vec!["`a[b`", "`[` is not closed", "character 2"]),
        (vec!["--filter", "*.jpg"], vec!["`*.jpg`", "`+ PATTERN`"]),
        (vec!["--filter-from", rules], vec!["rules`, line 3", "`wrong`"]),
        (vec!["--filter-from", "/nonexistent/rules"], vec!["/nonexistent/rules"]),
        (vec!["--include", "a", "--exclude", "b"], vec!["as filters"]),
        (vec!["--files-from", rules, "--exclude", "b"], vec!["list of files"]),
        (vec!["--files-from", "-", "--exclude-from", "-"], vec!["standard input"]),
        (vec!["--min-size", "2k", "--max-size", "1k"], vec!["smallest size"]),
        (vec!["--min-age", "2d", "--max-age", "1d"], vec!["least age"]),
        (vec!["--min-size", "much"], vec!["--min-size", "much"]),
        (vec!["--max-age", "soon"], vec!["--max-age", "soon"]),
        (vec!["--max-depth", "0"], vec!["--max-depth"]),
    ] {
        for name in ["sync", "copy", "check"] {
            let run = pair(name, &source, &target, &options);
            assert_eq!(run.code, Some(2), "{name} {options:?}: {run:?}");
            run.says(&words);
        }
    }
    assert_eq!(contents(&target).len(), 1);
}

#[test]
fn what_is_excluded_stays_unless_it_is_to_go() {
    let scratch = Scratch::new();
    scratch.write("source/a", "1");
    scratch.write("source/b.tmp", "1");
    for path in ["target/old", "target/c.tmp", "target/cache/deep/d"] {
        scratch.write(path, "2");
    }
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let filters = ["--exclude", "*.tmp", "--exclude", "cache/"];
    let files = || contents(&target).into_keys().map(|path| path.display().to_string()).collect::<Vec<_>>();
    pair("sync", &source, &target, &filters).ok();
    assert_eq!(files(), ["a", "c.tmp", "cache/deep/d"]);
    pair("check", &source, &target, &filters).ok();
    assert_eq!(pair("check", &source, &target, &[]).code, Some(1));
    pair("sync", &source, &target, &[&filters[..], &["--delete-excluded"]].concat()).ok();
    assert_eq!(files(), ["a"]);
    assert!(!target.join("cache").exists());
    // A target within the source, left out.
    let inside = source.join("backup");
    pair("sync", &source, &inside, &[]).fails(7, &["nothing was done"]);
    pair("sync", &source, &inside, &["--exclude", "/backup/"]).ok();
    assert_eq!(contents(&inside).len(), 2);
}

#[test]
fn a_path_is_explained() {
    let scratch = Scratch::new();
    for path in
        ["source/new", "source/d/x.tmp", "source/cache/y", "target/old", "source/same", "target/old.tmp"]
    {
        scratch.write(path, path);
    }
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    pair("copy", &source.join("same"), &target, &[]).ok();
    scratch.write("source/changed", "one");
    scratch.write("target/changed", "three");
    let rules = scratch.write("rules", "# what is made again\n- *.tmp\n- cache/\n");
    let rules = rules.to_str().unwrap();
    let before = contents(&target);
    for (command, path, filter, action) in [
        ("sync", "new", "included: no rule matches", "transferred: missing on the target"),
        ("sync", "same", "included: no rule matches", "nothing: both sides are the same"),
        ("sync", "changed", "included", "transferred: size differs"),
        ("sync", "old", "included", "deleted: missing on the source"),
        ("copy", "old", "included", "nothing: only the target has it, and nothing is deleted"),
        ("sync", "d/x.tmp", "excluded by `- *.tmp` (", "nothing: what is excluded is left alone"),
        ("sync", "d/x.tmp", "rules`, line 2)", "nothing"),
        ("sync", "cache/y", "its directory `cache` is excluded by `- cache/`", "nothing"),
        ("sync", "cache/", "excluded by `- cache/`", "nothing"),
        ("sync", "old.tmp", "excluded by `- *.tmp`", "nothing"),
        ("sync", "nowhere", "included", "nothing: neither side has it"),
        (
            "move",
            "new",
            "included",
            "transferred: missing on the target; it leaves the source once that is verified",
        ),
        (
            "move",
            "same",
            "included",
            "source-removed: both sides are the same: their contents are; it leaves the source",
        ),
        ("move", "old", "included", "nothing: only the target has it, and nothing is deleted"),
        ("move", "d/x.tmp", "excluded", "nothing: what is excluded is left alone"),
    ] {
        let run = pair(command, &source, &target, &["--filter-from", rules, "--explain", path]).ok();
        let lines = run.lines();
        assert!(lines[0].starts_with("filter: `") && lines[0].contains(filter), "{path}: {lines:?}");
        assert!(lines[1].starts_with("action: ") && lines[1].contains(action), "{path}: {lines:?}");
        assert_eq!(lines.len(), 2);
    }
    // A size is no reason to let an object go, and what is skipped stays.
    for (option, reason) in [
        ("--size-only", "source-removed: both sides are the same: their contents are; it leaves the source"),
        ("--ignore-existing", "skipped: exists on the target; it stays on the source"),
    ] {
        let run = pair("move", &source, &target, &[option, "--explain", "same"]).ok();
        assert!(run.lines()[1].contains(reason), "{run:?}");
    }
    let deletes = ["--filter-from", rules, "--delete-excluded", "--json", "--explain", "old.tmp"];
    let explained = &pair("sync", &source, &target, &deletes).ok().json()[0];
    assert_eq!(
        (&explained["action"], &explained["included"]),
        (&"deleted".into(), &false.into()),
        "{explained}"
    );
    pair("sync", &source, &target, &["--explain", "../x"]).says(&["--explain", "`..`"]);
    assert_eq!(contents(&target), before);
}
