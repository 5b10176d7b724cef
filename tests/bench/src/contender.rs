//! Who runs, and with which commands.

use std::{ffi::OsStr, fmt, path::Path, process::Command};

use clap::ValueEnum;

use crate::Options;

/// A program that does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contender {
    /// The command line of this workspace, as it is by default.
    Omnistorage,
    /// rclone with its default of four transfers and no configuration file.
    Rclone,
    /// GNU `cp -a`: one thread, no temporary file, no comparison of content.
    Cp,
    /// [`crate::floor`], in a process of its own.
    Floor,
    /// The file backend without the component; see [`crate::layers`].
    Backend,
    /// The component without the command line; see [`crate::layers`].
    Component,
    /// The command line as a component, in a wasmtime that was not made here.
    Composed,
}

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Into an empty directory.
    Sync,
    /// The same command again: list, compare, and nothing to do.
    Again,
    /// Compare the content of both sides.
    Check,
}

impl Contender {
    /// The command for a work, if there is one: `cp` has no check, and the layers only copy.
    pub(crate) fn command(
        self,
        work: Work,
        source: &Path,
        destination: &Path,
        options: &Options,
    ) -> Option<Command> {
        let program = match self {
            Self::Omnistorage => options.omnistorage.as_os_str(),
            Self::Rclone => options.rclone.as_os_str(),
            Self::Cp => OsStr::new("cp"),
            Self::Floor | Self::Backend | Self::Component => options.this.as_os_str(),
            Self::Composed => return composed(work, source, destination, options),
        };
        let mut command = Command::new(program);
        match (self, work) {
            (Self::Omnistorage, Work::Sync | Work::Again) => command.arg("sync"),
            (Self::Omnistorage, Work::Check) => command.arg("check"),
            (Self::Rclone, Work::Sync | Work::Again) => command.args(["sync", "--transfers", "4"]),
            (Self::Rclone, Work::Check) => command.arg("check"),
            (Self::Cp, Work::Sync) => command.args(["-a", "-T"]),
            (Self::Cp, Work::Again) => command.args(["-a", "-T", "--update"]),
            (Self::Cp, Work::Check) => return None,
            (Self::Floor, Work::Sync | Work::Again) => command.arg("floor-sync"),
            (Self::Floor, Work::Check) => command.arg("floor-check"),
            (Self::Backend, Work::Sync) => command.arg("backend-copy"),
            (Self::Component, Work::Sync) => command.arg("component-sync"),
            (Self::Backend | Self::Component, Work::Again | Work::Check) | (Self::Composed, _) => {
                return None;
            }
        };
        command.arg(source).arg(destination).env("RCLONE_CONFIG", "/dev/null");
        Some(command)
    }

    /// The command that says which version it is; some are this program.
    pub(crate) fn version(self, options: &Options) -> Option<Command> {
        let (program, argument) = match self {
            Self::Omnistorage => (options.omnistorage.as_os_str(), "--version"),
            Self::Rclone => (options.rclone.as_os_str(), "version"),
            Self::Cp => (OsStr::new("cp"), "--version"),
            Self::Composed => (options.composed.as_ref()?.0.as_os_str(), "--version"),
            Self::Floor | Self::Backend | Self::Component => return None,
        };
        let mut command = Command::new(program);
        command.arg(argument).env("RCLONE_CONFIG", "/dev/null");
        Some(command)
    }
}

/// The command line in a component, which is granted the two places and nothing else.
fn composed(work: Work, source: &Path, destination: &Path, options: &Options) -> Option<Command> {
    let (wasmtime, component) = options.composed.as_ref()?;
    let grant = |path: &Path, name: &str| {
        let mut grant = path.as_os_str().to_owned();
        grant.push("::");
        grant.push(name);
        grant
    };
    let mut command = Command::new(wasmtime);
    command.args(["run", "--allow-precompiled", "-W", "component-model-async=y", "-S", "p3=y"]);
    command.arg("--dir").arg(grant(source, "source"));
    command.arg("--dir").arg(grant(destination.parent()?, "destinations"));
    command.arg(component).arg(if work == Work::Check { "check" } else { "sync" });
    command.arg("source").arg(Path::new("destinations").join(destination.file_name()?));
    Some(command)
}

impl fmt::Display for Contender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Omnistorage => "omnistorage",
            Self::Rclone => "rclone",
            Self::Cp => "cp -a",
            Self::Floor => "floor",
            Self::Backend => "file backend",
            Self::Component => "component",
            Self::Composed => "composed",
        })
    }
}

impl fmt::Display for Work {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sync => "sync",
            Self::Again => "again, nothing to do",
            Self::Check => "check",
        })
    }
}
