//! Partial answers: `name,items(size,metadata)` leaves nothing but that.

use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value};

use super::error::{Refusal, Result};

/// Which fields are wanted, and which of those in them: none named is all.
struct Mask(Vec<(String, Mask)>);

/// Leaves of an answer in JSON what is asked for.
pub(super) fn select(answer: Response<Bytes>, mask: Option<&str>) -> Result<Response<Bytes>> {
    let (Some(mask), true) = (mask, answer.status().is_success()) else { return Ok(answer) };
    let mut rest = mask;
    let mask = Mask::parse(&mut rest);
    if !rest.is_empty() {
        return Err(Refusal::invalid("Invalid field selection"));
    }
    let (parts, body) = answer.into_parts();
    let body = match serde_json::from_slice::<Value>(&body) {
        Ok(value) => mask.of(value).to_string().into(),
        Err(_) => body,
    };
    Ok(Response::from_parts(parts, body))
}

impl Mask {
    fn parse(rest: &mut &str) -> Self {
        let mut fields = Vec::new();
        loop {
            let end = rest.find([',', '(', ')']).unwrap_or(rest.len());
            let name = rest[..end].to_owned();
            *rest = &rest[end..];
            let mut below = Self(Vec::new());
            if let Some(inner) = rest.strip_prefix('(') {
                *rest = inner;
                below = Self::parse(rest);
                *rest = rest.strip_prefix(')').unwrap_or("?");
            }
            fields.push((name, below));
            match rest.strip_prefix(',') {
                Some(more) => *rest = more,
                None => return Self(fields),
            }
        }
    }

    fn of(&self, value: Value) -> Value {
        match value {
            _ if self.0.is_empty() => value,
            Value::Array(items) => items.into_iter().map(|item| self.of(item)).collect(),
            Value::Object(mut fields) => {
                let kept =
                    self.0.iter().filter_map(|(name, below)| Some((name, below.of(fields.remove(name)?))));
                Value::Object(kept.map(|(name, value)| (name.clone(), value)).collect::<Map<_, _>>())
            }
            value => value,
        }
    }
}
