//! Where the system gives little: a sentence, or the work done, and never a panic.

use std::{
    ffi::OsString,
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::{Command, Stdio},
};

use crate::command::{BINARY, Run};

/// Lists a directory with an object, under a limit as `prlimit` takes it.
fn list_under(limit: String) -> Run {
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(place.path().join("x"), "here").unwrap();
    let mut command = Command::new("prlimit");
    command
        .args([OsString::from(limit), BINARY.into(), "ls".into(), place.path().into()])
        .env_clear()
        .stdin(Stdio::null());
    if rustix::process::geteuid().is_root() {
        // Somebody who is held to limits.
        command.uid(54321);
    }
    command.output().unwrap().into()
}

#[test]
fn few_threads_are_no_panic() {
    for threads in 1..=4 {
        let run = list_under(format!("--nproc={threads}"));
        match run.code {
            Some(0) => assert_eq!(run.stdout, b"x\n", "{threads}"),
            _ => drop(run.fails(1, &["thread", "`ulimit -u`"])),
        }
    }
    list_under("--nproc=100".to_owned()).ok();
}

#[test]
fn little_address_space_is_enough_and_too_little_is_told() {
    for mebibytes in [1024, 3000] {
        let run = list_under(format!("--as={}", mebibytes << 20)).ok();
        assert_eq!(run.stdout, b"x\n");
    }
    list_under(format!("--as={}", 400 << 20)).fails(1, &["`ulimit -v`"]);
}
