//! The buckets of an account, as directories: listed, made, and removed when they are empty.

use std::{
    any::Any,
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    vec,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode};
use omnistorage_types::Path;
use reqsign_aws_v4::Credential;

use super::{
    KIND, answer,
    settings::{self, Service},
    xml::{self, Document, required, time_of},
};
use crate::{
    Error, ErrorCode, ObjectInfo, ObjectKind, Result,
    backend::{
        Backend, Capabilities, Features, ListOptions, Listed, Listing, ReadOptions, Reader, Upload,
        WriteOptions,
        cloud::{
            client::{Answer, Call, Client},
            query_string,
        },
    },
    config::Config,
};

/// The buckets of an account of S3. There is nothing in it but directories of one level, which are the buckets: to get
/// at what is in one, open it as an [`S3Backend`](super::S3Backend).
pub struct S3Buckets {
    client: Client<Credential>,
    service: Service,
    closed: AtomicBool,
}

impl S3Buckets {
    /// From the settings of [`S3Backend`](super::S3Backend) that are not about one bucket: region, endpoint, credentials,
    /// `timeout`, `plain_http`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] naming the key that is unknown, malformed or contradicts another.
    pub fn from_config(config: Config) -> Result<Self> {
        let (client, service) = settings::service(config)?;
        Ok(Self { client, service, closed: AtomicBool::new(false) })
    }

    fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) { Err(Error::backend_closed()) } else { Ok(()) }
    }

    /// Where a bucket is. Its name stands in the path, which every store takes.
    fn at(&self, bucket: &str) -> Result<String> {
        self.check_open()?;
        settings::base(bucket, &self.service.region, self.service.endpoint.as_deref(), true)
    }

    async fn send(&self, bucket: &str, call: &Call) -> Result<Answer> {
        let answer = self.client.send(call).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(refused(bucket, answer).await)
    }

    /// The next page of them, and where the one behind it begins.
    async fn page(&self, token: Option<&str>) -> Result<All> {
        self.check_open()?;
        let query = token.map(|token| format!("?{}", query_string(&[("continuation-token", token)])));
        let uri = format!("{}/{}", self.service.url(), query.unwrap_or_default());
        let (answer, all) =
            self.client.ask(&Call::new(Method::GET, uri), |body| answer::read("", body)).await?;
        match all {
            Some(all) => Ok(all),
            None => Err(refused("", answer).await),
        }
    }

    /// Whether anything is in a bucket. A store may remove one with all that is in it.
    async fn is_empty(&self, bucket: &str) -> Result<bool> {
        let query = query_string(&[("list-type", "2"), ("max-keys", "1")]);
        let call = Call::new(Method::GET, format!("{}?{query}", self.at(bucket)?));
        let (answer, first) = self.client.ask(&call, |body| answer::read::<First>(bucket, body)).await?;
        match first {
            Some(First { is_empty }) => Ok(is_empty),
            None => Err(refused(bucket, answer).await),
        }
    }

    async fn make(&self, bucket: &str) -> Result<()> {
        let region = &self.service.region;
        let mut call = Call::new(Method::PUT, self.at(bucket)?);
        // The first region has no name there.
        if self.service.endpoint.is_none() && region != settings::DEFAULT_REGION {
            call = call.body(Bytes::from(format!(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{region}\
                 </LocationConstraint></CreateBucketConfiguration>"
            )));
        }
        let answer = self.client.send(&call).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            // Who owns it already has what was asked for.
            StatusCode::CONFLICT => {
                let (status, headers, body) =
                    (answer.status(), answer.headers().clone(), answer.body().await?);
                match answer::read_refusal(&body) {
                    Some(refusal) if refusal.is("BucketAlreadyOwnedByYou") => Ok(()),
                    _ => Err(answer::explain(bucket, status, &headers, &body)),
                }
            }
            _ => Err(refused(bucket, answer).await),
        }
    }

    async fn remove(&self, bucket: &str) -> Result<()> {
        if !self.is_empty(bucket).await? {
            return Err(answer::not_empty(bucket));
        }
        self.send(bucket, &Call::new(Method::DELETE, self.at(bucket)?)).await.map(drop)
    }

    fn no_objects(&self, path: &Path) -> Error {
        let message = "an account holds buckets alone: name the bucket that is meant";
        Error::new(ErrorCode::Unsupported, message).at(KIND, path)
    }
}

async fn refused(bucket: &str, answer: Answer) -> Error {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.body().await.unwrap_or_default();
    match status {
        StatusCode::NOT_FOUND if body.is_empty() => answer::no_bucket(bucket),
        _ => answer::explain(bucket, status, &headers, &body),
    }
}

/// The bucket that a path names.
fn bucket(path: &Path) -> Result<&str> {
    match (path.name(), path.segments().count()) {
        (Some(name), 1) => Ok(name),
        _ => Err(Error::new(ErrorCode::InvalidPath, "an account holds buckets, and they hold no others")
            .at(KIND, path)),
    }
}

fn directory(path: Path) -> ObjectInfo {
    ObjectInfo::new(path, ObjectKind::Directory)
}

impl fmt::Debug for S3Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Buckets").field("service", &self.service.url()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Backend for S3Buckets {
    fn kind(&self) -> &str {
        KIND
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            features: Features { directories: true, sorted_list: true, ..Features::default() },
            ..Capabilities::default()
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, _: &ReadOptions) -> Result<Reader> {
        Err(self.no_objects(path))
    }

    async fn write(&self, path: &Path, _: &WriteOptions) -> Result<Box<dyn Upload>> {
        Err(self.no_objects(path))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.check_open().map_err(|error| error.at(KIND, path))?;
        if !path.is_root() {
            let bucket = bucket(path)?;
            let call = Call::new(Method::HEAD, self.at(bucket).map_err(|error| error.at(KIND, path))?);
            self.send(bucket, &call).await.map_err(|error| error.at(KIND, path))?;
        }
        Ok(directory(path.clone()))
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        if !prefix.is_root() || options.recursive {
            return Err(self.no_objects(prefix));
        }
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let All { buckets, next } =
                self.page(token.as_deref()).await.map_err(|error| error.at(KIND, prefix))?;
            for (name, created) in buckets {
                let path = Path::parse(name).map_err(|error| Error::from(error).at(KIND, prefix))?;
                found.push(ObjectInfo { modified: Some(created), ..directory(path) });
            }
            match next {
                Some(next) => token = Some(next),
                None => break,
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        found.retain(|info| options.start_after.as_ref().is_none_or(|after| info.path > *after));
        Ok(Box::new(Found(found.into_iter())))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        paths.iter().map(|path| Err(self.no_objects(path))).collect()
    }

    async fn mkdir(&self, path: &Path) -> Result<()> {
        self.make(bucket(path)?).await.map_err(|error| error.at(KIND, path))
    }

    async fn rmdir(&self, path: &Path) -> Result<()> {
        self.remove(bucket(path)?).await.map_err(|error| error.at(KIND, path))
    }

    async fn close(&self) -> Result<()> {
        self.closed.store(true, Ordering::Release);
        Ok(())
    }
}

/// Buckets are few: they are known when the listing begins.
struct Found(vec::IntoIter<ObjectInfo>);

#[async_trait]
impl Listing for Found {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        Ok(self.0.by_ref().take(max).map(Listed::Entry).collect())
    }
}

/// The answer about all buckets.
struct All {
    buckets: Vec<(String, crate::Timestamp)>,
    next: Option<String>,
}

impl xml::Answer for All {
    const ROOT: &'static str = "ListAllMyBucketsResult";

    fn read(document: &mut Document<'_>) -> Result<Self> {
        let (mut buckets, mut next) = (None, None);
        while let Some(element) = document.element()? {
            match element.name() {
                "Buckets" => buckets = Some(all(document)?),
                "ContinuationToken" => {
                    next = Some(document.text()?.into_owned()).filter(|next| !next.is_empty())
                }
                _ => document.skip(&element)?,
            }
        }
        Ok(Self { buckets: required(buckets, "Buckets")?, next })
    }
}

fn all(document: &mut Document<'_>) -> Result<Vec<(String, crate::Timestamp)>> {
    let mut buckets = Vec::new();
    while let Some(element) = document.element()? {
        match element.name() {
            "Bucket" => {
                let (mut name, mut created) = (None, None);
                while let Some(element) = document.element()? {
                    match element.name() {
                        "Name" => name = Some(document.word("Name")?.into_owned()),
                        "CreationDate" => created = Some(time_of(&document.text()?)?),
                        _ => document.skip(&element)?,
                    }
                }
                buckets.push((required(name, "Name")?, required(created, "CreationDate")?));
            }
            _ => document.skip(&element)?,
        }
    }
    Ok(buckets)
}

/// Whether a bucket holds anything.
struct First {
    is_empty: bool,
}

impl xml::Answer for First {
    const ROOT: &'static str = "ListBucketResult";

    fn read(document: &mut Document<'_>) -> Result<Self> {
        let (mut is_empty, mut is_truncated) = (true, None);
        while let Some(element) = document.element()? {
            match element.name() {
                "Contents" | "CommonPrefixes" => {
                    is_empty = false;
                    document.skip(&element)?;
                }
                "IsTruncated" => is_truncated = Some(document.value::<bool>("IsTruncated")?),
                _ => document.skip(&element)?,
            }
        }
        // An answer that does not say whether there is more says nothing of an absence.
        Ok(Self { is_empty: is_empty && !required(is_truncated, "IsTruncated")? })
    }
}
