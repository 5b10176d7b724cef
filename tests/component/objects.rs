//! Single objects and listings.

use futures::{StreamExt, TryStreamExt};
use omnistorage::{
    ErrorCode, HashAlgorithm,
    backend::{Contents, ListOptions, ReadOptions},
    runtime::{Codec, Compression, DecompressOptions},
};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
async fn a_writer_commits_by_its_end_alone() {
    let storage = two_memories();
    put(&storage, "here", &[("a", "old")]).await;
    let (a, options) = (at("here", "a"), Default::default());
    let zstd = Some(Compression { codec: Codec::Zstd, level: None, dictionary: None });
    let bytes: Vec<u8> = (0..300_000u32).flat_map(|n| n.to_le_bytes()).collect();

    let mut given_up = storage.writer(&a, &options, None);
    given_up.write_all(&bytes).await.unwrap();
    given_up.flush().await.unwrap();
    given_up.abort().await;
    let mut dropped = storage.writer(&a, &options, zstd.clone());
    dropped.write_all(&bytes).await.unwrap();
    drop(dropped);
    let mut old = storage.reader(&a, &ReadOptions::default(), None).await.unwrap();
    let mut text = String::new();
    old.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "old");

    let mut writer = storage.writer(&a, &options, zstd);
    writer.write_all(&bytes).await.unwrap();
    writer.shutdown().await.unwrap();
    assert!(writer.write_all(b"more").await.is_err(), "it was finished");
    let mut reader = storage.reader(&a, &ReadOptions::default(), Some(Default::default())).await.unwrap();
    let mut read = Vec::new();
    reader.read_to_end(&mut read).await.unwrap();
    assert!(read == bytes);

    let nowhere = storage.writer(&at("nowhere", "a"), &options, None);
    assert_eq!(nowhere.finish().await.unwrap_err().code(), ErrorCode::UnknownBackend);
    let empty = storage.writer(&at("here", "empty"), &options, None).finish().await.unwrap();
    assert_eq!(empty.size, Some(0));
}

#[tokio::test]
async fn a_reader_ends_with_an_error_where_the_contents_are_cut() {
    let storage = two_memories();
    let mut writer = storage.writer(
        &at("here", "whole.zst"),
        &Default::default(),
        Some(Compression { codec: Codec::Zstd, level: None, dictionary: None }),
    );
    writer.write_all(&[7; 100_000]).await.unwrap();
    let whole = writer.finish().await.unwrap().size.unwrap();
    let cut = ReadOptions { length: Some(whole - 1), ..Default::default() };
    let packed =
        all(storage.read(&at("here", "whole.zst"), &cut, None).await.unwrap().contents).await.unwrap();
    storage.write_all(&at("here", "cut.zst"), packed.into(), &Default::default()).await.unwrap();
    let options = ReadOptions::default();
    let mut reader =
        storage.reader(&at("here", "cut.zst"), &options, Some(Default::default())).await.unwrap();
    let error = reader.read_to_end(&mut Vec::new()).await.unwrap_err();
    let source = error.get_ref().and_then(|error| error.downcast_ref::<omnistorage::Error>());
    assert_eq!(source.map(omnistorage::Error::code), Some(ErrorCode::Corrupted), "{error}");
}

#[tokio::test]
async fn bytes_survive_compression() {
    let storage = two_memories();
    let text: Vec<u8> = (0..400_000u32).flat_map(|n| n.to_string().into_bytes()).collect();
    for codec in Codec::ALL {
        let level = codec.levels().map(|_| 1);
        let chunks: Vec<_> = text.chunks(100_000).map(|chunk| Ok(chunk.to_vec().into())).collect();
        let (contents, place) = (futures::stream::iter(chunks).boxed(), at("here", "x"));
        let compress = Some(Compression { codec, level, dictionary: None });
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
