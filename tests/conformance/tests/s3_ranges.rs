//! A large object is read by several ranges at once, all of one version.

#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it must be")]

use std::time::Duration;

use bytes::Bytes;
use omnistorage::{
    Backend, FileBackend, Hash, HashAlgorithm, Hasher, Path, S3Backend,
    backend::{WriteOptions, file::FileOptions, transfer},
};
use omnistorage_test_servers::{Fault, Proxy, Request, weed};

const MIB: u64 = 1 << 20;
/// From here on the ranges are read.
const SIZE: u64 = 256 * MIB;
const PIECE: u64 = 8 * MIB;

/// Each mebibyte begins with its number.
fn mebibyte(number: u64) -> Bytes {
    let mut bytes = vec![7; MIB as usize];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes.into()
}

async fn put(store: &S3Backend, path: &Path) -> Hash {
    let mut upload = store.write(path, &WriteOptions::default()).await.unwrap();
    let mut hasher = Hasher::new(HashAlgorithm::Crc32c);
    for chunk in (0..SIZE / MIB).map(mebibyte) {
        hasher.update(&chunk);
        upload.push(chunk).await.unwrap();
    }
    upload.commit().await.unwrap();
    hasher.finish()
}

/// The first byte and the last one that a request asks for, and of which version.
fn range(request: &Request) -> Option<(u64, u64, String)> {
    let header = |wanted| {
        let (_, value) = request.headers.iter().find(|(name, _)| name == wanted)?;
        Some(value.clone())
    };
    let range = header("range").filter(|_| request.method == "GET")?;
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, header("if-match")?))
}

#[tokio::test]
async fn ranges_overlap_and_are_resumed() {
    // This server lists directory by directory.
    let config = weed().config().with("sorted_list", "false").with("part_size", (64 * MIB).to_string());
    let proxy = Proxy::before(&weed().endpoint);
    let straight = S3Backend::from_config(config.clone()).unwrap();
    let through = S3Backend::from_config(config.with("endpoint", &proxy.endpoint)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = FileBackend::open(folder.path(), FileOptions::default()).unwrap();
    let path = Path::parse("large").unwrap();
    let hash = put(&straight, &path).await;
    let etag = straight.stat(&path).await.unwrap().etag.unwrap();

    proxy.plan(|request| match range(request)?.0 {
        first if first < 4 * PIECE => Some(Fault::Delay(Duration::from_millis(100))),
        first if first == 5 * PIECE || first == 30 * PIECE => Some(Fault::CutAnswer),
        _ => None,
    });
    let options =
        WriteOptions { expected_size: Some(SIZE), expected_hash: Some(hash), ..WriteOptions::default() };
    transfer(&through, &path, &target, &path, &options).await.unwrap();

    assert!(proxy.take_most_at_once() >= 4);
    let requests = proxy.take_requests();
    let asked: Vec<_> = requests.iter().filter_map(range).collect();
    // One for what is known of it, one for each piece, and one for the rest of each that was cut.
    assert_eq!((requests.len(), asked.len()), (1 + 32 + 2, 32 + 2), "{requests:#?}");
    assert!(asked.iter().all(|(.., version)| *version == etag), "{asked:?}");
    let mut wanted: Vec<_> = asked.into_iter().map(|(first, last, _)| (first, last)).collect();
    wanted.sort_unstable();
    let mut pieces = (0..SIZE / PIECE).map(|number| (number * PIECE, (number + 1) * PIECE - 1));
    let rests: Vec<_> = wanted.iter().filter(|range| range.0 % PIECE != 0).collect();
    assert!(pieces.all(|piece| wanted.contains(&piece)), "{wanted:?}");
    assert!(rests.iter().map(|rest| rest.0 / PIECE).eq([5, 30]), "{rests:?}");
    straight.delete(&[path]).await.remove(0).unwrap();
}
