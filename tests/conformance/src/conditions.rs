//! Writes that take place only if nobody was faster.

use std::sync::Arc;

use omnistorage::{
    Backend, ErrorCode,
    backend::{WriteCondition, WriteOptions},
};

use crate::shorthand::{Shorthand, fails, is_unsupported, path};

fn when(condition: WriteCondition) -> WriteOptions {
    WriteOptions { condition, ..WriteOptions::default() }
}

fn if_match(etag: &str) -> WriteOptions {
    when(WriteCondition::IfMatch(etag.to_owned()))
}

/// Where the backend has no conditions: they are refused, never ignored.
async fn claimed(backend: &dyn Backend) -> bool {
    let features = backend.capabilities().features;
    if !features.conditional_write {
        backend.put("object", "old").await.unwrap();
        for options in [when(WriteCondition::IfAbsent), if_match("etag")] {
            for target in ["object", "absent"] {
                is_unsupported(backend, backend.put_with(target, "new", &options)).await;
                is_unsupported(backend, backend.write(&path(target), &options)).await;
                if features.copy {
                    is_unsupported(backend, backend.copy("object", target, &options)).await;
                }
            }
        }
    }
    features.conditional_write
}

/// Only where nothing is yet.
pub async fn if_absent_creates_once(backend: Arc<dyn Backend>) {
    if !claimed(&*backend).await {
        return;
    }
    let options = when(WriteCondition::IfAbsent);
    backend.put_with("object", "first", &options).await.unwrap();
    let before = backend.snapshot().await;
    fails(backend.put_with("object", "second", &options).await, ErrorCode::PreconditionFailed);
    assert_eq!(backend.snapshot().await, before);
    backend.remove("object").await.unwrap();
    backend.put_with("object", "third", &options).await.unwrap();
    assert_eq!(backend.get("object").await.unwrap(), "third");
}

/// Only over the version that was seen.
pub async fn if_match_replaces_what_was_seen(backend: Arc<dyn Backend>) {
    if !claimed(&*backend).await {
        return;
    }
    fails(backend.put_with("object", "x", &if_match("etag")).await, ErrorCode::PreconditionFailed);
    assert!(!backend.exists(&path("object")).await.unwrap());
    let first = backend.put("object", "first").await.unwrap().etag.unwrap();
    let second = backend.put_with("object", "second", &if_match(&first)).await.unwrap().etag.unwrap();
    assert_ne!(first, second);
    let before = backend.snapshot().await;
    fails(backend.put_with("object", "third", &if_match(&first)).await, ErrorCode::PreconditionFailed);
    fails(backend.put_with("object", "third", &if_match("\"invalid\"")).await, ErrorCode::PreconditionFailed);
    assert_eq!(backend.snapshot().await, before);
    backend.remove("object").await.unwrap();
    fails(backend.put_with("object", "third", &if_match(&second)).await, ErrorCode::PreconditionFailed);
    assert_eq!(backend.objects("").await, [""; 0]);
}

/// The condition holds at the commit: of two uploads one wins.
pub async fn conditions_hold_at_the_commit(backend: Arc<dyn Backend>) {
    if !claimed(&*backend).await {
        return;
    }
    let etag = backend.put("old", "old").await.unwrap().etag.unwrap();
    for (target, options) in [("new", when(WriteCondition::IfAbsent)), ("old", if_match(&etag))] {
        let mut loser = backend.write(&path(target), &options).await.unwrap();
        let mut winner = backend.write(&path(target), &options).await.unwrap();
        loser.push("loser".into()).await.unwrap();
        winner.push("winner".into()).await.unwrap();
        winner.commit().await.unwrap();
        fails(loser.commit().await, ErrorCode::PreconditionFailed);
        assert_eq!(backend.get(target).await.unwrap(), "winner");
    }
    assert_eq!(backend.objects("").await, ["new", "old"]);
}

/// The condition of a copy or a move is about its target.
pub async fn copies_keep_conditions(backend: Arc<dyn Backend>) {
    let features = backend.capabilities().features;
    if !claimed(&*backend).await {
        return;
    }
    backend.put("source", "source").await.unwrap();
    let etag = backend.put("target", "target").await.unwrap().etag.unwrap();
    let before = backend.snapshot().await;
    if features.copy {
        for (target, options) in [
            ("target", when(WriteCondition::IfAbsent)),
            ("target", if_match("x")),
            ("absent", if_match(&etag)),
        ] {
            fails(backend.copy("source", target, &options).await, ErrorCode::PreconditionFailed);
            assert_eq!(backend.snapshot().await, before, "{options:?}");
        }
        backend.copy("source", "copy", &when(WriteCondition::IfAbsent)).await.unwrap();
        backend.copy("source", "target", &if_match(&etag)).await.unwrap();
        assert_eq!(backend.get("target").await.unwrap(), "source");
    }
    if features.move_to {
        fails(
            backend.rename("source", "target", &when(WriteCondition::IfAbsent)).await,
            ErrorCode::PreconditionFailed,
        );
        assert_eq!(backend.get("source").await.unwrap(), "source");
        backend.rename("source", "moved", &when(WriteCondition::IfAbsent)).await.unwrap();
        assert!(!backend.exists(&path("source")).await.unwrap());
    }
}
