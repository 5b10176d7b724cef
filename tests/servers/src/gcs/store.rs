//! What is stored.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::{
    error::{Refusal, Result},
    resumable::Session,
    rewrite::Rewrite,
    server::flipped,
};

/// What a client may say of an object.
const SETTABLE: [&str; 8] = [
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
    "customTime",
    "metadata",
    "storageClass",
];

pub(super) type Description = Map<String, Value>;

/// Buckets, and what is on its way to become an object.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) buckets: BTreeMap<String, BTreeMap<String, Object>>,
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) rewrites: BTreeMap<String, Rewrite>,
    generation: u64,
    /// Of the part of an upload that is in hand.
    pub(super) keep_at_most: Option<usize>,
    /// What is written next.
    pub(super) damages: bool,
    /// Of the batch that is in hand.
    pub(super) failing_parts: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) contents: Bytes,
    pub(super) generation: u64,
    metageneration: u64,
    created: String,
    pub(super) description: Description,
}

/// What must hold of the object that is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    pub(super) generation: Option<u64>,
    pub(super) not_generation: Option<u64>,
}

impl Conditions {
    /// 0 stands for no object.
    pub(super) fn check(&self, object: Option<&Object>) -> Result<()> {
        let found = object.map_or(0, |object| object.generation);
        let holds = self.generation.is_none_or(|expected| expected == found)
            && self.not_generation.is_none_or(|expected| expected != found);
        if holds { Ok(()) } else { Err(Refusal::condition()) }
    }
}

impl Store {
    pub(super) fn new(buckets: &[&str]) -> Self {
        Self {
            buckets: buckets.iter().map(|name| ((*name).to_owned(), BTreeMap::new())).collect(),
            sessions: BTreeMap::new(),
            rewrites: BTreeMap::new(),
            generation: 1_700_000_000_000_000,
            keep_at_most: None,
            damages: false,
            failing_parts: 0,
        }
    }

    pub(super) fn open_uploads(&self) -> usize {
        self.sessions.values().filter(|session| !session.is_done()).count()
    }

    pub(super) fn bucket(&mut self, name: &str) -> Result<&mut BTreeMap<String, Object>> {
        self.buckets.get_mut(name).ok_or_else(Refusal::no_bucket)
    }

    pub(super) fn object(&mut self, bucket: &str, key: &str) -> Result<&mut Object> {
        self.bucket(bucket)?.get_mut(key).ok_or_else(|| Refusal::no_object(bucket, key))
    }

    /// A number that was never given.
    pub(super) fn next(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }

    /// Makes an object, if the conditions hold and the bytes are as their description says.
    pub(super) fn create(
        &mut self,
        bucket: &str,
        key: &str,
        mut contents: Bytes,
        description: &Description,
        conditions: &Conditions,
    ) -> Result<Value> {
        check_key(key)?;
        if self.damages {
            contents = flipped(&contents);
        } else {
            check_sums(&contents, description)?;
        }
        conditions.check(self.bucket(bucket)?.get(key))?;
        let object = Object {
            contents,
            generation: self.next(),
            metageneration: 1,
            created: jiff::Timestamp::now().to_string(),
            description: settable(description),
        };
        let value = object.describe(bucket, key);
        self.bucket(bucket)?.insert(key.to_owned(), object);
        Ok(value)
    }

    pub(super) fn put(&mut self, bucket: &str, key: &str, contents: &[u8], description: &Value) {
        let description = description.as_object().unwrap();
        let contents = Bytes::copy_from_slice(contents);
        self.create(bucket, key, contents, description, &Conditions::default()).unwrap();
    }
}

impl Object {
    /// Changes what is said of it.
    pub(super) fn patch(&mut self, changes: &Description) {
        for (name, value) in settable(changes) {
            match (self.description.get_mut(&name), value) {
                (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
                (_, value) => drop(self.description.insert(name, value)),
            }
        }
        self.metageneration += 1;
    }

    /// The resource `Object`.
    pub(super) fn describe(&self, bucket: &str, key: &str) -> Value {
        let mut value = json!({
            "kind": "storage#object",
            "bucket": bucket,
            "name": key,
            "size": self.contents.len().to_string(),
            "generation": self.generation.to_string(),
            "metageneration": self.metageneration.to_string(),
            "timeCreated": self.created,
            "updated": self.created,
            "crc32c": crc32c(&self.contents),
            "md5Hash": md5(&self.contents),
        });
        value.as_object_mut().unwrap().extend(self.description.clone());
        value
    }
}

pub(super) fn crc32c(contents: &[u8]) -> String {
    BASE64_STANDARD.encode(crc32c::crc32c(contents).to_be_bytes())
}

pub(super) fn md5(contents: &[u8]) -> String {
    BASE64_STANDARD.encode(Md5::digest(contents))
}

fn settable(description: &Description) -> Description {
    let is_settable = |(name, _): &(&String, &Value)| SETTABLE.contains(&name.as_str());
    description.iter().filter(is_settable).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn check_key(key: &str) -> Result<()> {
    let is_legal =
        (1..=1024).contains(&key.len()) && !key.contains(['\r', '\n']) && !matches!(key, "." | "..");
    if is_legal { Ok(()) } else { Err(Refusal::invalid("Invalid object name")) }
}

fn check_sums(contents: &[u8], description: &Description) -> Result<()> {
    for (name, word, actual) in
        [("crc32c", "CRC32C", crc32c(contents)), ("md5Hash", "MD5 hash", md5(contents))]
    {
        if let Some(given) = description.get(name).and_then(Value::as_str)
            && given != actual
        {
            let message =
                format!("Provided {word} \"{given}\" doesn't match calculated {word} \"{actual}\".");
            return Err(Refusal::invalid(message));
        }
    }
    Ok(())
}
