//! Refusals, as the store words them.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde_json::{Value, json};

/// A refusal: its status, its reason and its words.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    reason: &'static str,
    message: String,
}

pub(super) type Result<T, E = Refusal> = std::result::Result<T, E>;

impl Refusal {
    pub(super) fn no_bucket() -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", "The specified bucket does not exist.")
    }

    pub(super) fn no_object(bucket: &str, key: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", format!("No such object: {bucket}/{key}"))
    }

    pub(super) fn no_upload() -> Self {
        Self::new(StatusCode::GONE, "notFound", "The upload is gone.")
    }

    pub(super) fn condition() -> Self {
        let message = "At least one of the pre-conditions you specified did not hold.";
        Self::new(StatusCode::PRECONDITION_FAILED, "conditionNotMet", message)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    pub(super) fn new(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, reason, message: message.into() }
    }

    /// As the JSON API says it.
    pub(super) fn in_json(self) -> Response<Bytes> {
        let Self { status, reason, message } = self;
        let errors = json!([{"domain": "global", "reason": reason, "message": message}]);
        let code = status.as_u16();
        answer(status, &json!({"error": {"code": code, "message": message, "errors": errors}}))
    }

    /// As the XML API says it.
    pub(super) fn in_xml(self) -> Response<Bytes> {
        let code = match self.status {
            StatusCode::NOT_FOUND if self.message.contains("bucket") => "NoSuchBucket",
            StatusCode::NOT_FOUND => "NoSuchKey",
            StatusCode::PRECONDITION_FAILED => "PreconditionFailed",
            _ => "InvalidArgument",
        };
        let body = format!("<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>");
        let answer = Response::builder().status(self.status).header(header::CONTENT_TYPE, "application/xml");
        answer.body(body.into()).unwrap()
    }
}

/// An answer in JSON.
pub(super) fn answer(status: StatusCode, body: &Value) -> Response<Bytes> {
    let answer = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    answer.body(body.to_string().into()).unwrap()
}

/// An answer without words.
pub(super) fn plain(status: StatusCode) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::new()).unwrap()
}
