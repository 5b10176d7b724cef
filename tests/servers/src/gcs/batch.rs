//! Several requests in one.

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};

use super::{
    error::{Refusal, plain},
    multipart, request,
    store::Store,
};

/// The most that the store takes.
const MOST: usize = 100;

pub(super) fn answer(store: &mut Store, batch: &Request<Bytes>) -> Response<Bytes> {
    let parts = multipart::parts(batch.headers(), batch.body()).filter(|parts| parts.len() <= MOST);
    let Some(parts) = parts else { return Refusal::invalid("Failed to parse batch request").in_json() };
    let mut body = String::new();
    // In any order: it is the identifier that says what is what.
    for (at, part) in parts.iter().rev().enumerate() {
        let Some(asked) = inner(&part.body) else {
            return Refusal::invalid("Failed to parse batch request").in_json();
        };
        let answered = match at < store.failing_parts {
            true => plain(StatusCode::SERVICE_UNAVAILABLE),
            false => request::answer(store, &asked),
        };
        let id = part.header("content-id").unwrap_or_default().trim_start_matches('<').trim_end_matches('>');
        body += &format!(
            "--batch_of_answers\r\nContent-Type: application/http\r\nContent-ID: <response-{id}>\r\n\r\n\
             HTTP/1.1 {}\r\nContent-Type: application/json\r\n\r\n{}\r\n",
            answered.status(),
            String::from_utf8_lossy(answered.body())
        );
    }
    body += "--batch_of_answers--";
    let answer =
        Response::builder().header(header::CONTENT_TYPE, "multipart/mixed; boundary=batch_of_answers");
    answer.body(body.into()).unwrap()
}

fn inner(text: &Bytes) -> Option<Request<Bytes>> {
    let text = str::from_utf8(text).ok()?;
    let mut line = text.lines().next()?.split(' ');
    let (method, uri) = (line.next()?, line.next()?);
    // Only a path: the host is that of the batch.
    if !uri.starts_with("/storage/v1/") {
        return None;
    }
    Request::builder().method(method).uri(uri).body(Bytes::new()).ok()
}
