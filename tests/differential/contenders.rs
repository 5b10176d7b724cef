//! The two that are compared, as processes.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

use crate::tree::Scratch;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    Rclone,
    Ours,
}

/// rclone, of the version that the Makefile names.
static RCLONE: LazyLock<PathBuf> = LazyLock::new(|| {
    let installed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tools/python/bin/rclone");
    let rclone = std::env::var_os("OMNISTORAGE_RCLONE").map_or(installed, PathBuf::from);
    assert!(
        rclone.exists(),
        "there is no rclone at {}: run `make test`, which installs it, or set OMNISTORAGE_RCLONE",
        rclone.display()
    );
    rclone
});

impl Contender {
    /// Its command line, with nothing of the user's own configuration. Both take dates as UTC.
    pub(crate) fn command(self, name: &str) -> Command {
        let mut command = match self {
            Self::Rclone => {
                let mut command = Command::new(&*RCLONE);
                // Once, and at once: what fails fails again.
                command.args(["--config", "/dev/null", "--retries", "1", "--low-level-retries", "1"]);
                command
            }
            Self::Ours => Command::new(env!("CARGO_BIN_EXE_omnistorage")),
        };
        command.arg(name).env("XDG_CONFIG_HOME", "/nonexistent").env("TZ", "UTC");
        command
    }

    /// Whether it takes a pattern.
    pub(crate) fn understands(self, pattern: &str) -> bool {
        let scratch = Scratch::new();
        scratch.write("source/x", "1");
        let mut command = self.command("copy");
        command.arg(scratch.path("source")).arg(scratch.path("target"));
        command.arg("--filter").arg(format!("- {pattern}")).output().unwrap().status.success()
    }
}

/// What a person would want to read of a run that went wrong.
pub(crate) fn messages(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
