//! Sends spans to the collector, on a thread of its own: nobody waits for it before the end.

use std::{
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use http::header;
use prost::Message as _;

use super::{
    otlp::{Request, Resource, ResourceSpans, Response, Scope, ScopeSpans, Span},
    settings::{Encoding, Settings},
};
use crate::backend::tls;

/// Spans that wait to be sent.
const WAITING: usize = 4096;

/// Spans of one request.
const TOGETHER: usize = 512;

/// How long a span may wait for others before it is sent.
const PAUSE: Duration = Duration::from_secs(1);

/// The most of an answer that is read.
const MOST_SAID: usize = 64 << 10;

/// The way to the collector.
#[derive(Debug)]
pub(super) struct Sender {
    queue: Mutex<Option<SyncSender<Span>>>,
    outcome: Mutex<Receiver<Result<(), String>>>,
}

impl Sender {
    /// Begins to send.
    ///
    /// # Errors
    /// A sentence, if there can be no thread or no connections.
    pub(super) fn start(settings: Settings) -> Result<Self, String> {
        let (queue, spans) = sync_channel(WAITING);
        let (told, outcome) = sync_channel(1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("the system gives no connections: {error}"))?;
        let collector = Collector::new(settings)?;
        let send = move || {
            // The receiver may be gone: then nobody waits any more.
            let _ = told.send(collector.send_all(&spans, &runtime));
        };
        thread::Builder::new()
            .name("traces".to_owned())
            .spawn(send)
            .map_err(|error| format!("the system gives no thread: {error}"))?;
        Ok(Self { queue: Mutex::new(Some(queue)), outcome: Mutex::new(outcome) })
    }

    /// Takes a span, unless too many wait already.
    pub(super) fn send(&self, span: Span) -> bool {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.as_ref().is_some_and(|queue| queue.try_send(span).is_ok())
    }

    /// Sends the last span, and waits so long until all are taken.
    ///
    /// # Errors
    /// What was not taken, as a sentence.
    pub(super) fn end(&self, last: Span, patience: Duration) -> Result<(), String> {
        let is_taken = self.send(last);
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome.recv_timeout(patience) {
            Ok(Ok(())) if is_taken => Ok(()),
            Ok(Ok(())) => Err("the collector is too slow for it".to_owned()),
            Ok(Err(why)) => Err(why),
            Err(_) => Err(format!("the collector did not take it within {} s", patience.as_secs())),
        }
    }
}

struct Collector {
    settings: Settings,
    client: reqwest::Client,
}

/// Why spans are lost.
struct Lost {
    spans: u64,
    why: String,
}

impl Collector {
    fn new(settings: Settings) -> Result<Self, String> {
        let client =
            tls::client().redirect(reqwest::redirect::Policy::none()).timeout(settings.timeout).build();
        let client = client.map_err(|error| format!("there are no connections: {}", cause(error)))?;
        Ok(Self { settings, client })
    }

    /// Sends what comes, until no more does.
    fn send_all(&self, spans: &Receiver<Span>, runtime: &tokio::runtime::Runtime) -> Result<(), String> {
        let (mut lost, mut why) = (0, None);
        while let Ok(first) = spans.recv() {
            let mut some = vec![first];
            while some.len() < TOGETHER {
                match spans.recv_timeout(PAUSE) {
                    Ok(span) => some.push(span),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                }
            }
            if let Err(this) = runtime.block_on(self.send(some)) {
                lost += this.spans;
                why.get_or_insert(this.why);
            }
        }
        match why {
            None => Ok(()),
            Some(why) => Err(format!("{}: {lost} spans are lost: {why}", self.address())),
        }
    }

    /// Without what may be a secret.
    fn address(&self) -> String {
        let url = &self.settings.endpoint;
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        format!("`{}://{}{port}{}`", url.scheme(), url.host_str().unwrap_or_default(), url.path())
    }

    async fn send(&self, spans: Vec<Span>) -> Result<(), Lost> {
        let Settings { endpoint, encoding, headers, resource, .. } = &self.settings;
        let count = spans.len() as u64;
        let lost = |why: String| Lost { spans: count, why };
        let scope =
            Scope { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        let request = Request {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource { attributes: resource.clone() }),
                scope_spans: vec![ScopeSpans { scope: Some(scope), spans }],
            }],
        };
        let (media_type, body) = match encoding {
            Encoding::Protobuf => ("application/x-protobuf", request.encode_to_vec()),
            Encoding::Json => {
                ("application/json", serde_json::to_vec(&request).map_err(|error| lost(error.to_string()))?)
            }
        };
        let call = self.client.post(endpoint.clone()).headers(headers.clone());
        let call = call.header(header::CONTENT_TYPE, media_type).body(body);
        let mut answer = call.send().await.map_err(|error| lost(cause(error)))?;
        if !answer.status().is_success() {
            return Err(lost(format!("the collector answers {}", answer.status())));
        }
        let mut said = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| lost(cause(error)))? {
            if said.len() + chunk.len() > MOST_SAID {
                return Err(lost("the answer of the collector has no end".to_owned()));
            }
            said.extend_from_slice(&chunk);
        }
        match taken(*encoding, &said) {
            Ok(0) => Ok(()),
            Ok(rejected) => {
                Err(Lost { spans: rejected.min(count), why: "the collector rejects them".to_owned() })
            }
            Err(()) => Err(lost("the answer of the collector cannot be read".to_owned())),
        }
    }
}

/// How many spans were rejected, by the answer.
fn taken(encoding: Encoding, said: &[u8]) -> Result<u64, ()> {
    let response = match encoding {
        Encoding::Protobuf => Response::decode(said).map_err(drop)?,
        Encoding::Json => serde_json::from_slice(said).map_err(drop)?,
    };
    let rejected = response.partial_success.map_or(0, |partial| partial.rejected_spans);
    u64::try_from(rejected).map_err(drop)
}

/// The innermost cause: the outer ones repeat the address.
fn cause(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
