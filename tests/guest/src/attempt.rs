//! Attempts to get at more than is granted.

use crate::{
    behaviour, error,
    hoard::{self, whole},
    imports::{
        backend::{self, Backend, ListOptions},
        types::{Error, ErrorCode, Location, ObjectInfo, ObjectKind},
    },
};

/// Attempts something, and gives the host's error if it is stopped:
///
/// - `hoard` and `keep`: see [`hoard`](hoard::hoard).
/// - `items`: puts many into one call: see [`items`](hoard::items).
/// - `idle`: gets nothing done: see [`idle`](hoard::idle).
/// - `reopen`: uses the backend after its end; succeeds if each call is refused.
/// - `read-all`: reads an object by value, as many bytes as there may be; the size it got is that of the result.
/// - `escape`: uses paths that leave the backend; succeeds if each is refused.
/// - `long-path`: asks for a path of 80 MiB.
/// - `leave-read`: opens the object, takes its first bytes and drops the rest, a thousand times.
pub(crate) async fn attempt(at: Location) -> Result<ObjectInfo, Error> {
    let behaviour = behaviour(&at);
    let open = backend::open(at.backend.clone(), Vec::new()).await?;
    let mut info = ObjectInfo {
        path: at.path.clone(),
        kind: ObjectKind::Object,
        size: None,
        modified: None,
        etag: None,
        content_type: None,
        hashes: Vec::new(),
        metadata: Vec::new(),
    };
    match behaviour.as_str() {
        "hoard" | "keep" => hoard::hoard(&at).await?,
        "items" => hoard::items(&open, &at.path).await?,
        "idle" => return hoard::idle(&open, &at.path).await,
        "reopen" => hoard::reopen(&open).await?,
        "read-all" => info.size = Some(open.read_all(at.path, whole(), u32::MAX).await?.len() as u64),
        "escape" => escape(&open).await?,
        "long-path" => return open.stat("x".repeat(80 << 20)).await,
        "leave-read" => leave_read(&open, &at.path).await?,
        other => panic!("there is no attempt {other:?}"),
    }
    Ok(info)
}

async fn escape(open: &Backend) -> Result<(), Error> {
    for path in ["..", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", "./a", "a\0b"] {
        let path = || path.to_owned();
        let options =
            ListOptions { recursive: true, start_after: None, until: None, limit: None, full_info: false };
        let refusals = [
            open.stat(path()).await.err(),
            open.read_all(path(), whole(), 1).await.err(),
            open.list(path(), options).await.err(),
            open.delete(vec![path()]).await.into_iter().find_map(Result::err),
            open.mkdir(path()).await.err(),
            open.purge(path()).await.err(),
        ];
        for refusal in refusals {
            if refusal.is_none_or(|error| error.code != ErrorCode::InvalidPath) {
                return Err(error(ErrorCode::Other, format!("{:?} was not refused", path())));
            }
        }
    }
    Ok(())
}

async fn leave_read(open: &Backend, path: &str) -> Result<(), Error> {
    for _ in 0..1000 {
        let mut reader = open.read(path.to_owned(), whole()).await?;
        let (_, head) = reader.contents.read(Vec::with_capacity(16)).await;
        if head.is_empty() {
            return Err(error(ErrorCode::Other, "the object is empty"));
        }
    }
    Ok(())
}
