//! Deleting, a key in each request, many of them in flight.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use http::{Method, StatusCode};
use omnistorage_types::Path;

use super::{
    KIND, answer,
    container::{Container, checked_etag, of_version},
    listing,
};
use crate::{
    Error, ErrorCode, ObjectInfo, Result,
    backend::{
        ListOptions,
        cloud::{
            self,
            remove::{self, Doomed, Keys},
        },
    },
};

/// How many requests are in flight at once.
const IN_FLIGHT: usize = 32;

/// Deletes all below a prefix; gives the number of objects.
pub(super) async fn purge(container: &Arc<Container>, prefix: &Path) -> Result<u64> {
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let pages = listing::pages(container, prefix, &options)?;
    remove::purge(container, pages, &cloud::key_prefix(&container.prefix, prefix)?, prefix).await
}

#[async_trait]
impl Keys for Arc<Container> {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn key(&self, path: &Path) -> Result<String> {
        Container::key(self, path)
    }

    fn condition<'a>(&self, etag: &'a str) -> Result<&'a str> {
        checked_etag(etag)
    }

    async fn delete(&self, keys: &[Doomed<'_>]) -> Vec<Result<()>> {
        let mut deletes = Vec::with_capacity(keys.len());
        for doomed in keys {
            deletes.push(delete_one(self, *doomed));
        }
        stream::iter(deletes).buffered(IN_FLIGHT).collect().await
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        Container::stat(self, path).await
    }
}

async fn delete_one(container: &Container, Doomed { key, if_match }: Doomed<'_>) -> Result<()> {
    let call = of_version(container.object(Method::DELETE, key, &[])?, if_match)?;
    let answer = container.ask(&call).await?;
    match answer.status() {
        StatusCode::ACCEPTED => Ok(()),
        status if answer::misses_object(status, answer.headers()) => Ok(()),
        // What is gone, perhaps by our own request whose answer was lost, is of no version.
        StatusCode::PRECONDITION_FAILED if if_match.is_some() && answer::is_condition(answer.headers()) => {
            let found = container.ask(&container.object(Method::HEAD, key, &[])?).await?;
            match answer::misses_object(found.status(), found.headers()) {
                true => Ok(()),
                false => Err(answer::precondition_failed()),
            }
        }
        status if status.is_success() => {
            let message = format!("the store answered {status}, and does not say that the object is deleted");
            Err(Error::new(ErrorCode::Other, message))
        }
        _ => Err(container.failure(answer).await),
    }
}
