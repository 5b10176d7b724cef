//! Sends one request, and brings its answer: over connections of our own, or over those of a component's host.

#[cfg(any(test, target_family = "wasm"))]
mod length;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod wasi;

#[cfg(not(target_family = "wasm"))]
pub(super) use native::{Body, Transport};
#[cfg(target_family = "wasm")]
pub(super) use wasi::{Body, Transport};

use crate::{Error, ErrorCode};

/// Whom the requests are from.
const USER_AGENT: &str = concat!("omnistorage/", env!("CARGO_PKG_VERSION"));

/// Nobody answers there.
fn cannot_reach(host: &str, cause: &str) -> Error {
    let message = format!("cannot reach `{host}`: {cause}; check the endpoint and the network");
    Error::new(ErrorCode::Unavailable, message)
}

/// The other side does not speak TLS, or shows an invalid certificate: the next time it will do the same.
fn cannot_be_trusted(host: &str, cause: &str) -> Error {
    let message = format!(
        "`{host}` cannot be trusted: {cause}; check the endpoint, and that this machine knows who signs its certificate"
    );
    Error::new(ErrorCode::PermissionDenied, message)
}

/// The connection failed before or within the answer.
fn broken_off(host: &str, cause: &str) -> Error {
    Error::new(ErrorCode::Unavailable, format!("the connection to `{host}` broke: {cause}; try again"))
}

/// The answer, or the rest of it, did not come.
pub(super) fn not_in_time(host: &str) -> Error {
    Error::new(ErrorCode::Timeout, format!("`{host}` did not answer in time; try again later"))
}
