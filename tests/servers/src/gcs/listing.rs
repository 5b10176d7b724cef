//! Listings, a page at a time.

use std::{collections::BTreeSet, ops::Bound};

use base64::{Engine, prelude::BASE64_URL_SAFE};
use serde_json::{Value, json};

use super::{
    error::{Refusal, Result},
    request::Query,
    store::Store,
};

/// The most entries of a page.
const MOST: u64 = 1000;

pub(super) fn list(store: &mut Store, bucket: &str, query: &Query) -> Result<Value> {
    let most = query.number("maxResults")?.unwrap_or(MOST).clamp(1, MOST);
    let prefix = query.get("prefix").unwrap_or_default();
    let delimiter = query.get("delimiter").filter(|delimiter| !delimiter.is_empty());
    let start = query.get("startOffset").unwrap_or_default().max(prefix).to_owned();
    let from = match query.get("pageToken") {
        Some(token) => Bound::Excluded(decode(token)?),
        None => Bound::Included(start),
    };
    let (mut items, mut prefixes, mut next) = (Vec::new(), BTreeSet::new(), None);
    let mut last = String::new();
    for (key, object) in store.bucket(bucket)?.range((from, Bound::Unbounded)) {
        if !key.starts_with(prefix) {
            break;
        }
        let shared = delimiter.and_then(|delimiter| {
            let end = key[prefix.len()..].find(delimiter)?;
            Some(key[..prefix.len() + end + delimiter.len()].to_owned())
        });
        let is_new =
            shared.as_ref().is_none_or(|shared| !prefixes.contains(shared) && !last.starts_with(shared));
        if is_new && (items.len() + prefixes.len()) as u64 == most {
            next = Some(BASE64_URL_SAFE.encode(&last));
            break;
        }
        match shared {
            Some(shared) => drop(prefixes.insert(shared)),
            None => items.push(object.describe(bucket, key)),
        }
        last.clone_from(key);
    }
    let mut page = json!({"kind": "storage#objects"});
    let fields = [
        ("items", (!items.is_empty()).then(|| json!(items))),
        ("prefixes", (!prefixes.is_empty()).then(|| json!(prefixes))),
        ("nextPageToken", next.map(Value::from)),
    ];
    let present = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    page.as_object_mut().unwrap().extend(present);
    Ok(page)
}

fn decode(token: &str) -> Result<String> {
    let invalid = || Refusal::invalid("Invalid page token");
    String::from_utf8(BASE64_URL_SAFE.decode(token).map_err(|_| invalid())?).map_err(|_| invalid())
}
