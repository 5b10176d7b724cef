//! A stock host, and whether it is there.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use super::shipped::target;

/// Whether the tests of hosts are left out on purpose.
pub(crate) fn is_left_out() -> bool {
    let without = env::var("OMNISTORAGE_WITHOUT").unwrap_or_default();
    without.split_whitespace().any(|left_out| left_out == "hosts")
}

/// Where `make test` put a tool.
pub(crate) fn tool(name: &str) -> PathBuf {
    let tool = target().join("tools/hosts").join(name);
    assert!(
        tool.exists(),
        "there is no {}: run `make test`, which installs it (with the network), or leave it out with \
         OMNISTORAGE_WITHOUT=hosts",
        tool.display(),
    );
    tool
}

/// Grants a directory under a name.
pub(crate) fn granted(directory: &Path, name: &str) -> [OsString; 2] {
    let mut granted = OsString::from(directory);
    granted.push("::");
    granted.push(name);
    ["--dir".into(), granted]
}

/// Sets a variable of the environment.
pub(crate) fn variable(name: &str, value: &str) -> [OsString; 2] {
    ["--env".into(), format!("{name}={value}").into()]
}

/// `wasmtime run` of a component, with what is granted, and one function invoked.
pub(crate) fn wasmtime(component: &Path, granted: &[[OsString; 2]], call: &str) -> Command {
    let mut command = Command::new(tool("wasmtime"));
    command.arg("run").args(granted.as_flattened()).args(["--invoke", call]).arg(component);
    command
}

/// What an invoked function returned, as wasmtime writes it.
pub(crate) fn returned(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap().trim_end().to_owned()
}
