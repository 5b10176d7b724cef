//! The end of a backend.

use std::{sync::Arc, time::Duration};

use omnistorage::{
    Backend, ErrorCode, HashAlgorithm,
    backend::{CopyRequest, ReadOptions, WriteOptions},
};

use crate::shorthand::{LONG_AGO, RECURSIVE, Shorthand, fails, fails_with_any, path};

/// After the end every call says that it has come; to close again is fine.
pub async fn every_call_fails_after_the_close(backend: Arc<dyn Backend>) {
    const CLOSED: ErrorCode = ErrorCode::BackendClosed;
    let features = backend.capabilities().features;
    backend.put("object", "x").await.unwrap();
    backend.close().await.unwrap();
    backend.close().await.unwrap();

    fails(backend.read(&path("object"), &ReadOptions::default()).await, CLOSED);
    fails(backend.get("object").await, CLOSED);
    fails(backend.upload("object").await, CLOSED);
    fails(backend.put("object", "y").await, CLOSED);
    fails(backend.exists(&path("object")).await, CLOSED);
    fails(backend.info("object").await, CLOSED);
    fails(backend.info("").await, CLOSED);
    fails(backend.entries("", &RECURSIVE, 1).await, CLOSED);
    fails(backend.hash(&path("object"), HashAlgorithm::Md5).await, CLOSED);
    let deleted = backend.delete(&[path("object"), path("missing")]).await;
    assert_eq!(deleted.len(), 2);
    deleted.into_iter().for_each(|result| fails(result, CLOSED));

    let hashed = backend.hash_many(&[path("object"), path("missing")], HashAlgorithm::Md5).await;
    assert_eq!(hashed.len(), 2);
    hashed.into_iter().for_each(|result| fails(result, CLOSED));

    fails(backend.sweep(&path(""), Duration::ZERO).await, CLOSED);

    let closed_or = |claimed: bool| if claimed { vec![CLOSED] } else { vec![CLOSED, ErrorCode::Unsupported] };
    fails_with_any(backend.mkdir(&path("dir")).await, &closed_or(features.directories));
    fails_with_any(backend.rmdir(&path("dir")).await, &closed_or(features.directories));
    fails_with_any(backend.purge(&path("")).await, &closed_or(features.purge));
    fails_with_any(backend.set_modified(&path("object"), LONG_AGO).await, &closed_or(features.set_modified));
    let options = WriteOptions::default();
    fails_with_any(backend.copy("object", "copy", &options).await, &closed_or(features.copy));
    fails_with_any(backend.rename("object", "moved", &options).await, &closed_or(features.move_to));
    let request = CopyRequest { source: path("object"), target: path("copy"), options };
    let copied = backend.copy_many(&[request.clone(), request], &*backend).await;
    assert_eq!(copied.len(), 2);
    copied.into_iter().for_each(|result| fails_with_any(result, &closed_or(features.copy)));
}

/// What was not committed before the end is not committed after it.
pub async fn no_upload_outlives_the_close(backend: Arc<dyn Backend>) {
    let mut upload = backend.upload("object").await.unwrap();
    upload.push("x".into()).await.unwrap();
    backend.close().await.unwrap();
    fails(upload.commit().await, ErrorCode::BackendClosed);
}

/// Nor does a listing go on.
pub async fn no_listing_outlives_the_close(backend: Arc<dyn Backend>) {
    for name in ["1", "2", "3"] {
        backend.put(name, "x").await.unwrap();
    }
    let mut listing = backend.list(&path(""), &RECURSIVE).await.unwrap();
    assert_eq!(listing.next(1).await.unwrap().len(), 1);
    backend.close().await.unwrap();
    fails(listing.next(1).await, ErrorCode::BackendClosed);
}
