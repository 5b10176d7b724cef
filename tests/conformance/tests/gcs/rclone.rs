//! An independent client: what we wrote it reads and checks, what it wrote we do.

use std::{fs, path::Path, process::Command, time::Duration};

use omnistorage::{
    Backend, HashAlgorithm, Hasher,
    backend::{ListOptions, WriteOptions},
};
use omnistorage_test_servers::{BUCKET, fake_gcs, rclone};

use crate::shorthand::{LONG_AGO, PART, backend, get, kept, list, path, pattern, put};

/// Runs it on fake-gcs-server.
fn run(arguments: &[&str]) -> String {
    let mut command = Command::new(rclone());
    command.args(arguments).args(["--config", "/dev/null", "--gcs-anonymous", "--gcs-endpoint"]);
    let output = command.arg(format!("{}/storage/v1/", fake_gcs().endpoint)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn set_modified(file: &Path) {
    let time = std::time::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
    fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
}

#[tokio::test]
async fn what_we_wrote_it_reads_and_checks() {
    let backend = backend(fake_gcs().gcs_config_below("ours"));
    let directory = tempfile::tempdir().unwrap();
    for (name, len) in [("empty", 0), ("a b+%ü", 100), ("dir/large", 2 * PART + 1)] {
        let contents = pattern(len);
        put(&backend, name, &contents, &kept()).await.unwrap();
        let file = directory.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &contents).unwrap();
        set_modified(&file);
    }
    let remote = format!(":gcs:{BUCKET}/ours");
    let listed = run(&["lsjson", "-R", "--files-only", "--hash", &remote]);
    for told in ["2001-09-09T01:46:40.123456789Z", "text/css"] {
        assert_eq!(listed.matches(told).count(), 3, "{listed}");
    }
    let local = directory.path().to_str().unwrap();
    run(&["check", local, &remote]);
    run(&["check", "--download", local, &remote]);
    // It finds nothing to do.
    let log = directory.path().join("../log-of-a-dry-run");
    let _ = fs::remove_file(&log);
    run(&["sync", "--dry-run", "--log-level", "INFO", "--log-file", log.to_str().unwrap(), local, &remote]);
    let log = fs::read_to_string(log).unwrap();
    assert!(!log.contains("Skipped"), "{log}");
}

#[tokio::test]
async fn what_it_wrote_we_read_and_check() {
    let backend = backend(fake_gcs().gcs_config_below("theirs"));
    let directory = tempfile::tempdir().unwrap();
    for (name, len) in [("empty", 0), ("a b+%ü", 100), ("dir/large", 20 << 20)] {
        let file = directory.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, pattern(len)).unwrap();
        set_modified(&file);
    }
    run(&["copy", directory.path().to_str().unwrap(), &format!(":gcs:{BUCKET}/theirs")]);
    let entries = list(&backend, &ListOptions { recursive: true, ..ListOptions::default() }).await.unwrap();
    let paths: Vec<_> = entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["a b+%ü", "dir/large", "empty"]);
    for entry in entries {
        let contents = fs::read(directory.path().join(entry.path.as_str())).unwrap();
        assert!(get(&backend, entry.path.as_str()).await.unwrap() == contents, "{}", entry.path);
        assert_eq!(entry.modified, Some(LONG_AGO), "{}", entry.path);
        assert!(entry.metadata.is_empty(), "{:?}", entry.metadata);
        let mut hasher = Hasher::new(HashAlgorithm::Md5);
        hasher.update(&contents);
        assert!(entry.hashes.contains(&hasher.finish()), "{}", entry.path);
    }
    backend.copy_to(&path("empty"), &backend, &path("copy"), &WriteOptions::default()).await.unwrap();
    assert_eq!(backend.stat(&path("copy")).await.unwrap().modified, Some(LONG_AGO));
}
