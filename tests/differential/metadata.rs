//! `--metadata` and `--links` beside rclone: either restores what the other stored, from files to files and through a
//! store.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use omnistorage_test_servers::{ACCESS_KEY, BUCKET, SECRET_KEY, moto};

use crate::{contenders::Contender, tree::Scratch};

/// What is kept of a file.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    mode: u32,
    owner: (u32, u32),
    accessed: (i64, i64),
    modified: (i64, i64),
    colour: Option<Vec<u8>>,
}

fn kept(file: &Path) -> Kept {
    let stat = fs::metadata(file).unwrap();
    let mut colour = [0; 64];
    Kept {
        mode: stat.mode(),
        owner: (stat.uid(), stat.gid()),
        accessed: (stat.atime(), stat.atime_nsec()),
        modified: (stat.mtime(), stat.mtime_nsec()),
        colour: rustix::fs::getxattr(file, "user.colour", &mut colour)
            .ok()
            .map(|length| colour[..length].to_vec()),
    }
}

/// Files with odd modes and times, and with owners and attributes where that is allowed.
fn files(scratch: &Scratch) -> Vec<(&'static str, Kept)> {
    // Later than any change of the file, so that reading it leaves it: see `relatime` in mount(8).
    let accessed = SystemTime::now() + Duration::from_secs(3600);
    let made = [("script", 0o750), ("secret", 0o600), ("d/shared", 0o664)].map(|(name, mode)| {
        let path = scratch.write(&format!("source/{name}"), name);
        let _ = rustix::fs::setxattr(&path, "user.colour", b"green", rustix::fs::XattrFlags::empty());
        let _ = std::os::unix::fs::chown(&path, Some(1234), Some(4321));
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 7);
        let times = fs::FileTimes::new().set_accessed(accessed).set_modified(modified);
        fs::File::open(&path).unwrap().set_times(times).unwrap();
        (name, kept(&path))
    });
    made.into()
}

fn holds(target: &Path, files: &[(&str, Kept)]) {
    for (name, expected) in files {
        // The time of access is read first: to look at the attributes may change it.
        assert_eq!(kept(&target.join(name)), *expected, "{name}");
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn files_keep_what_rclone_keeps() {
    for contender in [Contender::Rclone, Contender::Ours] {
        let scratch = Scratch::new();
        let files = files(&scratch);
        let mut command = contender.command("copy");
        run(command.arg("--metadata").arg(scratch.path("source")).arg(scratch.path("target")));
        holds(&scratch.path("target"), &files);
    }
}

#[test]
fn either_restores_what_the_other_stored() {
    let server = moto();
    for (stores, restores) in [
        (Contender::Ours, Contender::Ours),
        (Contender::Ours, Contender::Rclone),
        (Contender::Rclone, Contender::Ours),
    ] {
        let scratch = Scratch::new();
        let files = files(&scratch);
        let prefix = format!("metadata-{stores:?}-{restores:?}");
        let remote = |contender: Contender| match contender {
            Contender::Rclone => format!(":s3:{BUCKET}/{prefix}"),
            Contender::Ours => format!("env:{prefix}"),
        };
        let command = |contender: Contender| {
            let mut command = contender.command("copy");
            command.arg("--metadata");
            match contender {
                Contender::Rclone => {
                    command.args(["--s3-provider", "Other", "--s3-region", "us-east-1"]);
                    command.args(["--s3-endpoint", &server.endpoint, "--s3-access-key-id", ACCESS_KEY]);
                    command.args(["--s3-secret-access-key", SECRET_KEY]);
                }
                Contender::Ours => {
                    command.env("STORAGE_BACKEND", "s3");
                    for (setting, value) in [
                        ("BUCKET", BUCKET),
                        ("ENDPOINT", &server.endpoint),
                        ("ACCESS_KEY_ID", ACCESS_KEY),
                        ("SECRET_ACCESS_KEY", SECRET_KEY),
                    ] {
                        command.env(format!("OMNISTORAGE_S3_{setting}"), value);
                    }
                }
            }
            command
        };
        run(command(stores).arg(scratch.path("source")).arg(remote(stores)));
        run(command(restores).arg(remote(restores)).arg(scratch.path("target")));
        holds(&scratch.path("target"), &files);
    }
}

#[test]
fn links_are_called_as_rclone_calls_them() {
    let names = |directory: &Path| {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<_> =
            entries.map(|path| (path.file_name().unwrap().to_owned(), fs::read_link(&path).ok())).collect();
        names.sort();
        names
    };
    let trees = [Contender::Rclone, Contender::Ours].map(|contender| {
        let scratch = Scratch::new();
        scratch.write("source/file", "x");
        std::os::unix::fs::symlink("file", scratch.path("source/link")).unwrap();
        std::os::unix::fs::symlink("/nowhere", scratch.path("source/out")).unwrap();
        let mut command = contender.command("sync");
        run(command.arg("--links").arg(scratch.path("source")).arg(scratch.path("target")));
        names(&scratch.path("target"))
    });
    assert_eq!(trees[0], trees[1]);
}
