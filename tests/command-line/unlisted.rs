//! Trees in which a part cannot be listed: the rest is done, and the part is told of.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, path::Path, process::Command};

use omnistorage_test_servers::gcs::Gcs;

use crate::{
    command::{BINARY, Run, command, pair, run, run_with},
    tree::{Scratch, contents},
};

/// A tree with a name that is not UTF-8, and what else is in it.
fn odd_tree(scratch: &Scratch) -> std::path::PathBuf {
    scratch.write("source/a", "1");
    scratch.write("source/sub/ok", "2");
    fs::write(scratch.path("source/sub").join(OsStr::from_bytes(b"caf\xe9")), "3").unwrap();
    scratch.path("source")
}

fn files(root: &Path) -> Vec<String> {
    contents(root).into_keys().map(|path| path.display().to_string()).collect()
}

#[test]
fn a_name_that_is_no_path_stops_nothing_else() {
    let scratch = Scratch::new();
    let (source, target) = (odd_tree(&scratch), scratch.path("target"));
    scratch.write("target/extra", "4");
    let words: &[&str] = &["source/sub", r"sub/caf\xe9`", "not UTF-8", "rename or exclude it"];
    for (name, options) in [("copy", &["-q"][..]), ("sync", &["-q"]), ("sync", &["-q", "--delete-before"])] {
        pair(name, &source, &target, options).fails(6, words);
        assert_eq!(files(&target), ["a", "extra", "sub/ok"], "{name}");
    }
    let summary = pair("sync", &source, &target, &["--json"]).summary();
    assert_eq!((&summary["errors"], &summary["deletes_withheld"]), (&1.into(), &1.into()), "{summary}");
    // Filters decide first.
    for exclude in ["caf*", "caf?", "/sub/caf*", "sub/**"] {
        pair("copy", &source, &target, &["--exclude", exclude]).ok();
    }
    pair("check", &source, &target, &["-q", "--one-way"]).fails(6, words);
    pair("sync", &source, &target, &["--exclude", "caf*"]).ok();
    assert_eq!(files(&target), ["a", "sub/ok"]);
    pair("check", &source, &target, &["--exclude", "caf*"]).ok();
}

#[test]
fn a_name_that_is_no_path_is_listed_and_marked() {
    let scratch = Scratch::new();
    let source = odd_tree(&scratch);
    let at = source.to_str().unwrap();
    let listed = run(["ls", "-r", at]).fails(6, &[r"sub/caf\xe9`"]);
    assert_eq!(listed.lines(), ["a", "! sub/caf\u{fffd}", "sub/ok"]);
    let listed = run(["ls", "--json", source.join("sub").to_str().unwrap()]);
    assert_eq!((listed.code, &*listed.stderr), (Some(6), ""));
    let json = listed.json();
    let [odd, ok] = &json[..] else { panic!("{listed:?}") };
    assert_eq!((&odd["path"], &odd["unlisted"]), (&"caf\u{fffd}".into(), &"name".into()));
    assert_eq!(odd["error"]["code"], "invalid-path");
    assert_eq!((&ok["path"], &ok["kind"]), (&"ok".into(), &"object".into()));
    let hashed = run(["hash", "crc32c", at]).fails(6, &[r"sub/caf\xe9`"]);
    assert_eq!(hashed.lines().len(), 2);
}

/// Runs as a user to whom directories can be closed, if there is a way.
#[expect(clippy::print_stderr, reason = "what is not run is told")]
fn as_user(arguments: &[&OsStr]) -> Option<Run> {
    let user = |command: &str| {
        let told = Command::new("id").arg(command).output().expect("the system tells the user");
        String::from_utf8_lossy(&told.stdout).trim() == "0"
    };
    let mut command = if user("-u") {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", BINARY]);
        command
    } else {
        Command::new(BINARY)
    };
    match command.args(arguments).output() {
        Ok(output) => Some(output.into()),
        Err(error) => {
            eprintln!("not run: to root no directory is closed, and setpriv says: {error}");
            None
        }
    }
}

#[test]
fn a_closed_directory_stops_nothing_else() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    for at in ["source/a", "source/secret/x", "source/z/z", "target/secret/x", "target/old"] {
        scratch.write(at, at);
    }
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&scratch.path(""), 0o777);
    mode(&target, 0o777);
    mode(&source, 0o755);
    mode(&source.join("secret"), 0o000);
    let sync = as_user(&["sync".as_ref(), source.as_ref(), target.as_ref()]);
    let excluded = as_user(&[
        "copy".as_ref(),
        source.as_ref(),
        target.as_ref(),
        "--exclude".as_ref(),
        "secret/**".as_ref(),
    ]);
    let listed = as_user(&["ls".as_ref(), "-r".as_ref(), source.as_ref()]);
    mode(&source.join("secret"), 0o755);
    let (Some(sync), Some(excluded), Some(listed)) = (sync, excluded, listed) else { return };
    assert_eq!(sync.code, Some(6), "{sync:?}");
    assert!(sync.stderr.contains("source/secret") && sync.stderr.contains("denies access"), "{sync:?}");
    assert_eq!(files(&target), ["a", "old", "secret/x", "z/z"]);
    excluded.ok();
    assert_eq!((listed.code, listed.lines()), (Some(6), vec!["a", "! secret", "z/z"]));
}

#[test]
fn keys_that_are_no_paths_stop_nothing_and_lead_nowhere() {
    let store = Gcs::start();
    for key in ["a//b", "/x", "x/../../y", "./x", "n\0", "dir/", "dir/ok", "ok", "zlast"] {
        store.put(key, b"x", &serde_json::json!({}));
    }
    let gcs = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("STORAGE_EMULATOR_HOST", &store.endpoint);
        run_with(b"", &mut command)
    };
    let bucket = format!("gs://{}", omnistorage_test_servers::BUCKET);
    let scratch = Scratch::new();
    let down = scratch.path("outer/down");
    let down = down.to_str().unwrap();
    let summary = gcs(&["copy", &bucket, down, "--json"]).summary();
    assert_eq!((&summary["errors"], &summary["transferred"]), (&6.into(), &3.into()), "{summary}");
    assert_eq!(files(&scratch.path("")), ["outer/down/dir/ok", "outer/down/ok", "outer/down/zlast"]);
    let copied = gcs(&["copy", &bucket, down]);
    assert_eq!(copied.code, Some(6));
    for name in ["`a//b`", "`/x`", "`x/../../y`", "`./x`", r"`n\0`", "`dir/`"] {
        assert!(copied.stderr.contains(name), "{name}: {}", copied.stderr);
    }
    gcs(&["copy", &bucket, down, "--include", "/ok"]).ok();
    // Up, beside what is there; nothing of it is deleted.
    scratch.write("up/new", "new");
    let summary = gcs(&["sync", scratch.path("up").to_str().unwrap(), &bucket, "--json"]).summary();
    let counted = ["transferred", "errors", "deletes_withheld"].map(|count| summary[count].as_u64().unwrap());
    assert_eq!(counted, [1, 6, 3], "{summary}");
    let listed = gcs(&["ls", "-r", &bucket]);
    assert_eq!(listed.code, Some(6));
    let marked =
        ["! ./x", "! /x", "! a//b", "! dir/", "dir/ok", "! n\0", "new", "ok", "! x/../../y", "zlast"];
    assert_eq!(listed.lines(), marked);
}
