//! `tee`, and `cat` with replicas.

use std::{fs, path::PathBuf, process::Stdio, time::Duration};

use crate::{
    command::{Run, assert_golden, command, run, run_with},
    tree::{Scratch, bytes, debris},
};

fn tee(input: &[u8], options: &[&str], targets: &[&PathBuf]) -> Run {
    run_with(input, command(["tee"]).args(options).args(targets))
}

/// A file stands where a directory would have to be.
fn impossible(scratch: &Scratch) -> PathBuf {
    scratch.write("file", "1").join("below")
}

#[test]
fn every_target_gets_the_input() {
    let scratch = Scratch::new();
    let (one, two) = (scratch.path("a/one"), scratch.path("b/c/two"));
    let input = bytes(5, 3 << 20);
    let quiet = tee(&input, &[], &[&one, &two]).ok();
    assert_eq!((quiet.text(), quiet.stderr.as_str()), ("", ""));
    assert!(fs::read(&one).unwrap() == input && fs::read(&two).unwrap() == input);

    tee(b"", &["--mode", "quorum"], &[&one]).ok();
    assert_eq!(fs::read(&one).unwrap(), b"");

    let packed = scratch.path("packed.gz");
    tee(&input, &["--compress", "gzip:1", "--content-type", "a/b"], &[&packed, &one]).ok();
    assert_eq!(fs::read(&packed).unwrap(), fs::read(&one).unwrap());
    assert!(run_with(b"", command(["cat", "--decompress"]).arg(&packed)).ok().stdout == input);
    assert!(run_with(b"", command(["stat"]).arg(&one)).ok().text().contains("a/b"));
}

#[test]
fn in_mode_all_one_failure_leaves_everything_as_it_was() {
    let scratch = Scratch::new();
    let (old, new, wrong) = (scratch.write("old", "old"), scratch.path("d/new"), impossible(&scratch));
    // More than is on its way to a target at once, so that the failure shows before the end.
    let run = tee(&bytes(7, 8 << 20), &[], &[&old, &wrong, &new]);
    assert_eq!(run.code, Some(6), "{run:?}");
    let lines: Vec<_> = run.stderr.lines().collect();
    assert!(lines[0].starts_with(&format!("error: `{}`: ", wrong.display())), "{lines:?}");
    assert_eq!(lines[1..], ["error: 1 of 3 targets failed: nothing was written"]);
    assert_eq!(fs::read(&old).unwrap(), b"old");
    assert!(!scratch.path("d").exists());
    assert_eq!(debris(&scratch.path("")).len(), 0);
}

#[test]
fn the_other_modes_do_with_fewer() {
    let scratch = Scratch::new();
    let (one, two, wrong) = (scratch.path("one"), scratch.path("two"), impossible(&scratch));
    let run = tee(b"1", &["--mode", "best-effort"], &[&wrong, &one]).ok();
    assert!(run.stderr.contains("file/below`"), "{}", run.stderr);
    assert_eq!(fs::read(&one).unwrap(), b"1");

    tee(b"2", &["--mode", "quorum"], &[&wrong, &one, &two]).ok();
    assert_eq!((fs::read(&one).unwrap(), fs::read(&two).unwrap()), (b"2".into(), b"2".into()));
    let run = tee(b"3", &["--mode", "quorum"], &[&wrong, &one]);
    assert_eq!(run.code, Some(6), "{run:?}");
    assert_eq!(fs::read(&one).unwrap(), b"2");

    let run = tee(b"4", &["--mode", "best-effort"], &[&wrong]);
    assert_eq!(run.code, Some(6), "{run:?}");
}

#[test]
fn events_tell_what_became_of_each_target() {
    let scratch = Scratch::new();
    scratch.write("file", "1");
    let json = |mode: &str, input: &[u8]| {
        let mut tee = command(["tee", "--json", "--mode", mode, "one", "file/below", "two"]);
        run_with(input, tee.current_dir(scratch.path("")))
    };
    assert_golden("tee.jsonl", &json("best-effort", b"12345").ok());
    // More than is on its way to a target at once, so that the failure shows before the end.
    let failed = json("all", &bytes(7, 8 << 20));
    assert_eq!(failed.code, Some(6));
    assert_golden("tee-failed.jsonl", &failed);
}

#[test]
fn a_target_is_given_once() {
    let scratch = Scratch::new();
    let old = scratch.write("d/old", "old");
    std::os::unix::fs::symlink("d", scratch.path("link")).unwrap();
    for other in ["d/old", "d/../d/old", "link/old"] {
        tee(b"x", &[], &[&old, &scratch.path(other)]).fails(2, &["d/old`", "the same place"]);
    }
    run_with(b"x", &mut command(["tee", "memory:x", "memory:x"])).fails(2, &["memory:x`", "twice"]);
    run_with(b"x", command(["tee"]).arg(&old).arg("directory/")).fails(2, &["directory/`"]);
    assert_eq!(run(["tee"]).code, Some(2));
    assert_eq!(fs::read(&old).unwrap(), b"old");
}

#[test]
fn a_failure_does_not_wait_for_the_input() {
    let scratch = Scratch::new();
    let mut tee = command(["tee"]);
    let child = tee.arg(scratch.path("one")).arg(impossible(&scratch)).stdin(Stdio::piped());
    let mut child = child.stderr(Stdio::null()).spawn().unwrap();
    let stdin = child.stdin.take();
    for _ in 0..1000 {
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(6));
            assert!(!scratch.path("one").exists());
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    drop(stdin);
    panic!("it waits for an input that does not come");
}

#[test]
fn a_replica_goes_on_where_one_is_missing() {
    let scratch = Scratch::new();
    let contents = bytes(9, 1 << 20);
    let good = scratch.write("good", &contents);
    let cat = |replica: &str| {
        run_with(b"", command(["cat", "--replica"]).arg(scratch.path(replica)).arg(scratch.path("missing")))
    };
    assert!(cat("good").ok().stdout == contents);
    cat("missing too").fails(4, &["missing`"]);
    run_with(b"", command(["cat", "--replica"]).args([&good, &good])).fails(2, &["the same place"]);
}
