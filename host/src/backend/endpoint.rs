//! Where a server is.

use std::net::IpAddr;

use crate::{Error, ErrorCode, Result};

/// An endpoint without a slash at its end.
///
/// # Errors
/// [`ErrorCode::InvalidArgument`] if it is no URL of a server.
pub(super) fn checked_endpoint(endpoint: &str) -> Result<String> {
    let rest = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    match rest.map(|rest| rest.trim_end_matches('/')) {
        Some(rest) if !rest.is_empty() && !rest.contains(['?', '#', '@', ' ']) => {
            Ok(endpoint.trim_end_matches('/').to_owned())
        }
        _ => Err(Error::new(
            ErrorCode::InvalidArgument,
            "the endpoint is no URL: it is written `https://host[:port]`",
        )),
    }
}

/// The host of an endpoint without encryption, where everybody on the way could read along; `None` for this machine.
pub(super) fn exposed_host(endpoint: &str) -> Option<&str> {
    let authority = endpoint.strip_prefix("http://")?.split('/').next()?;
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => authority.split(':').next()?,
    };
    let is_own = host == "localhost" || host.parse().is_ok_and(|host: IpAddr| host.is_loopback());
    (!is_own).then_some(host)
}

/// Refuses to send what can be seen on the way, and stolen; says what to do instead.
///
/// # Errors
/// [`ErrorCode::InvalidArgument`] for an endpoint without encryption on another machine.
#[cfg(any(feature = "azblob", feature = "gcs", feature = "webdav", test))]
pub(super) fn require_private(endpoint: &str, or_else: &str) -> Result<()> {
    let Some(host) = exposed_host(endpoint) else { return Ok(()) };
    let message = format!(
        "credentials would travel to `{host}` for everybody to read: write the endpoint with `https://`, or {or_else}"
    );
    Err(Error::new(ErrorCode::InvalidArgument, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_this_machine_unencrypted_is_exposed() {
        for endpoint in ["https://x", "http://127.0.0.1:1", "http://localhost:1/x", "http://[::1]:1"] {
            assert_eq!(exposed_host(endpoint), None);
            require_private(endpoint, "").unwrap();
        }
        for (endpoint, host) in [
            ("http://10.0.0.1", "10.0.0.1"),
            ("http://localhost.example", "localhost.example"),
            ("http://127.0.0.1.example:80", "127.0.0.1.example"),
            ("http://[::2]", "::2"),
        ] {
            assert_eq!(exposed_host(endpoint), Some(host));
            assert!(require_private(endpoint, "").is_err());
        }
    }
}
