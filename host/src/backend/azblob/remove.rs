//! Deleting, a key in each request, many of them in flight.

use futures::{StreamExt, stream};
use http::{Method, StatusCode};

use super::{
    answer,
    container::{Container, of_version},
};
use crate::{Error, ErrorCode, Result, backend::cloud::store::Doomed};

/// How many requests are in flight at once.
const IN_FLIGHT: usize = 32;

/// Deletes keys: one result for each key, in their order.
pub(super) async fn delete_keys(container: &Container, keys: &[Doomed<'_>]) -> Vec<Result<()>> {
    let mut deletes = Vec::with_capacity(keys.len());
    for doomed in keys {
        deletes.push(delete_one(container, *doomed));
    }
    stream::iter(deletes).buffered(IN_FLIGHT).collect().await
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
