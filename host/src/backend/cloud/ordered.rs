//! A listing in byte order of the paths, whatever order a store keeps.
//!
//! Most list in the order of keys, and hardly anything has to be held back. If a store lists in another order, that
//! shows on the way: if it shows before any entry was seen, the listing begins again and is sorted.

use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use omnistorage_types::Path;

use super::{
    listing::PagedListing,
    pages::{Order, Pages},
};
use crate::{
    ObjectInfo, ObjectKind, Result,
    backend::{
        ListOptions, Listed, Listing,
        sorted::{SortOptions, SortedListing},
    },
};

/// A cursor over what is below a prefix.
pub(in crate::backend) struct OrderedListing<P> {
    pages: Arc<P>,
    kind: &'static str,
    root: String,
    prefix: String,
    options: ListOptions,
    way: Way<P>,
}

enum Way<P> {
    AsListed(Box<PagedListing<P>>),
    Sorted(Distinct),
}

impl<P: Pages> OrderedListing<P> {
    /// Below `prefix`, in a backend whose keys begin with `root`; the store is supposed to keep this order.
    pub(in crate::backend) fn new(
        pages: P,
        kind: &'static str,
        root: String,
        prefix: String,
        options: &ListOptions,
        order: Order,
    ) -> Self {
        let pages = Arc::new(pages);
        let paged = PagedListing::new(Arc::clone(&pages), kind, root.clone(), prefix.clone(), options, order);
        let way = match order {
            Order::Keys => Way::AsListed(Box::new(paged)),
            Order::Other => Way::Sorted(Distinct::new(paged)),
        };
        Self { pages, kind, root, prefix, options: options.clone(), way }
    }

    fn begin_again(&self) -> Distinct {
        let (pages, root, prefix) = (Arc::clone(&self.pages), self.root.clone(), self.prefix.clone());
        Distinct::new(PagedListing::new(pages, self.kind, root, prefix, &self.options, Order::Other))
    }
}

#[async_trait]
impl<P: Pages> Listing for OrderedListing<P> {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        let place = || Path::parse(self.prefix.trim_end_matches('/')).unwrap_or_default();
        self.pages.check_open().map_err(|error| error.at(self.kind, &place()))?;
        if let Way::AsListed(listing) = &mut self.way {
            match listing.next(max).await {
                Err(_) if listing.may_begin_again() => self.way = Way::Sorted(self.begin_again()),
                entries => return entries,
            }
        }
        match &mut self.way {
            Way::AsListed(listing) => listing.next(max).await,
            Way::Sorted(listing) => listing.next(max).await,
        }
    }
}

/// A sorted listing without duplicates: a directory is on each page that has something in it.
struct Distinct {
    listing: SortedListing,
    /// The entries with the last path; more may come: at most an object and a directory.
    last: Vec<ObjectInfo>,
    ready: VecDeque<Listed>,
}

impl Distinct {
    fn new(listing: impl Listing + 'static) -> Self {
        let listing = SortedListing::new(Box::new(listing), SortOptions::default());
        Self { listing, last: Vec::new(), ready: VecDeque::new() }
    }

    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        while self.ready.is_empty() {
            let batch = self.listing.next(max).await?;
            if batch.is_empty() {
                self.ready.extend(self.last.drain(..).map(Listed::Entry));
                break;
            }
            for listed in batch {
                match listed {
                    Listed::Entry(entry) => self.push(entry),
                    // It may come too early, but not too late.
                    failure @ Listed::Failure(_) => self.ready.push_back(failure),
                }
            }
        }
        Ok(self.ready.drain(..max.min(self.ready.len())).collect())
    }

    fn push(&mut self, entry: ObjectInfo) {
        if self.last.first().is_some_and(|last| last.path != entry.path) {
            self.ready.extend(self.last.drain(..).map(Listed::Entry));
        }
        match entry.kind {
            kind if self.last.iter().any(|known| known.kind == kind) => {}
            ObjectKind::Directory => self.last.push(entry),
            _ => self.last.insert(0, entry),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::backend::cloud::pages::Page;

    /// Pages of keys, which must begin at the beginning to be sorted; those that end with `/` are directories.
    struct Given {
        pages: Vec<Vec<&'static str>>,
        is_known: AtomicBool,
    }

    #[async_trait]
    impl Pages for Given {
        fn check_open(&self) -> Result<()> {
            Ok(())
        }

        async fn page(&self, token: Option<&str>, order: Order) -> Result<Page> {
            assert!(order == Order::Other || !self.is_known.load(Ordering::Relaxed));
            let at: usize = token.map_or(0, |token| token.parse().unwrap());
            let (directories, objects): (Vec<_>, Vec<_>) =
                self.pages[at].iter().map(|key| (*key).to_owned()).partition(|key| key.ends_with('/'));
            let info = |key| (key, ObjectInfo::new(Path::root(), ObjectKind::Object));
            let next = (at + 1 < self.pages.len()).then(|| (at + 1).to_string());
            let objects = objects.into_iter().map(info).collect();
            Ok(Page { objects, directories, next, ..Page::default() })
        }

        fn is_unsorted(&self) {
            self.is_known.store(true, Ordering::Relaxed);
        }
    }

    async fn list(pages: &[&[&'static str]], order: Order) -> Result<Vec<String>> {
        let options = ListOptions { start_after: Some(Path::parse("a").unwrap()), ..ListOptions::default() };
        let pages = pages.iter().map(|page| page.to_vec()).collect();
        let given = Given { pages, is_known: AtomicBool::new(false) };
        let mut listing = OrderedListing::new(given, "test", String::new(), String::new(), &options, order);
        let mut all = Vec::new();
        loop {
            let batch = listing.next_entries(2).await?;
            if batch.is_empty() {
                return Ok(all);
            }
            all.extend(batch.into_iter().map(|info| match info.kind {
                ObjectKind::Directory => format!("{}/", info.path),
                _ => String::from(info.path),
            }));
        }
    }

    #[tokio::test]
    async fn an_order_that_shows_at_once_is_mended() {
        for (pages, sorted) in [
            (&[&["c", "b", "a"][..], &["e", "d"]][..], &["b", "c", "d", "e"][..]),
            (&[&["b/", "b-", "e/", "a"], &["b", "e/", "c"]], &["b", "b/", "b-", "c", "e/"]),
            (&[&["a"], &["d", "c"], &["b"]], &["b", "c", "d"]),
            (&[&["b/", "b-", "e/", "a"], &["e/", "b", "e", "e/"]], &["b", "b/", "b-", "e", "e/"]),
        ] {
            assert_eq!(list(pages, Order::Keys).await.unwrap(), sorted);
            assert_eq!(list(pages, Order::Other).await.unwrap(), sorted);
        }
    }

    #[tokio::test]
    async fn an_order_that_shows_too_late_is_an_error() {
        let error = list(&[&["b", "c"], &["d", "a"]], Order::Keys).await.unwrap_err();
        assert!(error.message().contains("sorted_list"), "{error}");
    }
}
