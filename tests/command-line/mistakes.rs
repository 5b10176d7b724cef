//! Wrong use and wrong circumstances: one clear sentence and the right exit code.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::Command,
};

use crate::{
    command::{BINARY, command, pair, run, run_with},
    tree::{Scratch, debris},
};

#[test]
fn what_is_missing_has_its_code() {
    let scratch = Scratch::new();
    let gone = scratch.path("gone");
    let target = scratch.path("target");
    for (name, code) in [("ls", 3), ("cat", 4), ("stat", 4), ("rm", 4), ("rmdir", 3)] {
        run_with(b"", command([name]).arg(&gone)).fails(code, &["gone`"]);
    }
    run_with(b"", command(["hash", "md5"]).arg(&gone)).fails(4, &["gone`"]);
    run_with(b"", command(["rm", "-r"]).arg(&gone)).fails(3, &["gone`"]);
    for name in ["sync", "copy", "check"] {
        pair(name, &gone, &target, &[]).fails(3, &["gone`"]);
    }
    assert!(!target.exists());
}

#[test]
fn wrong_use_is_explained() {
    let scratch = Scratch::new();
    scratch.write("a", "1");
    let here = scratch.path("a");
    let here = here.to_str().unwrap();
    for (arguments, words) in [
        (vec!["cat", "memory:a/../b"], vec!["memory:a/../b", "`..`"]),
        (vec!["cat", "file:///a/../b"], vec!["`..`"]),
        (vec!["stat", "-"], vec!["standard input"]),
        (vec!["cat", ""], vec!["empty"]),
        (vec!["ls", "gs:bucket"], vec!["gs://bucket"]),
        (vec!["ls", "ftp://host/x"], vec!["ftp"]),
        (vec!["ls", "nas:x"], vec!["no backend `nas`", "./nas:"]),
        (vec!["ls", "--nope", "."], vec!["--nope"]),
        (vec!["rename", "a", "b"], vec!["rename"]),
        (vec!["sync", "a"], vec!["TARGET"]),
        (
            vec!["sync", "--delete-before", "--delete-after", "a", "b"],
            vec!["--delete-before", "--delete-after"],
        ),
        (vec!["sync", "--start-after", "b", "--stop-at", "a", "x", "y"], vec!["--start-after", "--stop-at"]),
        (vec!["check", "--stop-at", "a//b", "x", "y"], vec!["--stop-at", "a//b"]),
        (vec!["sync", "--track-renames", "--stop-at", "a", "x", "y"], vec!["--track-renames", "--stop-at"]),
        (
            vec!["copy", "--compress", "zstd", "--start-after", "a", "x", "y"],
            vec!["--compress", "--start-after"],
        ),
        (vec!["bisync", "--start-after", "a", "x", "y"], vec!["--start-after"]),
        (
            vec!["sync", "--hold-deletes", "--delete-before", "x", "y"],
            vec!["--hold-deletes", "--delete-before"],
        ),
        (vec!["copy", "--hold-deletes", "x", "y"], vec!["--hold-deletes"]),
        (vec!["report", "add"], vec!["FILE"]),
        (vec!["report", "judge", "--max-delete", "x", "a"], vec!["--max-delete"]),
        (vec!["copy", "--max-delete", "7", "a", "b"], vec!["--max-delete", "`sync`"]),
        (vec!["sync", "--transfers", "0", "a", "b"], vec!["--transfers"]),
        (vec!["sync", "--modify-window", "soon", "a", "b"], vec!["--modify-window"]),
        (vec!["sync", "--bwlimit", "fast", "a", "b"], vec!["--bwlimit"]),
        (vec!["hash", "crc64", here], vec!["crc64"]),
        (vec!["put", "--compress", "lzma", here], vec!["lzma"]),
        (vec!["put", "--compress", "gzip:99", here], vec!["levels 0 to 9"]),
        (vec!["put", "--compress", "zstd:23", here], vec!["levels -131072 to 22"]),
        (vec!["put", "--compress", "snappy:1", here], vec!["snappy has no levels"]),
        (vec!["put", "--cores", "2", here], vec!["--compress"]),
        (vec!["put", "--compress", "gzip", "--cores", "0", here], vec!["--cores"]),
        (vec!["put", "--compress", "gzip:99", "--cores", "2", here], vec!["levels 0 to 9"]),
        (vec!["put", "--metadata", "novalue", here], vec!["KEY=VALUE"]),
        (vec!["put", "directory/"], vec!["directory"]),
        (vec!["records", "count", "--from", "xml", here], vec!["xml"]),
        (vec!["--config", "/nonexistent.toml", "backends"], vec!["/nonexistent.toml"]),
    ] {
        let run = run(&arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {run:?}");
        assert_eq!(run.text(), "", "{arguments:?}");
        run.says(&words);
    }
    assert_eq!(fs::read(here).unwrap(), b"1");
}

#[test]
fn a_password_in_a_place_is_refused_and_not_repeated() {
    for place in
        ["webdavs://me:hush@host/x", "sftp://me:hush@host/x", "sftp://me:hush@host", "https://me:hush@host/x"]
    {
        let refused = run_with(b"", command(["ls"]).arg(place));
        assert!(!refused.stderr.contains("hush"), "{}", refused.stderr);
        refused.fails_with(2, &["host"]);
    }
}

#[test]
fn options_come_from_the_environment() {
    let scratch = Scratch::new();
    let (source, target) = (scratch.write("s/a", "1"), scratch.path("t"));
    let sync = |variable: &str, value: &str| {
        let source = source.parent().unwrap();
        run_with(b"", command(["sync"]).arg(source).arg(&target).env(variable, value))
    };
    assert!(sync("OMNISTORAGE_DRY_RUN", "true").ok().stderr.starts_with("dry run"));
    assert_eq!(sync("OMNISTORAGE_TRANSFERS", "many").code, Some(2));
    assert!(!target.exists());
    sync("OMNISTORAGE_DRY_RUN", "0").ok();
    assert!(target.join("a").exists());
}

#[test]
fn a_file_is_no_directory() {
    let scratch = Scratch::new();
    let file = scratch.write("file", "1");
    assert_eq!(run_with(b"", command(["ls"]).arg(&file)).ok().lines(), ["file"]);
    run_with(b"", command(["ls"]).arg(scratch.path("file/"))).fails(6, &["not a directory"]);
    run_with(b"x", command(["put"]).arg(file.join("below"))).fails(6, &["file"]);
    run_with(b"", command(["cat"]).arg(scratch.path(""))).fails(6, &["directory"]);
    run_with(b"", command(["cat"]).arg(scratch.path("file/"))).fails(6, &["not a directory"]);
    assert_eq!(fs::read(file).unwrap(), b"1");
}

#[test]
fn what_may_not_be_read_is_reported_and_the_rest_is_done() {
    let scratch = Scratch::new();
    scratch.write("source/open", "1");
    let denied = scratch.write("source/denied", "2");
    fs::set_permissions(&denied, fs::Permissions::from_mode(0o000)).unwrap();
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    fs::create_dir(&target).unwrap();
    scratch.write("target/extra", "stays");
    for path in [&scratch.path(""), &target] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }

    let mut sync = command(["sync"]);
    sync.arg(&source).arg(&target);
    if rustix::process::geteuid().is_root() {
        const NOBODY: u32 = 65534;
        let cache = scratch.path("cache");
        fs::create_dir(&cache).unwrap();
        fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
        sync.uid(NOBODY).gid(NOBODY).env("XDG_CACHE_HOME", cache).env("HOME", scratch.path(""));
        if Command::new(BINARY).arg("--version").uid(NOBODY).gid(NOBODY).output().is_err() {
            return; // the binary itself is where only root may go
        }
    }
    let run = run_with(b"", &mut sync);
    assert_eq!(run.code, Some(6), "{run:?}");
    assert!(run.stderr.contains("source/denied`"), "{}", run.stderr);
    assert_eq!(fs::read(target.join("open")).unwrap(), b"1");
    assert!(target.join("extra").exists(), "deleted after an error");
    assert_eq!(debris(&target).len(), 0);
}

#[test]
fn a_full_disk_leaves_the_old_object() {
    let scratch = Scratch::new();
    let target = scratch.write("object", "old");
    // A limit on the size of files stands for the full disk: 16 or 32 MiB, as the shell counts blocks. The memory of
    // the component counts as a file too, and must fit.
    let script = "trap '' XFSZ; ulimit -f 32768; exec \"$0\" put \"$1\"";
    let mut limited = Command::new("sh");
    limited.args(["-c", script, BINARY]).arg(&target).env("XDG_CONFIG_HOME", "/nonexistent");
    run(["ls", "memory:"]).ok(); // the component is in the cache from here on
    run_with(&vec![7; 40 << 20], &mut limited).fails(6, &["object`"]);
    assert_eq!(fs::read(&target).unwrap(), b"old");
    assert_eq!(debris(&scratch.path("")).len(), 0);
}

#[test]
fn a_broken_input_is_an_error() {
    let scratch = Scratch::new();
    let target = scratch.write("object", "old");
    let mut put = command(["put"]);
    put.arg(&target).stdin(fs::File::open(scratch.path("")).unwrap()); // a directory cannot be read
    let run: crate::command::Run = put.output().unwrap().into();
    assert_ne!(run.code, Some(0), "{run:?}");
    run.says(&["standard input"]);
    assert_eq!(fs::read(&target).unwrap(), b"old");
}

/// Whoever comes from rclone finds an option working, or learns what there is instead.
#[test]
fn options_of_rclone_work_or_are_refused_by_name() {
    let scratch = Scratch::new();
    scratch.write("a/x", "1");
    let (source, target) = (scratch.path("a"), scratch.path("b"));
    for (name, option, words) in [
        ("sync", "--compare-dest", ["--compare-dest", "is not here: "]),
        ("sync", "--copy-dest", ["--copy-dest", "is not here: "]),
        ("copy", "--no-traverse", ["--no-traverse", "is not here: "]),
        ("copy", "--inplace", ["--inplace", "temporary name"]),
        ("move", "--inplace=1", ["--inplace", "is not here: "]),
        ("sync", "--ignore-case-sync", ["--ignore-case-sync", "to the byte"]),
        ("sync", "--stats-one-line", ["--stats-one-line", "--json"]),
        ("check", "--differ=x", ["--differ", "--combined"]),
        ("sync", "--s3-region=x", ["--s3-region", "configuration"]),
        ("bisync", "--workdir=x", ["--workdir", "--state"]),
        ("sync", "--not-even-rclones", ["--not-even-rclones", "unexpected"]),
    ] {
        let run = pair(name, &source, &target, &[option]);
        assert_eq!(run.code, Some(2), "{run:?}");
        run.says(&words);
        assert!(!target.exists(), "{option}");
    }
    for option in ["--metadata", "--ignore-case", "--create-empty-src-dirs", "--order-by=size,desc"] {
        pair("copy", &source, &target, &[option]).ok();
    }
    pair("copy", &source, &target, &["--suffix", ".bak", "--suffix-keep-extension"]).ok();
}

/// An option by its variable is the same option.
#[test]
fn options_are_taken_from_the_environment() {
    let scratch = Scratch::new();
    scratch.write("a/x", "1");
    scratch.write("a/y.tmp", "2");
    let run = |variables: &[(&str, &str)], target: &str| {
        let mut command = command(["sync"]);
        command.arg(scratch.path("a")).arg(scratch.path(target)).envs(variables.iter().copied());
        crate::command::Run::from(command.output().unwrap())
    };
    run(&[("OMNISTORAGE_DRY_RUN", "true")], "dry").ok();
    assert!(!scratch.path("dry").exists());
    run(&[("OMNISTORAGE_EXCLUDE", "*.tmp"), ("OMNISTORAGE_COMPRESS", "gzip:9")], "packed").ok();
    assert!(scratch.path("packed/x.gz").exists() && !scratch.path("packed/y.tmp.gz").exists());
    run(&[("OMNISTORAGE_TRANSFERS", "0")], "none").says(&["transfers"]);
    let told = run(&[("OMNISTORAGE_JSON", "true"), ("OMNISTORAGE_MAX_DEPTH", "1")], "json").ok();
    assert_eq!(told.summary()["transferred"], 2);
}

/// A variable is for all commands: how something is done says nothing where it is not done.
#[test]
fn a_variable_of_what_needs_another_option_counts_where_that_is_given() {
    let scratch = Scratch::new();
    scratch.write("a/x", "1");
    let packed = crate::command::run_with(
        &vec![b'x'; 3 << 20],
        command(["put", "--compress", "zstd:9"]).arg(scratch.path("x.zst")),
    );
    packed.ok();
    let run = |arguments: &[&str], places: &[&str], variables: &[(&str, &str)]| {
        let mut command = command(arguments);
        command.args(places.iter().map(|place| scratch.path(place))).envs(variables.iter().copied());
        crate::command::Run::from(command.output().unwrap())
    };
    let all = [
        ("OMNISTORAGE_MAX_WINDOW", "64K"),
        ("OMNISTORAGE_CORES", "1"),
        ("OMNISTORAGE_FULL", "true"),
        ("OMNISTORAGE_USE_SERVER_MODTIME", "true"),
    ];
    for (arguments, places) in [
        (&["sync"][..], &["a", "b"][..]),
        (&["copy", "--update"], &["a", "b"]),
        (&["cat"], &["a/x"]),
        (&["ls"], &["a"]),
        (&["ls", "--json"], &["a"]),
        (&["check"], &["a", "b"]),
    ] {
        let run = run(arguments, places, &all).ok();
        assert_eq!(run.stderr.matches("error").count(), 0, "{run:?}");
    }
    // It counts all the same where it is about something, also beside others that are not.
    run(&["cat", "--decompress"], &["x.zst"], &all).fails(6, &["--max-window", "65536"]);
    run(&["sync", "--decompress"], &["a", "c"], &all).ok();
    assert_eq!(run(&["sync"], &["a", "b"], &[("OMNISTORAGE_MAX_WINDOW", "much")]).code, Some(2));
    // Typed, it is a mistake; and what is lacking beside is told.
    assert_eq!(run(&["sync", "--max-window", "1M"], &["a", "b"], &[]).code, Some(2));
    assert_eq!(run(&["sync"], &["a"], &all).code, Some(2));
}

#[test]
fn a_variable_that_means_nothing_is_told_with_the_one_that_is_like_it() {
    let scratch = Scratch::new();
    scratch.write("a/x", "1");
    let run = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.arg(scratch.path("a")).env("OMNISTORAGE_EXCLUDES", "x").env("OMNISTORAGE_S3_BUCKET", "b");
        crate::command::Run::from(command.output().unwrap()).ok()
    };
    let told = run(&["ls"]);
    assert_eq!(
        told.stderr,
        "warning: the variable `OMNISTORAGE_EXCLUDES` means nothing here; there is `OMNISTORAGE_EXCLUDE`\n"
    );
    assert_eq!(told.stdout, b"x\n");
    assert_eq!(run(&["ls", "-q"]).stderr, "");
}
