//! Uploads: the bytes in one request, or the begin of a session.

use bytes::Bytes;
use http::{Request, Response};

use super::{
    error::{Refusal, Result},
    multipart,
    request::{Query, description, ok},
    resumable,
    store::Store,
};

pub(super) fn begin(
    store: &mut Store,
    bucket: &str,
    request: &Request<Bytes>,
    query: &Query,
) -> Result<Response<Bytes>> {
    store.bucket(bucket)?;
    let conditions = query.conditions()?;
    let named = |body: &[u8]| {
        let description = description(body)?.unwrap_or_default();
        let name = query.get("name").map(str::to_owned);
        let name = name.or_else(|| Some(description.get("name")?.as_str()?.to_owned()));
        Ok((name.ok_or_else(|| Refusal::invalid("Required: name"))?, description))
    };
    match query.get("uploadType") {
        Some("media") => {
            let (name, description) = named(b"")?;
            let contents = request.body().clone();
            store.create(bucket, &name, contents, &description, &conditions).map(ok)
        }
        Some("multipart") => {
            let parts = multipart::parts(request.headers(), request.body());
            let malformed = || Refusal::invalid("Malformed multipart body.");
            let [first, second] = parts.and_then(|parts| parts.try_into().ok()).ok_or_else(malformed)?;
            let (name, mut description) = named(&first.body)?;
            if let Some(content_type) = second.header("content-type") {
                description.entry("contentType").or_insert_with(|| content_type.into());
            }
            store.create(bucket, &name, second.body, &description, &conditions).map(ok)
        }
        Some("resumable") => {
            let (name, description) = named(request.body())?;
            resumable::begin(store, (bucket, &name), description, conditions, request)
        }
        _ => Err(Refusal::invalid("Invalid uploadType")),
    }
}
