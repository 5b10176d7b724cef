//! Storage as tools of an agent: the functions of `wit/tools.wit`, which take and give plain values, over the library.

#![cfg(target_family = "wasm")]

/// What `wit-bindgen` makes of the interface.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::unwrap_used, clippy::panic)]
mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "tools", generate_all });

    export!(Tools with_types_in self);

    /// The one type that the exported interface hangs on.
    pub struct Tools;
}

use bindings::{
    Tools,
    exports::example::agent_tools::storage::{Description, Guest},
};
use omnistorage_application::{
    Checked, Error, ErrorCode, ListOptions, Location, ReadOptions,
    compression::DecompressOptions,
    objects,
    records::{self, Encoding, RecordReader},
    types::{Listed, ObjectKind},
};

/// What goes into the window of an agent at once.
const MOST_LINES: u32 = 1000;
const MOST_BYTES: u32 = 64 * 1024;

/// How the names of compressed objects end.
const COMPRESSED: [&str; 4] = [".gz", ".zst", ".lz4", ".sz"];

/// Records read at once.
const BATCH: u32 = 1000;

impl Guest for Tools {
    async fn list_objects(directory: String, max: u32) -> Result<Vec<String>, String> {
        list(&directory, max.clamp(1, MOST_LINES) as usize).await.map_err(|error| error.message)
    }

    async fn describe(place: String) -> Result<Description, String> {
        let info = objects::stat(place.into()).await.map_err(|error| error.message)?;
        let modified = info.modified.map(|time| time.seconds);
        Ok(Description { kind: word(info.kind).to_owned(), size: info.size, modified })
    }

    async fn preview(place: String, max: u32) -> Result<String, String> {
        preview(place.into(), max.min(MOST_BYTES) as usize).await.map_err(|error| error.message)
    }

    async fn count_records(place: String) -> Result<u64, String> {
        count(place.into()).await.map_err(|error| error.message)
    }

    async fn convert_records(source: String, target: String) -> Result<u64, String> {
        convert(source.into(), target.into()).await.map_err(|error| error.message)
    }
}

const fn word(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Object => "object",
        ObjectKind::Directory => "directory",
        ObjectKind::Symlink => "symbolic link",
        ObjectKind::Special => "device, socket or pipe",
    }
}

async fn list(directory: &str, max: usize) -> Result<Vec<String>, Error> {
    let at = Location::from(directory.trim_end_matches('/'));
    let below = if at.path.is_empty() { String::new() } else { format!("{}/", at.path) };
    let mut entries = Checked::from(objects::list(at, ListOptions::default()).await?);
    let mut lines = Vec::new();
    while let Some(page) = entries.next().await? {
        for listed in page {
            let entry = match listed {
                Listed::Entry(entry) => entry,
                Listed::Failure(failure) => return Err(failure.error),
            };
            if lines.len() == max {
                lines.push("...".to_owned());
                return Ok(lines);
            }
            let name = entry.path.strip_prefix(&below).unwrap_or(&entry.path);
            let slash = if entry.kind == ObjectKind::Directory { "/" } else { "" };
            lines.push(format!("{name}{slash}"));
        }
    }
    Ok(lines)
}

async fn preview(place: Location, max: usize) -> Result<String, Error> {
    let is_compressed = COMPRESSED.iter().any(|extension| place.path.ends_with(extension));
    let decompress = is_compressed.then(DecompressOptions::default);
    let mut chunks = Checked::from(objects::read(place, ReadOptions::default(), decompress).await?.contents);
    let mut bytes = Vec::new();
    // Whether its end is the true one does not matter to a beginning.
    while bytes.len() < max
        && let Some(chunk) = chunks.next().await?
    {
        bytes.extend(chunk);
    }
    let is_cut = bytes.len() > max;
    bytes.truncate(max);
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        // The last character may be cut in two.
        Err(error) if is_cut && error.utf8_error().error_len().is_none() => {
            let whole = error.utf8_error().valid_up_to();
            Ok(String::from_utf8_lossy(&error.as_bytes()[..whole]).into_owned())
        }
        Err(_) => Err(Error::new(ErrorCode::InvalidArgument, "it is no text")),
    }
}

async fn count(place: Location) -> Result<u64, Error> {
    let reader = RecordReader::open(place, Encoding::default()).await?;
    let mut count = 0;
    while let Some(batch) = reader.read(BATCH).await? {
        count += batch.ends.len() as u64;
    }
    Ok(count)
}

async fn convert(source: Location, target: Location) -> Result<u64, Error> {
    match objects::stat(target.clone()).await {
        Err(error) if error.code == ErrorCode::NotFound => {}
        Err(error) => return Err(error),
        Ok(_) => {
            let message = "there is something at the target already: choose another name";
            return Err(Error::new(ErrorCode::AlreadyExists, message));
        }
    }
    Ok(records::convert(source, Encoding::default(), target, Encoding::default()).await?.records)
}
