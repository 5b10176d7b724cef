//! Signed requests, sent again where that may help.

use std::{fmt, future::Future, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use reqsign_core::{Context, HttpSend, ProvideCredential, SignRequest, Signer, SigningCredential};

use super::transport::{Body, Transport, not_in_time};
use crate::{
    Error, ErrorCode, Result,
    backend::{
        clock::{Instant, timeout},
        retry::{RetryOptions, attempts::Attempts},
        task::here,
        throughput::Throughput,
    },
};

/// Until a server has taken the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit of a request with a small answer, and between two pieces of a large one. A request with a body has
/// more, as if it were sent at the rate [`SLOWEST`].
pub(in crate::backend) const TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes a second.
const SLOWEST: u64 = 32 * 1024;

/// The most bytes of an answer that is read as a whole. A thousand keys with everything known about them take less.
const MOST: usize = 16 << 20;
/// The most of an answer that refuses.
const MOST_SAID: usize = 1 << 20;

/// A request before it is signed. Only make one that may be sent twice.
#[derive(Clone)]
pub(in crate::backend) struct Call {
    method: Method,
    uri: String,
    headers: HeaderMap,
    body: Bytes,
    patience: Option<Duration>,
}

impl Call {
    /// To a URI whose parts are percent-encoded.
    pub(in crate::backend) fn new(method: Method, uri: String) -> Self {
        Self { method, uri, headers: HeaderMap::new(), body: Bytes::new(), patience: None }
    }

    /// With a header whose value comes from outside.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] if it cannot be one.
    pub(in crate::backend) fn header(mut self, name: &str, value: &str) -> Result<Self> {
        let invalid = || {
            let message = format!("`{}` cannot be sent as the value of `{name}`", value.escape_debug());
            Error::new(ErrorCode::InvalidArgument, message)
        };
        let name = HeaderName::try_from(name).map_err(|_| {
            let message = format!("`{}` cannot be sent as a name of metadata", name.escape_debug());
            Error::new(ErrorCode::InvalidArgument, message)
        })?;
        self.headers.insert(name, HeaderValue::try_from(value).map_err(|_| invalid())?);
        Ok(self)
    }

    /// With a body.
    pub(in crate::backend) fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }

    /// Gives the store this much time before it answers.
    pub(in crate::backend) fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }
}

/// What a server said, whatever it said.
pub(in crate::backend) struct Answer {
    response: Response<Rest>,
    /// The same request was sent before without getting an answer, and may have been carried out.
    pub(in crate::backend) repeated: bool,
    /// The attempts that were made, if it is a refusal that may pass, and did not.
    pub(in crate::backend) given_up: Option<Attempts>,
    /// How often the rest of its body is asked for, if it breaks off.
    pub(in crate::backend) retry: RetryOptions,
    /// How long the next piece of its body may take.
    silence: Duration,
    throughput: Throughput,
}

impl Answer {
    pub(in crate::backend) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(in crate::backend) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    pub(in crate::backend) fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// In bytes, if the server says so before the body.
    pub(in crate::backend) fn content_length(&self) -> Option<u64> {
        self.header(header::CONTENT_LENGTH.as_str())?.parse().ok()
    }

    /// The next piece of the body; `None` at its end. One that does not come, or all that come too slowly, is a
    /// [`ErrorCode::Timeout`].
    pub(in crate::backend) async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let asked = Instant::now();
        let chunk = match timeout(self.silence, self.response.body_mut().chunk()).await {
            Ok(chunk) => chunk?,
            Err(_) => return Err(stalled()),
        };
        match chunk {
            Some(chunk) if !self.throughput.goes_on(asked.elapsed(), chunk.len()) => Err(dripping()),
            chunk => Ok(chunk),
        }
    }

    /// The bytes that are enough for the time in which the next piece must come.
    pub(in crate::backend) fn enough(&self) -> u64 {
        self.throughput.enough()
    }

    /// The whole body, which must be small and arrive soon.
    pub(in crate::backend) async fn body(self) -> Result<Bytes> {
        match timeout(self.silence, gathered(self.status(), self.response.into_body())).await {
            Ok(body) => body,
            Err(_) => Err(stalled()),
        }
    }
}

/// What of a body is still to be read.
enum Rest {
    /// All of it is here.
    Arrived(Bytes),
    Coming(Body),
}

impl Rest {
    async fn chunk(&mut self) -> Result<Option<Bytes>> {
        match self {
            Self::Arrived(body) => Ok(Some(std::mem::take(body)).filter(|body| !body.is_empty())),
            Self::Coming(body) => body.chunk().await,
        }
    }
}

/// Signs requests with credentials of one kind, and sends them.
pub(in crate::backend) struct Client<K: SigningCredential> {
    transport: Transport,
    timeout: Duration,
    retry: RetryOptions,
    /// `None`: requests go without a signature.
    signer: Option<Signer<K>>,
    explain: Explain,
}

/// The error when no signature could be made. The library's own words are left out: they may quote what it read.
pub(in crate::backend) type Explain = fn(&reqsign_core::Error) -> Error;

impl<K: SigningCredential> Client<K> {
    /// Without credentials: anonymous.
    ///
    /// # Errors
    /// [`ErrorCode::Other`] if the system gives no certificates, or no connections.
    pub(in crate::backend) fn new(timeout: Duration) -> Result<Self> {
        Ok(Self {
            transport: Transport::new(CONNECT_TIMEOUT.min(timeout))?,
            timeout,
            retry: RetryOptions::default(),
            signer: None,
            explain: |_| Error::new(ErrorCode::Other, "the request cannot be signed"),
        })
    }

    /// With credentials, which are searched for at the first request.
    pub(in crate::backend) fn signed(
        mut self,
        credentials: impl ProvideCredential<Credential = K>,
        signature: impl SignRequest<Credential = K>,
        explain: Explain,
    ) -> Self {
        self.signer = Some(self.signer(credentials, signature));
        self.explain = explain;
        self
    }

    /// Signs with credentials that come over this client's connections, from the environment and, outside of
    /// components, from files and programs.
    pub(in crate::backend) fn signer(
        &self,
        credentials: impl ProvideCredential<Credential = K>,
        signature: impl SignRequest<Credential = K>,
    ) -> Signer<K> {
        let context = surroundings().with_http_send(Plain(self.transport.clone()));
        Signer::new(context, credentials, signature)
    }

    /// How often each request is sent.
    pub(in crate::backend) fn retry(mut self, retry: RetryOptions) -> Self {
        self.retry = retry;
        self
    }

    /// Sends a request whose answer may be long, and waits only for the beginning of the answer.
    ///
    /// # Errors
    /// [`ErrorCode::PermissionDenied`] without credentials; [`ErrorCode::Unavailable`] or [`ErrorCode::Timeout`]
    /// without an answer.
    pub(in crate::backend) async fn open(&self, call: &Call) -> Result<Answer> {
        let begun = || async move {
            let request = self.request(call).await?;
            let response = in_time(call, self.timeout, self.transport.send(request)).await?;
            Ok((response.map(Rest::Coming), ()))
        };
        self.repeat(begun).await.map(|(answer, ())| answer)
    }

    /// Sends a request with a small answer, and waits for all of it. If the answer breaks off, the request is sent
    /// again.
    ///
    /// # Errors
    /// As [`Client::open`].
    pub(in crate::backend) async fn send(&self, call: &Call) -> Result<Answer> {
        self.ask(call, |_| Ok(())).await.map(|(answer, _)| answer)
    }

    /// The same, and reads the answer, unless it is a refusal. One that cannot be read, but may the next time, is a
    /// failed attempt like any other.
    ///
    /// # Errors
    /// As [`Client::open`]; those of `read`.
    pub(in crate::backend) async fn ask<T>(
        &self,
        call: &Call,
        read: impl Fn(&[u8]) -> Result<T>,
    ) -> Result<(Answer, Option<T>)> {
        let patience = call.patience.unwrap_or(self.timeout);
        let timeout = patience + Duration::from_secs(call.body.len() as u64 / SLOWEST);
        let read = &read;
        let asked = || async move {
            let request = self.request(call).await?;
            let answered = async { whole(self.transport.send(request).await?.map(Rest::Coming)).await };
            let (response, body) = in_time(call, timeout, answered).await?;
            let told = response.status().is_success().then(|| read(&body)).transpose()?;
            Ok((response, told))
        };
        self.repeat(asked).await
    }

    /// Makes attempts at a request until one is answered for good, or fails for good, or enough were made.
    async fn repeat<T, F: Future<Output = Result<(Response<Rest>, T)>>>(
        &self,
        attempt: impl Fn() -> F,
    ) -> Result<(Answer, T)> {
        let mut attempts = Attempts::new(self.retry);
        let mut repeated = false;
        let answer = |response, repeated, given_up| {
            let (retry, silence) = (self.retry, self.timeout);
            Answer { response, repeated, given_up, retry, silence, throughput: Throughput::new(silence) }
        };
        loop {
            match attempt().await {
                Ok((response, told)) => {
                    let status = response.status();
                    if !may_pass(status) {
                        return Ok((answer(response, repeated, None), told));
                    }
                    if !attempts.again(retry_after(response.headers())).await {
                        return Ok((answer(response, repeated, Some(attempts)), told));
                    }
                    repeated |= status != StatusCode::TOO_MANY_REQUESTS;
                }
                Err(error) => {
                    attempts.again_after(error).await?;
                    repeated = true;
                }
            }
        }
    }

    /// The request of a call, signed.
    async fn request(&self, call: &Call) -> Result<Request<Bytes>> {
        let uri = call.uri.parse::<http::Uri>().map_err(|_| {
            Error::new(
                ErrorCode::InvalidArgument,
                "the endpoint is no URL: it is written `https://host[:port]`",
            )
        })?;
        let mut request = Request::builder().method(call.method.clone()).uri(uri).body(());
        if let Ok(request) = &mut request {
            *request.headers_mut() = call.headers.clone();
        }
        let (mut parts, ()) =
            request.map_err(|error| Error::new(ErrorCode::InvalidArgument, error.to_string()))?.into_parts();
        if let Some(signer) = &self.signer {
            here(signer.sign(&mut parts, None)).await.map_err(|error| (self.explain)(&error))?;
        }
        parts.headers.remove(header::HOST);
        Ok(Request::from_parts(parts, call.body.clone()))
    }
}

/// What credentials are searched for in, beside the network.
#[cfg(not(target_family = "wasm"))]
fn surroundings() -> Context {
    use reqsign_command_execute_tokio::TokioCommandExecute;
    use reqsign_file_read_tokio::TokioFileRead;

    Context::new()
        .with_file_read(TokioFileRead)
        .with_command_execute(TokioCommandExecute)
        .with_env(reqsign_core::OsEnv)
}

#[cfg(target_family = "wasm")]
fn surroundings() -> Context {
    Context::new().with_env(reqsign_core::OsEnv)
}

/// What comes of a call within a time.
async fn in_time<T>(call: &Call, limit: Duration, answered: impl Future<Output = Result<T>>) -> Result<T> {
    let late = || {
        let host = call.uri.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
        not_in_time(host.as_deref().unwrap_or("the store"))
    };
    timeout(limit, answered).await.unwrap_or_else(|_| Err(late()))
}

/// The answer with its body, which has arrived.
async fn whole(response: Response<Rest>) -> Result<(Response<Rest>, Bytes)> {
    let (parts, rest) = response.into_parts();
    let body = gathered(parts.status, rest).await?;
    Ok((Response::from_parts(parts, Rest::Arrived(body.clone())), body))
}

/// The body of an answer, which has an end.
async fn gathered(status: StatusCode, mut rest: Rest) -> Result<Bytes> {
    let is_refusal = !status.is_success();
    let most = if is_refusal { MOST_SAID } else { MOST };
    let mut body = BytesMut::new();
    while let Some(chunk) = rest.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > most {
            if is_refusal {
                // Its status says enough.
                body.truncate(most);
                break;
            }
            let message =
                format!("the store's answer has no end within {most} bytes: is it the right endpoint?");
            return Err(Error::new(ErrorCode::LimitExceeded, message));
        }
    }
    Ok(body.freeze())
}

fn stalled() -> Error {
    Error::new(ErrorCode::Timeout, "the store stopped sending; try again later")
}

fn dripping() -> Error {
    Error::new(ErrorCode::Timeout, "the store sends next to nothing; try again later")
}

impl<K: SigningCredential> fmt::Debug for Client<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Whether the same request may succeed a little later.
pub(in crate::backend) fn may_pass(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// The pause that a server asks for, in whole seconds (RFC 9110, section 10.2.3).
pub(in crate::backend) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

/// What the credential sources send their own requests with.
#[derive(Clone)]
struct Plain(Transport);

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain")
    }
}

impl HttpSend for Plain {
    async fn http_send(&self, request: Request<Bytes>) -> reqsign_core::Result<Response<Bytes>> {
        let answered = async { whole(self.0.send(request).await?.map(Rest::Coming)).await };
        let (response, body) = answered.await.map_err(|error| {
            reqsign_core::Error::unexpected("no answer").with_source(error).set_retryable(true)
        })?;
        Ok(response.map(|_| body))
    }
}
