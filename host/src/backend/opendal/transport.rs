//! Makes sure that whatever answers requests of WebDAV speaks WebDAV: OpenDAL takes any answer with a successful status
//! for one, so a log-in page would be an empty directory.

use ::opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport, Result};
use http::{Request, Response, StatusCode, header};
use opendal_http_transport_reqwest::ReqwestTransport;

/// Sends requests, and checks the answers against what RFC 4918 says of them.
pub(super) struct Demanding(pub(super) ReqwestTransport);

impl HttpTransport for Demanding {
    async fn fetch(&self, request: Request<Buffer>) -> Result<Response<HttpBody>> {
        let method = request.method().clone();
        let answer = self.0.fetch(request).await?;
        // OpenDAL knows the status of who is known and may not, and not that of who is unknown.
        if answer.status() == StatusCode::UNAUTHORIZED {
            let message = "it does not accept these credentials, or asks for some";
            return Err(Error::new(ErrorKind::PermissionDenied, message));
        }
        let is_page = || {
            let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            kind.is_some_and(|kind| kind.starts_with("text/html"))
        };
        let is_odd = match method.as_str() {
            // Sections 9.1 and 11.1: it tells of each resource by itself.
            "PROPFIND" | "PROPPATCH" => {
                answer.status().is_success() && answer.status() != StatusCode::MULTI_STATUS
            }
            "PUT" | "DELETE" | "MKCOL" | "MOVE" | "COPY" => answer.status() == StatusCode::OK && is_page(),
            _ => false,
        };
        if is_odd {
            let message = "the answer is none of WebDAV: is it the right endpoint?";
            return Err(Error::new(ErrorKind::Unexpected, message));
        }
        Ok(answer)
    }
}
