//! The JSON of events holds to its schema: as much of JSON Schema as that one uses.

use serde_json::Value;

use crate::command::Run;

const SCHEMA: &str = include_str!("../../host/src/cli/transfer/events.schema.json");

/// What this knows of JSON Schema. A schema that says more would not be held to it.
const KNOWN: [&str; 13] = [
    "$schema",
    "$defs",
    "$ref",
    "additionalProperties",
    "const",
    "description",
    "enum",
    "minimum",
    "oneOf",
    "properties",
    "required",
    "title",
    "type",
];

/// Every line is as the schema says.
#[track_caller]
pub(crate) fn assert_holds(run: &Run) {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    for line in run.json() {
        assert_eq!(check(&schema, &schema, &line), Ok(()), "in {line}");
    }
}

fn check(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let rules = match schema {
        Value::Bool(true) => return Ok(()),
        Value::Bool(false) => return Err(format!("{value} is not expected")),
        Value::Object(rules) => rules,
        _ => return Err(format!("{schema} is no schema")),
    };
    for (name, rule) in rules {
        let holds = match name.as_str() {
            "$ref" => {
                let at = rule.as_str().unwrap_or_default().trim_start_matches('#');
                check(root, root.pointer(at).ok_or(format!("{rule} leads nowhere"))?, value)?;
                true
            }
            "oneOf" => {
                let tried: Vec<_> = list(rule).iter().map(|one| check(root, one, value)).collect();
                if tried.iter().filter(|result| result.is_ok()).count() != 1 {
                    return Err(format!("not one of them holds: {tried:?}"));
                }
                true
            }
            "properties" => {
                for (key, rule) in rule.as_object().into_iter().flatten() {
                    if let Some(value) = value.get(key) {
                        check(root, rule, value).map_err(|why| format!("{key}: {why}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = rules.get("properties").and_then(Value::as_object);
                let other = value.as_object().into_iter().flatten();
                for (key, value) in
                    other.filter(|(key, _)| !known.is_some_and(|known| known.contains_key(*key)))
                {
                    check(root, rule, value).map_err(|why| format!("{key}: {why}"))?;
                }
                true
            }
            "const" => rule == value,
            "enum" => list(rule).contains(value),
            "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap_or(i64::MAX)),
            "required" => list(rule)
                .iter()
                .all(|key| value.is_null() || value.get(key.as_str().unwrap_or("")).is_some()),
            "type" if rule.is_array() => list(rule).iter().any(|name| is_of(value, name)),
            "type" => is_of(value, rule),
            _ => KNOWN.contains(&name.as_str()),
        };
        if !holds {
            return Err(format!("{value} breaks {name}: {rule}"));
        }
    }
    Ok(())
}

fn list(rule: &Value) -> &[Value] {
    rule.as_array().map_or(&[], Vec::as_slice)
}

fn is_of(value: &Value, name: &Value) -> bool {
    match name.as_str() {
        Some("object") => value.is_object(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("null") => value.is_null(),
        _ => false,
    }
}

#[test]
fn what_is_not_as_the_schema_says_is_found() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let event =
        serde_json::json!({"event": "failed", "path": "a", "size": null, "reason": null, "error": null});
    assert_eq!(check(&schema, &schema, &event), Ok(()));
    for (key, value) in [
        ("event", "eaten".into()),
        ("path", Value::Null),
        ("size", (-1).into()),
        ("more", "than that".into()),
        ("error", serde_json::json!({"code": "colour", "message": ""})),
        ("error", serde_json::json!({"code": "other"})),
    ] {
        let mut wrong = event.clone();
        wrong[key] = value;
        assert!(check(&schema, &schema, &wrong).is_err(), "{wrong}");
    }
    let mut short = event;
    short.as_object_mut().unwrap().remove("reason");
    assert!(check(&schema, &schema, &short).is_err());
}
