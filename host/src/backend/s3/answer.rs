//! What S3 says when it refuses, in our words.

use http::{HeaderMap, StatusCode};

use super::xml::{Answer, Document, not_understood, required};
use crate::{
    Error, ErrorCode, Result,
    backend::cloud::{client::retry_after, excerpt},
};

/// The body of a refusal, which may also come with status 200.
#[derive(Debug)]
pub(super) struct Refusal {
    code: String,
    message: String,
    region: String,
    /// What the refusal is about, if the store says so.
    pub(super) key: Option<String>,
}

impl Answer for Refusal {
    const ROOT: &'static str = "Error";

    fn read(document: &mut Document<'_>) -> Result<Self> {
        let (mut code, mut key) = (None, None);
        let (mut message, mut region) = (String::new(), String::new());
        while let Some(element) = document.element()? {
            match element.name() {
                "Code" => code = Some(document.word("Code")?.into_owned()),
                "Message" => excerpt(&document.text()?).clone_into(&mut message),
                "Region" => excerpt(&document.text()?).clone_into(&mut region),
                "Key" => key = Some(document.text()?.into_owned()),
                _ => document.skip(&element)?,
            }
        }
        Ok(Self { code: required(code, "Code")?, message, region, key })
    }
}

impl Refusal {
    /// Whether it has that code.
    pub(super) fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// The error that it is.
    pub(super) fn explain(&self, bucket: &str, status: StatusCode, headers: &HeaderMap) -> Error {
        let region = || match self.region.as_str() {
            "" => headers.get("x-amz-bucket-region").and_then(|region| region.to_str().ok()),
            region => Some(region),
        };
        let (code, message) = match self.code.as_str() {
            "NoSuchKey" => (ErrorCode::NotFound, "there is no such object".to_owned()),
            "NoSuchBucket" => return no_bucket(bucket),
            "BucketNotEmpty" => return not_empty(bucket),
            "BucketAlreadyExists" => (
                ErrorCode::AlreadyExists,
                format!("the name `{bucket}` is taken by a bucket of somebody else: choose another one"),
            ),
            "BucketAlreadyOwnedByYou" => {
                (ErrorCode::AlreadyExists, format!("there is a bucket `{bucket}` already"))
            }
            "InvalidBucketName" => {
                (ErrorCode::InvalidArgument, format!("the store takes no bucket of the name `{bucket}`"))
            }
            "TooManyBuckets" => {
                (ErrorCode::LimitExceeded, "this account has as many buckets as it may have".to_owned())
            }
            "NoSuchUpload" => {
                (ErrorCode::NotFound, "the upload was aborted from elsewhere: write it again".to_owned())
            }
            "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => (
                ErrorCode::PermissionDenied,
                format!(
                    "access is denied: these credentials lack the right to do this in the bucket `{bucket}`"
                ),
            ),
            "InvalidAccessKeyId" => (
                ErrorCode::PermissionDenied,
                "the store does not know this access key: check AWS_ACCESS_KEY_ID, or `access_key_id` in the configuration"
                    .to_owned(),
            ),
            "SignatureDoesNotMatch" => (
                ErrorCode::PermissionDenied,
                "the secret key is wrong: check AWS_SECRET_ACCESS_KEY, or `secret_access_key` in the configuration".to_owned(),
            ),
            "ExpiredToken" | "TokenRefreshRequired" | "RequestExpired" => (
                ErrorCode::PermissionDenied,
                "the session token has expired: get a new one, and set AWS_SESSION_TOKEN, or `session_token` in the configuration"
                    .to_owned(),
            ),
            "InvalidToken" => (
                ErrorCode::PermissionDenied,
                "the session token is not valid: check AWS_SESSION_TOKEN, or `session_token` in the configuration".to_owned(),
            ),
            "RequestTimeTooSkewed" => {
                (ErrorCode::PermissionDenied, "the clock of this machine is wrong: set it".to_owned())
            }
            "AuthorizationHeaderMalformed"
            | "PermanentRedirect"
            | "TemporaryRedirect"
            | "IllegalLocationConstraintException" => {
                (ErrorCode::InvalidArgument, wrong_region(bucket, region()))
            }
            "PreconditionFailed" | "ConditionalRequestConflict" => return precondition_failed(),
            "SlowDown" | "TooManyRequests" | "RequestLimitExceeded" => {
                (ErrorCode::RateLimited, "the store asks for fewer requests: try again later".to_owned())
            }
            "InternalError" | "ServiceUnavailable" | "Busy" => {
                (ErrorCode::Unavailable, "the store has a fault: try again later".to_owned())
            }
            "RequestTimeout" => (ErrorCode::Timeout, "the store waited too long: try again".to_owned()),
            "BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch" => (
                ErrorCode::Corrupted,
                "the bytes were damaged on the way to the store: write again".to_owned(),
            ),
            "EntityTooLarge" => {
                (ErrorCode::LimitExceeded, "the object is larger than the store takes".to_owned())
            }
            "KeyTooLongError" => {
                (ErrorCode::InvalidPath, "the key is longer than the store takes".to_owned())
            }
            "MetadataTooLarge" => {
                (ErrorCode::InvalidArgument, "the metadata is larger than the store takes".to_owned())
            }
            "NotImplemented" => (ErrorCode::Unsupported, "this store does not do what was asked".to_owned()),
            "InvalidObjectState" => (
                ErrorCode::PermissionDenied,
                "the object is archived: restore it before it is read".to_owned(),
            ),
            // The status is left out, since it is that of a success.
            code if status.is_success() => {
                let message = format!("the store refuses it: {}", excerpt(code));
                return with_words(Error::new(ErrorCode::Other, message), &self.message);
            }
            _ => return by_status(bucket, status, headers, &self.message),
        };
        Error::new(code, message)
    }
}

/// Reads an answer, which may be a refusal in spite of its status.
///
/// # Errors
/// That of the refusal, for this bucket; [`ErrorCode::Unavailable`] for an answer that is cut off or damaged;
/// [`ErrorCode::Other`] for an answer to something else, or from some other server.
pub(super) fn read<T: Answer>(bucket: &str, body: &[u8]) -> Result<T> {
    let (mut document, root) = Document::open(body, T::ROOT)?;
    if root == T::ROOT || Some(root.as_str()) == T::OTHER_ROOT {
        let answer = T::read(&mut document)?;
        document.end()?;
        return Ok(answer);
    }
    if root == Refusal::ROOT {
        let refusal = Refusal::read(&mut document)?;
        return Err(refusal.explain(bucket, StatusCode::OK, &HeaderMap::new()));
    }
    Err(not_understood(format_args!("it is `{root}` and not `{}`", T::ROOT)))
}

/// Reads a refusal; `None` if the body is something else.
pub(super) fn read_refusal(body: &[u8]) -> Option<Refusal> {
    let (mut document, root) = Document::open(body, Refusal::ROOT).ok()?;
    if root == Refusal::ROOT { Refusal::read(&mut document).ok() } else { None }
}

/// The error for an answer.
pub(super) fn explain(bucket: &str, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let error = match read_refusal(body) {
        Some(refusal) => refusal.explain(bucket, status, headers),
        None => by_status(bucket, status, headers, ""),
    };
    match retry_after(headers) {
        Some(after) => error.with_retry_after(after),
        None => error,
    }
}

fn by_status(bucket: &str, status: StatusCode, headers: &HeaderMap, said: &str) -> Error {
    let region = headers.get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
    let (code, message) = match status {
        StatusCode::NOT_FOUND => (ErrorCode::NotFound, "there is no such object".to_owned()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            (ErrorCode::PermissionDenied, "the store refuses these credentials".to_owned())
        }
        StatusCode::PRECONDITION_FAILED => return precondition_failed(),
        StatusCode::MOVED_PERMANENTLY | StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
            (ErrorCode::InvalidArgument, wrong_region(bucket, region))
        }
        StatusCode::TOO_MANY_REQUESTS => {
            (ErrorCode::RateLimited, "the store asks for fewer requests: try again later".to_owned())
        }
        StatusCode::REQUEST_TIMEOUT => {
            (ErrorCode::Timeout, "the store waited too long: try again".to_owned())
        }
        StatusCode::NOT_IMPLEMENTED => {
            (ErrorCode::Unsupported, "this store does not do what was asked".to_owned())
        }
        StatusCode::INSUFFICIENT_STORAGE => (ErrorCode::NoSpace, "the store is full".to_owned()),
        status if status.is_server_error() => {
            (ErrorCode::Unavailable, format!("the store has a fault ({status}): try again later"))
        }
        status => (ErrorCode::Other, format!("the store answered {status}")),
    };
    with_words(Error::new(code, message), said)
}

/// There is no such bucket.
pub(super) fn no_bucket(bucket: &str) -> Error {
    let message = format!(
        "there is no bucket `{bucket}`: check its name and the endpoint, or make it (`omnistorage mkdir s3://{bucket}`)"
    );
    Error::new(ErrorCode::NotFound, message)
}

/// A bucket is removed when there is nothing in it.
pub(super) fn not_empty(bucket: &str) -> Error {
    Error::new(ErrorCode::NotEmpty, format!("the bucket `{bucket}` still has objects in it"))
}

/// A condition does not hold.
pub(super) fn precondition_failed() -> Error {
    Error::new(ErrorCode::PreconditionFailed, "the object is not as the condition demands")
}

/// With the store's own words.
fn with_words(error: Error, said: &str) -> Error {
    if said.is_empty() { error } else { error.with_note(format_args!("it says: {said}")) }
}

fn wrong_region(bucket: &str, region: Option<&str>) -> String {
    match region {
        Some(region) => {
            format!(
                "the bucket `{bucket}` is in the region `{region}`: set AWS_REGION, or `region` in the configuration, to it"
            )
        }
        None => format!(
            "the bucket `{bucket}` is in another region: set AWS_REGION, or `region` in the configuration, to it"
        ),
    }
}

#[cfg(test)]
mod documents;

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(status: u16, code: &str, more: &str) -> Error {
        let body =
            format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>m</Message>{more}</Error>");
        explain("b", StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn refusals_say_what_to_do() {
        for (status, code, more, expected, word) in [
            (403, "SignatureDoesNotMatch", "", ErrorCode::PermissionDenied, "secret key is wrong"),
            (403, "InvalidAccessKeyId", "", ErrorCode::PermissionDenied, "AWS_ACCESS_KEY_ID"),
            (404, "NoSuchBucket", "", ErrorCode::NotFound, "no bucket `b`"),
            (400, "ExpiredToken", "", ErrorCode::PermissionDenied, "expired"),
            (
                301,
                "PermanentRedirect",
                "<Region>eu-west-1</Region>",
                ErrorCode::InvalidArgument,
                "`eu-west-1`",
            ),
            (503, "SlowDown", "", ErrorCode::RateLimited, "fewer"),
            (412, "PreconditionFailed", "", ErrorCode::PreconditionFailed, "condition"),
            (500, "InternalError", "", ErrorCode::Unavailable, "try again"),
        ] {
            let error = explained(status, code, more);
            assert_eq!(error.code(), expected, "{error}");
            assert!(error.message().contains(word), "{error}");
        }
    }
}
