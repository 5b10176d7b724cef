//! Listings as people read them: long ones, chosen ones, pictures and sums.

use std::{fs, path::Path, time::Duration};

use crate::{
    command::{Run, command, run, run_with},
    tree::Scratch,
};

/// A small tree whose sizes and times are known.
fn tree() -> Scratch {
    let scratch = Scratch::new();
    for (path, size, time) in [
        ("t/a/deep/x.gz", 3, 1_000),
        ("t/a/y.txt", 2048, 2_000),
        ("t/b.gz", 10, 3_000),
        ("t/c.txt", 1, 951_782_400),
        ("t/d.gz/e", 5, 5_000),
    ] {
        let file = scratch.write(path, vec![b'x'; size]);
        set_time(&file, time);
    }
    fs::create_dir(scratch.path("t/empty")).unwrap();
    scratch
}

fn set_time(file: &Path, seconds: u64) {
    let time = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
    fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
}

fn at(scratch: &Scratch, name: &str, options: &[&str], below: &str) -> Run {
    run_with(b"", command([name]).args(options).arg(scratch.path(below)))
}

#[test]
fn a_long_listing_tells_size_and_time() {
    let scratch = tree();
    let long = at(&scratch, "ls", &["-l"], "t").ok();
    assert!(long.lines().contains(&"           1  2000-02-29T00:00:00Z  c.txt"), "{}", long.text());
    assert!(
        long.lines()[0].trim_start().starts_with("-  ") && long.lines()[0].ends_with("  a/"),
        "{}",
        long.text()
    );
    let units = at(&scratch, "ls", &["-lh"], "t/a/y.txt").ok();
    assert_eq!(units.text(), "    2.00 KiB  1970-01-01T00:33:20Z  y.txt\n");
    assert_eq!(at(&scratch, "ls", &["--format", "path,size"], "t/b.gz").ok().text(), "b.gz;10\n");
    assert_eq!(at(&scratch, "ls", &["--format=ps", "--separator= "], "t/b.gz").ok().text(), "b.gz 10\n");
    let full = at(&scratch, "ls", &["--format=kind,etag", "--files-only"], "t").ok();
    assert!(full.lines().iter().all(|line| line.starts_with("object;") && line.len() > 7), "{}", full.text());
    at(&scratch, "ls", &["--format=colour"], "t").says(&["path, size"]);
}

#[test]
fn a_listing_is_sorted_as_asked() {
    let scratch = tree();
    let sorted = |order: &str| {
        let listed = at(&scratch, "ls", &["-r", "--sort", order], "t").ok();
        listed.lines().into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(sorted("size"), ["c.txt", "a/deep/x.gz", "d.gz/e", "b.gz", "a/y.txt"]);
    assert_eq!(sorted("size,desc"), ["a/y.txt", "b.gz", "d.gz/e", "a/deep/x.gz", "c.txt"]);
    assert_eq!(sorted("modtime"), ["a/deep/x.gz", "a/y.txt", "b.gz", "d.gz/e", "c.txt"]);
    assert_eq!(sorted("name,desc"), ["d.gz/e", "c.txt", "b.gz", "a/y.txt", "a/deep/x.gz"]);
    assert_eq!(at(&scratch, "ls", &["--sort=colour"], "t").code, Some(2));
}

#[test]
fn filters_choose_what_is_listed() {
    let scratch = tree();
    let listed = |options: &[&str]| {
        let listed = at(&scratch, "ls", options, "t").ok();
        listed.lines().into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listed(&["-r", "--include", "*.gz"]), ["a/deep/x.gz", "b.gz"]);
    assert_eq!(listed(&["-r", "--exclude", "a/**"]), ["b.gz", "c.txt", "d.gz/e"]);
    assert_eq!(listed(&["--exclude", "a/**"]), ["b.gz", "c.txt", "d.gz/", "empty/"]);
    assert_eq!(listed(&["-r", "--min-size", "1K"]), ["a/y.txt"]);
    assert_eq!(listed(&["-r", "--max-age", "1999-01-01"]), ["c.txt"]);
    assert_eq!(listed(&["--max-depth", "2"]), ["a/y.txt", "b.gz", "c.txt", "d.gz/e"]);
    assert_eq!(listed(&["--max-depth", "1"]), ["a/", "b.gz", "c.txt", "d.gz/", "empty/"]);
    assert_eq!(listed(&["--dirs-only"]), ["a/", "d.gz/", "empty/"]);
    assert_eq!(listed(&["-r", "--dirs-only"]), ["a/", "a/deep/", "d.gz/", "empty/"]);
    assert_eq!(listed(&["--files-only"]), ["b.gz", "c.txt"]);
    let from = scratch.write("list", "a/y.txt\nno/such\n");
    assert_eq!(listed(&["-r", "--files-from", from.to_str().unwrap()]), ["a/y.txt"]);
    assert_eq!(
        listed(&["-r", "--include", "*.gz", "--json"]).len(),
        6,
        "directories that may hold some are entries"
    );
    at(&scratch, "ls", &["--include", "[x"], "t").fails(2, &["[x"]);
}

#[test]
fn a_wildcard_is_a_filter() {
    let scratch = tree();
    let root = scratch.path("t");
    let listed = |options: &[&str], pattern: &str| {
        let place = format!("{}/{pattern}", root.display());
        let listed = run_with(b"", command(["ls"]).args(options).arg(place)).ok();
        listed.lines().into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listed(&[], "*.gz"), ["b.gz", "d.gz/"]);
    assert_eq!(listed(&["-r"], "*.gz"), ["b.gz", "d.gz/e"]);
    assert_eq!(listed(&[], "**.gz"), ["a/deep/x.gz", "b.gz"]);
    assert_eq!(listed(&[], "*/*.txt"), ["a/y.txt"]);
    assert_eq!(listed(&["--exclude", "b*"], "*.gz"), ["d.gz/"]);
    assert_eq!(listed(&[], "no*"), [""; 0]);
    let place = format!("{}/*.gz", root.display());
    run(["ls", "--include", "x", &place]).fails(2, &["wildcard", "--include"]);

    // Who has the very name is meant.
    scratch.write("t/star*", "1");
    assert_eq!(listed(&[], "star*"), ["star*"]);
    let copied = scratch.path("copied");
    let to = copied.to_str().unwrap();
    run(["copy", &place, to]).ok();
    assert_eq!(at(&scratch, "ls", &["-r"], "copied").ok().lines(), ["b.gz"]);
    run(["check", &place, to]).ok();
    run(["copy", "--include", "x", &place, to]).fails(2, &["wildcard"]);
}

#[test]
fn what_is_not_there_is_no_empty_listing() {
    let scratch = tree();
    for name in ["ls", "tree", "size", "du"] {
        at(&scratch, name, &[], "no/such").fails(3, &["no/such`"]);
        at(&scratch, name, &["--include", "*"], "no/such").fails(3, &["no/such`"]);
        run([name, "memory:x"]).fails(3, &["memory:x"]);
    }
    assert_eq!(at(&scratch, "ls", &[], "t/empty").ok().text(), "");
    assert_eq!(at(&scratch, "size", &[], "t/empty").ok().text(), "0 objects, 0 B (0 bytes)\n");
}

/// A directory that may not be read, for everybody but root; and a name that is no path, for all.
#[cfg(target_os = "linux")]
#[test]
fn a_listing_that_lacks_something_is_none_of_all() {
    use std::os::unix::ffi::OsStrExt;
    let scratch = tree();
    let odd = scratch.path("t/a").join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::write(odd, "1").unwrap();
    for (options, told) in [
        (&["ls", "-r"][..], "! a/caf"),
        (&["ls", "-r", "--sort", "size"], "! a/caf"),
        (&["ls", "-r", "--max-depth", "2"], "! a/caf"),
        (&["size"], "at least 5 objects"),
        (&["tree"], "at least 4 directories"),
        (&["du"], "2051\ta/"),
    ] {
        let run = at(&scratch, options[0], &options[1..], "t");
        assert_eq!(run.code, Some(6), "{options:?}: {run:?}");
        assert!(run.text().contains(told), "{options:?}: {}", run.text());
        assert!(run.stderr.contains("not UTF-8"), "{options:?}: {}", run.stderr);
    }
    let sum = &at(&scratch, "size", &["--json"], "t").json()[0];
    assert_eq!((&sum["count"], &sum["complete"]), (&5.into(), &false.into()));
    // What is excluded lacks nothing.
    for name in ["ls", "size", "tree", "du"] {
        at(&scratch, name, &["--exclude", "a/**"], "t").ok();
    }
}

#[test]
fn a_tree_is_drawn() {
    let scratch = tree();
    scratch.write("t/odd\u{1b}[1m\nname", "1");
    let drawn = at(&scratch, "tree", &[], "t").ok();
    let lines = drawn.lines();
    assert_eq!(
        lines[1..],
        [
            "├── a/",
            "│   ├── deep/",
            "│   │   └── x.gz",
            "│   └── y.txt",
            "├── b.gz",
            "├── c.txt",
            "├── d.gz/",
            "│   └── e",
            "├── empty/",
            "└── odd\\u{1b}[1m\\nname",
            "",
            "4 directories, 6 objects",
        ]
    );
    let levels = at(&scratch, "tree", &["--max-depth", "1", "--exclude", "odd*"], "t").ok();
    assert_eq!(
        levels.lines()[1..],
        ["├── a/", "├── b.gz", "├── c.txt", "├── d.gz/", "└── empty/", "", "3 directories, 2 objects"]
    );
    let directories = at(&scratch, "tree", &["-d"], "t").ok();
    assert_eq!(
        directories.lines()[1..],
        ["├── a/", "│   └── deep/", "├── d.gz/", "└── empty/", "", "4 directories"]
    );
    let long = at(&scratch, "tree", &["-lh"], "t/a").ok();
    assert!(long.lines()[3].contains("2.00 KiB  1970-01-01T00:33:20Z]  y.txt"), "{}", long.text());
}

#[test]
fn sizes_add_up() {
    let scratch = tree();
    assert_eq!(at(&scratch, "size", &[], "t").ok().text(), "5 objects, 2.02 KiB (2067 bytes)\n");
    assert_eq!(at(&scratch, "size", &["--include", "*.gz"], "t").ok().text(), "2 objects, 13 B (13 bytes)\n");
    assert_eq!(at(&scratch, "size", &[], "t/b.gz").ok().text(), "1 object, 10 B (10 bytes)\n");
    let sum = at(&scratch, "size", &["--json"], "t").ok();
    assert_eq!(sum.text(), "{\"count\":5,\"bytes\":2067,\"sizeless\":0,\"complete\":true}\n");
    assert_eq!(at(&scratch, "du", &[], "t").ok().lines(), ["2051\ta/", "5\td.gz/", "2067\t."]);
    assert_eq!(
        at(&scratch, "du", &["-d", "2"], "t").ok().lines(),
        ["2051\ta/", "3\ta/deep/", "5\td.gz/", "2067\t."]
    );
    assert_eq!(at(&scratch, "du", &["-h", "-d", "0"], "t").ok().lines(), ["2.02 KiB\t."]);
    assert_eq!(at(&scratch, "du", &["-sh"], "t").ok().lines(), ["2.02 KiB\t."]);
    at(&scratch, "du", &["-s", "-d", "2"], "t").fails_with(2, &["--depth"]);
    let largest = at(&scratch, "du", &["--largest", "-d", "2", "--json"], "t").ok().json();
    let paths: Vec<_> = largest.iter().map(|line| line["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["a/", "d.gz/", "a/deep/", "."]);
    assert_eq!(largest[0]["bytes"], 2051);
}

#[test]
fn the_ends_of_objects_are_read_alone() {
    let scratch = Scratch::new();
    let text: String = (0..100_000).map(|number| format!("{number}\n")).collect();
    scratch.write("text", &text);
    scratch.write("short", "a\nb");
    let of =
        |name: &str, options: &[&str], below: &str| at(&scratch, name, options, below).ok().text().to_owned();
    assert_eq!(of("head", &["-n", "2"], "text"), "0\n1\n");
    assert_eq!(of("head", &[], "short"), "a\nb");
    assert_eq!(of("head", &["-c", "3"], "text"), "0\n1");
    assert_eq!(of("tail", &["-n", "2"], "text"), "99998\n99999\n");
    assert_eq!(of("tail", &["-n", "1"], "short"), "b");
    assert_eq!(of("tail", &["-c", "6"], "text"), "99999\n");
    assert_eq!(of("tail", &["-n", "99999"], "text"), text[2..]);
    assert_eq!(of("tail", &["-n", "200000"], "text"), text);
    assert_eq!(of("tail", &["-n", "0"], "text"), "");
    assert_eq!(of("cat", &["--offset", "-6"], "text"), "99999\n");
    assert_eq!(of("cat", &["--offset", "-6", "--length", "2"], "text"), "99");
    assert_eq!(of("cat", &["--offset", "-999"], "short"), "a\nb");
    let both =
        run_with(b"", command(["head", "-n", "1"]).arg(scratch.path("text")).arg(scratch.path("short"))).ok();
    let [one, other] = ["text", "short"].map(|name| scratch.path(name).display().to_string());
    assert_eq!(both.text(), format!("==> {one} <==\n0\n\n==> {other} <==\na\n"));
    assert_eq!(run_with(text.as_bytes(), &mut command(["tail", "-n", "1", "-"])).ok().text(), "99999\n");
    assert_eq!(run_with(b"a\nb\n", &mut command(["head", "-n", "1", "-"])).ok().text(), "a\n");
    run_with(b"x", &mut command(["cat", "--offset", "-1", "-"])).fails(2, &["tail"]);
    at(&scratch, "tail", &[], "gone").fails(4, &["gone`"]);
    at(&scratch, "tail", &[], "").fails(6, &["directory"]);

    run_with(text.as_bytes(), command(["put", "--compress", "zstd"]).arg(scratch.path("packed"))).ok();
    assert_eq!(of("head", &["--decompress", "-n", "1"], "packed"), "0\n");
}

#[test]
fn several_objects_are_one_behind_the_other() {
    let scratch = tree();
    let [one, other] = ["t/b.gz", "t/c.txt"].map(|name| scratch.path(name));
    let both = run_with(b"", command(["cat"]).arg(&one).arg(&other).arg(&other)).ok();
    assert_eq!(both.stdout.len(), 12);
    let hashed = run_with(b"", command(["hash", "md5"]).arg(&one).arg(scratch.path("t/a"))).ok();
    let expected = [one.display().to_string(), scratch.path("t/a/deep/x.gz").display().to_string()];
    assert!(
        hashed.lines().iter().zip(expected).all(|(line, path)| line.ends_with(&format!("  {path}"))),
        "{}",
        hashed.text()
    );
    assert_eq!(hashed.lines().len(), 3);
    let lacking = run_with(b"", command(["hash", "md5"]).arg(scratch.path("gone")).arg(&one));
    assert_eq!((lacking.code, lacking.lines().len()), (Some(4), 1), "{lacking:?}");
}
