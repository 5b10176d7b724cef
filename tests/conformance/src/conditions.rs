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

/// Where the backend does not have a condition, it is refused, never ignored.
async fn claimed(backend: &dyn Backend, options: &WriteOptions) -> bool {
    let features = backend.capabilities().features;
    let claimed = match options.condition {
        WriteCondition::Always => true,
        WriteCondition::IfAbsent => features.if_absent,
        WriteCondition::IfMatch(_) => features.if_match,
    };
    if !claimed {
        backend.put("object", "old").await.unwrap();
        for target in ["object", "absent"] {
            is_unsupported(backend, backend.put_with(target, "new", options)).await;
            is_unsupported(backend, backend.write(&path(target), options)).await;
            if features.copy {
                is_unsupported(backend, backend.copy("object", target, options)).await;
            }
        }
    }
    claimed
}

/// Only where nothing is yet.
pub async fn if_absent_creates_once(backend: Arc<dyn Backend>) {
    let options = when(WriteCondition::IfAbsent);
    if !claimed(&*backend, &options).await {
        return;
    }
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
    if !claimed(&*backend, &if_match("etag")).await {
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
    for target in ["new", "old"] {
        let options = match target {
            "new" => when(WriteCondition::IfAbsent),
            _ => if_match(&backend.put("old", "old").await.unwrap().etag.unwrap_or_default()),
        };
        if !claimed(&*backend, &options).await {
            continue;
        }
        let mut loser = backend.write(&path(target), &options).await.unwrap();
        let mut winner = backend.write(&path(target), &options).await.unwrap();
        loser.push("loser".into()).await.unwrap();
        winner.push("winner".into()).await.unwrap();
        winner.commit().await.unwrap();
        fails(loser.commit().await, ErrorCode::PreconditionFailed);
        assert_eq!(backend.get(target).await.unwrap(), "winner");
    }
}

/// The condition of a copy or a move is about its target.
pub async fn copies_keep_conditions(backend: Arc<dyn Backend>) {
    let features = backend.capabilities().features;
    let absent = when(WriteCondition::IfAbsent);
    if claimed(&*backend, &absent).await {
        backend.put("source", "source").await.unwrap();
        backend.put("target", "target").await.unwrap();
        let before = backend.snapshot().await;
        if features.copy {
            fails(backend.copy("source", "target", &absent).await, ErrorCode::PreconditionFailed);
            assert_eq!(backend.snapshot().await, before);
            backend.copy("source", "copy", &absent).await.unwrap();
        }
        if features.move_to {
            fails(backend.rename("source", "target", &absent).await, ErrorCode::PreconditionFailed);
            assert_eq!(backend.get("source").await.unwrap(), "source");
            backend.rename("source", "moved", &absent).await.unwrap();
            assert!(!backend.exists(&path("source")).await.unwrap());
        }
    }
    if claimed(&*backend, &if_match("x")).await && features.copy {
        backend.put("source", "source").await.unwrap();
        let etag = backend.put("target", "target").await.unwrap().etag.unwrap();
        let before = backend.snapshot().await;
        for (target, options) in [("target", if_match("x")), ("absent", if_match(&etag))] {
            fails(backend.copy("source", target, &options).await, ErrorCode::PreconditionFailed);
            assert_eq!(backend.snapshot().await, before, "{options:?}");
        }
        backend.copy("source", "target", &if_match(&etag)).await.unwrap();
        assert_eq!(backend.get("target").await.unwrap(), "source");
    }
}
