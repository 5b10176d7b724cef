//! What Google Cloud Storage says when it refuses, in our words.

use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::{
    Error, ErrorCode,
    backend::cloud::{client::retry_after, excerpt},
};

/// The body of a refusal.
#[derive(Debug, Deserialize)]
struct Body {
    error: Refusal,
}

/// What it says, if anything: it is a refusal in any case.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    code: u16,
    message: String,
    errors: Vec<Reason>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reason {
    reason: String,
}

/// The status that is named in a refusal; `None` if the body is something else.
pub(super) fn refused(body: &[u8]) -> Option<StatusCode> {
    let Body { error } = serde_json::from_slice(body).ok()?;
    StatusCode::from_u16(error.code).ok().filter(|status| !status.is_success())
}

impl Refusal {
    /// Reads a refusal; an empty one if the body is something else, for example that of a download.
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).map_or_else(|_| Self::default(), |Body { error }| error)
    }

    fn reason(&self) -> &str {
        self.errors.first().map_or("", |first| first.reason.as_str())
    }

    /// Whether it is the bucket that is missing. The status is the same as for an object.
    fn misses_bucket(&self, body: &[u8]) -> bool {
        let in_xml = b"<Code>NoSuchBucket</Code>";
        self.message.contains("bucket does not exist")
            || body.windows(in_xml.len()).any(|part| part == in_xml)
    }
}

/// The error for an answer about a bucket, or about an object in it. The status decides; the words of the store only
/// distinguish errors that share a status.
pub(super) fn explain(
    bucket: &str,
    is_anonymous: bool,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Error {
    let refusal = Refusal::read(body);
    let (code, message) = match (status, refusal.reason()) {
        (StatusCode::NOT_FOUND, _) if refusal.misses_bucket(body) => return no_bucket(bucket),
        (StatusCode::NOT_FOUND, _) => (ErrorCode::NotFound, "there is no such object".to_owned()),
        (StatusCode::PRECONDITION_FAILED, _) => return precondition_failed(),
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, "userRateLimitExceeded" | "rateLimitExceeded")
        | (StatusCode::TOO_MANY_REQUESTS, _) => {
            (ErrorCode::RateLimited, "the store asks for fewer requests: try again later".to_owned())
        }
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) if is_anonymous => (
            ErrorCode::PermissionDenied,
            format!(
                "the bucket `{bucket}` is not public, or there is none: remove `anonymous = true` and give credentials"
            ),
        ),
        (StatusCode::UNAUTHORIZED, _) => (
            ErrorCode::PermissionDenied,
            "the access token has expired or is not valid: run `gcloud auth application-default login`, or give \
             another `access_token` or `credentials`"
                .to_owned(),
        ),
        (StatusCode::FORBIDDEN, _) => (
            ErrorCode::PermissionDenied,
            format!("access is denied: these credentials lack the right to do this in the bucket `{bucket}`"),
        ),
        (StatusCode::BAD_REQUEST, "userProjectMissing" | "required")
            if refusal.message.contains("requester pays") =>
        {
            (
                ErrorCode::InvalidArgument,
                format!("whoever uses the bucket `{bucket}` pays for it: set `user_project` in the configuration to a project of yours"),
            )
        }
        (StatusCode::BAD_REQUEST, _) if is_damage(&refusal.message) => (
            ErrorCode::Corrupted,
            "the bytes were damaged on the way to the store: write again".to_owned(),
        ),
        (StatusCode::GONE, _) => (
            ErrorCode::Unavailable,
            "the store has given up the upload: write it again".to_owned(),
        ),
        (StatusCode::REQUEST_TIMEOUT, _) => {
            (ErrorCode::Timeout, "the store waited too long: try again".to_owned())
        }
        (StatusCode::NOT_IMPLEMENTED, _) => {
            (ErrorCode::Unsupported, "this store does not do what was asked".to_owned())
        }
        (status, _) if status.is_server_error() => {
            (ErrorCode::Unavailable, format!("the store has a fault ({status}): try again later"))
        }
        (status, _) => (ErrorCode::Other, format!("the store answered {status}")),
    };
    let error = match refusal.message.as_str() {
        said if !said.is_empty() && matches!(code, ErrorCode::Other | ErrorCode::Unavailable) => {
            Error::new(code, message).with_note(format_args!("it says: {}", excerpt(said)))
        }
        _ => Error::new(code, message),
    };
    match retry_after(headers) {
        Some(after) => error.with_retry_after(after),
        None => error,
    }
}

/// Whether the message is about a checksum that does not match.
fn is_damage(message: &str) -> bool {
    ["CRC32C", "MD5", "checksum", "X-Goog-Hash"].iter().any(|word| message.contains(word))
}

pub(super) fn no_bucket(bucket: &str) -> Error {
    let message = format!(
        "there is no bucket `{bucket}`: check its name and the endpoint, or make it (`omnistorage mkdir gs://{bucket}`)"
    );
    Error::new(ErrorCode::NotFound, message)
}

pub(super) fn precondition_failed() -> Error {
    Error::new(ErrorCode::PreconditionFailed, "the object is not as the condition demands")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(status: u16, reason: &str, message: &str) -> Error {
        let body = serde_json::json!({"error": {"code": status, "message": message, "errors": [{"reason": reason}]}});
        let status = StatusCode::from_u16(status).unwrap();
        explain("b", false, status, &HeaderMap::new(), body.to_string().as_bytes())
    }

    #[test]
    fn refusals_say_what_to_do() {
        for (status, reason, message, code, word) in [
            (401, "authError", "Invalid Credentials", ErrorCode::PermissionDenied, "expired"),
            (403, "forbidden", "x does not have access", ErrorCode::PermissionDenied, "bucket `b`"),
            (403, "rateLimitExceeded", "", ErrorCode::RateLimited, "fewer"),
            (404, "notFound", "The specified bucket does not exist.", ErrorCode::NotFound, "no bucket `b`"),
            (404, "notFound", "No such object: b/k", ErrorCode::NotFound, "no such object"),
            (412, "conditionNotMet", "", ErrorCode::PreconditionFailed, "condition"),
            (429, "rateLimitExceeded", "", ErrorCode::RateLimited, "fewer"),
            (
                400,
                "invalid",
                "Provided CRC32C \"x\" doesn't match calculated CRC32C \"y\".",
                ErrorCode::Corrupted,
                "again",
            ),
            (
                400,
                "required",
                "Bucket is a requester pays bucket but no user project provided.",
                ErrorCode::InvalidArgument,
                "`user_project`",
            ),
            (503, "backendError", "", ErrorCode::Unavailable, "try again"),
            (418, "", "odd", ErrorCode::Other, "odd"),
        ] {
            let error = explained(status, reason, message);
            assert_eq!(error.code(), code, "{error}");
            assert!(error.message().contains(word), "{error}");
        }
    }

    /// Row 39 of what the Go library did: any text with "403" in it was a refusal of rights.
    #[test]
    fn the_status_decides_and_not_a_number_in_the_text() {
        for (status, code) in [
            (404, ErrorCode::NotFound),
            (412, ErrorCode::PreconditionFailed),
            (500, ErrorCode::Unavailable),
            (400, ErrorCode::Other),
        ] {
            let error = explained(status, "", "object 403 in project 403: Forbidden");
            assert_eq!(error.code(), code, "{error}");
        }
        let no_json = explain("b", false, StatusCode::NOT_FOUND, &HeaderMap::new(), b"<html>403</html>");
        assert_eq!(no_json.code(), ErrorCode::NotFound);
    }

    #[test]
    fn downloads_refuse_in_xml() {
        let body = b"<?xml version='1.0'?><Error><Code>NoSuchBucket</Code><Message>m</Message></Error>";
        let error = explain("b", false, StatusCode::NOT_FOUND, &HeaderMap::new(), body);
        assert!(error.message().contains("no bucket `b`"), "{error}");
    }
}
