//! The buckets of a project of Google Cloud. Who makes or lists some has to say which project.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    KIND,
    answer::{self, explain},
    attributes::moment,
    page::Listed,
    settings::{self, Service},
};
use crate::{
    Error, ErrorCode, Result, Timestamp,
    backend::cloud::{
        buckets::{Account, Buckets},
        client::{Answer, Call},
        encode, excerpt, query_string,
    },
    config::Config,
};

/// The buckets of a project of Google Cloud, as directories; to get at what is in one, open it as a
/// [`GcsBackend`](super::GcsBackend).
pub type GcsBuckets = Buckets<GcsAccount>;

/// An account of Google Cloud.
pub struct GcsAccount(Service);

impl GcsBuckets {
    /// From the settings of [`GcsBackend`](super::GcsBackend) that are not about one bucket, and `project`, the project
    /// whose buckets these are; else `OMNISTORAGE_GCS_PROJECT`, `GOOGLE_CLOUD_PROJECT` or the one that the file of the
    /// credentials names.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] naming the key that is unknown, malformed or contradicts another.
    pub fn from_config(config: Config) -> Result<Self> {
        settings::account(config).map(|service| Self::of(GcsAccount(service)))
    }
}

impl fmt::Debug for GcsAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GcsAccount").field(&self.0.identity.endpoint).finish()
    }
}

/// Proves that an answer is about a bucket: no other answer has this field with this value.
#[derive(Debug, Deserialize)]
enum KindOfOne {
    #[serde(rename = "storage#bucket")]
    Bucket,
}

/// A bucket.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    #[serde(rename = "kind")]
    _kind: KindOfOne,
    name: String,
    #[serde(deserialize_with = "moment")]
    time_created: Timestamp,
}

/// Proves that an answer is about all buckets.
#[derive(Debug, Deserialize)]
enum KindOfAll {
    #[serde(rename = "storage#buckets")]
    Buckets,
}

/// A page of buckets. Whatever is empty has no field.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct All {
    #[serde(rename = "kind")]
    _kind: KindOfAll,
    #[serde(default)]
    items: Vec<Known>,
    next_page_token: Option<String>,
}

/// A bucket to be made.
#[derive(Serialize)]
struct New<'n> {
    name: &'n str,
}

impl GcsAccount {
    fn call(&self, method: Method, path: &str) -> Call {
        Call::new(method, format!("{}/storage/v1/b{path}", self.0.identity.endpoint))
    }

    /// A request about one bucket.
    fn bucket(&self, method: Method, bucket: &str) -> Call {
        self.call(method, &format!("/{}", encode(bucket)))
    }

    /// Sends a request whose answer is a description.
    async fn get<T: DeserializeOwned>(&self, bucket: &str, call: &Call) -> Result<T> {
        let read = |body: &[u8]| {
            serde_json::from_slice(body).map_err(|error| {
                let why = error.to_string();
                let message = format!("the store's answer is not understood: {}", excerpt(&why));
                Error::new(ErrorCode::Other, message)
            })
        };
        match self.0.client.ask(call, read).await? {
            (_, Some(read)) => Ok(read),
            (answer, None) => Err(self.refused(bucket, answer).await),
        }
    }

    async fn refused(&self, bucket: &str, mut answer: Answer) -> Error {
        let (status, headers, given_up) = (answer.status(), answer.headers().clone(), answer.given_up.take());
        let error = self.explain(bucket, status, &headers, &answer.body().await.unwrap_or_default());
        given_up.map_or(error.clone(), |attempts| attempts.given_up(error))
    }

    fn explain(&self, bucket: &str, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        match status {
            // What is asked about is a bucket, or what is in one.
            StatusCode::NOT_FOUND => answer::no_bucket(bucket),
            StatusCode::FORBIDDEN if bucket.is_empty() => {
                let message = "these credentials may not list the buckets of the project";
                Error::new(ErrorCode::PermissionDenied, message)
            }
            status => explain(bucket, self.0.identity.is_anonymous(), status, headers, body),
        }
    }

    /// The buckets of the project whose names begin so.
    async fn beginning_with(&self, prefix: &str) -> Result<Vec<Known>> {
        let project = self.0.project().await?;
        let (mut all, mut token) = (Vec::new(), String::new());
        loop {
            let fields = "kind,nextPageToken,items(kind,name,timeCreated)";
            let mut query = vec![("project", project.as_str()), ("fields", fields)];
            query.extend(
                [("prefix", prefix), ("pageToken", &token)]
                    .into_iter()
                    .filter(|(_, value)| !value.is_empty()),
            );
            let page: All =
                self.get("", &self.call(Method::GET, &format!("?{}", query_string(&query)))).await?;
            all.extend(page.items);
            match page.next_page_token.filter(|token| !token.is_empty()) {
                Some(next) => token = next,
                None => return Ok(all),
            }
        }
    }

    /// Whether anything is in a bucket, older versions included.
    async fn is_empty(&self, bucket: &str) -> Result<bool> {
        let query = query_string(&[("maxResults", "1"), ("versions", "true")]);
        let call = self.call(Method::GET, &format!("/{}/o?{query}", encode(bucket)));
        Ok(self.get::<Listed>(bucket, &call).await?.is_empty())
    }
}

#[async_trait]
impl Account for GcsAccount {
    const KIND: &'static str = KIND;

    fn place(&self) -> &str {
        &self.0.identity.endpoint
    }

    async fn all(&self) -> Result<Vec<(String, Timestamp)>> {
        let all = self.beginning_with("").await?;
        Ok(all.into_iter().map(|bucket| (bucket.name, bucket.time_created)).collect())
    }

    async fn find(&self, bucket: &str) -> Result<()> {
        self.get::<Known>(bucket, &self.bucket(Method::GET, bucket)).await.map(drop)
    }

    async fn make(&self, bucket: &str) -> Result<()> {
        let project = self.0.project().await?;
        let body = serde_json::to_vec(&New { name: bucket })
            .map_err(|error| Error::new(ErrorCode::Other, error.to_string()))?;
        let call = self.call(Method::POST, &format!("?{}", query_string(&[("project", &project)])));
        let call = call.header("content-type", "application/json")?.body(Bytes::from(body));
        let answer = self.0.client.send(&call).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            // Whose it is, the listing of the project tells.
            StatusCode::CONFLICT
                if self.beginning_with(bucket).await?.iter().any(|known| known.name == bucket) =>
            {
                Ok(())
            }
            StatusCode::CONFLICT => {
                let message = format!(
                    "the name `{bucket}` is taken by a bucket of another project: choose another one"
                );
                Err(Error::new(ErrorCode::AlreadyExists, message))
            }
            _ => Err(self.refused(bucket, answer).await),
        }
    }

    async fn remove(&self, bucket: &str) -> Result<()> {
        let not_empty =
            || Error::new(ErrorCode::NotEmpty, format!("the bucket `{bucket}` still has objects in it"));
        if !self.is_empty(bucket).await? {
            return Err(not_empty());
        }
        let answer = self.0.client.send(&self.bucket(Method::DELETE, bucket)).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            // Somebody was faster.
            StatusCode::CONFLICT => Err(not_empty()),
            _ => Err(self.refused(bucket, answer).await),
        }
    }
}
