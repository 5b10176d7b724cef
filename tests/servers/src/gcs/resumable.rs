//! Uploads in several requests.

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode, header};
use serde_json::Value;

use super::{
    error::{Refusal, Result, answer as json, plain},
    request::{Query, ok},
    store::{Conditions, Description, Store},
};

/// What is not the end is kept in units of so many bytes.
const UNIT: usize = 256 << 10;

#[derive(Debug)]
pub(super) struct Session {
    bucket: String,
    key: String,
    description: Description,
    conditions: Conditions,
    /// As announced.
    size: Option<usize>,
    kept: BytesMut,
    made: Option<Value>,
}

impl Session {
    pub(super) fn is_done(&self) -> bool {
        self.made.is_some()
    }
}

pub(super) fn begin(
    store: &mut Store,
    (bucket, key): (&str, &str),
    description: Description,
    conditions: Conditions,
    request: &Request<Bytes>,
) -> Result<Response<Bytes>> {
    conditions.check(store.bucket(bucket)?.get(key))?;
    let size = request.headers().get("x-upload-content-length");
    let session = Session {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        description,
        conditions,
        size: size.and_then(|size| size.to_str().ok()?.parse().ok()),
        kept: BytesMut::new(),
        made: None,
    };
    let id = store.next().to_string();
    // By a name of its own, as stores behind a proxy do: only the path is of use.
    let location =
        format!("https://storage.example/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={id}");
    store.sessions.insert(id, session);
    Ok(Response::builder().header(header::LOCATION, location).body(Bytes::new()).unwrap())
}

/// A part, a question how much is kept, or the end of a session without an object.
pub(super) fn go_on(store: &mut Store, request: &Request<Bytes>, query: &Query) -> Result<Response<Bytes>> {
    let id = query.get("upload_id").unwrap_or_default().to_owned();
    let keep_at_most = store.keep_at_most;
    let session = store.sessions.get_mut(&id).ok_or_else(Refusal::no_upload)?;
    if request.method() == Method::DELETE {
        store.sessions.remove(&id);
        return Ok(plain(StatusCode::from_u16(499).unwrap()));
    }
    if let Some(made) = &session.made {
        return Ok(ok(made.clone()));
    }
    let asked = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let range = asked("content-range").and_then(|range| range.strip_prefix("bytes ")?.split_once('/'));
    let (range, total) = range.ok_or_else(|| Refusal::invalid("Invalid Content-Range"))?;
    let total: Option<usize> = total.parse().ok();
    let mut bytes = request.body().clone();
    if let Some((first, last)) = range.split_once('-') {
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        if last + 1 - first != bytes.len() || first > session.kept.len() {
            return Err(Refusal::invalid("the bytes do not go on from what is kept"));
        }
        // What is kept already is skipped.
        bytes = bytes.split_off((session.kept.len() - first).min(bytes.len()));
        bytes.truncate(keep_at_most.unwrap_or(usize::MAX));
        session.kept.extend_from_slice(&bytes);
        if total != Some(session.kept.len()) {
            session.kept.truncate(session.kept.len() / UNIT * UNIT);
        }
    }
    if total != Some(session.kept.len()) {
        return Ok(incomplete(session.kept.len()));
    }
    if session.size.is_some_and(|size| total != Some(size)) {
        return Err(Refusal::invalid("another size was announced"));
    }
    let mut description = session.description.clone();
    if let Some(crc32c) = asked("x-goog-hash").and_then(|hash| hash.strip_prefix("crc32c=")) {
        description.insert("crc32c".to_owned(), crc32c.into());
    }
    let contents = session.kept.clone().freeze();
    let (bucket, key, conditions) = (session.bucket.clone(), session.key.clone(), session.conditions.clone());
    let made = store.create(&bucket, &key, contents, &description, &conditions)?;
    if let Some(session) = store.sessions.get_mut(&id) {
        session.kept = BytesMut::new();
        session.made = Some(made.clone());
    }
    Ok(json(StatusCode::OK, &made))
}

fn incomplete(kept: usize) -> Response<Bytes> {
    let mut answer = plain(StatusCode::PERMANENT_REDIRECT);
    if kept > 0 {
        answer.headers_mut().insert(header::RANGE, format!("bytes=0-{}", kept - 1).parse().unwrap());
    }
    answer
}
