//! What people type, and what it comes to: never something else in silence.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    process::Command,
};

use crate::{
    command::{BINARY, Run, command, pair, run_with},
    tree::{Scratch, contents},
};

/// Runs in that directory.
fn run_in(scratch: &Scratch, arguments: &[&str]) -> Run {
    let mut command = command(arguments);
    command.current_dir(scratch.path("")).output().unwrap().into()
}

#[test]
fn what_looks_like_a_remote_never_becomes_a_directory() {
    let scratch = Scratch::new();
    scratch.write("a/x", "1");
    let before = contents(&scratch.path(""));
    for (place, hint) in [
        (":s3:bkt", "`s3://bkt`"),
        ("s3//bkt", "`s3://bkt`"),
        ("s3:bkt", "`s3://bkt`"),
        ("gs:bucket", "`gs://bucket`"),
        ("gcs:bucket", "`gs://bucket/key`"),
        ("my remote:x", "`./my remote:...`"),
        ("me@host:x", "`./me@host:...`"),
        ("~/x", "$HOME"),
        ("foo://x", "foo://"),
        ("git+ssh://x", "git+ssh://"),
        ("C:\\Users\\x", "no backend `C`"),
        ("C:/Users/x", "refused"),
    ] {
        for command in ["copy", "sync", "move", "check"] {
            let run = run_in(&scratch, &[command, "a", place]);
            assert_eq!(run.code, Some(2), "{command} {place}: {run:?}");
            run.says(&[hint]);
        }
        for arguments in [["put", place], ["tee", place], ["mkdir", place]] {
            let run = run_in(&scratch, &arguments);
            assert_eq!(run.code, Some(2), "{arguments:?}: {run:?}");
        }
        let run = run_in(&scratch, &["sync", "a", "b", "--backup-dir", place]);
        assert_eq!(run.code, Some(2), "{place}: {run:?}");
    }
    assert_eq!(contents(&scratch.path("")), before);
    assert_eq!(fs::read_dir(scratch.path("")).unwrap().count(), 1, "a directory was made");
    for place in ["./s3//bkt", "./~/x", "./my remote:x", "./:s3:bkt", "sub/a:b"] {
        run_in(&scratch, &["copy", "a", place]).ok();
        assert!(scratch.path(place).join("x").exists(), "{place}");
    }
}

#[test]
fn a_configuration_that_is_named_must_be_there() {
    let scratch = Scratch::new();
    scratch.write("a/x", "1");
    for arguments in [&["ls", "a"][..], &["copy", "a", "b"], &["check", "a", "a"]] {
        let named = [&["--config", "nope.toml"], arguments].concat();
        run_in(&scratch, &named).fails(2, &["nope.toml", "No such file"]);
    }
    let mut by_variable = command(["ls", "a"]);
    by_variable.current_dir(scratch.path("")).env("OMNISTORAGE_CONFIG", "nope.toml");
    Run::from(by_variable.output().unwrap()).fails(2, &["nope.toml"]);
    assert!(!scratch.path("b").exists());
    run_in(&scratch, &["--config", "/dev/null", "ls", "a"]).ok();
}

#[test]
fn a_root_may_name_the_home_directory_and_variables() {
    let scratch = Scratch::new();
    scratch.write("home/data/x", "1");
    let listed = |root: &str, variables: &[(&str, &str)]| {
        let config = scratch.write("c.toml", format!("[backends.nas]\nkind = 'file'\nroot = '{root}'\n"));
        let mut command = command(["ls", "nas:"]);
        command.env("OMNISTORAGE_CONFIG", config).env("HOME", scratch.path("home"));
        Run::from(command.envs(variables.iter().copied()).output().unwrap())
    };
    let here = scratch.path("home");
    let variables = [("DATA", "data"), ("HERE", here.to_str().unwrap()), ("EMPTY", "")];
    for root in ["~/data", "$HERE/data", "${HOME}/data", "${HERE}/$DATA", "~/${DATA}"] {
        assert_eq!(listed(root, &variables).ok().lines(), ["x"], "{root}");
    }
    for root in ["${NOPE}/data", "$EMPTY/data"] {
        listed(root, &variables).fails(2, &["`nas`", "`root`", "is not set"]);
    }
    let mut by_variables = command(["ls", "env:"]);
    by_variables.env("STORAGE_BACKEND", "file").env("OMNISTORAGE_FILE_ROOT", "~/data").env("HOME", &here);
    assert_eq!(Run::from(by_variables.output().unwrap()).ok().lines(), ["x"]);

    // Seen through, too: the two places are one.
    let config = scratch.write("c.toml", "[backends.nas]\nkind = 'file'\nroot = '~/data'\n");
    let mut overlap = command(["sync", "nas:"]);
    overlap.arg(here.join("data")).env("OMNISTORAGE_CONFIG", config).env("HOME", &here);
    Run::from(overlap.output().unwrap()).fails(7, &["same place"]);
}

#[test]
fn a_configuration_that_is_open_to_others_is_told() {
    let scratch = Scratch::new();
    let config = scratch.write(
        "c.toml",
        "[backends.nas]\nkind = 's3'\nbucket = 'b'\naccess_key_id = 'me'\nsecret_access_key = 'hush'\n",
    );
    let backends = |mode: u32, options: &[&str]| {
        fs::set_permissions(&config, fs::Permissions::from_mode(mode)).unwrap();
        let mut command = command(["backends"]);
        let run = Run::from(command.args(options).env("OMNISTORAGE_CONFIG", &config).output().unwrap()).ok();
        assert!(!run.stderr.contains("hush"), "{run:?}");
        run.stderr
    };
    for (mode, word) in
        [(0o644, "others can read `secret_access_key` of `nas`"), (0o602, "others can change")]
    {
        let told = backends(mode, &[]);
        assert!(told.starts_with("warning: ") && told.contains(word) && told.contains("c.toml"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        assert_eq!(backends(mode, &["-q"]), "");
    }
    assert_eq!(backends(0o600, &[]), "");
}

#[test]
fn of_contradicting_comparisons_one_decides_and_v_says_which() {
    let scratch = Scratch::new();
    let (source, target) = (scratch.write("a/x", "one"), scratch.write("b/x", "two"));
    for (path, time) in [(&source, 1_000_000_000), (&target, 1_100_000_000)] {
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(time);
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }
    let (a, b) = (scratch.path("a"), scratch.path("b"));
    let copied = |options: &[&str]| pair("copy", &a, &b, &[options, &["-v", "--dry-run"]].concat()).ok();
    let run = copied(&["--checksum", "--size-only"]);
    assert!(run.stderr.contains("--size-only decides what is the same, before --checksum"), "{run:?}");
    assert!(run.stderr.contains("nothing to do"), "{run:?}");
    let run = copied(&["--size-only", "--ignore-times"]);
    assert!(
        run.stderr.contains("--ignore-times decides") && run.stderr.contains("would transfer"),
        "{run:?}"
    );
    assert!(!copied(&["--checksum"]).stderr.contains("decides"));
    let run = pair("check", &a, &b, &["--download", "--size-only", "-v"]).ok();
    assert!(run.stderr.contains("--size-only decides what is the same, before --download"), "{run:?}");
    assert_eq!(pair("check", &a, &b, &["--download", "--checksum"]).code, Some(1));
}

#[test]
fn values_may_begin_with_a_hyphen_and_a_forgotten_one_is_told() {
    let scratch = Scratch::new();
    for name in ["-draft.txt", "- x", "plain", "--exclude"] {
        scratch.write(&format!("a/{name}"), name);
    }
    let copied = |options: &[&str]| {
        let target = tempfile::tempdir().unwrap();
        let run = pair("copy", &scratch.path("a"), target.path(), options);
        let names = contents(target.path()).into_keys().map(|path| path.to_str().unwrap().to_owned());
        (run, names.collect::<Vec<_>>())
    };
    for (options, names) in [
        (&["--include", "-draft.txt"][..], &["-draft.txt"][..]),
        (&["--exclude", "- x"], &["--exclude", "-draft.txt", "plain"]),
        (&["--filter", "- -*"], &["- x", "plain"][1..]),
        (&["--include=--exclude"], &["--exclude"]),
        (&["-f", "+ /plain", "-f", "- *"], &["plain"]),
    ] {
        let (run, found) = copied(options);
        run.ok();
        assert_eq!(found, names, "{options:?}");
    }
    for options in [
        &["--include", "--exclude", "x"][..],
        &["--include", "-v"],
        &["--suffix", "--dry-run"],
        &["-f", "--dry-run"],
        &["--include"],
    ] {
        let (run, found) = copied(options);
        assert_eq!((run.code, found.len()), (Some(2), 0), "{run:?}");
        run.says(&["a value is required", options[0].trim_start_matches('-')]);
    }
}

#[test]
fn variables_are_taken_as_people_set_them() {
    let scratch = Scratch::new();
    scratch.write("a/x", "1");
    let copied = |variables: &[(&str, &str)], options: &[&str]| {
        let target = tempfile::tempdir().unwrap();
        let mut command = command(["copy"]);
        command.arg(scratch.path("a")).arg(target.path()).args(options);
        Run::from(command.envs(variables.iter().copied()).output().unwrap())
    };
    for value in ["true", "1", "yes", "2"] {
        let run = copied(&[("OMNISTORAGE_VERBOSE", value)], &[]).ok();
        assert!(run.stderr.contains("transferred `x`"), "{value}: {run:?}");
    }
    for value in ["false", "0", ""] {
        let run = copied(&[("OMNISTORAGE_VERBOSE", value)], &["-q"]).ok();
        assert_eq!(run.stderr, "", "{value}");
    }
    assert_eq!(copied(&[("OMNISTORAGE_VERBOSE", "much")], &[]).code, Some(2));
    // The command line has the last word, and cannot contradict itself.
    assert_eq!(copied(&[("OMNISTORAGE_VERBOSE", "true")], &["-q"]).ok().stderr, "");
    let run = copied(&[("OMNISTORAGE_QUIET", "true")], &["-v"]).ok();
    assert!(run.stderr.contains("transferred `x`"), "{run:?}");
    assert_eq!(copied(&[], &["-q", "-v"]).code, Some(2));
    assert_eq!(copied(&[("OMNISTORAGE_VERBOSE", "1"), ("OMNISTORAGE_QUIET", "1")], &[]).code, Some(2));
    copied(&[("OMNISTORAGE_DRY_RUN", "off"), ("OMNISTORAGE_BWLIMIT", "off")], &[]).ok();
}

#[test]
fn what_may_be_unbounded_can_be_off() {
    let scratch = Scratch::new();
    scratch.write("a/x", "1");
    scratch.write("b/extra", "1");
    let (a, b) = (scratch.path("a"), scratch.path("b"));
    for option in ["--bwlimit", "--max-transfer", "--min-size", "--max-size", "--min-age", "--max-age"] {
        pair("copy", &a, &b, &[option, "off"]).ok();
    }
    pair("copy", &a, &b, &["--bwlimit", "0", "--max-depth", "-1"]).ok();
    pair("sync", &a, &b, &["--max-delete", "-1"]).ok();
    assert!(!b.join("extra").exists());
}

#[test]
fn a_closed_input_replaces_nothing() {
    let scratch = Scratch::new();
    let target = scratch.write("object", "old");
    let with_shell = |script: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", script, BINARY]).arg(&target).env("XDG_CONFIG_HOME", "/nonexistent");
        Run::from(shell.output().unwrap())
    };
    for script in [
        "exec \"$0\" put \"$1\" <&-",
        "exec \"$0\" tee \"$1\" \"$1.2\" <&-",
        "exec \"$0\" records convert --from ndjson --to ndjson - \"$1\" <&-",
        "exec \"$0\" copy \"$1\" \"$1.d\" --filter-from - <&-",
    ] {
        let run = with_shell(script);
        assert!(run.code.is_some_and(|code| code != 0), "{script}: {run:?}");
        run.says(&["standard input is closed"]);
        assert_eq!(fs::read(&target).unwrap(), b"old", "{script}");
    }
    assert_eq!(contents(&scratch.path("")).len(), 1);
    // Nothing on purpose is nothing.
    with_shell("exec \"$0\" put \"$1\" < /dev/null").ok();
    assert_eq!(fs::read(&target).unwrap(), b"");
    run_with(b"", command(["put"]).arg(&target)).ok();
}

#[test]
fn nothing_that_misleads_comes_out_of_names_and_rules() {
    const EVIL: &str = "a\u{1b}[31m\u{9b}31m\u{202e}gpj.exe";
    let is_clean = |text: &str| {
        assert!(!text.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    };
    let scratch = Scratch::new();
    scratch.write(&format!("a/{EVIL}"), "1");
    let (a, b) = (scratch.path("a"), scratch.path("b"));

    let run = pair("copy", &a, &b, &["--json", "-vv"]).ok();
    is_clean(run.text());
    is_clean(&run.stderr);
    assert_eq!(run.json()[0]["path"], EVIL);
    let run = crate::command::run(["ls", "--json", a.to_str().unwrap()]).ok();
    is_clean(run.text());
    assert_eq!(run.json()[0]["path"], EVIL);
    fs::remove_dir_all(&b).unwrap();
    is_clean(&pair("copy", &a, &b, &["-v"]).ok().stderr);

    let rules = scratch.write("rules", format!("- [{EVIL}"));
    let run = pair("copy", &a, &b, &["--filter-from", rules.to_str().unwrap()]);
    assert_eq!(run.code, Some(2), "{run:?}");
    is_clean(&run.says(&["rules"]).stderr);

    for text in [
        format!("[backends.\"{}\"]\nkind = 'memory'", EVIL.replace('\u{1b}', "\\u001b")),
        format!("[backends.nas]\nkind = 'memory'\n\"{}\" = 1", EVIL.replace('\u{1b}', "\\u001b")),
        format!("[backends.nas]\nkind = '{}'", EVIL.replace('\u{1b}', "")),
    ] {
        let config = scratch.write(&format!("{EVIL}.toml"), text);
        let mut command = command(["ls", "nas:"]);
        let run = Run::from(command.env("OMNISTORAGE_CONFIG", config).output().unwrap());
        assert_eq!(run.code, Some(2), "{run:?}");
        is_clean(&run.stderr);
    }
    for arguments in
        [&["ls", EVIL][..], &["ls", &format!("--{EVIL}")], &["sync", "--transfers", EVIL, "a", "b"]]
    {
        let run = crate::command::run(arguments);
        assert_ne!(run.code, Some(0));
        is_clean(&run.stderr);
    }
}

#[test]
fn skipped_links_are_told_also_when_little_is_said() {
    let scratch = Scratch::new();
    scratch.write("a/x", "1");
    for name in ["one", "two"] {
        std::os::unix::fs::symlink("x", scratch.path("a").join(name)).unwrap();
    }
    let run = pair("sync", &scratch.path("a"), &scratch.path("b"), &["-q"]).ok();
    assert_eq!(run.stderr, "skipped 2 symbolic links\n");
    let run = pair("copy", &scratch.path("a"), &scratch.path("b"), &["-q", "--exclude", "one"]).ok();
    assert_eq!(run.stderr, "skipped 1 symbolic link\n");
    assert_eq!(
        pair("copy", &scratch.path("a"), &scratch.path("b"), &["-q", "--include", "x"]).ok().stderr,
        ""
    );
}
