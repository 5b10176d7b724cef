//! Nobody may do with what is written what they may not do with its source, or with what it replaces.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;

fn mode(path: impl AsRef<std::path::Path>) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: impl AsRef<std::path::Path>, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What the umask of this process leaves of it.
fn masked(mode: u32) -> u32 {
    let directory = tempfile::tempdir().unwrap();
    let file = rustix::fs::open(
        directory.path().join("x"),
        rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY,
        Mode::from_raw_mode(0o777),
    );
    let left = rustix::fs::fstat(file.unwrap()).unwrap().st_mode;
    mode & left
}

#[tokio::test]
async fn a_copy_has_the_bits_of_its_source_under_the_umask() {
    for (target_directory, target) in [backend(), backend_with_names()] {
        let (directory, source) = backend();
        for bits in [0o600, 0o644, 0o755, 0o777, 0o400, 0o4755] {
            put(&source, "a", "x").await.unwrap();
            set_mode(directory.path().join("a"), bits);
            let name = format!("copy of {bits:o}");
            source.copy_to(&path("a"), &target, &path(&name), &WriteOptions::default()).await.unwrap();
            assert_eq!(mode(target_directory.path().join(name)), masked(bits & 0o777), "{bits:o}");
            fs::remove_file(directory.path().join("a")).unwrap();
        }
    }
}

#[tokio::test]
async fn what_replaces_is_never_wider_than_what_it_replaces() {
    for (directory, backend) in [backend(), backend_with_names()] {
        let at = |name: &str| directory.path().join(name);
        put(&backend, "source", "new").await.unwrap();
        put(&backend, "target", "old").await.unwrap();
        for (source, target, copied) in
            [(0o644, 0o600, 0o600), (0o600, 0o644, 0o600), (0o755, 0o644, 0o644), (0o640, 0o604, 0o600)]
        {
            set_mode(at("source"), source);
            set_mode(at("target"), target);
            let options = WriteOptions::default();
            backend.copy_to(&path("source"), &backend, &path("target"), &options).await.unwrap();
            assert_eq!(mode(at("target")), copied, "{source:o} over {target:o}");
        }
        for bits in [0o600, 0o755, 0o666, 0o400] {
            set_mode(at("target"), bits);
            put(&backend, "target", "put").await.unwrap();
            assert_eq!(mode(at("target")), bits, "{bits:o}");
            let mut upload = backend.write(&path("target"), &WriteOptions::default()).await.unwrap();
            upload.push("more".into()).await.unwrap();
            for file in on_disk(directory.path()) {
                assert!(file.ends_with("source") || mode(&file) & !bits == 0, "{file}");
            }
            upload.commit().await.unwrap();
            assert_eq!(mode(at("target")), bits, "{bits:o}");
        }
        put(&backend, "fresh", "").await.unwrap();
        assert_eq!(mode(at("fresh")), masked(0o666));
    }
}

#[tokio::test]
async fn directories_made_for_copies_are_no_wider_than_those_of_the_source() {
    let (directory, source) = backend();
    let (other, target) = backend();
    for at in ["from/private/deep/a", "from/read-only/a", "from/open/a"] {
        put(&source, at, at).await.unwrap();
    }
    for (at, bits) in
        [("from", 0o750), ("from/private", 0o700), ("from/read-only", 0o555), ("from/private/deep", 0o755)]
    {
        set_mode(directory.path().join(at), bits);
    }
    for below in ["private/deep/a", "read-only/a", "open/a"] {
        let (from, to) = (path(&format!("from/{below}")), path(&format!("new/to/{below}")));
        source.copy_to(&from, &target, &to, &WriteOptions::default()).await.unwrap();
    }
    for (at, bits) in [
        ("new", 0o777),
        ("new/to", 0o750),
        ("new/to/private", 0o700),
        ("new/to/private/deep", 0o755),
        ("new/to/read-only", 0o755),
        ("new/to/open", 0o777),
    ] {
        assert_eq!(mode(other.path().join(at)), masked(bits), "{at}");
    }
}

#[tokio::test]
async fn what_replaces_has_the_owner_of_what_it_replaces() {
    let (directory, backend) = backend();
    put(&backend, "a", "old").await.unwrap();
    let file = directory.path().join("a");
    // It takes a privilege to have files of others at all.
    if std::os::unix::fs::chown(&file, Some(1234), Some(4321)).is_err() {
        return;
    }
    set_mode(&file, 0o640);
    put(&backend, "a", "new").await.unwrap();
    let there = fs::metadata(&file).unwrap();
    assert_eq!((there.uid(), there.gid(), there.mode() & 0o777), (1234, 4321, 0o640));
}
