//! What Azure Blob Storage says when it refuses, in our words. Each refusal has its code in a header.

use http::{HeaderMap, StatusCode};

use crate::{
    Error, ErrorCode,
    backend::cloud::{client::retry_after, excerpt},
};

/// The code of a refusal; empty if the answer is none of the service.
pub(super) fn code(headers: &HeaderMap) -> &str {
    headers.get("x-ms-error-code").and_then(|code| code.to_str().ok()).unwrap_or_default()
}

/// Whether it is the object that is missing, and not the container or the service.
pub(super) fn misses_object(status: StatusCode, headers: &HeaderMap) -> bool {
    status == StatusCode::NOT_FOUND && matches!(code(headers), "BlobNotFound" | "ResourceNotFound")
}

/// Whether a condition did not hold.
pub(super) fn is_condition(headers: &HeaderMap) -> bool {
    matches!(
        code(headers),
        "ConditionNotMet" | "TargetConditionNotMet" | "SourceConditionNotMet" | "BlobAlreadyExists"
    )
}

/// The error for an answer about a container, or about an object in it.
pub(super) fn explain(container: &str, is_anonymous: bool, status: StatusCode, headers: &HeaderMap) -> Error {
    let (code, message) = match (code(headers), status) {
        ("ContainerNotFound", _) => return no_container(container),
        ("ResourceNotFound" | "PublicAccessNotPermitted" | "NoAuthenticationInformation", _)
            if is_anonymous =>
        {
            (
                ErrorCode::PermissionDenied,
                format!(
                    "the container `{container}` is not public, or there is none: remove `anonymous = true` and give credentials"
                ),
            )
        }
        ("BlobNotFound" | "ResourceNotFound", _) => {
            (ErrorCode::NotFound, "there is no such object".to_owned())
        }
        ("ContainerBeingDeleted", _) => {
            (ErrorCode::Unavailable, format!("the container `{container}` is being deleted: try again later"))
        }
        ("ConditionNotMet" | "TargetConditionNotMet" | "SourceConditionNotMet" | "BlobAlreadyExists", _) => {
            return precondition_failed();
        }
        ("AuthenticationFailed" | "InvalidAuthenticationInfo" | "NoAuthenticationInformation", _) => (
            ErrorCode::PermissionDenied,
            "the service does not accept these credentials: check AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or `key` or \
             `sas_token` in the configuration, and the clock of this machine"
                .to_owned(),
        ),
        (
            "AuthorizationFailure" | "AuthorizationPermissionMismatch" | "AuthorizationResourceTypeMismatch"
            | "AuthorizationServiceMismatch" | "AuthorizationSourceIPMismatch" | "InsufficientAccountPermissions"
            | "PublicAccessNotPermitted",
            _,
        ) => (
            ErrorCode::PermissionDenied,
            format!("access is denied: these credentials lack the right to do this in the container `{container}`"),
        ),
        ("AccountIsDisabled", _) => {
            (ErrorCode::PermissionDenied, "the storage account is disabled".to_owned())
        }
        ("LeaseIdMissing" | "LeaseAlreadyPresent" | "BlobImmutableDueToPolicy", _) => (
            ErrorCode::PermissionDenied,
            "the object is kept from changes, by a lease or a policy: release it first".to_owned(),
        ),
        ("SnapshotsPresent", _) => (
            ErrorCode::PermissionDenied,
            "the object has snapshots, which are not deleted along with it: delete them first".to_owned(),
        ),
        ("BlobArchived" | "BlobBeingRehydrated", _) => (
            ErrorCode::PermissionDenied,
            "the object is archived: bring it to another tier before it is read".to_owned(),
        ),
        ("Md5Mismatch" | "Crc64Mismatch", _) => (
            ErrorCode::Corrupted,
            "the bytes were damaged on the way to the store: write again".to_owned(),
        ),
        ("InvalidBlockList" | "InvalidBlobOrBlock", _) => (
            ErrorCode::Unavailable,
            "somebody else wrote the same object meanwhile, and the service forgot the parts of this write: write it again"
                .to_owned(),
        ),
        ("InvalidBlobType", _) => (
            ErrorCode::Unsupported,
            "the object is a page blob or an append blob, which cannot be replaced by a block blob".to_owned(),
        ),
        ("RequestBodyTooLarge" | "BlockCountExceedsLimit" | "BlockListTooLong", _) => {
            (ErrorCode::LimitExceeded, "the object is larger than the store takes".to_owned())
        }
        ("MetadataTooLarge" | "InvalidMetadata" | "EmptyMetadataKey", _) => {
            (ErrorCode::InvalidArgument, "the store does not take this metadata".to_owned())
        }
        ("InvalidResourceName" | "InvalidUri", _) => {
            (ErrorCode::InvalidPath, "the store takes no object of that name".to_owned())
        }
        ("ServerBusy", _) | (_, StatusCode::TOO_MANY_REQUESTS) => {
            (ErrorCode::RateLimited, "the store asks for fewer requests: try again later".to_owned())
        }
        ("OperationTimedOut", _) | (_, StatusCode::REQUEST_TIMEOUT) => {
            (ErrorCode::Timeout, "the store waited too long: try again".to_owned())
        }
        ("", StatusCode::NOT_FOUND) => {
            return unclear("does not say what is missing");
        }
        (_, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            (ErrorCode::PermissionDenied, "the store refuses these credentials".to_owned())
        }
        (_, StatusCode::PRECONDITION_FAILED) => return precondition_failed(),
        (_, StatusCode::NOT_IMPLEMENTED) => {
            (ErrorCode::Unsupported, "this store does not do what was asked".to_owned())
        }
        (_, status) if status.is_server_error() => {
            (ErrorCode::Unavailable, format!("the store has a fault ({status}): try again later"))
        }
        (_, status) => (ErrorCode::Other, format!("the store answered {status}")),
    };
    let error = match self::code(headers) {
        said if !said.is_empty() && matches!(code, ErrorCode::Other | ErrorCode::InvalidArgument) => {
            Error::new(code, message).with_note(format_args!("it says: {}", excerpt(said)))
        }
        _ => Error::new(code, message),
    };
    match retry_after(headers) {
        Some(after) => error.with_retry_after(after),
        None => error,
    }
}

/// There is no such container.
pub(super) fn no_container(container: &str) -> Error {
    let message =
        format!("there is no container `{container}`: check its name and the account, or create it");
    Error::new(ErrorCode::NotFound, message)
}

/// A condition does not hold.
pub(super) fn precondition_failed() -> Error {
    Error::new(ErrorCode::PreconditionFailed, "the object is not as the condition demands")
}

/// It is no answer of this service.
pub(super) fn unclear(what: &str) -> Error {
    Error::new(ErrorCode::Other, format!("the store {what}: is it an endpoint of Azure Blob Storage?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_to_do() {
        for (status, code, expected, word) in [
            (404, "BlobNotFound", ErrorCode::NotFound, "no such object"),
            (404, "ContainerNotFound", ErrorCode::NotFound, "no container `c`"),
            (404, "", ErrorCode::Other, "endpoint"),
            (409, "BlobAlreadyExists", ErrorCode::PreconditionFailed, "condition"),
            (412, "ConditionNotMet", ErrorCode::PreconditionFailed, "condition"),
            (412, "LeaseIdMissing", ErrorCode::PermissionDenied, "lease"),
            (403, "AuthenticationFailed", ErrorCode::PermissionDenied, "AZURE_STORAGE_KEY"),
            (403, "AuthorizationFailure", ErrorCode::PermissionDenied, "container `c`"),
            (400, "Md5Mismatch", ErrorCode::Corrupted, "again"),
            (400, "InvalidBlockList", ErrorCode::Unavailable, "again"),
            (409, "SnapshotsPresent", ErrorCode::PermissionDenied, "snapshots"),
            (503, "ServerBusy", ErrorCode::RateLimited, "fewer"),
            (500, "InternalError", ErrorCode::Unavailable, "try again"),
            (400, "OddCode", ErrorCode::Other, "OddCode"),
        ] {
            let mut headers = HeaderMap::new();
            if !code.is_empty() {
                headers.insert("x-ms-error-code", code.parse().unwrap());
            }
            let error = explain("c", false, StatusCode::from_u16(status).unwrap(), &headers);
            assert_eq!(error.code(), expected, "{error}");
            assert!(error.message().contains(word), "{error}");
        }
    }
}
