//! Readers that leave early: `omnistorage ... | head -1`.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    command::{Run, command},
    tree::{Scratch, assert_equal, contents},
};

/// Runs it with a reader that takes one line and leaves.
fn head(command: &mut Command) -> Run {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut run = Run::from(child.wait_with_output().unwrap());
    run.stdout = line.into_bytes();
    run
}

fn pair(name: &str, source: &Path, target: &Path, options: &[&str]) -> Command {
    let mut command = command([name]);
    command.arg(source).arg(target).args(options);
    command
}

/// More than the buffer of a pipe holds, as events.
fn many(scratch: &Scratch) -> std::path::PathBuf {
    for number in 0..1500 {
        scratch.write(&format!("source/{:02}/{number:0100}", number % 20), number.to_string());
    }
    scratch.path("source")
}

#[test]
fn a_run_goes_on_to_its_end_without_a_reader() {
    let scratch = Scratch::new();
    let source = many(&scratch);
    for name in ["sync", "copy"] {
        let target = scratch.path(name);
        let run = head(&mut pair(name, &source, &target, &["--json"])).ok();
        assert_eq!(run.json()[0]["event"], "transferred");
        assert_equal(&source, &target);
    }
    let (one, other) = (scratch.path("one"), scratch.path("other"));
    fs::create_dir(&other).unwrap();
    crate::command::pair("copy", &source, &one, &[]).ok();
    let state = scratch.path("state");
    let bisync = ["--resync", "--json", "--state", state.to_str().unwrap()];
    head(&mut pair("bisync", &one, &other, &bisync)).ok();
    assert_equal(&one, &other);

    let before = contents(&source);
    let moved = scratch.path("moved");
    head(&mut pair("move", &source, &moved, &["--json"])).ok();
    assert_eq!((contents(&moved), contents(&source).len()), (before, 0));
}

#[test]
fn the_exit_code_is_the_true_one_without_a_reader() {
    let scratch = Scratch::new();
    let (source, target) = (many(&scratch), scratch.path("target"));
    fs::create_dir(&target).unwrap();
    for options in [&["--json"][..], &["--combined", "-", "-q"]] {
        let run = head(&mut pair("check", &source, &target, options));
        assert_eq!(run.code, Some(1), "{run:?}");
    }
    // The last object of all cannot be put in its place.
    scratch.write("source/zz", "an object");
    scratch.write("target/zz/below", "a directory");
    let run = head(&mut pair("copy", &source, &target, &["--json"]));
    assert_eq!(run.code, Some(6), "{run:?}");
    assert_eq!(contents(&target).len(), 1501);
}

#[test]
fn tee_tells_what_failed_without_a_reader() {
    let scratch = Scratch::new();
    scratch.write("file", "1");
    let mut tee = command(["tee", "--json"]);
    tee.args([scratch.path("written"), scratch.path("file/below")]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = Run::from(tee.stdout(writer).output().unwrap());
    assert_eq!(run.code, Some(6), "{run:?}");
}

/// What is there for its output alone ends with its reader, quietly.
#[test]
fn a_listing_ends_with_its_reader() {
    let scratch = Scratch::new();
    let source = many(&scratch);
    let large = scratch.write("large", vec![b'\n'; 1 << 20]);
    for (name, options) in [("ls", &["-r"][..]), ("ls", &["-r", "--json"]), ("hash", &["md5"])] {
        let mut command = command([name]);
        let run = head(command.args(options).arg(&source)).ok();
        assert_eq!(run.stderr, "", "{name}");
    }
    assert_eq!(head(command(["cat"]).arg(large)).ok().stderr, "");
}
