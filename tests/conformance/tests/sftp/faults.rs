//! Connections that are cut, servers that are killed, and those that let nobody in.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::StreamExt;
use omnistorage::{
    Backend, Config, Error, ErrorCode, Path, SftpBackend,
    backend::{ListOptions, ReadOptions, WriteOptions},
};
use omnistorage_test_servers::sftp::{Wire, openssh, start_openssh};

const LARGE: usize = 8 << 20;

fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

fn contents(len: usize) -> Bytes {
    (0..len).map(|at| (at / 251 % 256) as u8 ^ (at % 241) as u8).collect()
}

/// A backend behind a wire that can be cut, and its directory.
fn behind_a_wire() -> Option<(SftpBackend, Wire, PathBuf)> {
    let server = openssh()?;
    let wire = Wire::before(server.port);
    let (config, directory) = server.config_and_directory();
    let backend = SftpBackend::from_config(config.with("port", wire.port.to_string())).unwrap();
    Some((backend, wire, directory))
}

fn names(directory: &std::path::Path) -> Vec<String> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// What a program that stands for ssh makes of a call.
async fn with_program(text: &str, config: Config) -> Error {
    let scratch = tempfile::tempdir().unwrap();
    let program = scratch.path().join("ssh");
    fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let config = config.with("host", "nas.example").with("ssh", program.to_str().unwrap());
    let backend = SftpBackend::from_config(config).unwrap();
    backend.stat(&path("a")).await.unwrap_err()
}

#[tokio::test]
async fn a_read_that_is_cut_fails_and_the_next_one_is_whole() {
    let Some((backend, wire, directory)) = behind_a_wire() else { return };
    let whole = contents(LARGE);
    fs::write(directory.join("large"), &whole).unwrap();
    for cut in [0, 100_000, 3 << 20] {
        backend.stat(&path("large")).await.unwrap();
        wire.cut_answers_after(cut);
        let read = backend.read_all(&path("large"), &ReadOptions::default(), LARGE).await;
        let error = read.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable, "{error}");
        assert!(error.message().contains("was lost"), "{error}");
        wire.mend();
        let read = backend.read_all(&path("large"), &ReadOptions::default(), LARGE).await.unwrap();
        assert!(read == whole);
    }
}

#[tokio::test]
async fn a_write_that_is_cut_leaves_the_old_object() {
    let Some((backend, wire, directory)) = behind_a_wire() else { return };
    let options = WriteOptions::default();
    backend.write_all(&path("object"), "old".into(), &options).await.unwrap();
    for cut in [0, 1_000, 100_000, 3 << 20, 7 << 20] {
        wire.cut_requests_after(cut);
        let error = backend.write_all(&path("object"), contents(LARGE), &options).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable, "{error}");
        wire.mend();
        let read = backend.read_all(&path("object"), &ReadOptions::default(), 9).await.unwrap();
        assert_eq!(read, "old", "cut after {cut}");
    }
    backend.sweep(&Path::root(), Duration::ZERO).await.unwrap();
    assert_eq!(names(&directory), ["object"]);
    backend.write_all(&path("object"), contents(LARGE), &options).await.unwrap();
    assert!(fs::read(directory.join("object")).unwrap() == contents(LARGE));
}

/// What can still be reached is cleaned up, over a new connection.
#[tokio::test]
async fn a_write_that_is_cut_is_cleaned_up() {
    let Some((backend, wire, directory)) = behind_a_wire() else { return };
    let mut upload = backend.write(&path("new/object"), &WriteOptions::default()).await.unwrap();
    upload.push(contents(1 << 20)).await.unwrap();
    wire.cut_requests_after(0);
    assert!(upload.push(contents(LARGE)).await.is_err());
    wire.mend();
    upload.abort().await;
    assert_eq!(names(&directory), [""; 0]);
}

#[tokio::test]
async fn a_listing_that_is_cut_is_never_short() {
    let Some((backend, wire, directory)) = behind_a_wire() else { return };
    for number in 0..3000 {
        fs::write(directory.join(format!("{number:0200}")), "").unwrap();
    }
    let list = async || {
        let mut listing = backend.list(&Path::root(), &ListOptions::default()).await?;
        listing.next_entries(10_000).await
    };
    for cut in [0, 10_000, 300_000] {
        backend.exists(&path("a")).await.unwrap();
        wire.cut_answers_after(cut);
        let error = list().await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable, "{error}");
        wire.mend();
        assert_eq!(list().await.unwrap().len(), 3000);
    }
}

#[tokio::test]
async fn a_server_that_is_killed_is_unavailable_and_no_child_is_left() {
    let Some(server) = start_openssh("internal-sftp") else { return };
    let (config, _) = server.config_and_directory();
    let backend = SftpBackend::from_config(config.clone()).unwrap();
    backend.write_all(&path("a"), "x".into(), &WriteOptions::default()).await.unwrap();
    let port = server.port;
    server.kill();
    drop(backend);
    let backend = SftpBackend::from_config(config).unwrap();
    let error = backend.stat(&path("a")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable, "{error}");
    assert!(error.message().contains("refused"), "{error}");
    assert!(error.may_pass());
    drop(backend);
    until_no_child_has(&port.to_string()).await;
}

#[tokio::test]
async fn the_child_ends_with_the_backend() {
    let Some((backend, wire, _)) = behind_a_wire() else { return };
    backend.exists(&path("a")).await.unwrap();
    let port = wire.port.to_string();
    assert!(children_with(&port));
    backend.close().await.unwrap();
    until_no_child_has(&port).await;
    assert_eq!(backend.exists(&path("a")).await.unwrap_err().code(), ErrorCode::BackendClosed);
}

/// Whether this process has a child with that argument.
fn children_with(argument: &str) -> bool {
    let told = Command::new("ps").args(["-o", "args=", "--ppid", &std::process::id().to_string()]).output();
    String::from_utf8_lossy(&told.unwrap().stdout)
        .lines()
        .any(|line| line.split(' ').any(|word| word == argument))
}

async fn until_no_child_has(argument: &str) {
    let begun = Instant::now();
    while children_with(argument) {
        assert!(begun.elapsed() < Duration::from_secs(30), "ssh still runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_told_what_to_do() {
    let Some(server) = openssh() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let [other_key, no_hosts, other_hosts] =
        ["other_key", "no_hosts", "other_hosts"].map(|name| scratch.path().join(name));
    let keygen = ["-q", "-t", "ed25519", "-N", "", "-f"];
    assert!(Command::new("ssh-keygen").args(keygen).arg(&other_key).status().unwrap().success());
    fs::write(&no_hosts, "").unwrap();
    let public = fs::read_to_string(other_key.with_extension("pub")).unwrap();
    fs::write(&other_hosts, format!("* {public}")).unwrap();
    for (key, file, words) in [
        ("identity_file", &other_key, "no password is asked for"),
        ("known_hosts_file", &no_hosts, "is not known"),
        ("known_hosts_file", &other_hosts, "another one than the one that is known"),
    ] {
        let config = server.config().with(key, file.to_str().unwrap());
        let error = SftpBackend::from_config(config).unwrap().stat(&path("a")).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::PermissionDenied, "{error}");
        assert!(error.message().contains(words) && !error.may_pass(), "{error}");
    }
}

#[tokio::test]
async fn programs_that_are_no_ssh_are_told() {
    let missing = Config::from([("host", "h"), ("ssh", "/nowhere/ssh")]);
    let error = SftpBackend::from_config(missing).unwrap().stat(&path("a")).await.unwrap_err();
    assert!(error.message().contains("install the client of OpenSSH"), "{error}");
    // Nothing was looked at, so nothing is missing.
    assert_eq!(error.code(), ErrorCode::Other);

    for (program, code, words) in [
        ("echo Welcome to my shell", ErrorCode::Other, "`.bashrc`"),
        ("printf '\\033[31mno\\n' >&2; exit 255", ErrorCode::Unavailable, "\\u{1b}[31mno"),
        ("exit 3", ErrorCode::Unavailable, "ssh ended with 3"),
        (
            "printf '\\000\\000\\000\\005\\002\\000\\000\\000\\002'; cat > /dev/null",
            ErrorCode::Unsupported,
            "version 2",
        ),
        (
            // The version, and an answer to nothing.
            "printf '\\000\\000\\000\\005\\002\\000\\000\\000\\003\\000\\000\\000\\011\\145\\000\\000\\000\\143\\000\\000\\000\\000'; \
             cat > /dev/null",
            ErrorCode::Other,
            "nobody asked for",
        ),
        (
            "printf '\\000\\000\\000\\005\\002\\000\\000\\000\\003\\377\\377\\377\\377'; cat > /dev/null",
            ErrorCode::Other,
            "impossible length",
        ),
    ] {
        let error = with_program(program, Config::new()).await;
        assert_eq!(error.code(), code, "{program}: {error}");
        assert!(error.message().contains(words), "{error}");
    }
    let silent = with_program("exec sleep 60", Config::from([("timeout", "200ms")])).await;
    assert_eq!(silent.code(), ErrorCode::Timeout, "{silent}");
    let silent = "printf '\\000\\000\\000\\005\\002\\000\\000\\000\\003'; exec sleep 60";
    let silent = with_program(silent, Config::from([("timeout", "200ms")])).await;
    assert_eq!(silent.code(), ErrorCode::Timeout, "{silent}");
    // What it says without an end is not kept.
    let error = with_program("yes long | head -c 1000000 >&2; exit 1", Config::new()).await;
    assert!(error.message().len() < 10_000);
}

/// A call that is given up while it opens something leaves nothing open.
#[tokio::test]
async fn calls_that_are_given_up_leave_nothing() {
    let Some((backend, _, directory)) = behind_a_wire() else { return };
    fs::write(directory.join("object"), contents(1 << 20)).unwrap();
    let (object, new, options) = (path("object"), path("dir/new"), WriteOptions::default());
    for number in 0..300_u64 {
        let wait = Duration::from_micros(number * 20);
        let read = async {
            let mut reader = backend.read(&object, &ReadOptions::default()).await?;
            reader.contents.next().await.transpose()
        };
        let _ = tokio::time::timeout(wait, read).await;
        let write = backend.write_all(&new, "x".into(), &options);
        let _ = tokio::time::timeout(wait, write).await;
    }
    // Whoever cleans up is as fast as the server.
    let begun = Instant::now();
    loop {
        let left = directory.join("dir");
        let left = if left.exists() { names(&left) } else { Vec::new() };
        if left.iter().all(|name| name == "new") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{left:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    backend.read_all(&path("object"), &ReadOptions::default(), 1 << 20).await.unwrap();
}
