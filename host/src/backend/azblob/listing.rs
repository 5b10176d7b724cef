//! Listings, some thousand keys in each request, with all that is known about them.

use std::sync::Arc;

use async_trait::async_trait;
use omnistorage_types::Path;

use super::{answer::no_container, container::Container, page::Listed};
use crate::{
    ErrorCode, Result,
    backend::{
        ListOptions,
        cloud::{
            self,
            pages::{Order, Page, Pages},
        },
    },
};

/// Keys in a request.
const PAGE: u64 = 5_000;

/// The pages of such a listing, with all keys that there are.
pub(super) fn pages(container: &Arc<Container>, prefix: &Path, options: &ListOptions) -> Result<AzblobPages> {
    container.check_open()?;
    // What is not wanted at the beginning is listed, too: the service begins after no key.
    let is_short = |limit: &u64| options.start_after.is_none() && *limit < PAGE;
    Ok(AzblobPages {
        container: Arc::clone(container),
        root: cloud::key_prefix(&container.prefix, &Path::root())?,
        prefix: cloud::key_prefix(&container.prefix, prefix)?,
        recursive: options.recursive,
        limit: options.limit.filter(is_short),
    })
}

/// Makes sure that the container is there.
pub(super) async fn check_exists(container: &Container) -> Result<()> {
    let root = cloud::key_prefix(&container.prefix, &Path::root())?;
    let mut query = vec![("maxresults", "1")];
    query.extend(named(&root));
    let listed = container.get::<Listed>(&container.objects(&query)?).await;
    listed.map(drop).map_err(|error| match error.code() {
        // It was asked about the container alone.
        ErrorCode::NotFound => no_container(&container.name),
        _ => error,
    })
}

/// A prefix in a query. An empty value would not be signed in the same way by everybody.
fn named(prefix: &str) -> Option<(&str, &str)> {
    (!prefix.is_empty()).then_some(("prefix", prefix))
}

/// What is asked for, page by page.
pub(in crate::backend) struct AzblobPages {
    container: Arc<Container>,
    root: String,
    prefix: String,
    recursive: bool,
    limit: Option<u64>,
}

#[async_trait]
impl Pages for AzblobPages {
    fn check_open(&self) -> Result<()> {
        self.container.check_open()
    }

    async fn page(&self, token: Option<&str>, order: Order) -> Result<Page> {
        self.check_open()?;
        let short = self.limit.filter(|_| token.is_none() && order == Order::Keys);
        let most = short.map_or(PAGE, |limit| limit + 1).to_string();
        let mut query = vec![("include", "metadata"), ("maxresults", most.as_str())];
        query.extend(named(&self.prefix));
        if !self.recursive {
            query.push(("delimiter", "/"));
        }
        query.extend(token.map(|token| ("marker", token)));
        let listed: Listed = self.container.get(&self.container.objects(&query)?).await?;
        listed.of(&self.prefix, &self.root)
    }
}
