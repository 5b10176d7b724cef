//! What the settings of the stores have in common.

use std::{env, net::IpAddr};

use omnistorage_types::Path;

use crate::{Error, ErrorCode, Result, config::Config};

/// A variable of the environment; an empty one counts as none.
pub(in crate::backend) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The path in a bucket that is the root of a backend; one slash at its end is fine.
///
/// # Errors
/// [`ErrorCode::InvalidPath`] if it breaks the grammar.
pub(in crate::backend) fn take_prefix(config: &mut Config) -> Result<Path> {
    match config.take::<String>("prefix")? {
        Some(prefix) => Ok(Path::parse(prefix.strip_suffix('/').unwrap_or(&prefix))?),
        None => Ok(Path::root()),
    }
}

/// An endpoint without a slash at its end.
///
/// # Errors
/// [`ErrorCode::InvalidArgument`] if it is no URL of a server.
pub(in crate::backend) fn checked_endpoint(endpoint: &str) -> Result<String> {
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
pub(in crate::backend) fn exposed_host(endpoint: &str) -> Option<&str> {
    let authority = endpoint.strip_prefix("http://")?.split('/').next()?;
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => authority.split(':').next()?,
    };
    let is_own = host == "localhost" || host.parse().is_ok_and(|host: IpAddr| host.is_loopback());
    (!is_own).then_some(host)
}

/// Two settings that exclude each other, or one without another that it needs.
pub(in crate::backend) fn contradiction(message: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_this_machine_unencrypted_is_exposed() {
        for endpoint in ["https://x", "http://127.0.0.1:1", "http://localhost:1/x", "http://[::1]:1"] {
            assert_eq!(exposed_host(endpoint), None);
        }
        for (endpoint, host) in [
            ("http://10.0.0.1", "10.0.0.1"),
            ("http://localhost.example", "localhost.example"),
            ("http://127.0.0.1.example:80", "127.0.0.1.example"),
            ("http://[::2]", "::2"),
        ] {
            assert_eq!(exposed_host(endpoint), Some(host));
        }
    }
}
