//! A request on its way out.

use std::{
    future::{Future, IntoFuture},
    pin::pin,
    time::Duration,
};

use bytes::Bytes;
use futures::{
    FutureExt,
    future::{Fuse, LocalBoxFuture, poll_fn},
};
use http::{HeaderMap, HeaderName, Method, Request, Uri, header, uri::Scheme};
use wasip3::{
    http::types::{self, ErrorCode as HostCode, Fields, RequestOptions},
    wit_bindgen::{FutureWriter, StreamWriter},
    wit_future, wit_stream,
};

use super::super::USER_AGENT;
use crate::{Error, ErrorCode, Result};

/// Bytes of a body that are handed over at once.
const PIECE: usize = 256 * 1024;

/// What a request still does after it was handed over: its body is written, and the host tells what became of it.
/// Without this the connection is closed.
pub(super) type Transmission = Fuse<LocalBoxFuture<'static, ()>>;

/// The request as the host takes it, and its transmission.
pub(super) fn outgoing(
    request: Request<Bytes>,
    connect_timeout: Duration,
) -> Result<(types::Request, Transmission)> {
    let (parts, body) = request.into_parts();
    let options = RequestOptions::new();
    // A host that knows no such limit is held to the one of the whole request.
    let _ = options.set_connect_timeout(u64::try_from(connect_timeout.as_nanos()).ok());
    let (contents, taken) = if body.is_empty() { (None, None) } else { Some(wit_stream::new()).unzip() };
    let (trailers, ended) = wit_future::new(|| Err(HostCode::ConnectionTerminated));
    let (outgoing, outcome) =
        types::Request::new(fields(&parts.headers, &body)?, taken, ended, Some(options));
    address(&outgoing, &parts.method, &parts.uri).map_err(|()| unsendable())?;
    let transmission = async move {
        // Nobody can do anything about a failure here: the answer, or its absence, tells more.
        let _ = futures::join!(write(body, contents, trailers), outcome.into_future());
    };
    Ok((outgoing, transmission.boxed_local().fuse()))
}

/// Waits for something while the transmission goes on.
pub(super) async fn going_on<T>(transmission: &mut Transmission, awaited: impl IntoFuture<Output = T>) -> T {
    let mut awaited = pin!(awaited.into_future());
    poll_fn(|context| {
        let _ = transmission.poll_unpin(context);
        awaited.as_mut().poll(context)
    })
    .await
}

/// Writes the body, as far as anybody takes it.
async fn write(
    body: Bytes,
    contents: Option<StreamWriter<u8>>,
    trailers: FutureWriter<std::result::Result<Option<Fields>, HostCode>>,
) {
    if let Some(mut contents) = contents {
        for piece in body.chunks(PIECE) {
            if !contents.write_all(piece.to_vec()).await.is_empty() {
                return;
            }
        }
    }
    let _ = trailers.write(Ok(None)).await;
}

/// The headers, and what a connection of our own would add to them: without a length, a body goes out in chunks.
fn fields(headers: &HeaderMap, body: &Bytes) -> Result<Fields> {
    let own = |name: HeaderName, value: String| (name.as_str().to_owned(), value.into_bytes());
    let given = headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    let added =
        [own(header::USER_AGENT, USER_AGENT.to_owned()), own(header::CONTENT_LENGTH, body.len().to_string())];
    Fields::from_list(&given.chain(added).collect::<Vec<_>>()).map_err(|_| unsendable())
}

fn address(request: &types::Request, method: &Method, uri: &Uri) -> std::result::Result<(), ()> {
    request.set_method(&match *method {
        Method::GET => types::Method::Get,
        Method::HEAD => types::Method::Head,
        Method::POST => types::Method::Post,
        Method::PUT => types::Method::Put,
        Method::DELETE => types::Method::Delete,
        ref other => types::Method::Other(other.to_string()),
    })?;
    let is_plain = uri.scheme() == Some(&Scheme::HTTP);
    request.set_scheme(Some(if is_plain { &types::Scheme::Http } else { &types::Scheme::Https }))?;
    request.set_authority(uri.authority().map(|authority| authority.as_str()))?;
    request.set_path_with_query(uri.path_and_query().map(|path| path.as_str()))
}

fn unsendable() -> Error {
    let message =
        "the host takes no such request: check the endpoint, and what is to be stored beside the bytes";
    Error::new(ErrorCode::InvalidArgument, message)
}
