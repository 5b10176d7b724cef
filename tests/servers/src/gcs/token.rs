//! Tokens: who gives them, and who asks for them.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};

use super::{
    ACCESS_TOKEN, REFRESH_TOKEN,
    error::{Refusal, answer as json},
};

/// The tokens that are good.
#[derive(Debug)]
pub(super) struct Tokens {
    asks: bool,
    given: BTreeSet<String>,
    count: u64,
}

impl Tokens {
    pub(super) fn new(asks: bool) -> Self {
        Self { asks, given: BTreeSet::new(), count: 0 }
    }

    pub(super) fn expire(&mut self) {
        self.given.clear();
    }

    fn give(&mut self) -> Response<Bytes> {
        self.count += 1;
        let token = format!("given-token-{}", self.count);
        let body = json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer"});
        self.given.insert(token);
        json(StatusCode::OK, &body)
    }

    /// The answer to a request for a token, or to one without a good one.
    pub(super) fn answer(&mut self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let is_good = match request.uri().path() {
            "/token" => is_known(request.body()),
            // Workload identity federation (RFC 8693).
            "/sts" => String::from_utf8_lossy(request.body()).contains("subject_token=subject-of-the-tests"),
            path if path.starts_with("/computeMetadata/v1/instance/service-accounts/default/token") => {
                request.headers().get("metadata-flavor").is_some_and(|flavor| flavor == "Google")
            }
            _ if !self.asks => return None,
            _ => return self.check(request),
        };
        let refused = || json(StatusCode::BAD_REQUEST, &json!({"error": "invalid_grant"}));
        Some(if is_good { self.give() } else { refused() })
    }

    fn check(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let token = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(token) = token.and_then(|value| value.strip_prefix("Bearer ")) else {
            let message = "Anonymous caller does not have storage.objects.list access.";
            return Some(Refusal::new(StatusCode::UNAUTHORIZED, "required", message).in_json());
        };
        if token == ACCESS_TOKEN || self.given.contains(token) {
            return None;
        }
        Some(Refusal::new(StatusCode::UNAUTHORIZED, "authError", "Invalid Credentials").in_json())
    }
}

/// A refresh token (RFC 6749, section 6), or an assertion that was signed (RFC 7523).
fn is_known(body: &[u8]) -> bool {
    match serde_json::from_slice::<Value>(body) {
        Ok(refresh) => refresh["refresh_token"] == REFRESH_TOKEN,
        Err(_) => {
            let form = String::from_utf8_lossy(body);
            let assertion = form.split('&').find_map(|pair| pair.strip_prefix("assertion="));
            form.contains("jwt-bearer") && assertion.is_some_and(|jwt| jwt.split('.').count() == 3)
        }
    }
}
