//! Over the connections of the component's host: `wasi:http/client`.
//!
//! A host may end a body early and still say that this was its end: wasmtime does once the outcome of a request's
//! transmission is dropped. So that is kept until the body has ended, and bytes are counted: what falls short of its
//! length is an error, and never an end.

mod body;
mod failure;
mod request;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use wasip3::http::{client, types};

pub(in crate::backend::cloud) use self::body::Body;
use self::{
    failure::{endless, explain, not_http},
    request::{Transmission, going_on, outgoing},
};
use super::length::Length;
use crate::{Result, backend::task::here};

/// The host's connections.
#[derive(Clone)]
pub(in crate::backend::cloud) struct Transport {
    connect_timeout: Duration,
}

impl Transport {
    /// Gives a server so much time to take a connection, where the host lets that be said.
    ///
    /// # Errors
    /// None: what the host refuses, it refuses each request.
    pub(in crate::backend::cloud) fn new(connect_timeout: Duration) -> Result<Self> {
        Ok(Self { connect_timeout })
    }

    /// Sends a request, and waits for the beginning of the answer.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`](crate::ErrorCode::Unavailable), [`ErrorCode::Timeout`](crate::ErrorCode::Timeout) or
    /// [`ErrorCode::PermissionDenied`](crate::ErrorCode::PermissionDenied) without an answer.
    pub(in crate::backend::cloud) async fn send(&self, request: Request<Bytes>) -> Result<Response<Body>> {
        here(exchange(request, self.connect_timeout)).await
    }
}

async fn exchange(request: Request<Bytes>, connect_timeout: Duration) -> Result<Response<Body>> {
    let host = request.uri().host().unwrap_or("the store").to_owned();
    let method = request.method().clone();
    let (request, mut transmission) = outgoing(request, connect_timeout)?;
    let sent = going_on(&mut transmission, client::send(request)).await;
    incoming(sent.map_err(|code| explain(&host, &code))?, &method, transmission, host)
}

/// The answer to a request by that method.
fn incoming(
    coming: types::Response,
    method: &Method,
    transmission: Transmission,
    host: String,
) -> Result<Response<Body>> {
    let status = StatusCode::from_u16(coming.get_status_code()).map_err(|_| not_http(&host))?;
    let mut headers = HeaderMap::new();
    for (name, value) in coming.get_headers().copy_all() {
        let name = HeaderName::try_from(name).map_err(|_| not_http(&host))?;
        headers.append(name, HeaderValue::try_from(value).map_err(|_| not_http(&host))?);
    }
    let length = Length::of(method, status, &headers).ok_or_else(|| endless(&host))?;
    let mut response = Response::new(Body::begin(coming, length, transmission, host));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    Ok(response)
}
