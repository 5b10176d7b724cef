//! Copies, in as many steps as their size asks for.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::{
    error::{Refusal, Result},
    request::{Query, description},
    store::{Conditions, Store},
};

/// What one step copies.
const STEP: usize = 256 << 10;

/// A copy that was begun: of what, to where, and how far it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rewrite {
    source: (String, String),
    generation: u64,
    target: (String, String),
    copied: usize,
}

pub(super) fn rewrite(
    store: &mut Store,
    source: (String, String),
    target: (String, String),
    request: &Request<Bytes>,
    query: &Query,
) -> Result<Value> {
    store.bucket(&target.0)?;
    let of_source = Conditions {
        generation: query.number("ifSourceGenerationMatch")?,
        not_generation: query.number("ifSourceGenerationNotMatch")?,
    };
    let found = store.object(&source.0, &source.1)?.clone();
    of_source.check(Some(&found))?;
    let mut step = Rewrite { source, generation: found.generation, target, copied: 0 };
    if let Some(token) = query.get("rewriteToken") {
        let invalid = || Refusal::invalid("Invalid rewrite token");
        let begun = store.rewrites.get(token).ok_or_else(invalid)?;
        step.copied = begun.copied;
        if *begun != step {
            return Err(invalid());
        }
    }
    step.copied += STEP;
    let size = found.contents.len();
    if step.copied < size {
        let token = store.next().to_string();
        let copied = step.copied.to_string();
        store.rewrites.insert(token.clone(), step);
        return Ok(json!({
            "kind": "storage#rewriteResponse", "done": false, "rewriteToken": token,
            "objectSize": size.to_string(), "totalBytesRewritten": copied,
        }));
    }
    // With a description nothing of the old one comes along.
    let description = description(request.body())?.unwrap_or(found.description);
    let (bucket, key) = &step.target;
    let made = store.create(bucket, key, found.contents, &description, &query.conditions()?)?;
    Ok(json!({
        "kind": "storage#rewriteResponse", "done": true, "objectSize": size.to_string(),
        "totalBytesRewritten": size.to_string(), "resource": made,
    }))
}
