//! What is asked for, and who answers it.

use std::collections::HashMap;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{
    batch,
    error::{Refusal, Result, answer as json},
    fields, listing, media, object, resumable, rewrite,
    store::{Conditions, Store},
    upload,
};

/// The query of a request.
pub(super) struct Query(HashMap<String, String>);

impl Query {
    fn of(request: &Request<Bytes>) -> Self {
        let pairs = request.uri().query().unwrap_or_default().split('&');
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        };
        Self(pairs.filter(|pair| !pair.is_empty()).map(pair).collect())
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<u64>> {
        let number = self.get(key).map(str::parse).transpose();
        number.map_err(|_| Refusal::invalid(format!("Invalid value for {key}")))
    }

    /// Those of the object that is written, patched or deleted.
    pub(super) fn conditions(&self) -> Result<Conditions> {
        Ok(Conditions {
            generation: self.number("ifGenerationMatch")?,
            not_generation: self.number("ifGenerationNotMatch")?,
        })
    }
}

pub(super) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

/// Answers a request.
pub(super) fn answer(store: &mut Store, request: &Request<Bytes>) -> Response<Bytes> {
    let query = Query::of(request);
    let path: Vec<&str> = request.uri().path().trim_start_matches('/').split('/').collect();
    let answered = match (request.method(), path.as_slice()) {
        (&Method::POST, ["batch", "storage", "v1"]) => return batch::answer(store, request),
        (&Method::POST, ["upload", "storage", "v1", "b", bucket, "o"]) => {
            upload::begin(store, &decode(bucket), request, &query)
        }
        (_, ["upload", "storage", "v1", "b", _, "o"]) => resumable::go_on(store, request, &query),
        (&Method::GET, ["storage", "v1", "b", bucket, "o"]) => {
            listing::list(store, &decode(bucket), &query).map(ok)
        }
        (&Method::POST, ["storage", "v1", "b", from, "o", source, "rewriteTo", "b", to, "o", target]) => {
            let (source, target) = ((decode(from), decode(source)), (decode(to), decode(target)));
            rewrite::rewrite(store, source, target, request, &query).map(ok)
        }
        (method, ["storage", "v1", "b", bucket, "o", key]) => {
            object::answer(store, method, (&decode(bucket), &decode(key)), request, &query)
        }
        (&Method::GET, [bucket, key @ ..]) if !key.is_empty() => {
            return media::download(store, &decode(bucket), &decode(&key.join("/")), request, &query)
                .unwrap_or_else(Refusal::in_xml);
        }
        _ => Err(Refusal::new(StatusCode::NOT_FOUND, "notFound", "Not Found")),
    };
    let answered = answered.and_then(|answer| fields::select(answer, query.get("fields")));
    answered.unwrap_or_else(Refusal::in_json)
}

pub(super) fn ok(body: Value) -> Response<Bytes> {
    json(StatusCode::OK, &body)
}

/// The description in a body; an empty body is none.
pub(super) fn description(body: &[u8]) -> Result<Option<super::store::Description>> {
    if body.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(body).map(Some).map_err(|_| Refusal::invalid("Parse Error"))
}
