//! A plugin that minds its own business: it counts log records by their level.

#![cfg(target_family = "wasm")]

use std::collections::BTreeMap;

use bindings::omnistorage::storage::backend::{self, ReadOptions, WriteCondition, WriteOptions};

#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::unwrap_used, clippy::panic)]
mod bindings {
    wit_bindgen::generate!({
        world: "example:plugins/plugin",
        path: ["../../../wit", "../plugin.wit"],
        generate_all,
    });

    export!(Plugin with_types_in self);

    pub struct Plugin;
}

/// The most that a log may have, in bytes.
const MOST: u32 = 16 << 20;

impl bindings::Guest for bindings::Plugin {
    /// The task is the path of a log in the backend `logs`; the counts go to the same path in `own`.
    async fn run(task: String) -> Result<String, String> {
        tally(task).await.map_err(|error| error.message)
    }
}

async fn tally(path: String) -> Result<String, backend::Error> {
    let logs = backend::open("logs".to_owned(), Vec::new()).await?;
    let whole = ReadOptions { offset: 0, length: None, if_match: None };
    let log = logs.read_all(path.clone(), whole, MOST).await?;

    let mut counts = BTreeMap::<String, u64>::new();
    for line in log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let record: Option<serde_json::Value> = serde_json::from_slice(line).ok();
        let level = record.as_ref().and_then(|record| record["level"].as_str()).unwrap_or("unknown");
        *counts.entry(level.to_owned()).or_default() += 1;
    }
    let counts = serde_json::json!(counts).to_string();

    let own = backend::open("own".to_owned(), Vec::new()).await?;
    let options = WriteOptions {
        condition: WriteCondition::Always,
        content_type: None,
        modified: None,
        metadata: Vec::new(),
        expected_size: Some(counts.len() as u64),
        expected_hash: None,
    };
    own.write_all(path, counts.clone().into_bytes(), options).await?;
    Ok(counts)
}
