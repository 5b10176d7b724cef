//! A server, and the requests to it.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ::http::{HeaderMap, Method, StatusCode, header};
use bytes::Bytes;
use omnistorage_types::Path;
use percent_encoding::percent_decode_str;
use reqsign_core::SigningCredential;
use reqwest::Url;

use super::KIND;
use crate::{
    Error, ErrorCode, Hash, ObjectInfo, ObjectKind, Result,
    backend::{
        cloud::{
            self,
            client::{Answer, Call, Client, TIMEOUT, retry_after},
            encode_path, excerpt,
            read::ranged,
            time,
        },
        endpoint::checked_endpoint,
    },
    config::Config,
};

/// As many redirections lead to something.
const REDIRECTIONS: usize = 10;

/// Requests of nobody in particular.
#[derive(Clone, Debug)]
pub(super) struct Nobody;

impl SigningCredential for Nobody {
    fn is_valid(&self) -> bool {
        true
    }
}

/// A server, or a directory of it.
pub(super) struct Site {
    client: Client<Nobody>,
    /// Without a slash at its end.
    endpoint: String,
    closed: AtomicBool,
}

impl Site {
    pub(super) fn from_config(mut config: Config) -> Result<Self> {
        let endpoint = checked_endpoint(&config.require::<String>("endpoint")?)?;
        let retry = config.retry().unwrap_or_default();
        config.finish(KIND)?;
        let client = Client::new(TIMEOUT)?.retry(retry);
        Ok(Self { client, endpoint, closed: AtomicBool::new(false) })
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether it may still be used.
    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) { Err(Error::backend_closed()) } else { Ok(()) }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// The address of an object.
    fn url(&self, path: &str) -> Result<Url> {
        parsed(&format!("{}/{}", self.endpoint, encode_path(path)))
    }

    /// What is at a path. A server leads on from the name of a directory to the same with a slash.
    pub(super) async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.check_open()?;
        let (answer, at) = self.ask(Method::HEAD, self.url(path.as_str())?, false, Ok).await?;
        if path.is_root() {
            return Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory));
        }
        if leads_into(&self.url(path.as_str())?, &at) {
            return Ok(ObjectInfo::new(path.clone(), ObjectKind::Directory));
        }
        if at.path().ends_with('/') {
            let message =
                format!("the server leads on to `{}`, which is another directory", excerpt(at.as_str()));
            return Err(Error::new(ErrorCode::Other, message));
        }
        let size = answer.content_length().ok_or_else(|| untold("the size"))?;
        let info = described(path, answer.headers(), size);
        if info.modified.is_none() {
            return Err(untold("the time"));
        }
        Ok(info)
    }

    /// The page about a directory, and its address.
    pub(super) async fn page(&self, directory: &Path) -> Result<(Bytes, Url)> {
        self.check_open()?;
        let below = if directory.is_root() { "" } else { directory.as_str() };
        let mut url = self.url(below)?;
        if !below.is_empty() {
            url.set_path(&format!("{}/", url.path()));
        }
        let (answer, at) =
            self.ask(Method::GET, url, false, |call| call.header("accept", "text/html")).await?;
        Ok((answer.body().await?, at))
    }

    /// Sends a request, and follows where the answer leads; also tells where that is. An answer may be `long`: then only
    /// its beginning is waited for.
    async fn ask(
        &self,
        method: Method,
        mut url: Url,
        long: bool,
        with: impl Fn(Call) -> Result<Call>,
    ) -> Result<(Answer, Url)> {
        for _ in 0..=REDIRECTIONS {
            // Bytes as they are stored, whose number is known.
            let call = Call::new(method.clone(), url.to_string()).header("accept-encoding", "identity")?;
            let call = with(call)?;
            let answer = if long { self.client.open(&call).await? } else { self.client.send(&call).await? };
            let status = answer.status();
            if !is_redirection(status) {
                let is_answer = status.is_success() || (long && status == StatusCode::RANGE_NOT_SATISFIABLE);
                return if is_answer { Ok((answer, url)) } else { Err(failure(answer)) };
            }
            url = led_on(&url, answer.header(header::LOCATION.as_str()))?;
        }
        Err(Error::new(ErrorCode::Other, "the server leads from one address to the next, without an end"))
    }
}

fn parsed(url: &str) -> Result<Url> {
    let message = "the endpoint is no URL: it is written `https://host[:port]`";
    Url::parse(url).map_err(|_| Error::new(ErrorCode::InvalidArgument, message))
}

/// Whether an address is that of the directory whose name was asked for, however either is encoded.
fn leads_into(asked: &Url, at: &Url) -> bool {
    let path = |url: &Url| percent_decode_str(url.path()).collect::<Vec<_>>();
    asked.origin() == at.origin() && path(at).strip_suffix(b"/") == Some(path(asked).as_slice())
}

fn is_redirection(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where an answer leads, which must be no less private.
fn led_on(from: &Url, location: Option<&str>) -> Result<Url> {
    let unclear = || Error::new(ErrorCode::Other, "the server leads on, and does not say to where");
    let to = from.join(location.ok_or_else(unclear)?).map_err(|_| unclear())?;
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => Ok(to),
        (_, scheme) => {
            let message =
                format!("the server leads from `{}` on to `{scheme}`, which is not followed", from.scheme());
            Err(Error::new(ErrorCode::PermissionDenied, message))
        }
    }
}

fn untold(what: &str) -> Error {
    let message =
        format!("the server does not tell {what} of the object: it is made on request, and no file");
    Error::new(ErrorCode::Unsupported, message)
}

/// The error for an answer.
fn failure(mut answer: Answer) -> Error {
    let (code, message) = match answer.status() {
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            (ErrorCode::NotFound, "the server finds nothing there".to_owned())
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            (ErrorCode::PermissionDenied, "the server does not give it to everybody".to_owned())
        }
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => (
            ErrorCode::Unsupported,
            "the server does not tell the size and the time of objects (the method HEAD)".to_owned(),
        ),
        StatusCode::TOO_MANY_REQUESTS => {
            (ErrorCode::RateLimited, "the server asks for fewer requests: try again later".to_owned())
        }
        StatusCode::REQUEST_TIMEOUT => {
            (ErrorCode::Timeout, "the server waited too long: try again".to_owned())
        }
        status if status.is_server_error() => {
            (ErrorCode::Unavailable, format!("the server has a fault ({status}): try again later"))
        }
        status => (ErrorCode::Other, format!("the server answered {status}")),
    };
    let mut error = Error::new(code, message);
    if let Some(after) = retry_after(answer.headers()) {
        error = error.with_retry_after(after);
    }
    match answer.given_up.take() {
        Some(attempts) => attempts.given_up(error),
        None => error,
    }
}

/// What headers say about an object of that size.
fn described(path: &Path, headers: &HeaderMap, size: u64) -> ObjectInfo {
    let text = |name: header::HeaderName| {
        headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let written = text(header::LAST_MODIFIED);
    // Two objects with the same weak etag may have other bytes.
    let etag = text(header::ETAG).filter(|etag| !etag.starts_with("W/") && !etag.is_empty());
    ObjectInfo {
        size: Some(size),
        modified: written.as_deref().and_then(time::from_http_date),
        etag: etag.or_else(|| written.map(|written| format!("{size} bytes of {written}"))),
        content_type: text(header::CONTENT_TYPE),
        ..ObjectInfo::new(path.clone(), ObjectKind::Object)
    }
}

/// The size of the whole object, of which an answer has a part.
fn whole_size(answer: &Answer) -> Option<u64> {
    match answer.header(header::CONTENT_RANGE.as_str()) {
        Some(range) => range.rsplit_once('/')?.1.parse().ok(),
        None => answer.content_length(),
    }
}

fn other_version() -> Error {
    Error::new(ErrorCode::PreconditionFailed, "the object is another one by now")
}

impl cloud::read::Source for Site {
    async fn open(&self, key: &str, range: &Range<u64>, if_match: Option<&str>) -> Result<Answer> {
        self.check_open()?;
        let (answer, at) = self.ask(Method::GET, self.url(key)?, true, |call| ranged(call, range)).await?;
        if at.path().ends_with('/') {
            return Err(Error::new(ErrorCode::IsDirectory, "a directory is there"));
        }
        // Conditions are not honoured by every server: what came is compared.
        if answer.status().is_success()
            && let Some(wanted) = if_match
        {
            let size = whole_size(&answer).ok_or_else(|| untold("the size"))?;
            if described(&Path::root(), answer.headers(), size).etag.as_deref() != Some(wanted) {
                return Err(other_version());
            }
        }
        Ok(answer)
    }

    async fn find(&self, path: &Path, if_match: Option<&str>) -> Result<ObjectInfo> {
        let info = self.stat(path).await?;
        match info.kind {
            ObjectKind::Directory => Err(Error::new(ErrorCode::IsDirectory, "a directory is there")),
            _ if if_match.is_some() && info.etag.as_deref() != if_match => Err(other_version()),
            _ => Ok(info),
        }
    }

    fn info(&self, path: &Path, headers: &HeaderMap, size: u64) -> ObjectInfo {
        described(path, headers, size)
    }

    fn checksum(&self, _: &ObjectInfo) -> Option<Hash> {
        None
    }
}

/// For listings, which outlive the call that begins them.
pub(super) type SharedSite = Arc<Site>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_to_where_others_read_along() {
        let at = |url: &str| Url::parse(url).unwrap();
        let led = |from: &str, location| led_on(&at(from), location).map(|to| to.to_string());
        assert_eq!(led("https://h/a", Some("/b")).unwrap(), "https://h/b");
        assert_eq!(led("http://h/a", Some("https://i/")).unwrap(), "https://i/");
        for (from, location) in [
            ("https://h/a", Some("http://h/a")),
            ("http://h/a", Some("file:///etc/passwd")),
            ("http://h/a", Some("http://[")),
            ("http://h/a", None),
        ] {
            assert!(led(from, location).is_err(), "{location:?}");
        }
    }

    #[test]
    fn the_page_of_another_directory_is_none_of_this_one() {
        let at = |url: &str| Url::parse(url).unwrap();
        assert!(leads_into(&at("http://h/a%27b"), &at("http://h/a'b/")));
        for other in ["http://h/", "http://h/a'b", "http://h/x/", "http://i/a'b/", "http://h/a'b/c/"] {
            assert!(!leads_into(&at("http://h/a%27b"), &at(other)), "{other}");
        }
    }

    #[test]
    fn a_version_is_told_by_what_is_known() {
        let mut headers = HeaderMap::new();
        headers.insert("last-modified", "Sun, 09 Sep 2001 01:46:40 GMT".parse().unwrap());
        let etag = |headers: &HeaderMap| described(&Path::root(), headers, 9).etag;
        let by_time = etag(&headers).unwrap();
        assert!(by_time.contains("9 bytes"), "{by_time}");
        headers.insert("etag", "W/\"x\"".parse().unwrap());
        assert_eq!(etag(&headers), Some(by_time));
        headers.insert("etag", "\"x\"".parse().unwrap());
        assert_eq!(etag(&headers).as_deref(), Some("\"x\""));
        assert_eq!(etag(&HeaderMap::new()), None);
    }
}
