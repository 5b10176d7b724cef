//! Why the host brought no answer.

use wasip3::http::types::ErrorCode as Code;

pub(super) use super::super::broken_off;
use super::super::{cannot_be_trusted, cannot_reach, not_in_time};
use crate::{Error, ErrorCode};

/// The error for a code of the host.
pub(super) fn explain(host: &str, code: &Code) -> Error {
    match code {
        Code::HttpRequestDenied | Code::DestinationIpProhibited => denied(host),
        Code::DnsTimeout => cannot_reach(host, "its name was not resolved in time"),
        Code::DnsError(_) | Code::DestinationNotFound => cannot_reach(host, "its name cannot be resolved"),
        Code::DestinationUnavailable | Code::DestinationIpUnroutable => {
            cannot_reach(host, "there is no way to it")
        }
        Code::ConnectionRefused => cannot_reach(host, "the connection was refused"),
        Code::ConnectionTimeout => cannot_reach(host, "nobody took the connection in time"),
        Code::ConnectionLimitReached => cannot_reach(host, "there are too many connections"),
        Code::TlsProtocolError => cannot_be_trusted(host, "it does not speak TLS as it should"),
        Code::TlsCertificateError => cannot_be_trusted(host, "its certificate is not valid"),
        Code::TlsAlertReceived(_) => cannot_be_trusted(host, "it broke off the handshake of TLS"),
        Code::ConnectionReadTimeout | Code::ConnectionWriteTimeout | Code::HttpResponseTimeout => {
            not_in_time(host)
        }
        Code::ConnectionTerminated | Code::HttpResponseIncomplete => {
            broken_off(host, "it was closed before the answer was complete")
        }
        Code::HttpProtocolError => not_http(host),
        other => broken_off(host, &format!("{other:?}").escape_debug().to_string()),
    }
}

/// The component may not speak to that host.
fn denied(host: &str) -> Error {
    let message = format!(
        "this component may not send requests to `{host}`: its host must allow that, as `wasmtime` does by `-S http` and \
         Spin by `allowed_outbound_hosts`"
    );
    Error::new(ErrorCode::PermissionDenied, message)
}

/// The answer is none of HTTP: it may be one the next time.
pub(super) fn not_http(host: &str) -> Error {
    broken_off(host, "the answer is not what HTTP allows")
}

/// Whether all of the answer comes could not be seen.
pub(super) fn endless(host: &str) -> Error {
    broken_off(host, "the answer does not tell how long it is")
}
