//! Listings, some thousand keys in each request, with all that is known about them.

use std::sync::Arc;

use async_trait::async_trait;
use omnistorage_types::Path;

use super::{container::Container, page::Listed};
use crate::{
    Result,
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
        // An empty value would not be signed in the same way by everybody.
        if !self.prefix.is_empty() {
            query.push(("prefix", &self.prefix));
        }
        if !self.recursive {
            query.push(("delimiter", "/"));
        }
        query.extend(token.map(|token| ("marker", token)));
        let listed: Listed = self.container.get(&self.container.objects(&query)?).await?;
        listed.of(&self.prefix, &self.root)
    }
}
