//! The buckets of an account of S3.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode};
use reqsign_aws_v4::Credential;

use super::{
    KIND, answer,
    settings::{self, Service},
    xml::{self, Document, required, time_of},
};
use crate::{
    Error, Result, Timestamp,
    backend::cloud::{
        buckets::{Account, Buckets},
        client::{Answer, Call, Client},
        query_string,
    },
    config::Config,
};

/// The buckets of an account of S3, as directories; to get at what is in one, open it as an
/// [`S3Backend`](super::S3Backend).
pub type S3Buckets = Buckets<S3Account>;

/// An account of S3.
pub struct S3Account {
    client: Client<Credential>,
    service: Service,
    url: String,
}

impl S3Buckets {
    /// From the settings of [`S3Backend`](super::S3Backend) that are not about one bucket: region, endpoint, credentials,
    /// `timeout`, `plain_http`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) naming the key that is unknown, malformed or
    /// contradicts another.
    pub fn from_config(config: Config) -> Result<Self> {
        let (client, service) = settings::service(config)?;
        let url = service.url();
        Ok(Self::of(S3Account { client, service, url }))
    }
}

impl S3Account {
    /// Where a bucket is. Its name stands in the path, which every store takes.
    fn at(&self, bucket: &str) -> Result<String> {
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
        let query = token.map(|token| format!("?{}", query_string(&[("continuation-token", token)])));
        let uri = format!("{}/{}", self.url, query.unwrap_or_default());
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
}

#[async_trait]
impl Account for S3Account {
    const KIND: &'static str = KIND;

    fn place(&self) -> &str {
        &self.url
    }

    async fn all(&self) -> Result<Vec<(String, Timestamp)>> {
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            let All { buckets, next } = self.page(token.as_deref()).await?;
            all.extend(buckets);
            match next {
                Some(next) => token = Some(next),
                None => return Ok(all),
            }
        }
    }

    async fn find(&self, bucket: &str) -> Result<()> {
        self.send(bucket, &Call::new(Method::HEAD, self.at(bucket)?)).await.map(drop)
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
}

async fn refused(bucket: &str, answer: Answer) -> Error {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.body().await.unwrap_or_default();
    match status {
        StatusCode::NOT_FOUND if body.is_empty() => answer::no_bucket(bucket),
        _ => answer::explain(bucket, status, &headers, &body),
    }
}

/// The answer about all buckets.
struct All {
    buckets: Vec<(String, Timestamp)>,
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

fn all(document: &mut Document<'_>) -> Result<Vec<(String, Timestamp)>> {
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
