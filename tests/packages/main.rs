//! What is installed without a compiler: the wheel, the Debian package and the tarball, each of them made of the binary that is
//! built already, and put into an empty directory.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails loudly, its helpers too")]

mod archives;
mod wheel;

use std::{
    env,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const BINARY: &str = env!("CARGO_BIN_EXE_omnistorage");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Whether it is left out on purpose.
fn is_left_out(what: &str) -> bool {
    env::var("OMNISTORAGE_WITHOUT").unwrap_or_default().split_whitespace().any(|left_out| left_out == what)
}

/// Runs a program to its good end, with nothing of this one's surroundings, and returns what it prints.
fn run(program: impl AsRef<Path>, arguments: &[&str], directory: &Path) -> String {
    let mut command = Command::new(program.as_ref());
    command.args(arguments).current_dir(directory).env("XDG_CONFIG_HOME", "/nonexistent");
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("DPKG_DEB_OPTIONS", "-Znone");
    let done = command.output().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {}{said}", String::from_utf8_lossy(&done.stdout));
    String::from_utf8(done.stdout).unwrap()
}

/// Whether a command, started for the first time by a user, compiles its component, which it would keep for the next time.
fn compiles(prefix: &Path, caches: &Path) -> bool {
    fs::create_dir(caches).unwrap();
    let mut command = Command::new(prefix.join("bin/omnistorage"));
    command.args(["ls", "."]).current_dir(prefix).env("XDG_CACHE_HOME", caches);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    fs::read_dir(caches).unwrap().next().is_some()
}

/// An installed command brings its component compiled, and takes it where nobody else could have put it.
fn assert_starts_at_once(prefix: &Path, scratch: &Path) {
    assert!(!compiles(prefix, &scratch.join("caches")));
    let shipped = prefix.join("lib/omnistorage");
    fs::set_permissions(&shipped, Permissions::from_mode(0o777)).unwrap();
    assert!(compiles(prefix, &scratch.join("caches of others")));
    fs::remove_dir_all(&shipped).unwrap();
    assert!(compiles(prefix, &scratch.join("caches without it")));
    assert!(!shipped.exists(), "it is looked for, not made");
}

/// An empty directory, and what is packed: the binary without what is for debuggers, and the licences of others.
struct Parts {
    scratch: TempDir,
    binary: String,
    third_party: String,
}

impl Parts {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
        let (binary, third_party) = (path("stripped"), path("THIRD-PARTY.txt"));
        run("strip", &["-o", &binary, BINARY], scratch.path());
        run("python3", &[".cargo/notices.py", &third_party], Path::new(REPOSITORY));
        Self { scratch, binary, third_party }
    }

    fn directory(&self, name: &str) -> PathBuf {
        let directory = self.scratch.path().join(name);
        fs::create_dir_all(&directory).unwrap();
        directory
    }
}
