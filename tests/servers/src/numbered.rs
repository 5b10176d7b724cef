//! Buckets of computed objects, by as much of S3's protocol as a listing needs: nothing of them is anywhere, so that there can be
//! any number. Pages come as late as those of a store far away.

use std::{
    convert::Infallible,
    fmt::Write as _,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;

/// Entries of a page.
const PAGE: u64 = 1_000;
/// In a bucket that lacks some, one of so many.
const LACKS_ONE_OF: u64 = 1_000;
/// When all was written.
const MODIFIED: &str = "2026-01-02T03:04:05.000Z";

/// A server of two buckets, `all` and `most`. The latter lacks one object of a thousand, and each tenth thousand is something
/// else there.
#[derive(Debug)]
pub struct Numbered {
    /// `http://127.0.0.1:port`
    pub endpoint: String,
    requests: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Shared {
    objects: u64,
    latency: Duration,
    requests: Arc<AtomicU64>,
}

/// The name of an object: of several levels, in the order of the numbers.
#[must_use]
pub fn numbered_name(number: u64) -> String {
    format!("{:04}/{:03}/{:05}", number / 100_000_000, number / 100_000 % 1_000, number % 100_000)
}

impl Numbered {
    /// Serves so many objects, and each page so late, on a thread of its own, until the process ends.
    #[must_use]
    pub fn start(objects: u64, latency: Duration) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<AtomicU64>::default();
        let shared = Arc::new(Shared { objects, latency, requests: Arc::clone(&requests) });
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let Ok((connection, _)) = listener.accept().await else { continue };
                    let _ = connection.set_nodelay(true);
                    let shared = Arc::clone(&shared);
                    tokio::spawn(async move {
                        let service = hyper::service::service_fn(move |request| {
                            let shared = Arc::clone(&shared);
                            async move { Ok::<_, Infallible>(shared.answer(&request).await) }
                        });
                        // Clients hang up as they like.
                        let _ = hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(connection), service)
                            .await;
                    });
                }
            });
        });
        Self { endpoint, requests }
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Shared {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(self.latency).await;
        let mut path = request.uri().path().trim_start_matches('/').splitn(2, '/');
        let bucket = path.next().unwrap_or_default();
        let key = decoded(path.next().unwrap_or_default());
        let query = request.uri().query().unwrap_or_default();
        match (request.method(), bucket) {
            (&Method::GET, "all" | "most") if key.is_empty() => {
                answer(StatusCode::OK, self.page(bucket, query))
            }
            (&Method::HEAD, "all" | "most") => {
                match self.number_of(&key).filter(|number| is_in(bucket, *number)) {
                    Some(number) => Response::builder()
                        .header("content-length", size(bucket, number))
                        .header("etag", format!("\"{}\"", etag(bucket, number)))
                        .header("last-modified", "Fri, 02 Jan 2026 03:04:05 GMT")
                        .body(Full::default())
                        .unwrap(),
                    None => answer(StatusCode::NOT_FOUND, String::new()),
                }
            }
            _ => answer(StatusCode::NOT_IMPLEMENTED, String::new()),
        }
    }

    fn number_of(&self, key: &str) -> Option<u64> {
        let number = self.first(|name| name < key);
        (number < self.objects && numbered_name(number) == key).then_some(number)
    }

    /// The number of the first object of which this does not hold, where it holds for those before.
    fn first(&self, is_before: impl Fn(&str) -> bool) -> u64 {
        let (mut start, mut end) = (0, self.objects);
        while start < end {
            let middle = start.midpoint(end);
            if is_before(&numbered_name(middle)) { start = middle + 1 } else { end = middle }
        }
        start
    }

    fn page(&self, bucket: &str, query: &str) -> String {
        let value = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find_map(|(key, value)| (key == name).then(|| decoded(value)))
        };
        let after = value("continuation-token").or_else(|| value("start-after")).unwrap_or_default();
        let prefix = value("prefix").unwrap_or_default();
        let most = value("max-keys").and_then(|most| most.parse().ok()).unwrap_or(PAGE).min(PAGE);
        let start = self.first(|name| name <= after.as_str() || name < prefix.as_str());
        let names = (start..self.objects).filter(|number| is_in(bucket, *number));
        let mut names = names.map(|number| (number, numbered_name(number))).peekable();
        let mut page = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult><EncodingType>url</EncodingType>",
        );
        let _ = write!(page, "<Name>{bucket}</Name><Prefix>{prefix}</Prefix><MaxKeys>{most}</MaxKeys>");
        let (mut count, mut last) = (0, after);
        while count < most
            && let Some((number, name)) = names.next_if(|(_, name)| name.starts_with(&prefix))
        {
            let _ = write!(
                page,
                "<Contents><Key>{name}</Key><LastModified>{MODIFIED}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size>\
                 <StorageClass>STANDARD</StorageClass></Contents>",
                etag(bucket, number),
                size(bucket, number),
            );
            (count, last) = (count + 1, name);
        }
        let is_truncated = most > 0 && names.peek().is_some_and(|(_, name)| name.starts_with(&prefix));
        let _ = write!(page, "<KeyCount>{count}</KeyCount><IsTruncated>{is_truncated}</IsTruncated>");
        if is_truncated {
            let _ = write!(page, "<NextContinuationToken>{last}</NextContinuationToken>");
        }
        page + "</ListBucketResult>"
    }
}

fn is_in(bucket: &str, number: u64) -> bool {
    bucket == "all" || number % LACKS_ONE_OF != 7
}

fn size(bucket: &str, number: u64) -> u64 {
    let is_another = bucket == "most" && number % (10 * LACKS_ONE_OF) == 11;
    number % 1_000 + u64::from(is_another)
}

fn etag(bucket: &str, number: u64) -> String {
    format!("{:032x}", u128::from(number) << 16 | u128::from(size(bucket, number)))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn answer(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let answer = Response::builder().status(status).header("content-type", "application/xml");
    answer.body(Full::new(body.into())).unwrap()
}
