//! Downloads, by the XML API.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, Request, Response, StatusCode, header};
use serde_json::Value;

use super::{
    error::{Refusal, Result, plain},
    request::Query,
    store::{Conditions, Object, Store, crc32c, md5},
};

pub(super) fn download(
    store: &mut Store,
    bucket: &str,
    key: &str,
    request: &Request<Bytes>,
    query: &Query,
) -> Result<Response<Bytes>> {
    let asked = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let number =
        |name| asked(name).map(str::parse).transpose().map_err(|_| Refusal::invalid("Invalid header"));
    let conditions = Conditions {
        generation: number("x-goog-if-generation-match")?,
        not_generation: number("x-goog-if-generation-not-match")?,
    };
    let generation = query.number("generation")?;
    let object = store.object(bucket, key)?;
    if generation.is_some_and(|generation| generation != object.generation) {
        return Err(Refusal::no_object(bucket, key));
    }
    conditions.check(Some(object))?;

    let is_packed = object.description.get("contentEncoding").and_then(Value::as_str) == Some("gzip");
    let mut answer = if is_packed && !asked("accept-encoding").unwrap_or_default().contains("gzip") {
        // Of what is unpacked on the way neither the length nor a range is known.
        let mut contents = Vec::new();
        let unpacked = MultiGzDecoder::new(&object.contents[..]).read_to_end(&mut contents);
        unpacked.map_err(|_| Refusal::invalid("not in gzip"))?;
        Response::new(contents.into())
    } else {
        part(&object.contents, asked("range"))
    };
    describe(object, answer.headers_mut());
    Ok(answer)
}

/// A range of the contents, or all.
fn part(contents: &Bytes, range: Option<&str>) -> Response<Bytes> {
    let size = contents.len();
    let Some((start, end)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) else {
        return Response::new(contents.clone());
    };
    let start: usize = start.parse().unwrap_or(0);
    if start >= size {
        let mut answer = plain(StatusCode::RANGE_NOT_SATISFIABLE);
        answer.headers_mut().insert(header::CONTENT_RANGE, format!("bytes */{size}").parse().unwrap());
        return answer;
    }
    let end = end.parse().map_or(size, |last: usize| last.saturating_add(1)).min(size);
    let answer = Response::builder()
        .status(StatusCode::PARTIAL_CONTENT)
        .header(header::CONTENT_RANGE, format!("bytes {start}-{}/{size}", end - 1));
    answer.body(contents.slice(start..end)).unwrap()
}

fn describe(object: &Object, headers: &mut HeaderMap) {
    let mut tell = |name: String, value: &str| {
        headers.append(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    };
    tell("x-goog-generation".to_owned(), &object.generation.to_string());
    tell("x-goog-hash".to_owned(), &format!("crc32c={}", crc32c(&object.contents)));
    tell("x-goog-hash".to_owned(), &format!("md5={}", md5(&object.contents)));
    tell("last-modified".to_owned(), "Sun, 09 Sep 2001 01:46:40 GMT");
    for (field, name) in [("contentType", "content-type"), ("contentEncoding", "content-encoding")] {
        if let Some(value) = object.description.get(field).and_then(Value::as_str) {
            tell(name.to_owned(), value);
        }
    }
    for (key, value) in object.description.get("metadata").and_then(Value::as_object).into_iter().flatten() {
        tell(format!("x-goog-meta-{key}"), value.as_str().unwrap_or_default());
    }
}
