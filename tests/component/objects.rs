//! Single objects and listings.

use futures::{StreamExt, TryStreamExt};
use omnistorage::{
    ErrorCode, HashAlgorithm,
    backend::{Contents, ListOptions, ReadOptions},
    runtime::{Codec, Compression, DecompressOptions},
};

use crate::setup::{at, put, two_memories};

async fn all(contents: Contents) -> omnistorage::Result<Vec<u8>> {
    contents
        .try_fold(Vec::new(), async |mut all, chunk| {
            all.extend_from_slice(&chunk);
            Ok(all)
        })
        .await
}

#[tokio::test]
async fn what_is_written_is_read() {
    let storage = two_memories();
    put(&storage, "here", &[("a/b", "hello")]).await;
    let reader = storage.read(&at("here", "a/b"), &ReadOptions::default(), None).await.unwrap();
    assert_eq!(reader.info.size, Some(5));
    assert_eq!(all(reader.contents).await.unwrap(), b"hello");
    let info = storage.stat(&at("here", "a/b")).await.unwrap();
    assert_eq!(info.path.as_str(), "a/b");
    let hash = storage.hash(&at("here", "a/b"), HashAlgorithm::Md5).await.unwrap();
    assert_eq!(hash.to_string(), "5d41402abc4b2a76b9719d911017c592");
}

#[tokio::test]
async fn bytes_survive_compression() {
    let storage = two_memories();
    let text: Vec<u8> = (0..400_000u32).flat_map(|n| n.to_string().into_bytes()).collect();
    for codec in Codec::ALL {
        let level = codec.levels().map(|_| 1);
        let chunks: Vec<_> = text.chunks(100_000).map(|chunk| Ok(chunk.to_vec().into())).collect();
        let (contents, place) = (futures::stream::iter(chunks).boxed(), at("here", "x"));
        let compress = Some(Compression { codec, level });
        let written = storage.write(&place, contents, &Default::default(), compress).await.unwrap();
        assert!(written.size.unwrap() < text.len() as u64, "{codec:?}");
        let decompress = Some(DecompressOptions::default());
        let reader = storage.read(&place, &ReadOptions::default(), decompress).await.unwrap();
        assert!(all(reader.contents).await.unwrap() == text, "{codec:?}");
    }
}

#[tokio::test]
async fn damaged_gzip_ends_with_an_error_after_the_good_bytes() {
    let storage = two_memories();
    put(&storage, "here", &[("x", "not gzip at all"), ("y", "\u{1f}")]).await;
    for path in ["x", "y"] {
        let decompress = Some(DecompressOptions::default());
        let reader = storage.read(&at("here", path), &ReadOptions::default(), decompress).await.unwrap();
        assert_eq!(all(reader.contents).await.unwrap_err().code(), ErrorCode::Corrupted);
    }
}

#[tokio::test]
async fn listings_are_complete_and_sorted() {
    let storage = two_memories();
    let objects: Vec<_> = (0..2500).map(|n| format!("d/{n:05}")).collect();
    let pairs: Vec<_> = objects.iter().map(|path| (path.as_str(), "")).collect();
    put(&storage, "here", &pairs).await;
    let entries =
        storage.list(&at("here", "d"), &ListOptions { recursive: true, ..Default::default() }).await;
    let paths: Vec<_> =
        entries.unwrap().map_ok(|listed| listed.path().to_string()).try_collect().await.unwrap();
    assert_eq!(paths, objects);
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let storage = two_memories();
    put(&storage, "here", &[("a", "")]).await;
    let options = ListOptions::default();
    assert_eq!(storage.stat(&at("here", "x")).await.unwrap_err().code(), ErrorCode::NotFound);
    assert_eq!(storage.remove(&at("here", "x")).await.unwrap_err().code(), ErrorCode::NotFound);
    assert_eq!(storage.list(&at("here", "x"), &options).await.err().unwrap().code(), ErrorCode::NotFound);
    assert_eq!(storage.list(&at("here", "a"), &options).await.err().unwrap().code(), ErrorCode::NotDirectory);
    let error = storage.stat(&at("nowhere", "x")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnknownBackend);
    assert_eq!(error.location(), Some(("nowhere", "x")));
}
