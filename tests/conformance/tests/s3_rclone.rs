//! rclone as an independent client: what we wrote it reads and checks, and what it wrote we do.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails where something is not as it must be")]

use std::{
    fs,
    path::Path as FilePath,
    process::Command,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use omnistorage::{
    Backend, Config, Hash, HashAlgorithm, Hasher, Path, S3Backend, Timestamp,
    backend::{ReadOptions, WriteOptions},
};
use omnistorage_test_servers::{ACCESS_KEY, BUCKET, SECRET_KEY, Server, moto, rclone, weed};

const PART: usize = 5 << 20;
const LONG_AGO: Timestamp = Timestamp { seconds: 1_000_000_000, nanoseconds: 123_456_789 };

/// Names that one of the two could change on the way, and sizes around those of parts.
const OBJECTS: [(&str, usize); 7] = [
    ("plain.txt", 11),
    ("empty", 0),
    ("blank at the end ", 5),
    ("d/100% +&?=#;,'é日.css", 7),
    ("d/e/..foo", 3),
    ("large", PART + 1),
    ("larger", 2 * PART),
];

fn contents(seed: u8, len: usize) -> Bytes {
    (0..len).map(|at| (at % 251) as u8 ^ seed).collect()
}

fn run(server: &Server, arguments: &[&str]) -> String {
    let mut command = Command::new(rclone());
    command.args(arguments).args(["--config", "/dev/null", "--s3-provider", "Other"]);
    command.args(["--s3-endpoint", &server.endpoint, "--s3-region", "us-east-1"]);
    command.args(["--s3-access-key-id", ACCESS_KEY, "--s3-secret-access-key", SECRET_KEY]);
    command.args(["--s3-upload-cutoff", "5Mi", "--s3-chunk-size", "5Mi", "--retries", "1"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn backend(server: &Server, prefix: &str, settings: fn(Config) -> Config) -> S3Backend {
    let config = settings(server.config_below(prefix)).with("part_size", PART.to_string());
    S3Backend::from_config(config).unwrap()
}

fn time_of(file: &FilePath) -> Timestamp {
    fs::metadata(file).unwrap().modified().unwrap().into()
}

async fn rclone_reads_what_we_wrote(server: &Server, settings: fn(Config) -> Config) {
    let backend = backend(server, "we-wrote", settings);
    let options = WriteOptions {
        content_type: Some("text/css".to_owned()),
        modified: Some(LONG_AGO),
        metadata: vec![("key".to_owned(), "value".to_owned())],
        ..WriteOptions::default()
    };
    for (name, len) in OBJECTS {
        backend.write_all(&Path::parse(name).unwrap(), contents(1, len), &options).await.unwrap();
    }
    let remote = format!(":s3:{BUCKET}/we-wrote");
    let listed = run(server, &["lsjson", "-R", "--files-only", "--metadata", &remote]);
    for expected in ["2001-09-09T01:46:40.123456789Z", "text/css", "\"key\":\"value\""] {
        let with_it = listed.lines().filter(|line| line.contains(expected)).count();
        assert_eq!(with_it, OBJECTS.len(), "{expected} in {listed}");
    }
    let directory = tempfile::tempdir().unwrap();
    let local = directory.path().to_str().unwrap();
    run(server, &["copy", &remote, local]);
    for (name, len) in OBJECTS {
        let file = directory.path().join(name);
        assert!(fs::read(&file).unwrap() == contents(1, len), "{name}");
        assert_eq!(time_of(&file), LONG_AGO, "{name}");
    }
    run(server, &["check", "--download", local, &remote]);
    // Nothing is left to do: it finds our times.
    let told = run(server, &["sync", "--dry-run", "--combined", "-", local, &remote]);
    assert!(told.lines().all(|line| line.starts_with("= ")), "{told}");
}

async fn we_read_what_rclone_wrote(server: &Server, settings: fn(Config) -> Config) {
    let directory = tempfile::tempdir().unwrap();
    for (name, len) in OBJECTS {
        let file = directory.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, contents(2, len)).unwrap();
        let time = UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
        fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
    }
    let remote = format!(":s3:{BUCKET}/rclone-wrote");
    run(
        server,
        &["copy", "--metadata-set", "key=value", "--metadata", directory.path().to_str().unwrap(), &remote],
    );
    let backend = backend(server, "rclone-wrote", settings);
    for (name, len) in OBJECTS {
        let path = Path::parse(name).unwrap();
        let info = backend.stat(&path).await.unwrap();
        assert_eq!((info.size, info.modified), (Some(len as u64), Some(LONG_AGO)), "{name}");
        assert!(info.metadata.contains(&("key".to_owned(), "value".to_owned())), "{info:?}");
        let read = backend.read_all(&path, &ReadOptions::default(), len).await.unwrap();
        assert!(read == contents(2, len), "{name}");
        // Where there is no etag to tell it, rclone keeps it in metadata.
        let mut hasher = Hasher::new(HashAlgorithm::Md5);
        hasher.update(&contents(2, len));
        let md5: Hash = hasher.finish();
        assert!(info.hashes.contains(&md5), "{name}: {info:?}");
    }
    assert_eq!(
        backend.stat(&Path::parse("d/100% +&?=#;,'é日.css").unwrap()).await.unwrap().content_type.unwrap(),
        "text/css; charset=utf-8"
    );
}

macro_rules! on_both {
    ($($row:ident)*) => {
        mod moto {
            $(#[tokio::test]
            async fn $row() {
                super::$row(super::moto(), |config| config).await;
            })*
        }

        mod weed {
            $(#[tokio::test]
            async fn $row() {
                super::$row(super::weed(), |config| config.with("sorted_list", "false")).await;
            })*
        }
    };
}

on_both! {
    rclone_reads_what_we_wrote
    we_read_what_rclone_wrote
}
