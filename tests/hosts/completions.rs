//! Bodies between an application, the library and storage that is a component as well: no completion comes home, on
//! whichever way.

use std::process::{Command, Output};

use crate::{
    shipped::{DETOURS, plugged},
    stock::{granted, is_left_out, tool, variable},
};

const BODIES: &str = "omnistorage-hosts-bodies";

/// The ways between two backends, the same one twice if they are equal.
fn run(library: &str, backends: [&str; 2], more: &[&str]) -> Output {
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new(tool("wasmtime"));
    command.arg("run");
    for name in ["one", "two"] {
        let directory = scratch.path().join(name);
        std::fs::create_dir(&directory).unwrap();
        command.args(granted(&directory, name));
    }
    // In memory there is one backend, unless others are described.
    command
        .args(variable("OMNISTORAGE_FIRST_KIND", "memory"))
        .args(variable("OMNISTORAGE_SECOND_KIND", "memory"));
    command.arg(plugged(BODIES, library)).args(backends).args(more);
    command.output().unwrap()
}

#[test]
fn every_way_is_gone_within_a_backend_and_between_two() {
    if is_left_out() {
        return;
    }
    for (library, backends) in [
        ("omnistorage-files", ["one", "two"]),
        ("omnistorage-files", ["one", "one"]),
        ("omnistorage-memory", ["first", "second"]),
        ("omnistorage-memory", ["first", "first"]),
        // The provider copies nothing: every body goes through the library, from one backend to the other.
        (DETOURS, ["one", "two"]),
        (DETOURS, ["one", "memory"]),
        (DETOURS, ["first", "second"]),
        (DETOURS, ["two", "two"]),
    ] {
        let done = run(library, backends, &[]);
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(
            done.status.success() && said == "37 ways, all whole\n",
            "{library} {backends:?}: {said}{done:?}"
        );
    }
}

/// Else the test above would show nothing.
#[test]
fn an_application_that_does_not_relay_traps() {
    if is_left_out() {
        return;
    }
    let done = run("omnistorage-files", ["one", "two"], &["unrelayed"]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && said.contains("intra-component future"), "{done:?}");
}
