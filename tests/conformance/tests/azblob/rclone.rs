//! rclone as an independent client: what we wrote it reads and checks, and what it wrote we do.

use std::{
    fs,
    path::Path as FilePath,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use omnistorage::{
    AzblobBackend, Backend, HashAlgorithm, Hasher, Path, Timestamp,
    backend::{ListOptions, ReadOptions, WriteOptions},
};
use omnistorage_test_servers::{BUCKET, azurite};

const PART: usize = 1 << 20;
const LONG_AGO: Timestamp = Timestamp { seconds: 1_000_000_000, nanoseconds: 123_456_789 };

/// Names that one of the two could change on the way, and sizes around those of parts.
const OBJECTS: [(&str, usize); 7] = [
    ("plain.txt", 11),
    ("empty", 0),
    ("blank at the end ", 5),
    ("d/100% +&?=#;,'é日.css", 7),
    ("d/e/..foo", 3),
    ("large", PART + 1),
    ("larger", 5 * PART),
];

fn contents(seed: u8, len: usize) -> Bytes {
    (0..len).map(|at| (at % 251) as u8 ^ seed).collect()
}

fn run(arguments: &[&str]) -> String {
    let mut command = azurite().rclone(arguments);
    let output =
        command.args(["--azureblob-upload-cutoff", "0", "--azureblob-chunk-size", "1Mi"]).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn backend(prefix: &str) -> AzblobBackend {
    let config = azurite().config_below(prefix).with("part_size", PART.to_string());
    AzblobBackend::from_config(config).unwrap()
}

fn time_of(file: &FilePath) -> Timestamp {
    fs::metadata(file).unwrap().modified().unwrap().into()
}

#[tokio::test]
async fn rclone_reads_what_we_wrote() {
    let backend = backend("we-wrote");
    let options = WriteOptions {
        content_type: Some("text/css".to_owned()),
        modified: Some(LONG_AGO),
        metadata: vec![("key".to_owned(), "value".to_owned())],
        ..WriteOptions::default()
    };
    for (name, len) in OBJECTS {
        backend.write_all(&Path::parse(name).unwrap(), contents(1, len), &options).await.unwrap();
    }
    let remote = format!(":azureblob:{BUCKET}/we-wrote");
    let listed = run(&["lsjson", "-R", "--files-only", "--metadata", "--hash", &remote]);
    for expected in ["2001-09-09T01:46:40.123456789Z", "text/css", "\"key\":\"value\"", "\"md5\":"] {
        let with_it = listed.lines().filter(|line| line.contains(expected)).count();
        assert_eq!(with_it, OBJECTS.len(), "{expected} in {listed}");
    }
    let directory = tempfile::tempdir().unwrap();
    let local = directory.path().to_str().unwrap();
    run(&["copy", &remote, local]);
    for (name, len) in OBJECTS {
        let file = directory.path().join(name);
        assert!(fs::read(&file).unwrap() == contents(1, len), "{name}");
        assert_eq!(time_of(&file), LONG_AGO, "{name}");
    }
    // By the hashes that we stored, and by the bytes.
    run(&["check", local, &remote]);
    run(&["check", "--download", local, &remote]);
    // Nothing is left to do: it finds our times.
    let told = run(&["sync", "--dry-run", "--combined", "-", local, &remote]);
    assert!(told.lines().all(|line| line.starts_with("= ")), "{told}");
}

#[tokio::test]
async fn we_read_what_rclone_wrote() {
    let directory = tempfile::tempdir().unwrap();
    for (name, len) in OBJECTS {
        let file = directory.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, contents(2, len)).unwrap();
        let time = UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
        fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
    }
    let remote = format!(":azureblob:{BUCKET}/rclone-wrote");
    let local = directory.path().to_str().unwrap();
    run(&["copy", "--metadata-set", "key=value", "--metadata", local, &remote]);
    let backend = backend("rclone-wrote");
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let listed = backend.list(&Path::root(), &options).await.unwrap().next_entries(100).await.unwrap();
    assert_eq!(listed.len(), OBJECTS.len());
    for (name, len) in OBJECTS {
        let path = Path::parse(name).unwrap();
        let info = backend.stat(&path).await.unwrap();
        assert_eq!((info.size, info.modified), (Some(len as u64), Some(LONG_AGO)), "{name}");
        assert!(info.metadata.contains(&("key".to_owned(), "value".to_owned())), "{info:?}");
        assert!(listed.contains(&info), "{name}: {info:?} in {listed:?}");
        let read = backend.read_all(&path, &ReadOptions::default(), len).await.unwrap();
        assert!(read == contents(2, len), "{name}");
        let mut hasher = Hasher::new(HashAlgorithm::Md5);
        hasher.update(&contents(2, len));
        assert!(info.hashes.contains(&hasher.finish()), "{name}: {info:?}");
    }
}
