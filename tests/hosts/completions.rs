//! Bodies between an application, the library and storage that is a component as well: no completion comes home, on
//! whichever way.

use std::process::{Command, Output};

use crate::composed::{composed, tool};

/// The ways between two backends, the same one twice if they are equal.
fn run(backends: [&str; 2], more: &[&str]) -> Option<Output> {
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new(tool("wasmtime")?);
    command.arg("run");
    for name in ["one", "two"] {
        let directory = scratch.path().join(name);
        std::fs::create_dir(&directory).unwrap();
        command.arg("--dir").arg(format!("{}::/{name}", directory.display()));
    }
    command.arg(composed("omnistorage-test-application")).args(backends).args(more);
    Some(command.output().unwrap())
}

#[test]
fn every_way_is_gone_within_a_backend_and_between_two() {
    for backends in [["one", "two"], ["one", "one"]] {
        let Some(done) = run(backends, &[]) else { return };
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && said == "37 ways, all whole\n", "{backends:?}: {said}{done:?}");
    }
}

/// Else the test above would show nothing.
#[test]
fn an_application_that_does_not_relay_traps() {
    let Some(done) = run(["one", "two"], &["unrelayed"]) else { return };
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && said.contains("intra-component future"), "{done:?}");
}
