//! A bucket: where it is, and the requests to it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{Method, StatusCode};
use omnistorage_types::Path;
use reqsign_google::Credential;
use serde::de::DeserializeOwned;

use super::{
    answer::{self, explain, precondition_failed},
    identity::Identity,
    page::Listed,
    part_size::PartSize,
};
use crate::{
    Error, ErrorCode, Result,
    backend::{
        WriteCondition,
        cloud::{
            self,
            client::{Answer, Call, Client},
            encode, encode_path, excerpt,
            part::Parts,
            query_string,
        },
    },
};

/// A bucket, or what lies below a prefix in it.
pub(in crate::backend) struct Bucket {
    client: Client<Credential>,
    endpoint: String,
    pub(super) name: String,
    pub(super) prefix: Path,
    pub(super) identity: Identity,
    /// Who pays for the requests, if not the owner of the bucket.
    pub(super) user_project: Option<String>,
    pub(super) part_size: PartSize,
    pub(super) parts: Arc<Parts>,
    pub(super) preconditions: Preconditions,
    closed: AtomicBool,
}

/// Which preconditions the store honours besides those of writes.
#[derive(Clone, Copy)]
pub(super) struct Preconditions {
    pub(super) copy: bool,
    pub(super) delete: bool,
}

impl Bucket {
    pub(super) fn new(
        client: Client<Credential>,
        name: String,
        prefix: Path,
        identity: Identity,
        user_project: Option<String>,
        part_size: PartSize,
        parts: Arc<Parts>,
    ) -> Self {
        Self {
            client,
            endpoint: identity.endpoint.clone(),
            name,
            prefix,
            identity,
            user_project,
            part_size,
            parts,
            preconditions: Preconditions { copy: false, delete: false },
            closed: AtomicBool::new(false),
        }
    }

    /// The same bucket, of a store that honours these.
    pub(super) fn honouring(self, preconditions: Preconditions) -> Self {
        Self { preconditions, ..self }
    }

    /// Whether it may still be used.
    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) { Err(Error::backend_closed()) } else { Ok(()) }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// The key of an object, if the bucket is open. The store takes all of Unicode except line ends; see its [naming of
    /// objects](https://cloud.google.com/storage/docs/objects#naming).
    pub(super) fn key(&self, path: &Path) -> Result<String> {
        self.check_open()?;
        let key = cloud::key(&self.prefix, path)?;
        let refused = if key.contains(['\r', '\n']) {
            "Google Cloud Storage takes no ends of lines in keys"
        } else if key.starts_with(".well-known/acme-challenge/") {
            "Google Cloud Storage takes no keys below `.well-known/acme-challenge`"
        } else {
            return Ok(key);
        };
        Err(Error::new(ErrorCode::InvalidPath, refused))
    }

    /// Where the description of an object is, from the host on.
    pub(super) fn resource(&self, key: &str) -> String {
        format!("/storage/v1{}", self.place(key))
    }

    /// The bucket and the key, as the target of a copy is named.
    pub(super) fn place(&self, key: &str) -> String {
        format!("/b/{}/o/{}", encode(&self.name), encode(key))
    }

    /// Where the descriptions of all objects are, from the host on.
    fn collection(&self) -> String {
        format!("/storage/v1/b/{}/o", encode(&self.name))
    }

    /// A request about an object.
    pub(super) fn object(&self, method: Method, key: &str, query: &[(&str, &str)]) -> Result<Call> {
        self.call(method, &format!("{}?{}", self.resource(key), query_string(query)))
    }

    /// A request for a listing.
    pub(super) fn objects(&self, query: &[(&str, &str)]) -> Result<Call> {
        self.call(Method::GET, &format!("{}?{}", self.collection(), query_string(query)))
    }

    /// A request for the bytes of an object. It uses the XML API: only there do they come with the metadata, in one
    /// answer.
    pub(super) fn media(&self, key: &str) -> Result<Call> {
        self.call(Method::GET, &format!("/{}/{}", encode(&self.name), encode_path(key)))
    }

    /// A request that brings bytes.
    pub(super) fn upload(&self, query: &[(&str, &str)]) -> Result<Call> {
        self.call(Method::POST, &format!("/upload{}?{}", self.collection(), query_string(query)))
    }

    /// A request to what follows the host.
    pub(super) fn call(&self, method: Method, path: &str) -> Result<Call> {
        let call = Call::new(method, format!("{}{path}", self.endpoint));
        match &self.user_project {
            Some(project) => call.header("x-goog-user-project", project),
            None => Ok(call),
        }
    }

    /// Sends a request, and waits for the beginning of its answer. That a range is not there is an answer, too.
    pub(super) async fn open(&self, call: &Call) -> Result<Answer> {
        let answer = self.client.open(call).await?;
        match answer.status() {
            StatusCode::RANGE_NOT_SATISFIABLE => Ok(answer),
            _ => self.accept(answer).await,
        }
    }

    /// Sends a request with a small answer; anything but a success is an error.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer> {
        let answer = self.client.send(call).await?;
        self.accept(answer).await
    }

    /// Sends a request with a small answer, whatever that is.
    pub(super) async fn ask(&self, call: &Call) -> Result<Answer> {
        self.client.send(call).await
    }

    /// Sends a request whose answer is a description.
    pub(super) async fn get<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        match self.client.ask(call, |body| self.read(body)).await? {
            (_, Some(read)) => Ok(read),
            (answer, None) => Err(self.failure(answer).await),
        }
    }

    /// Reads an answer in JSON, which may be a refusal in spite of its status.
    ///
    /// # Errors
    /// That of the refusal; [`ErrorCode::Unavailable`] for an answer that is cut off; [`ErrorCode::Other`] for an
    /// answer to something else, or from some other server.
    pub(super) fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T> {
        serde_json::from_slice(body).map_err(|error| match answer::refused(body) {
            Some(status) => self.refusal(status, &http::HeaderMap::new(), body),
            None if error.is_eof() && body.trim_ascii_start().starts_with(b"{") => {
                Error::new(ErrorCode::Unavailable, "the store's answer arrived damaged: it is cut; try again")
            }
            None => {
                let why = error.to_string();
                let message = format!(
                    "the store's answer is not understood: {}; is it an endpoint of Google Cloud Storage?",
                    excerpt(&why)
                );
                Error::new(ErrorCode::Other, message)
            }
        })
    }

    async fn accept(&self, answer: Answer) -> Result<Answer> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(self.failure(answer).await)
    }

    /// The error for an answer.
    pub(super) async fn failure(&self, mut answer: Answer) -> Error {
        let (status, headers) = (answer.status(), answer.headers().clone());
        let given_up = answer.given_up.take();
        let body = answer.body().await.unwrap_or_default();
        let error = self.refusal(status, &headers, &body);
        if let Some(attempts) = given_up { attempts.given_up(error) } else { error }
    }

    /// The error for an answer of these parts.
    pub(super) fn refusal(&self, status: StatusCode, headers: &http::HeaderMap, body: &[u8]) -> Error {
        explain(&self.name, self.identity.is_anonymous(), status, headers, body)
    }

    /// Makes sure that the bucket is there.
    pub(super) async fn check_exists(&self) -> Result<()> {
        let root = cloud::key_prefix(&self.prefix, &Path::root())?;
        let call = self.objects(&[("prefix", &root), ("maxResults", "1"), ("fields", "kind")])?;
        let listed = self.get::<Listed>(&call).await;
        listed.map(drop).map_err(|error| self.of_bucket(error))
    }

    /// The error of a request that is about the bucket alone.
    pub(super) fn of_bucket(&self, error: Error) -> Error {
        if error.code() == ErrorCode::NotFound { answer::no_bucket(&self.name) } else { error }
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket")
            .field("endpoint", &self.endpoint)
            .field("name", &self.name)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// The generation in an etag of ours. No other text is one, and 0 would mean that there is no object.
pub(super) fn generation(etag: &str) -> Result<&str> {
    match etag.parse::<u64>() {
        Ok(1..) if etag.bytes().all(|byte| byte.is_ascii_digit()) => Ok(etag),
        _ => Err(precondition_failed()),
    }
}

/// The part of a query that makes a write conditional.
pub(super) fn condition(condition: &WriteCondition) -> Result<Option<(&'static str, &str)>> {
    Ok(match condition {
        WriteCondition::Always => None,
        WriteCondition::IfAbsent => Some(("ifGenerationMatch", "0")),
        WriteCondition::IfMatch(etag) => Some(("ifGenerationMatch", generation(etag)?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_generation_is_an_etag() {
        assert_eq!(generation("1795599622196838").unwrap(), "1795599622196838");
        for etag in ["0", "", "-1", "+1", "\"1\"", "x", "99999999999999999999999"] {
            assert_eq!(generation(etag).unwrap_err().code(), ErrorCode::PreconditionFailed, "{etag}");
        }
    }
}
