//! What is stored beside the bytes: times, content type, user metadata.

use std::sync::Arc;

use omnistorage::{Backend, ErrorCode, Timestamp, backend::WriteOptions};

use crate::shorthand::{LONG_AGO, Shorthand, assert_same_time, fails, is_unsupported, path};

/// Times around the odd corners: a fraction, before 1970, 1970 itself, the last nanosecond, beyond 2038.
const TIMES: [Timestamp; 5] = [
    LONG_AGO,
    Timestamp { seconds: -1, nanoseconds: 500_000_000 },
    Timestamp { seconds: 0, nanoseconds: 0 },
    Timestamp { seconds: 1_700_000_000, nanoseconds: 999_999_999 },
    Timestamp { seconds: 4_102_444_800, nanoseconds: 1 },
];

/// A time given with a write is kept as precisely as is claimed.
pub async fn the_time_of_a_write_is_kept(backend: Arc<dyn Backend>) {
    let at = |modified| WriteOptions { modified: Some(modified), ..WriteOptions::default() };
    if !backend.capabilities().features.set_modified {
        backend.put("object", "x").await.unwrap();
        is_unsupported(&*backend, backend.write(&path("object"), &at(LONG_AGO))).await;
        return is_unsupported(&*backend, backend.put_with("object", "y", &at(LONG_AGO))).await;
    }
    for time in TIMES {
        let info = backend.put_with("by/value", "x", &at(time)).await.unwrap();
        assert_same_time(&*backend, time, info.modified);
        assert_eq!(backend.info("by/value").await.unwrap().modified, info.modified);
        let info = backend.put_by_upload("by/upload", "x", &at(time)).await.unwrap();
        assert_same_time(&*backend, time, info.modified);
        assert_same_time(&*backend, time, backend.info("by/upload").await.unwrap().modified);
    }
}

/// A time is set without a change of the contents.
pub async fn the_time_can_be_set(backend: Arc<dyn Backend>) {
    backend.put("object", "contents").await.unwrap();
    if !backend.capabilities().features.set_modified {
        return is_unsupported(&*backend, backend.set_modified(&path("object"), LONG_AGO)).await;
    }
    for time in TIMES {
        backend.set_modified(&path("object"), time).await.unwrap();
        assert_same_time(&*backend, time, backend.info("object").await.unwrap().modified);
        assert_eq!(backend.get("object").await.unwrap(), "contents");
    }
    for missing in ["missing", "missing/deeper", "object/below"] {
        fails(backend.set_modified(&path(missing), LONG_AGO).await, ErrorCode::NotFound);
    }
    assert_eq!(backend.objects("").await, ["object"]);
}

/// A new object does not get the time of the old one.
pub async fn an_overwrite_has_its_own_time(backend: Arc<dyn Backend>) {
    if !backend.capabilities().features.set_modified {
        return;
    }
    let options = WriteOptions { modified: Some(LONG_AGO), ..WriteOptions::default() };
    backend.put_with("object", "old", &options).await.unwrap();
    let new = backend.put("object", "new").await.unwrap().modified.unwrap();
    assert!(new.seconds > LONG_AGO.seconds, "{new:?}");
}

/// A content type is kept as it is, and not taken over by the next object.
pub async fn the_content_type_is_kept(backend: Arc<dyn Backend>) {
    let of = |content_type: &str| WriteOptions {
        content_type: Some(content_type.to_owned()),
        ..WriteOptions::default()
    };
    if !backend.capabilities().features.content_type {
        backend.put("object", "x").await.unwrap();
        is_unsupported(&*backend, backend.write(&path("object"), &of("text/css"))).await;
        return is_unsupported(&*backend, backend.put_with("object", "y", &of("text/css"))).await;
    }
    for content_type in ["text/css", "application/vnd.a+json; charset=utf-8"] {
        let info = backend.put_with("object", "x", &of(content_type)).await.unwrap();
        assert_eq!(info.content_type.as_deref(), Some(content_type));
        assert_eq!(backend.info("object").await.unwrap(), info);
    }
    backend.put("object", "x").await.unwrap();
    let left = backend.info("object").await.unwrap().content_type;
    assert_ne!(
        left.as_deref(),
        Some("application/vnd.a+json; charset=utf-8"),
        "it is that of the old object"
    );
}

fn metadata(pairs: &[(&str, &str)]) -> WriteOptions {
    let metadata = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    WriteOptions { metadata, ..WriteOptions::default() }
}

/// User metadata is kept, sorted by key, and replaced as a whole.
pub async fn metadata_is_kept(backend: Arc<dyn Backend>) {
    let given =
        metadata(&[("alpha", "one"), ("beta", "two = 2; \"quoted\", and blanks inside"), ("x-y_z.1", "3")]);
    if !backend.capabilities().features.custom_metadata {
        backend.put("object", "x").await.unwrap();
        is_unsupported(&*backend, backend.write(&path("object"), &given)).await;
        return is_unsupported(&*backend, backend.put_with("object", "y", &given)).await;
    }
    let mut reversed = given.clone();
    reversed.metadata.reverse();
    for options in [&given, &reversed] {
        let info = backend.put_with("object", "x", options).await.unwrap();
        assert_eq!(info.metadata, given.metadata);
        backend.put_by_upload("upload", "x", options).await.unwrap();
        for path in ["object", "upload"] {
            assert_eq!(backend.info(path).await.unwrap().metadata, given.metadata);
        }
    }
    let other = metadata(&[("alpha", "other")]);
    backend.put_with("object", "x", &other).await.unwrap();
    assert_eq!(backend.info("object").await.unwrap().metadata, other.metadata);
    backend.put("object", "x").await.unwrap();
    assert!(backend.info("object").await.unwrap().metadata.is_empty());
}

/// Metadata that a store cannot keep is refused, never changed.
pub async fn odd_metadata_is_kept_or_refused(backend: Arc<dyn Backend>) {
    if !backend.capabilities().features.custom_metadata {
        return;
    }
    let long = "x".repeat(1_500);
    for pair in [
        ("key", "é 😀"),
        ("key", ""),
        ("key", " blanks "),
        ("Key", "Case"),
        ("key", &long),
        ("é", "x"),
        ("", "x"),
    ] {
        let options = metadata(&[pair]);
        match backend.put_with("object", "x", &options).await {
            Ok(_) => {
                assert_eq!(backend.info("object").await.unwrap().metadata, options.metadata);
                backend.remove("object").await.unwrap();
            }
            Err(_) => assert!(backend.snapshot().await.is_empty(), "{pair:?}"),
        }
    }
}

/// The same key twice is a contradiction.
pub async fn keys_are_unique(backend: Arc<dyn Backend>) {
    if !backend.capabilities().features.custom_metadata {
        return;
    }
    let options = metadata(&[("key", "one"), ("other", "x"), ("key", "two")]);
    fails(backend.put_with("object", "x", &options).await, ErrorCode::InvalidArgument);
    assert_eq!(backend.objects("").await, [""; 0]);
}
