//! Over connections of our own.

use std::{error::Error as _, time::Duration};

use bytes::Bytes;
use http::{Request, Response};

use super::{USER_AGENT, broken_off, cannot_be_trusted, cannot_reach, not_in_time};
use crate::{Error, ErrorCode, Result, backend::tls};

/// Connections, which are kept for the next requests.
#[derive(Clone)]
pub(in crate::backend::cloud) struct Transport(reqwest::Client);

impl Transport {
    /// Gives a server so much time to take a connection.
    ///
    /// # Errors
    /// [`ErrorCode::Other`] if the system gives no certificates, or no connections.
    pub(in crate::backend::cloud) fn new(connect_timeout: Duration) -> Result<Self> {
        let client = tls::client()
            .connect_timeout(connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(USER_AGENT)
            .build();
        let client = client.map_err(|error| {
            let message = format!("cannot prepare connections: {}", cause(&error));
            Error::new(ErrorCode::Other, message).with_source(error)
        })?;
        Ok(Self(client))
    }

    /// Sends a request, and waits for the beginning of the answer.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`], [`ErrorCode::Timeout`] or [`ErrorCode::PermissionDenied`] without an answer.
    pub(in crate::backend::cloud) async fn send(&self, request: Request<Bytes>) -> Result<Response<Body>> {
        let (parts, body) = request.into_parts();
        let request = self.0.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
        let mut coming = request.send().await.map_err(broken)?;
        let mut response = Response::new(());
        *response.status_mut() = coming.status();
        *response.headers_mut() = std::mem::take(coming.headers_mut());
        Ok(response.map(|()| Body(coming)))
    }
}

/// A body that comes piece by piece. Its length is checked below: an end before the end is an error.
pub(in crate::backend::cloud) struct Body(reqwest::Response);

impl Body {
    /// The next piece; `None` at the end.
    pub(in crate::backend::cloud) async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.0.chunk().await.map_err(broken)
    }
}

fn broken(error: reqwest::Error) -> Error {
    let host = error.url().and_then(|url| url.host_str()).unwrap_or("the store").to_owned();
    let cause = cause(&error);
    let told = if error.is_connect() && is_distrusted(&error) {
        cannot_be_trusted(&host, &cause)
    } else if error.is_connect() {
        cannot_reach(&host, &cause)
    } else if error.is_timeout() {
        not_in_time(&host)
    } else {
        broken_off(&host, &cause)
    };
    // The address of an upload is a secret: who has it can write there.
    told.with_source(error.without_url())
}

fn is_distrusted(error: &reqwest::Error) -> bool {
    let mut next: Option<&dyn std::error::Error> = error.source();
    while let Some(error) = next {
        let broken = error.downcast_ref::<std::io::Error>();
        if broken.is_some_and(|broken| broken.kind() == std::io::ErrorKind::InvalidData) {
            return true;
        }
        next = error.source();
    }
    false
}

/// The innermost cause: the outer ones repeat the URL.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match error.source() {
        Some(_) => innermost.to_string(),
        None => "the request was refused before it was sent".to_owned(),
    }
}
