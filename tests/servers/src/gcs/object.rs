//! One object: what is said of it, changes of that, and its end.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use super::{
    error::{Refusal, Result, plain},
    request::{Query, description, ok},
    store::Store,
};

pub(super) fn answer(
    store: &mut Store,
    method: &Method,
    (bucket, key): (&str, &str),
    request: &Request<Bytes>,
    query: &Query,
) -> Result<Response<Bytes>> {
    let conditions = query.conditions()?;
    let generation = query.number("generation")?;
    let object = store.object(bucket, key)?;
    if generation.is_some_and(|generation| generation != object.generation) {
        return Err(Refusal::no_object(bucket, key));
    }
    conditions.check(Some(object))?;
    match *method {
        Method::GET => Ok(ok(object.describe(bucket, key))),
        Method::PATCH => {
            object.patch(&description(request.body())?.unwrap_or_default());
            Ok(ok(object.describe(bucket, key)))
        }
        Method::DELETE => {
            store.bucket(bucket)?.remove(key);
            Ok(plain(StatusCode::NO_CONTENT))
        }
        _ => Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "methodNotAllowed", "Method Not Allowed")),
    }
}
