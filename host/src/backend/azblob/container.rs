//! A container: where it is, and the requests to it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use omnistorage_types::Path;
use reqsign_azure_storage::Credential;

use super::{
    answer::{self, explain, precondition_failed},
    part_size::PartSize,
    xml::{self, Document},
};
use crate::{
    Error, ErrorCode, Result,
    backend::{
        WriteCondition,
        cloud::{
            self,
            client::{Answer, Call, Client},
            encode, encode_path,
            pages::Order,
            part::Parts,
            query_string,
        },
    },
    secret::Secret,
};

/// The version of the protocol. Any later one is spoken by the service, too.
const VERSION: &str = "2021-12-02";

/// Where a container is and who speaks to it: two containers with the same identity can copy between each other on the
/// server.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// With the account in it.
    pub(super) endpoint: String,
    pub(super) who: Who,
}

/// Who speaks, as far as the settings tell.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Who {
    Anonymous,
    /// Of that account.
    Key(String),
    /// Whoever has this signature.
    Sas(Secret),
    Environment,
}

/// A container, or what lies below a prefix in it.
pub(in crate::backend) struct Container {
    pub(super) client: Client<Credential>,
    pub(super) name: String,
    pub(super) prefix: Path,
    pub(super) identity: Identity,
    pub(super) part_size: PartSize,
    pub(super) parts: Arc<Parts>,
    pub(super) order: Order,
    pub(super) closed: AtomicBool,
}

impl Container {
    /// Whether it may still be used.
    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) { Err(Error::backend_closed()) } else { Ok(()) }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// The key of an object, if the container is open. The service takes a backslash for a slash, and loses dots at the
    /// end of a segment; see its [naming of
    /// blobs](https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata).
    pub(super) fn key(&self, path: &Path) -> Result<String> {
        self.check_open()?;
        let key = cloud::key(&self.prefix, path)?;
        let refused = if key.contains('\\') {
            "Azure Blob Storage takes no backslash in a name"
        } else if key.split('/').any(|segment| segment.ends_with('.')) {
            "Azure Blob Storage takes no name that ends with a dot"
        } else if key.chars().any(|char| char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}')) {
            "Azure Blob Storage takes no control characters in a name"
        } else {
            return Ok(key);
        };
        Err(Error::new(ErrorCode::InvalidPath, refused))
    }

    /// Where the container is.
    fn url(&self) -> String {
        format!("{}/{}", self.identity.endpoint, encode(&self.name))
    }

    /// Where an object is.
    fn url_of(&self, key: &str) -> String {
        format!("{}/{}", self.url(), encode_path(key))
    }

    /// Where an object is for a copy, which has the rights of a signature only if it stands there.
    pub(super) fn copy_source(&self, key: &str) -> String {
        match &self.identity.who {
            Who::Sas(token) => format!("{}?{}", self.url_of(key), token.expose()),
            _ => self.url_of(key),
        }
    }

    /// A request about an object.
    pub(super) fn object(&self, method: Method, key: &str, query: &[(&str, &str)]) -> Result<Call> {
        let url = self.url_of(key);
        let url = if query.is_empty() { url } else { format!("{url}?{}", query_string(query)) };
        Call::new(method, url).header("x-ms-version", VERSION)
    }

    /// A request for a listing.
    pub(super) fn objects(&self, query: &[(&str, &str)]) -> Result<Call> {
        let mut all = vec![("restype", "container"), ("comp", "list")];
        all.extend(query);
        let url = format!("{}?{}", self.url(), query_string(&all));
        Call::new(Method::GET, url).header("x-ms-version", VERSION)
    }

    /// Sends a request, and waits for the beginning of its answer. That a range is not there is an answer, too.
    pub(super) async fn open(&self, call: &Call) -> Result<Answer> {
        let answer = self.client.open(call).await?;
        match answer.status() {
            StatusCode::RANGE_NOT_SATISFIABLE => Ok(answer),
            status if status.is_success() => Ok(answer),
            _ => Err(self.failure(answer).await),
        }
    }

    /// Sends a request with a small answer; anything but a success is an error.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer> {
        let answer = self.client.send(call).await?;
        if answer.status().is_success() { Ok(answer) } else { Err(self.failure(answer).await) }
    }

    /// Sends a request with a small answer, whatever that is.
    pub(super) async fn ask(&self, call: &Call) -> Result<Answer> {
        self.client.send(call).await
    }

    /// Sends a request whose answer is a document.
    pub(super) async fn get<T: xml::Answer>(&self, call: &Call) -> Result<T> {
        match self.client.ask(call, read).await? {
            (_, Some(read)) => Ok(read),
            (answer, None) => Err(self.failure(answer).await),
        }
    }

    /// The error for an answer.
    pub(super) async fn failure(&self, mut answer: Answer) -> Error {
        let (status, headers) = (answer.status(), answer.headers().clone());
        let given_up = answer.given_up.take();
        let error = self.refusal(status, &headers);
        if let Some(attempts) = given_up { attempts.given_up(error) } else { error }
    }

    fn refusal(&self, status: StatusCode, headers: &HeaderMap) -> Error {
        explain(&self.name, self.identity.who == Who::Anonymous, status, headers)
    }
}

/// Reads a document to its end.
fn read<T: xml::Answer>(body: &[u8]) -> Result<T> {
    let (mut document, root) = Document::open(body, T::ROOT)?;
    if root != T::ROOT {
        return Err(xml::not_understood(format_args!("it is `{root}` and not `{}`", T::ROOT)));
    }
    let answer = T::read(&mut document)?;
    document.end()?;
    Ok(answer)
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container")
            .field("endpoint", &self.identity.endpoint)
            .field("name", &self.name)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// With a body, whose length is part of the signature.
///
/// # Errors
/// None in practice: a number is always a valid value of a header.
pub(super) fn with_body(call: Call, body: Bytes) -> Result<Call> {
    Ok(call.header("content-length", &body.len().to_string())?.body(body))
}

/// Makes a request about an object conditional: it must have that etag.
pub(super) fn of_version(call: Call, if_match: Option<&str>) -> Result<Call> {
    match if_match {
        Some(etag) => call.header("if-match", &quoted(etag)?),
        None => Ok(call),
    }
}

/// An etag of ours as requests have it. Headers quote them, and listings do not; ours are without quotes.
///
/// # Errors
/// [`ErrorCode::PreconditionFailed`] for what can be none.
pub(super) fn quoted(etag: &str) -> Result<String> {
    checked_etag(etag).map(|etag| format!("\"{etag}\""))
}

/// An etag of ours.
///
/// # Errors
/// As [`quoted`].
pub(super) fn checked_etag(etag: &str) -> Result<&str> {
    let is_one = !etag.is_empty() && etag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_one { Ok(etag) } else { Err(precondition_failed()) }
}

/// An etag as the service writes it, without quotes.
pub(super) fn etag(headers: &HeaderMap) -> Option<String> {
    let etag = headers.get(http::header::ETAG)?.to_str().ok()?.trim_matches('"');
    (!etag.is_empty()).then(|| etag.to_owned())
}

/// Makes a write conditional.
pub(super) fn conditional(call: Call, condition: &WriteCondition) -> Result<Call> {
    match condition {
        WriteCondition::Always => Ok(call),
        WriteCondition::IfAbsent => call.header("if-none-match", "*"),
        WriteCondition::IfMatch(etag) => of_version(call, Some(etag)),
    }
}

/// The error if the service made something and does not say which version it is.
pub(super) fn no_etag() -> Error {
    answer::unclear("gave no etag for what was written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_etag_is_one() {
        assert_eq!(quoted("0x8D4BCC2E4835CD0").unwrap(), "\"0x8D4BCC2E4835CD0\"");
        for etag in ["", "*", "\"x\"", "a b", "x\n"] {
            assert_eq!(quoted(etag).unwrap_err().code(), ErrorCode::PreconditionFailed, "{etag}");
        }
    }
}
