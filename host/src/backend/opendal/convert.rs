//! What OpenDAL reports, in the vocabulary of this crate.

use ::opendal::{ErrorKind, Metadata};
use omnistorage_types::Path;

use crate::{Error, ErrorCode, ObjectInfo, ObjectKind, Result, Timestamp};

/// A server's own words may be a whole page.
const MAX_MESSAGE: usize = 200;

/// The error without its context, in which addresses and headers stand. OpenDAL tries again by itself, and calls
/// persistent what it will not try any more.
pub(super) fn failed(error: &::opendal::Error) -> Error {
    let failed = translated(error);
    if error.is_persistent() && failed.may_pass() { failed.given_up() } else { failed }
}

fn translated(error: &::opendal::Error) -> Error {
    if let Some(http) =
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<reqwest::Error>())
        && (http.is_connect() || http.is_timeout())
    {
        let code = if http.is_timeout() { ErrorCode::Timeout } else { ErrorCode::Unavailable };
        return Error::new(
            code,
            "the service does not answer: is the endpoint right, and can it be reached?",
        );
    }
    let code = match error.kind() {
        ErrorKind::NotFound => ErrorCode::NotFound,
        ErrorKind::PermissionDenied => ErrorCode::PermissionDenied,
        ErrorKind::IsADirectory => ErrorCode::IsDirectory,
        ErrorKind::NotADirectory => ErrorCode::NotDirectory,
        ErrorKind::AlreadyExists => ErrorCode::AlreadyExists,
        ErrorKind::ConditionNotMatch => ErrorCode::PreconditionFailed,
        ErrorKind::RateLimited => ErrorCode::RateLimited,
        ErrorKind::ConfigInvalid | ErrorKind::RangeNotSatisfied | ErrorKind::IsSameFile => {
            ErrorCode::InvalidArgument
        }
        ErrorKind::Unsupported => ErrorCode::Unsupported,
        _ if error.message() == "operation timeout reached" => ErrorCode::Timeout,
        _ if error.is_temporary() => ErrorCode::Unavailable,
        _ => ErrorCode::Other,
    };
    let line = error.message().lines().next().unwrap_or_default().trim();
    let line: String = line.chars().take(MAX_MESSAGE).collect();
    let message = if line.is_empty() {
        format!("the service failed: {}", error.kind().into_static())
    } else {
        format!("the service failed: {line}")
    };
    Error::new(code, message)
}

/// What is known about an object or a directory.
///
/// # Errors
/// [`ErrorCode::Other`] if it is neither.
pub(super) fn info(path: Path, told: &Metadata) -> Result<ObjectInfo> {
    if told.is_dir() {
        return Ok(ObjectInfo::new(path, ObjectKind::Directory));
    }
    let modified = told.last_modified().map(|time| {
        let time = time.into_inner();
        let nanoseconds = time.as_nanosecond().rem_euclid(1_000_000_000);
        Timestamp {
            seconds: i64::try_from(time.as_nanosecond().div_euclid(1_000_000_000)).unwrap_or_default(),
            nanoseconds: u32::try_from(nanoseconds).unwrap_or_default(),
        }
    });
    let mut metadata: Vec<_> = told
        .user_metadata()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    metadata.sort_unstable();
    Ok(ObjectInfo {
        size: Some(told.content_length()),
        modified,
        etag: told.etag().map(str::to_owned),
        content_type: told.content_type().map(str::to_owned),
        metadata,
        ..ObjectInfo::new(path, ObjectKind::Object)
    })
}
