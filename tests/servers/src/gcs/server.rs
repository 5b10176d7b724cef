//! Takes connections, and breaks them where a fault is ordered.

use std::{
    convert::Infallible,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::stream;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::{
    error,
    fault::{self, Fault, Order},
    request,
    store::Store,
    token::Tokens,
};

/// What all connections see.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) tokens: Tokens,
    pub(super) orders: Vec<Order>,
    pub(super) requests: Vec<String>,
}

impl Shared {
    pub(super) fn new(store: Store, asks_for_tokens: bool) -> Self {
        Self { store, tokens: Tokens::new(asks_for_tokens), orders: Vec::new(), requests: Vec::new() }
    }

    /// What a request comes to; `None` is a connection that breaks.
    fn answer(&mut self, request: &Request<Bytes>) -> Option<Response<Body>> {
        let line = format!("{} {}", request.method(), request.uri());
        let ordered = fault::take(&mut self.orders, &line);
        self.requests.push(line);
        if let Some(answer) = self.tokens.answer(request) {
            return Some(whole(answer));
        }
        let answer = match ordered {
            Some(Fault::Status(status)) => {
                return Some(whole(error::plain(StatusCode::from_u16(status).unwrap())));
            }
            Some(Fault::Busy { retry_after }) => {
                let mut answer = error::plain(StatusCode::TOO_MANY_REQUESTS);
                answer.headers_mut().insert(header::RETRY_AFTER, retry_after.into());
                return Some(whole(answer));
            }
            Some(Fault::Drop) => return None,
            Some(Fault::KeepPart { bytes }) => {
                self.store.keep_at_most = Some(bytes);
                let answer = request::answer(&mut self.store, request);
                self.store.keep_at_most = None;
                answer
            }
            Some(Fault::FailParts { count }) => {
                self.store.failing_parts = count;
                let answer = request::answer(&mut self.store, request);
                self.store.failing_parts = 0;
                answer
            }
            Some(Fault::Damage) => {
                self.store.damages = true;
                let answer = request::answer(&mut self.store, request);
                self.store.damages = false;
                answer
            }
            _ => request::answer(&mut self.store, request),
        };
        match ordered {
            Some(Fault::LoseAnswer) => None,
            Some(Fault::CutBody { after }) => Some(cut(answer, after)),
            Some(Fault::FlipBit) => Some(whole(answer.map(|body| flipped(&body)))),
            _ => Some(whole(answer)),
        }
    }
}

/// With another first bit.
pub(super) fn flipped(bytes: &[u8]) -> Bytes {
    let mut flipped = bytes.to_vec();
    if let Some(byte) = flipped.first_mut() {
        *byte ^= 1;
    }
    flipped.into()
}

type Body = BoxBody<Bytes, &'static str>;

fn whole(answer: Response<Bytes>) -> Response<Body> {
    answer.map(|body| http_body_util::Full::new(body).map_err(|never: Infallible| match never {}).boxed())
}

/// With all headers, and not all of the body.
fn cut(mut answer: Response<Bytes>, after: usize) -> Response<Body> {
    let length = answer.body().len();
    answer.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    answer.map(|body| {
        let begin = Ok(Frame::data(body.slice(..after.min(length))));
        let broken = async {
            // What was written is on its way.
            tokio::time::sleep(Duration::from_millis(5)).await;
            Err("cut")
        };
        let frames = futures::StreamExt::chain(stream::iter([begin]), stream::once(broken));
        StreamBody::new(frames).boxed()
    })
}

/// Serves on a thread of its own; gives the endpoint.
pub(super) fn start(shared: Arc<Mutex<Shared>>) -> String {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let Ok((connection, _)) = listener.accept().await else { continue };
                let _ = connection.set_nodelay(true);
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service =
                        hyper::service::service_fn(move |request| serve(Arc::clone(&shared), request));
                    // Clients hang up as they like.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(connection), service)
                        .await;
                });
            }
        });
    });
    endpoint
}

async fn serve(
    shared: Arc<Mutex<Shared>>,
    request: Request<Incoming>,
) -> Result<Response<Body>, &'static str> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| "half a request")?.to_bytes();
    let request = Request::from_parts(parts, body);
    // An error of the service ends the connection without an answer.
    shared.lock().unwrap().answer(&request).ok_or("hung up")
}
