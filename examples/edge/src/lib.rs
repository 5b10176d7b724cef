//! An HTTP function over the library: `PUT /name.ndjson` stores records compressed, `GET` gives them back whole, in part
//! or as CSV, `DELETE` removes them, and `GET /` lists what is there.
//!
//! It streams: no body is held in memory, and an upload that was cut off leaves nothing behind.

#![cfg(target_family = "wasm")]

mod answer;
mod ask;
mod csv;
mod piece;
mod query;
mod upload;

use futures::{TryStreamExt, stream};
use omnistorage_application::{
    Checked, Error, ErrorCode, ListOptions, Location, ReadOptions, WriteOptions,
    compression::{Codec, DecompressOptions},
    objects::{self, CompressionOptions},
    records::{self, Encoding},
    types::{Listed, ObjectInfo, ObjectKind, WriteCondition},
};
use serde_json::json;
use wasip3::http::types::{ErrorCode as HttpError, Method, Request, Response};

use self::{
    answer::Answer,
    ask::{Ask, Form},
    csv::Trouble,
    query::Query,
};

/// The backend that the host must grant, and the prefix in it.
const BACKEND: &str = "data";
const RECORDS: &str = "ndjson";

/// The media type of records.
const NDJSON: &str = "application/x-ndjson";

struct Edge;

wasip3::http::service::export!(Edge);

impl wasip3::exports::http::handler::Guest for Edge {
    async fn handle(request: Request) -> Result<Response, HttpError> {
        let answer = match Ask::of(&request) {
            Ok(ask) => match respond(ask, request).await {
                Ok(answer) => answer,
                Err(error) => Answer::failed(&error),
            },
            Err(refused) => refused,
        };
        Ok(answer.send())
    }
}

async fn respond(ask: Ask, request: Request) -> Result<Answer, Error> {
    use Method::{Delete, Get, Head, Put};
    // Of an answer to HEAD the host sends no body.
    match (ask.method, ask.form) {
        (Get | Head, Form::Listing) => list().await,
        (Get | Head, Form::Records) if !ask.query.is_empty() => select(&ask.name, ask.query).await,
        (Get | Head, Form::Records) => read(&ask.name, ask.range, ask.unless.as_deref()).await,
        (Get | Head, Form::Csv) => convert(&ask.name).await,
        (Put, Form::Records) => write(&ask.name, ask.condition, request).await,
        (Delete, Form::Records) => remove(&ask.name).await,
        (_, form) => Ok(Answer::not_allowed(form)),
    }
}

fn stored(name: &str) -> Location {
    Location::new(BACKEND, format!("{RECORDS}/{name}.ndjson.zst"))
}

/// Stores an upload, compressed on its way.
async fn write(name: &str, condition: WriteCondition, request: Request) -> Result<Answer, Error> {
    let body = upload::body(request)?;
    let options = WriteOptions { condition, ..WriteOptions::default() };
    // An upload waits for its compression: twice as fast as at the default level.
    let zstd = CompressionOptions { codec: Codec::Zstd, level: Some(1), dictionary: None };
    let info = objects::write(stored(name), body, options, Some(zstd)).await?;
    Ok(Answer::of(204).etag(&info))
}

/// All records as they came, or a range of their bytes.
async fn read(name: &str, range: Option<ask::Range>, unless: Option<&str>) -> Result<Answer, Error> {
    let zstd = DecompressOptions { codec: Some(Codec::Zstd), ..DecompressOptions::default() };
    let opened = objects::read(stored(name), ReadOptions::default(), Some(zstd)).await?;
    if unless.is_some() && unless == opened.info.etag.as_deref() {
        return Ok(Answer::of(304).etag(&opened.info));
    }
    let answer = match range {
        None => Answer::of(200).body(opened.contents).media_type(NDJSON),
        Some(range) => piece::answer(range, opened.contents.into()).await?,
    };
    Ok(answer.etag(&opened.info).header("accept-ranges", "bytes"))
}

/// The records that a query asks for.
async fn select(name: &str, query: Query) -> Result<Answer, Error> {
    let reader = records::RecordReader::open(stored(name), Encoding::default()).await?;
    Ok(Answer::of(200).chunks(query.run(reader)).media_type(NDJSON))
}

/// The records as CSV.
async fn convert(name: &str) -> Result<Answer, Error> {
    match csv::columns(stored(name)).await {
        Ok(columns) => {
            Ok(Answer::of(200).chunks(columns.rows(stored(name))).media_type("text/csv; charset=utf-8"))
        }
        Err(Trouble::Record(why)) => Ok(Answer::refused(422, &why)),
        Err(Trouble::Unread(error)) => Err(error),
    }
}

async fn remove(name: &str) -> Result<Answer, Error> {
    objects::remove(stored(name)).await?;
    Ok(Answer::of(204))
}

/// What is there, a line each.
async fn list() -> Result<Answer, Error> {
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let answer = Answer::of(200).media_type(NDJSON);
    let entries = match objects::list(Location::new(BACKEND, RECORDS), options).await {
        Ok(entries) => Checked::from(entries),
        // Nothing was stored yet.
        Err(Error { code: ErrorCode::NotFound, .. }) => return Ok(answer),
        Err(error) => return Err(error),
    };
    let pages = stream::try_unfold(entries, async |mut entries| {
        Ok(entries.next().await?.map(|page| (page, entries)))
    });
    Ok(answer.chunks(pages.map_ok(|page| page.iter().filter_map(line).collect::<String>().into_bytes())))
}

fn line(listed: &Listed) -> Option<String> {
    let told = match listed {
        Listed::Entry(ObjectInfo { kind: ObjectKind::Object, path, size, modified, .. }) => {
            let name = path.strip_prefix(RECORDS)?.strip_suffix(".zst")?;
            json!({ "name": name, "stored": size, "modified": modified.as_ref().map(|time| time.seconds) })
        }
        Listed::Entry(_) => return None,
        Listed::Failure(failure) => json!({ "unlisted": failure.error.message }),
    };
    Some(format!("{told}\n"))
}
