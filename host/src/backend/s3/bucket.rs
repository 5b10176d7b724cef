//! A bucket: where it is, and the requests to it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use omnistorage_types::Path;
use reqsign_aws_v4::Credential;

use super::{
    answer::{self, explain, no_bucket, precondition_failed},
    attributes::tells_md5,
    identity::Identity,
    page::Listed,
    part_size::{CopyLimit, PartSize},
    xml,
};
use crate::{
    Error, ErrorCode, Result,
    backend::{
        WriteCondition,
        cloud::{
            self,
            client::{self, Answer, Call, Client},
            encode_path,
            pages::Order,
            part::{Parts, PartsInFlight},
            query_string,
        },
    },
};

/// A bucket, or what lies below a prefix in it.
pub(in crate::backend) struct Bucket {
    client: Client<Credential>,
    base: String,
    pub(super) name: String,
    pub(super) prefix: Path,
    pub(super) identity: Identity,
    pub(super) traits: Traits,
    pub(super) parts: Arc<Parts>,
    closed: AtomicBool,
    /// It has answered well once, so there is one.
    exists: AtomicBool,
    /// It has listed in another order than that of keys.
    unsorted: AtomicBool,
    /// Etags that look like digests may be something else.
    opaque_etags: AtomicBool,
}

/// What may differ from bucket to bucket.
pub(super) struct Traits {
    /// The store honours conditions of writes.
    pub(super) conditional_write: bool,
    /// It honours those of a copy in one request.
    pub(super) conditional_copy: bool,
    /// It honours those of deletes.
    pub(super) conditional_delete: bool,
    /// Uploads carry a checksum, which the store verifies and keeps.
    pub(super) checksum: bool,
    pub(super) part_size: PartSize,
    pub(super) parts_in_flight: PartsInFlight,
    /// The most that one request copies, in bytes.
    pub(super) copy_limit: CopyLimit,
    /// An upload of several parts that fails is left to the next write of its key.
    pub(super) resume: bool,
    pub(super) order: Order,
    /// Etags that look like an MD5 are one.
    pub(super) md5_etags: bool,
}

impl Bucket {
    pub(super) fn new(
        client: Client<Credential>,
        base: String,
        name: String,
        prefix: Path,
        identity: Identity,
        traits: Traits,
    ) -> Self {
        Self {
            client,
            base,
            name,
            prefix,
            identity,
            parts: Parts::new(traits.parts_in_flight.0),
            closed: AtomicBool::new(false),
            exists: AtomicBool::new(false),
            unsorted: AtomicBool::new(false),
            opaque_etags: AtomicBool::new(!traits.md5_etags),
            traits,
        }
    }

    /// Whether it may still be used.
    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) { Err(Error::backend_closed()) } else { Ok(()) }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// In which order it lists, as far as we know.
    pub(super) fn order(&self) -> Order {
        if self.unsorted.load(Ordering::Relaxed) { Order::Other } else { self.traits.order }
    }

    /// It was found to list in another order than that of keys.
    pub(super) fn is_unsorted(&self) {
        self.unsorted.store(true, Ordering::Relaxed);
    }

    /// Whether etags in listings are digests of the bytes, as far as we know: listings say nothing about encryption.
    pub(super) fn lists_md5(&self) -> bool {
        !self.opaque_etags.load(Ordering::Relaxed)
    }

    /// Learns from an answer about one object.
    pub(super) fn look_at_encryption(&self, headers: &HeaderMap) {
        if !tells_md5(headers) {
            self.opaque_etags.store(true, Ordering::Relaxed);
        }
    }

    /// The key of an object, if the bucket is open.
    pub(super) fn key(&self, path: &Path) -> Result<String> {
        self.check_open()?;
        cloud::key(&self.prefix, path)
    }

    /// A request about an object.
    pub(super) fn object(&self, method: Method, key: &str) -> Call {
        Call::new(method, format!("{}/{}", self.base, encode_path(key)))
    }

    /// A request about an object, with a query of keys and values; a key may have no value.
    pub(super) fn object_query(&self, method: Method, key: &str, query: &[(&str, &str)]) -> Call {
        Call::new(method, format!("{}/{}?{}", self.base, encode_path(key), query_string(query)))
    }

    /// A request about the bucket.
    pub(super) fn query(&self, method: Method, query: &[(&str, &str)]) -> Call {
        Call::new(method, format!("{}?{}", self.base, query_string(query)))
    }

    /// Where an object can be copied from.
    pub(super) fn copy_source(&self, key: &str) -> String {
        format!("/{}/{}", self.name, encode_path(key))
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
    pub(super) async fn ask_anything(&self, call: &Call) -> Result<Answer> {
        self.client.send(call).await
    }

    /// As [`Bucket::send`], but an answer that the request has no effect is no error.
    pub(super) async fn send_conditional(&self, call: &Call) -> Result<Answer> {
        self.accept_conditional(self.client.send(call).await?).await
    }

    /// Sends a request that is answered in XML, and reads the answer. It may be a refusal in spite of its status, if
    /// the store had to begin the answer before it was done; a refusal that may pass is retried like any other.
    pub(super) async fn ask<T: xml::Answer>(&self, call: &Call) -> Result<T> {
        self.ask_repeated(call).await.map(|(answer, _)| answer)
    }

    /// The same, and whether the request may have been carried out before without an answer.
    pub(super) async fn ask_repeated<T: xml::Answer>(&self, call: &Call) -> Result<(T, bool)> {
        match self.read(call).await? {
            (answer, Some(read)) => Ok((read, answer.repeated)),
            (answer, None) => Err(self.failure(answer).await),
        }
    }

    /// As [`Bucket::ask`], but an answer that the request has no effect is no error.
    pub(super) async fn ask_conditional<T: xml::Answer>(&self, call: &Call) -> Result<Result<T, Answer>> {
        match self.read(call).await? {
            (_, Some(read)) => Ok(Ok(read)),
            (answer, None) => Ok(Err(self.accept_conditional(answer).await?)),
        }
    }

    /// Sends a request, and reads the answer unless it is a refusal.
    async fn read<T: xml::Answer>(&self, call: &Call) -> Result<(Answer, Option<T>)> {
        let told = self.client.ask(call, |body| answer::read(&self.name, body)).await?;
        if told.1.is_some() {
            self.exists.store(true, Ordering::Relaxed);
        }
        Ok(told)
    }

    async fn accept_conditional(&self, answer: Answer) -> Result<Answer> {
        match answer.status() {
            StatusCode::PRECONDITION_FAILED
            | StatusCode::CONFLICT
            | StatusCode::NOT_FOUND
            | StatusCode::BAD_REQUEST => Ok(answer),
            _ => self.accept(answer).await,
        }
    }

    async fn accept(&self, answer: Answer) -> Result<Answer> {
        if answer.status().is_success() {
            self.exists.store(true, Ordering::Relaxed);
            return Ok(answer);
        }
        Err(self.failure(answer).await)
    }

    /// The error for an answer.
    pub(super) async fn failure(&self, mut answer: Answer) -> Error {
        let (status, headers) = (answer.status(), answer.headers().clone());
        let given_up = answer.given_up.take();
        let body = answer.body().await.unwrap_or_default();
        // The answer to HEAD has no body, so an answer that says nothing about the object is requested once more. If
        // something is missing, it is the object, as soon as the bucket is known to exist.
        let is_clear = match status {
            StatusCode::NOT_FOUND => self.exists.load(Ordering::Relaxed),
            status => status == StatusCode::PRECONDITION_FAILED || client::may_pass(status),
        };
        let asked = if body.is_empty() && !is_clear { self.reason().await.ok().flatten() } else { None };
        let (status, body) = asked.unwrap_or((status, body));
        let error = self.refusal(status, &headers, &body);
        if let Some(attempts) = given_up { attempts.given_up(error) } else { error }
    }

    /// The error for an answer of these parts.
    pub(super) fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        explain(&self.name, status, headers, body)
    }

    /// Makes sure that the bucket is there.
    pub(super) async fn check_exists(&self) -> Result<()> {
        let Some((status, body)) = self.reason().await? else { return Ok(()) };
        let error = self.refusal(status, &HeaderMap::new(), &body);
        // It was asked about the bucket alone, whatever else the store says is missing.
        Err(if error.code() == ErrorCode::NotFound { no_bucket(&self.name) } else { error })
    }

    /// Why the bucket refuses, if it does.
    async fn reason(&self) -> Result<Option<(StatusCode, Bytes)>> {
        // Rights may end at the prefix.
        let root = cloud::key_prefix(&self.prefix, &Path::root())?;
        let mut query = vec![("list-type", "2"), ("max-keys", "0")];
        if !root.is_empty() {
            query.push(("prefix", &root));
        }
        let call = self.query(Method::GET, &query);
        match self.read::<Listed>(&call).await? {
            (_, Some(_)) => Ok(None),
            (answer, None) => Ok(Some((answer.status(), answer.body().await?))),
        }
    }

    /// The headers of a condition.
    pub(super) fn conditional(&self, call: Call, condition: &WriteCondition) -> Result<Call> {
        match condition {
            WriteCondition::Always => Ok(call),
            WriteCondition::IfAbsent => call.header("if-none-match", "*"),
            WriteCondition::IfMatch(etag) => call.header("if-match", checked_etag(etag)?),
        }
    }

    /// The checksum that an upload of these bytes carries, if it is to carry one: CRC-32C in base64.
    pub(super) fn checksum_of(&self, bytes: &[u8]) -> Option<String> {
        self.traits.checksum.then(|| BASE64_STANDARD.encode(crc32c::crc32c(bytes).to_be_bytes()))
    }

    /// The headers of a checksum.
    pub(super) fn with_checksum(&self, call: Call, checksum: Option<&str>) -> Result<Call> {
        match checksum {
            Some(checksum) => call
                .header("x-amz-checksum-crc32c", checksum)?
                .header("x-amz-sdk-checksum-algorithm", "CRC32C"),
            None => Ok(call),
        }
    }

    /// Whether this bucket supports the condition.
    pub(super) fn check_condition(&self, condition: &WriteCondition) -> Result<()> {
        if *condition != WriteCondition::Always && !self.traits.conditional_write {
            return Err(Error::unsupported(super::KIND, "conditions for writes, as it is configured"));
        }
        Ok(())
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket")
            .field("base", &self.base)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// An etag as stores write it: any other text could be a list of several, or mean all of them.
pub(super) fn checked_etag(etag: &str) -> Result<&str> {
    let opaque = etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"'));
    match opaque {
        Some(opaque) if opaque.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"') => Ok(etag),
        _ => Err(precondition_failed()),
    }
}
