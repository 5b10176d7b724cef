//! What a request asks for.

use omnistorage_application::types::WriteCondition;
use percent_encoding::percent_decode_str;
use wasip3::http::types::{Method, Request};

use crate::{answer::Answer, query::Query};

/// What the path names.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    Listing,
    Records,
    Csv,
}

/// Bytes from the first on, up to the last if it is said.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub(crate) first: u64,
    pub(crate) last: Option<u64>,
}

/// A request, but for its body.
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) form: Form,
    /// Without its extension.
    pub(crate) name: String,
    pub(crate) query: Query,
    pub(crate) range: Option<Range>,
    /// The version that the client has.
    pub(crate) unless: Option<String>,
    pub(crate) condition: WriteCondition,
}

impl Ask {
    /// # Errors
    /// The answer to a request that makes no sense.
    pub(crate) fn of(request: &Request) -> Result<Self, Answer> {
        let asked = request.get_path_with_query().unwrap_or_default();
        let (path, query) = asked.split_once('?').unwrap_or((&asked, ""));
        let path = decoded(path).ok_or_else(|| Answer::refused(400, "the path is not UTF-8"))?;
        let path = path.trim_start_matches('/');
        let (form, name) = if path.is_empty() {
            (Form::Listing, "")
        } else if let Some(name) = path.strip_suffix(".ndjson") {
            (Form::Records, name)
        } else if let Some(name) = path.strip_suffix(".csv") {
            (Form::Csv, name)
        } else {
            return Err(Answer::refused(
                404,
                "there are names that end in `.ndjson`, and the same ones in `.csv`",
            ));
        };
        let query = Query::parse(query)?;
        if !query.is_empty() && !matches!(form, Form::Records) {
            return Err(Answer::refused(400, "only a name that ends in `.ndjson` takes a query"));
        }
        let header = |name: &str| {
            let value = request.get_headers().get(name).into_iter().next()?;
            String::from_utf8(value).ok()
        };
        let unless = header("if-none-match");
        let condition = match (unless.as_deref(), header("if-match")) {
            (Some("*"), _) => WriteCondition::IfAbsent,
            (_, Some(etag)) => WriteCondition::IfMatch(unquoted(&etag)),
            _ => WriteCondition::Always,
        };
        Ok(Self {
            method: request.get_method(),
            form,
            name: name.to_owned(),
            query,
            range: header("range").and_then(|range| Range::parse(&range)),
            unless: unless.map(|etag| unquoted(&etag)),
            condition,
        })
    }
}

impl Range {
    /// One range of bytes from the start. Any other is none, which HTTP allows: the answer is then the whole.
    fn parse(header: &str) -> Option<Self> {
        let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
        let first = first.parse().ok()?;
        let last = if last.is_empty() { None } else { Some(last.parse().ok()?) };
        last.is_none_or(|last| first <= last).then_some(Self { first, last })
    }
}

/// Text of a URL.
pub(crate) fn decoded(text: &str) -> Option<String> {
    Some(percent_decode_str(text).decode_utf8().ok()?.into_owned())
}

fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}
