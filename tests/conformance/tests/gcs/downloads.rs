//! Downloads: one version, raw bytes, and connections that break.

use futures::StreamExt;
use omnistorage::{
    Backend, ErrorCode,
    backend::{ReadOptions, WriteOptions},
};
use omnistorage_test_servers::gcs::{Fault, Gcs};

use crate::shorthand::{backend, fails, get, kept, path, pattern, put};

const LEN: usize = 1 << 20;

#[tokio::test]
async fn reading_goes_on_after_a_broken_connection() {
    let store = Gcs::start();
    let backend = backend(store.config());
    let contents = pattern(LEN);
    put(&backend, "object", &contents, &kept()).await.unwrap();
    for after in [0, 1, 100_000, LEN - 1] {
        store.order("/object", 3, Fault::CutBody { after });
        assert!(get(&backend, "object").await.unwrap() == contents, "cut after {after}");
        store.clear_orders();
    }
    for fault in [Fault::Status(503), Fault::Drop, Fault::LoseAnswer, Fault::Busy { retry_after: 0 }] {
        store.order("/object", 2, fault);
        assert!(get(&backend, "object").await.unwrap() == contents, "{fault:?}");
    }
    // A range too, and not a byte beyond it.
    store.order("/object", 2, Fault::CutBody { after: 1000 });
    let range = ReadOptions { offset: 77, length: Some(50_000), ..ReadOptions::default() };
    let read = backend.read_all(&path("object"), &range, LEN).await.unwrap();
    assert!(read == contents.slice(77..50_077));
}

#[tokio::test]
async fn versions_are_never_mixed() {
    let store = Gcs::start();
    let backend = backend(store.config());
    put(&backend, "object", &pattern(LEN), &kept()).await.unwrap();
    store.order("/object", 1, Fault::CutBody { after: 1000 });
    let mut reader = backend.read(&path("object"), &ReadOptions::default()).await.unwrap();
    let etag = reader.info.etag.clone().unwrap();
    let first = reader.contents.next().await.unwrap().unwrap();
    assert_eq!(first, pattern(LEN).slice(..first.len()));
    put(&backend, "object", &pattern(LEN), &WriteOptions::default()).await.unwrap();
    let mut last = Ok(first);
    while let (Ok(_), Some(next)) = (&last, reader.contents.next().await) {
        last = next;
    }
    fails(last, ErrorCode::Unavailable, "replaced");
    let old = ReadOptions { if_match: Some(etag), ..ReadOptions::default() };
    fails(backend.read(&path("object"), &old).await.map(drop), ErrorCode::PreconditionFailed, "condition");
}

#[tokio::test]
async fn what_is_packed_stays_packed() {
    use std::io::Write;
    let store = Gcs::start();
    let backend = backend(store.config_below("packed"));
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(&pattern(10_000)).unwrap();
    let packed = packer.finish().unwrap();
    store.put("packed/object", &packed, &serde_json::json!({"contentEncoding": "gzip"}));
    let reader = backend.read(&path("object"), &ReadOptions::default()).await.unwrap();
    assert_eq!(reader.info.size, Some(packed.len() as u64));
    assert_eq!(get(&backend, "object").await.unwrap(), packed);
    let range = ReadOptions { offset: 3, length: Some(5), ..ReadOptions::default() };
    assert_eq!(backend.read_all(&path("object"), &range, LEN).await.unwrap(), packed[3..8]);
    // It comes along in a copy.
    backend.copy_to(&path("object"), &backend, &path("copy"), &kept()).await.unwrap();
    assert_eq!(get(&backend, "copy").await.unwrap(), packed);
}

#[tokio::test]
async fn damage_on_the_way_is_found() {
    let store = Gcs::start();
    let backend = backend(store.config());
    put(&backend, "object", &pattern(100), &kept()).await.unwrap();
    store.order("/object", 1, Fault::FlipBit);
    fails(get(&backend, "object").await, ErrorCode::Corrupted, "crc32c");
}
